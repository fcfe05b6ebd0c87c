"""People at work: they log in by password and code and write one entry with a file after the other; what they are told counts."""

import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPResponse

import time_machine

from bench.drive import TIMEOUT, Visitor
from tests.faults.house import House, need

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
FORM = "/patients/10023/entries/new/"
ERROR = "<h1>Something went wrong</h1>"  # the house's own page (templates/error.html)
DONE = 302
_EDGE = "fault"


class Connection(HTTPConnection):
    """One that says whether it has sent a request and waits for the answer."""

    waits = False

    def getresponse(self) -> HTTPResponse:
        """As the library's."""
        self.waits = True
        try:
            return super().getresponse()
        finally:
            self.waits = False


@dataclass
class Write:
    """One entry that somebody sent: its title, the token of its form, and how the server answered; None: not at all."""

    title: str
    token: str
    answer: int | None = None

    @property
    def body(self) -> str:
        """The entry's text, another for each."""
        return f"{self.title}: seen, no reaction. " * 20

    @property
    def file(self) -> bytes:
        """The file that is sent along, another for each."""
        return b"%PDF-1.4\n" + self.title.encode() * 200 + b"\n%%EOF\n"

    def as_found(self) -> dict:
        """What the database must hold of it: tests/faults/inside.py, `left`."""
        digests = [sha256(part).hexdigest() for part in (self.body.encode(), self.file)]
        return {"body": digests[0], "files": digests[1:], "events": 1}


class Person(Visitor):
    """A member of the staff with a browser. `open` is what the server has not yet said to have."""

    def __init__(self, house: House, username: str, password: str):
        super().__init__("127.0.0.1", house.port)
        self.username, self.password = username, password
        self.connection = Connection("127.0.0.1", house.port, timeout=TIMEOUT)
        self.writing: Write | None = None
        self.open: Write | None = None

    def sign_in(self, shift: float = 0) -> "Person":
        """Password and code, on the telephone's clock, which is set by so many seconds. Raises WrongAnswerError."""
        with time_machine.travel(time.time() + shift):
            self.log_in(self.username, self.password, SECRET)
        return self

    def new_write(self, title: str) -> Write:
        """The form of a new entry, opened. Raises OSError where there is none, with what there is instead."""
        status, page = self.ask(FORM)
        token = re.search(r'name="token"[^>]*value="([^"]+)"', page.decode())
        if not token:
            raise NoFormError(status, page.decode())
        return Write(title, token[1])

    def send(self, write: Write) -> str:
        """Send it. Returns the page that answered; the status is kept with it."""
        csrf = next(value for name, value in self.cookies.items() if name.endswith("csrftoken"))
        fields = {"csrfmiddlewaretoken": csrf, "kind": "visit_note", "service_on": "2024-03-01", "token": write.token}
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": f"multipart/form-data; boundary={_EDGE}",
        }
        self.writing = write
        try:
            body = multipart({**fields, "title": write.title, "body": write.body}, write.file)
            write.answer, page = self._send("POST", FORM, body, headers)
        finally:
            self.writing = None
        return page.decode(errors="replace")

    def in_flight(self) -> Write | None:
        """What was sent and is not answered at this instant."""
        return self.writing if self.connection.waits else None


class NoFormError(OSError):
    """Another page came in place of the form."""

    def __init__(self, status: int, page: str):
        super().__init__(f"no form, but {status}")
        self.status, self.page = status, page


def multipart(fields: dict[str, str], file: bytes) -> bytes:
    """A form with one file as a browser sends it."""
    parts = [f'--{_EDGE}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    head = f'--{_EDGE}\r\nContent-Disposition: form-data; name="attached"; filename="scan.pdf"\r\n\r\n'
    return "".join([*parts, head]).encode() + file + f"\r\n--{_EDGE}--\r\n".encode()


class Writer(threading.Thread):
    """One person who writes. `writes` holds all they sent; `answers` counts how pages and forms were answered."""

    def __init__(self, person: Person):
        super().__init__(daemon=True)
        self.person = person
        self.writes: list[Write] = []
        self.answers: Counter[str] = Counter()
        self.over = threading.Event()

    def run(self) -> None:
        """One entry after the other; what was torn off or refused is sent again by the same form, as its writer would do."""
        person = self.person
        while not self.over.is_set():
            try:
                if person.open is None:
                    person.open = person.new_write(f"{person.username} {secrets.token_hex(6)}")
                    self.writes.append(person.open)
                page = person.send(person.open)
                self._count(person.open.answer or 0, page)
                if person.open.answer == DONE:
                    person.open = None
            except NoFormError as other:
                self._count(other.status, other.page)
            except (OSError, HTTPException):
                self.answers["none"] += 1
                person.connection.close()
                self.over.wait(0.02)

    def _count(self, status: int, page: str) -> None:
        clean = status >= 500 and ERROR in page and "Traceback" not in page
        self.answers["the house's own page of errors" if clean else str(status)] += 1
        if status != DONE:
            self.over.wait(0.05)

    @property
    def told(self) -> int:
        """How many entries the server said to have."""
        return sum(write.answer == DONE for write in self.writes)


def staff(house: House, roles: list[str]) -> list[Person]:
    """One person for each role, logged in at the running server."""
    return [Person(house, *person).sign_in() for person in house.act("people", roles=roles, secret=SECRET)]


@contextmanager
def writing(people: list[Person]) -> Iterator[list[Writer]]:
    """These people at work for as long as the block runs."""
    writers = [Writer(person) for person in people]
    for writer in writers:
        writer.start()
    try:
        yield writers
    finally:
        for writer in writers:
            writer.over.set()
        for writer in writers:
            writer.join(TIMEOUT + 10)


def answers(writers: list[Writer]) -> Counter[str]:
    """How all of them were answered."""
    return sum((writer.answers for writer in writers), Counter())


def check_nothing_is_lost(house: House, writes: list[Write]) -> dict:
    """What is in the database, which must be what was acknowledged, and of the rest a part, each whole. Raises FaultError.

    Whole is an entry with its text, its file, one event of the audit, and the seals of all three.
    """
    found = house.act("left")
    entries, sent = found["entries"], {write.title: write for write in writes}
    need(not found["breaks"], f"seals do not hold: {found['breaks'][:3]}")
    need(found["sound"], "the database's own check fails")
    lost = [write.title for write in writes if write.answer == DONE and write.title not in entries]
    need(not lost, f"{len(lost)} acknowledged entries are gone: {lost[:3]}")
    need(len(entries) == found["count"], "an entry was written twice")
    need(entries.keys() <= sent.keys(), "there are entries that nobody sent")
    halves = [title for title, entry in entries.items() if entry != sent[title].as_found()]
    need(not halves, f"{len(halves)} entries are half written: {[(title, entries[title]) for title in halves[:2]]}")
    need(not found["stray"], f"half a write: {found['stray'][:3]}")
    return found

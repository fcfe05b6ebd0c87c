"""The hook for ClamAV: a clean file comes in, an infected one does not, and nothing does while the scanner is silent."""

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from records import virus_scan
from records.fhir.attachments import Documents, _keep
from records.fhir.files import At, BadElementError
from records.models import Attachment
from tests.factories import PatientFactory

FOUND = b"stream: Eicar-Test-Signature FOUND\0"


class Clamd:
    """What clamd does with INSTREAM: takes pieces until one of nothing, answers one line. Keeps what it was sent."""

    def __init__(self, server: socket.socket) -> None:
        self.server, self.sent, self.answer = server, [], b"stream: OK\0"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self.server.accept()
            except OSError:
                return
            with link, link.makefile("rb") as said:
                if said.read(10) != b"zINSTREAM\0":
                    continue
                content = b""
                while size := struct.unpack("!L", said.read(4))[0]:
                    content += said.read(size)
                self.sent.append(content)
                link.sendall(self.answer)


@pytest.fixture(params=["unix", "tcp"])
def clamd(request, settings, tmp_path) -> Iterator[Clamd]:
    """A scanner that the settings name, by either way."""
    if request.param == "unix":
        server = socket.socket(socket.AF_UNIX)
        settings.CLAMD_SOCKET = str(tmp_path / "clamd.ctl")
        server.bind(settings.CLAMD_SOCKET)
    else:
        server = socket.create_server(("127.0.0.1", 0))
        settings.CLAMD_SOCKET = f"127.0.0.1:{server.getsockname()[1]}"
    server.listen()
    fake = Clamd(server)
    yield fake
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    fake.thread.join(5)


@pytest.fixture
def send(client, signed_in, upload, db):
    """`send("pdf")` puts that file into a chart as the desk does: the errors at the field."""
    signed_in("front_desk")
    PatientFactory(chart_number="10023")

    def put(kind: str) -> list[str]:
        answer = client.post("/patients/10023/files/new/", {"attached": upload(kind, "scan.pdf")})
        return answer.context["form"].errors["attached"] if answer.status_code == 200 else []

    return put


def test_without_a_scanner_nothing_is_asked(settings, send):
    assert settings.CLAMD_SOCKET == ""
    assert send("pdf") == []


def test_a_clean_file_is_scanned_whole_and_taken(clamd, send, file_bytes):
    assert send("pdf") == []
    assert clamd.sent == [file_bytes["pdf"]]
    assert Attachment.objects.count() == 1


def test_a_large_file_goes_in_pieces(clamd):
    content = bytes(range(256)) * 4096 + b"end"
    assert virus_scan.find(content) == ""
    assert clamd.sent == [content]


def test_an_infected_file_is_refused_at_its_field_and_not_stored(clamd, send, caplog):
    clamd.answer = FOUND
    assert send("pdf") == [
        "“scan.pdf” is not taken: the virus scanner found Eicar-Test-Signature in it. Do not open it; tell the office admin."
    ]
    assert not Attachment.objects.exists()
    assert "the virus scanner found something" in caplog.text
    assert "scan.pdf" not in caplog.text  # a file's name may be a patient's


@pytest.mark.parametrize("answer", [b"", b"INSTREAM size limit exceeded. ERROR\0", b"stream: ERROR\0", b"OK\0", b"\xff\xfe"])
def test_whatever_is_not_a_clear_yes_lets_nothing_through(clamd, send, answer):
    clamd.answer = answer
    assert send("pdf") == [
        "“scan.pdf” can't be taken now: the virus scanner does not answer. Try again, or tell the office admin."
    ]
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("named", ["/nowhere/clamd.ctl", "127.0.0.1:1", "nonsense", "[::1]:1"])
def test_a_scanner_that_is_not_there_lets_nothing_through(settings, send, named):
    settings.CLAMD_SOCKET = named
    assert "the virus scanner does not answer" in send("pdf")[0]
    assert not Attachment.objects.exists()


def test_a_scanner_that_goes_silent_is_not_waited_for_for_ever(settings, monkeypatch):
    monkeypatch.setattr(virus_scan, "_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.CLAMD_SOCKET = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(virus_scan.ScanFailed):
            virus_scan.find(b"%PDF")


def test_files_of_an_import_are_scanned_too(clamd, file_bytes, settings):
    documents, at = Documents(), At({"title": "Letter"}, "DocumentReference.content[0].attachment")
    _keep(documents, file_bytes["pdf"], "application/pdf", at)
    clamd.answer = FOUND
    _keep(documents, file_bytes["pdf"], "application/pdf", at)
    assert len(documents.files) == 1
    assert documents.unkept[0].endswith("the virus scanner found Eicar-Test-Signature")
    settings.CLAMD_SOCKET = "127.0.0.1:1"
    with pytest.raises(BadElementError, match="does not answer"):
        _keep(documents, file_bytes["pdf"], "application/pdf", at)

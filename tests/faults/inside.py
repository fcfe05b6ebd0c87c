"""What is done within an office, by a child of the nursery: people and papers made, and a look at what the database holds."""

import io
import time
from collections import Counter
from contextlib import nullcontext
from datetime import timedelta
from hashlib import sha256
from typing import Any

import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.management import CommandError, call_command
from django.db import connection

from meso import backups, clock, seals
from meso.models import AccessEvent, User
from records.models import Attachment, Entry, Patient
from requests_app.models import PatientRequest
from tests.factories import PASSWORD, PatientFactory, RequestFactory, UserFactory

CHART = "10023"
OF_THE_AUDIT = ("meso_accessevent", "meso_seal", "meso_chainhead")


def people(roles: list[str], secret: str) -> list[list[str]]:
    """One person for each of these roles, each with an authenticator app that knows the secret. Their names and passwords."""
    if not Patient.objects.exists():
        PatientFactory(chart_number=CHART)
    so_far = User.objects.count()
    users = [UserFactory(role=role, username=f"{role}{so_far + number}") for number, role in enumerate(roles)]
    for user in users:
        Authenticator.objects.create(user=user, type="totp", data={"secret": totp.encrypt(secret)})
    return [[user.username, PASSWORD] for user in users]


def _once_alone() -> None:
    """Wait for what a killed server has left in the database's hands: PostgreSQL ends its sessions one by one."""
    if connection.vendor != "postgresql":
        return
    others = (
        "SELECT state, wait_event_type, wait_event, query FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    until = time.monotonic() + 30
    with connection.cursor() as cursor:
        cursor.execute(others)
        while found := cursor.fetchall():
            if time.monotonic() > until:
                raise RuntimeError(f"30 seconds after the server was killed its sessions go on: {found}")
            time.sleep(0.005)
            cursor.execute(others)


def left() -> dict[str, Any]:
    """What the database holds: each entry with the digests of its text and files and its events; seals, and those that break."""
    _once_alone()
    report = seals.verify()
    files: dict[int, list[str]] = {}
    for row in Attachment.objects.defer(None).order_by("pk"):
        files.setdefault(row.entry_id, []).append(sha256(bytes(row.content)).hexdigest())
    events = Counter(AccessEvent.objects.filter(action="create", subject__startswith="entry ").values_list("subject", flat=True))
    entries = {
        row.title: {
            "body": sha256(row.body.encode()).hexdigest(),
            "files": files.pop(row.pk, []),
            "events": events.pop(f"entry {row.pk}", 0),
        }
        for row in Entry.objects.defer(None).order_by("pk")
    }
    return {
        "entries": entries,
        "count": Entry.objects.count(),
        "links": report.links,
        "breaks": [str(broken) for broken in report.breaks],
        "stray": [f"files of entry {pk}" for pk in files] + [f"event of {subject}" for subject in events],
        "sound": _is_sound(),
    }


def _is_sound() -> bool:
    """Whether SQLite finds its own file in order; PostgreSQL says so by starting."""
    if connection.vendor != "sqlite":
        return True
    with connection.cursor() as cursor:
        return cursor.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def held() -> dict[str, Any]:
    """Rows and digest of every table but the audit's, and whether every seal holds."""
    tables = backups.holdings(connection)["tables"]
    for name in OF_THE_AUDIT:
        del tables[name]
    return {"tables": tables, "breaks": [str(broken) for broken in seals.verify().breaks]}


def requests(count: int) -> list[str]:
    """So many requests to see a record, matched and verified: each waits for its decision. Their numbers."""
    on, at, officer = clock.today(), clock.now(), UserFactory(role="privacy_officer")
    numbers = []
    for _ in range(count):
        request = RequestFactory(received_on=on - timedelta(days=1), on=on, at=at)
        request.verify_identity("photo ID seen", by=officer, at=at, on=on)
        numbers.append(request.number)
    return numbers


def decided() -> dict[str, list[Any]]:
    """How each request was decided: by whom, what, how many decisions its timeline has and how many letters it got."""
    return {
        request.number: [
            request.decided_by.username if request.decided_by else None,
            request.outcome,
            request.events.filter(verb="decided").count(),
            AccessEvent.objects.filter(action="change", subject=f"request {request.number}", detail="decided").count(),
        ]
        for request in PatientRequest.objects.select_related("decided_by")
    }


def command(words: list[str], shift: float = 0) -> list[Any]:
    """Run a command with the clock set by so many seconds. Whether it did its work, and its words."""
    out = io.StringIO()
    try:
        with time_machine.travel(time.time() + shift) if shift else nullcontext():
            call_command(*words, stdout=out, stderr=out)
    except CommandError as error:
        return [False, str(error)]
    return [True, out.getvalue().strip()]


def is_empty() -> bool:
    """Whether the database holds nothing but what `migrate` puts there."""
    return backups.is_empty(connection)

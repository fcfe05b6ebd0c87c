"""The invented office's privacy program: its notice, who was given it, a complaint or two."""

import random
from datetime import date, datetime, timedelta
from typing import Any

from meso.models import Office, User
from meso.pdf import render_pdf
from records.models import LegalHold, NoticeAcknowledgment, NoticePosting, Patient
from requests_app import notice
from requests_app.kinds import Channel
from requests_app.models import Complaint, Policy, Statement, Training


def fill(dice: random.Random, patients: list[Patient], staff: dict[str, User], office: Office, *, on: date, at: datetime) -> None:
    """Put it into the database."""
    _notice(dice, patients, staff, office, on, at)
    _complaints(staff, on, at)
    _registers(staff, office, on, at)
    reason = "A lawyer's letter announces a suit about the swelling after the third session."
    LegalHold.place(patients[7], reason=reason, begins_on=on - timedelta(days=12), by=staff["privacy"], at=at)


def _notice(dice: random.Random, patients: list[Patient], staff: dict[str, User], office: Office, on: date, at: datetime) -> None:
    since = date(on.year, 1, 1)
    facts: dict[str, Any] = {
        "effective_on": since,
        "change": "",
        "is_material": False,
        "by": staff["privacy"],
        "at": at,
        "on": since,
    }
    for language in ("en", "es"):
        version = notice.issue(notice.standard(office, language), language=language, office=office, **facts)
        for place in NoticePosting.Place.values:
            version.postings.create(place=place, posted_on=since, by=staff["privacy"], at=at)
    for patient in patients[:-3]:
        day = on - timedelta(days=dice.randint(5, 300))
        signed, why = ("refused", "Took it home and did not want to sign") if dice.random() < 0.06 else ("yes", "")
        NoticeAcknowledgment.record(patient, given_on=day, signed=signed, why_not=why, by=staff["frontdesk"], at=at, on=on)


def _complaints(staff: dict[str, User], on: date, at: datetime) -> None:
    old = Complaint.take(
        on=on, received_on=on - timedelta(days=70), channel=Channel.LETTER, complainant="Dorothy Hughes", reach="(518) 555-0611",
        about="My name was called out loud with what I was there for.", known_on=on - timedelta(days=74),
        taken_at=at, taken_by=staff["frontdesk"],
    )  # fmt: skip
    for verb, days, text in (
        ("investigated", 66, "Spoke with both people at the desk that morning. It happened as she says."),
        ("outcome", 60, "Justified. Patients are now called by first name only; the desk was told on the same day."),
        ("answered", 58, "By telephone: we are sorry, and told her what was changed. She was content."),
    ):
        old.act(verb, text, done_on=on - timedelta(days=days), by=staff["privacy"], at=at, on=on)
    Complaint.take(
        on=on, received_on=on - timedelta(days=2), channel=Channel.WEB, about="The fax of my visit went to the wrong doctor.",
        reach="fax.complaint@example.org", taken_at=at,
    )  # fmt: skip


def _registers(staff: dict[str, User], office: Office, on: date, at: datetime) -> None:
    since, officer = date(on.year - 1, 3, 1), {"by": staff["privacy"], "at": at}
    for title, words in (
        ("Access to records", "Who asks is answered within thirty days. The privacy officer decides; the desk makes the copies."),
        (
            "Who may see what",
            "Each role opens what its work needs. Logins are never shared. Who leaves is switched off the same day.",
        ),
    ):
        document = render_pdf("requests_app/demo/policy.html", {"office": office, "title": title, "words": words}).content
        Policy.objects.create(title=title, created_on=since, begins_on=since, document=document, **officer)
    for person in staff.values():
        Training.objects.create(person=person, trained_on=date(on.year, 2, 3), topic="The privacy rule, yearly", **officer)
    for kind, text in (
        ("official", f"{office.officer_name}, {office.officer_title}, {office.officer_phone}"),
        ("access", "Privacy officer; front desk for copies"),
        ("record_sets", "The chart with its attachments, the bills, outside records that we hold"),
        ("covered", "We bill no health plan electronically. We keep the rules as if covered. Counsel was asked in March."),
    ):
        Statement.objects.create(kind=kind, text=text, begins_on=since, **officer)

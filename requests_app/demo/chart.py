"""What stands in the invented charts: visits, treatments, papers; and what left the office."""

import random
import struct
import zlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from disclosures.models import Disclosure
from meso.models import User
from records.models import Attachment, ContactPreference, Entry, EntryFlag, PaidInFull, Patient, PaymentBounce, Restriction
from requests_app.demo import authorizations

AREAS = ("Abdomen", "Flanks", "Outer thighs", "Under the chin", "Face and neck", "Scalp", "Knees")
PRODUCTS = (
    ("Phosphatidylcholine/deoxycholate 50 mg/mL", "PC", "2.5 mL"),
    ("Hyaluronic acid 1%", "HA", "2 mL"),
    ("L-carnitine 200 mg/mL", "LC", "1 mL"),
    ("Procaine 1%", "PR", "0.5 mL"),
    ("Dexpanthenol 250 mg/mL", "DX", "1 mL"),
)
TECHNIQUES = ("Point by point, 4 mm, 30G", "Nappage, 2 mm, 32G", "Intradermal papules, 30G")
REACTIONS = ("None", "Mild redness for an hour", "Small bruise at one point", "Slight swelling until the evening")
VISITS = (
    (
        "First visit",
        (
            "Asks about localized fat and skin quality. General health good. No known allergies.\n"
            "Plan: three sessions, two weeks apart. Risks and alternatives were explained; questions answered."
        ),
    ),
    (
        "Follow-up",
        (
            "Two weeks after the last session. Content with the result so far. No pain, no nodules.\n"
            "Smokes about five cigarettes a day.\nPlan: go on as agreed."
        ),
    ),
    (
        "Check before treatment",
        "Blood pressure 122/78. No new medicine since the last visit. Not pregnant, not nursing.\nMay be treated today.",
    ),
    ("Telephone call", "Called about a bruise on the left flank. Advised cool packs. Will send a photograph if it grows."),
)
PAPERS = (
    ("consent", "Consent to mesotherapy", "Signed consent on file. Off-label use of the products was explained and understood."),
    (
        "lab_result",
        "Blood count and clotting",
        "Hemoglobin 13.4 g/dL. Platelets 241 x10^9/L. INR 1.0. Within the reference range.",
    ),
    ("prescription", "Arnica gel", "Arnica gel 10%, thin layer twice a day for five days."),
    ("correspondence", "Letter from the family doctor", "No objection to the planned treatment. Asks for a report at the end."),
    ("billing_record", "Statement", "Session of the day: $280.00. Paid in full by card."),
    (
        "outside_record",
        "Hospital discharge summary",
        "Gallbladder removed in 2019, no complications. Copy received from the hospital.",
    ),
)
RELEASES = (
    (
        "authorization",
        "Beacon Life Insurance",
        "400 Harbor Road, Hartford, CT 06103",
        "Visit notes of the last year",
        "Application for life insurance, at the patient's request",
    ),
    (
        "required_by_law",
        "New York State Department of Health",
        "Corning Tower, Albany, NY 12237",
        "Treatment record and lot numbers",
        "Inspection of lot records under state law",
    ),
    (
        "public_health",
        "FDA MedWatch",
        "10903 New Hampshire Avenue, Silver Spring, MD 20993",
        "Product, lot number, reaction, age and sex",
        "Report of an adverse event with an injected product",
    ),
    (
        "subpoena",
        "Harlan & Moss, attorneys",
        "9 State Street, Albany, NY 12207",
        "Treatment record of two sessions",
        "Subpoena in a civil case; the patient was notified and did not object",
    ),
    (
        "health_oversight",
        "Office of Professional Medical Conduct",
        "150 Broadway, Albany, NY 12204",
        "Whole chart",
        "Oversight of the profession",
    ),
    (
        "workers_compensation",
        "Workers' Compensation Board",
        "328 State Street, Schenectady, NY 12305",
        "Visit note",
        "Claim under the workers' compensation law",
    ),
    (
        "involved_in_care",
        "Husband of the patient",
        "",
        "Instructions for the days after the session",
        "He drove the patient home; the patient agreed",
    ),
    (
        "family_emergency",
        "Daughter of the patient",
        "",
        "That the patient fainted and was taken to the hospital",
        "Emergency at the office",
    ),
)


def _picture() -> bytes:
    """A small PNG in skin tones, drawn here."""
    width, height = 240, 180
    rows = b"".join(
        b"\0" + b"".join(bytes((236 - y // 6, 196 - (x + y) // 8, 172 - y // 5)) for x in range(width)) for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def write_entries(dice: random.Random, patient: Patient, doctor: User, desk: User, on: date, at: datetime) -> list[Entry]:
    """Four to eight entries over the last two years, the oldest first."""
    entries = []
    day = on - timedelta(days=dice.randint(200, 700))
    for step in range(dice.randint(4, 8)):
        written = at - (on - day)
        if step in (0, 3):
            title, body = VISITS[0 if step == 0 else dice.randint(1, 3)]
            entries.append(_entry(patient, "visit_note", day, title, body, doctor, written))
        elif step in (1, 4, 6):
            entries.append(_treatment(dice, patient, day, doctor, written))
        else:
            kind, title, body = dice.choice(PAPERS)
            writer = doctor if kind == "prescription" else desk
            entries.append(_entry(patient, kind, day, title, body, writer, written))
        day = min(on, day + timedelta(days=dice.randint(7, 40)))
    return entries


def _entry(patient: Patient, kind: str, day: date, title: str, body: str, by: User, at: datetime, **more: Any) -> Entry:
    return Entry.objects.create(
        patient=patient,
        kind=kind,
        service_on=day,
        title=title,
        body=body,
        author=by,
        signed_as=by.signature,
        written_at=at,
        **more,
    )


def _treatment(dice: random.Random, patient: Patient, day: date, doctor: User, at: datetime) -> Entry:
    products = [
        {"name": name, "lot": f"{code}-{dice.randint(1000, 9999)}", "dose": dose} for name, code, dose in dice.sample(PRODUCTS, 2)
    ]
    area = dice.choice(AREAS)
    return _entry(
        patient,
        "treatment",
        day,
        f"Session: {area.lower()}",
        "Skin cleaned with chlorhexidine. Tolerated well. Advice given in writing.",
        doctor,
        at,
        areas=area,
        products=products,
        technique=dice.choice(TECHNIQUES),
        reaction=dice.choice(REACTIONS),
    )


def mark_some(charts: list[tuple[Patient, list[Entry]]], doctor: User, officer: User, at: datetime) -> None:
    """Lines, addenda, a wrong chart, a flag, a file."""
    first, second, third, fourth = (entries for _, entries in charts[:4])
    smoker = next((e for _, entries in charts for e in entries if "Smokes about five" in e.body), None)
    if smoker:
        smoker.strike(
            by=doctor,
            at=at,
            reason="The patient has never smoked; disputed by the patient.",
            passage="Smokes about five cigarettes a day.",
        )
        smoker.add_addendum(by=doctor, at=at, body="The patient does not smoke. The line above was meant for another chart.")
    first[1].strike(by=doctor, at=at, reason="The session was on the day after; written twice.")
    second[0].add_addendum(by=doctor, at=at, body="The family doctor was called; no objection to the plan.")
    third[2].mark_misfiled(by=officer, at=at, reason="Belongs to another patient with a similar name.")
    EntryFlag.lay(fourth[1], "litigation", by=officer, at=at, reason="Written for our counsel in the claim of last spring.")
    Attachment.objects.create(
        patient=charts[3][0],
        entry=fourth[0],
        name="before-session.png",
        format="image/png",
        content=_picture(),
        added_by=doctor,
        added_at=at,
    )


def keep_wishes(patients: list[Patient], officer: User, on: date, at: datetime) -> None:
    """Restrictions in force, and ways to be reached."""
    for patient in patients[4:8]:
        session = patient.entries.filter(kind=Entry.Kind.TREATMENT).earliest("id")
        PaidInFull.keep(
            patient, service=session.title, service_on=session.service_on, entries=[session], plan="Empire Health",
            charged=Decimal("280"), amount=Decimal("280"), paid_on=session.service_on, begins_on=session.service_on,
            by=officer, at=at,
        )  # fmt: skip
    bounced = patients[4].restrictions.get()
    PaymentBounce.note(bounced, found_on=on - timedelta(days=2), what="The check came back.", by=officer, at=at)
    brother = Restriction.agree(
        patients[5], what="Nothing about the visits to her brother", from_whom="Her brother Tom", kept_from=["involved"],
        covers=["involved_in_care", "family_emergency"], begins_on=on - timedelta(days=90), by=officer, at=at,
    )  # fmt: skip
    how = "By letter, which the patient signed for"
    brother.tell(told_on=on - timedelta(days=10), how=how, reason="He drives the patient home.", by=officer, at=at)
    for patient in patients[6:10]:
        ContactPreference.objects.create(
            patient=patient,
            means="mail",
            where=f"PO Box {patient.pk + 100}\nAlbany, NY 12201",
            avoid="Home telephone",
            begins_on=on - timedelta(days=60),
            recorded_by=officer,
            recorded_at=at,
        )


def log_disclosures(
    dice: random.Random, charts: list[tuple[Patient, list[Entry]]], desk: User, officer: User, on: date, at: datetime
) -> None:
    """Some ninety releases over the last years; a weekly series to one recipient; half of them reviewed, one corrected."""
    rows = []
    for patient, entries in charts:
        for _ in range(dice.choice((0, 1, 1, 2, 2, 3))):
            day = on - timedelta(days=dice.randint(1, 1500))
            rows.append(_release(patient, day, dice.choice(RELEASES), desk, at, entries[:1]))
    code, recipient, address, _information, purpose = RELEASES[1]
    for weeks in range(7, 21):
        weekly = (code, recipient, address, "Weekly lot report", purpose)
        _release(charts[0][0], on - timedelta(weeks=weeks), weekly, desk, at)
    for row in rows[: len(rows) // 2]:
        row.review(by=officer, at=at)
    wrong = rows[-1]
    names = ("disclosed_on", "recipient", "information", "purpose_code", "purpose", "authorization")
    right = {name: getattr(wrong, name) for name in names} | {"recipient_address": "12 Corrected Street, Albany, NY 12207"}
    wrong.correct(by=officer, at=at, reason="The recipient's street was typed wrong.", replacement=right)


def _release(
    patient: Patient, day: date, release: tuple[str, ...], desk: User, at: datetime, entries: list[Entry] | None = None
) -> Disclosure:
    code, recipient, address, information, purpose = release
    form = authorizations.signed(patient, release, day, desk, at) if code == "authorization" else None
    return Disclosure.log(
        patient=patient,
        disclosed_on=day,
        recipient=recipient,
        recipient_address=address,
        information=information,
        purpose_code=code,
        purpose=purpose,
        by=desk,
        at=at,
        entries=entries,
        authorization=form,
    )

"""What left the invented office through the release desk: on a court's order, and to a physician who treats the patient."""

from datetime import date, datetime, timedelta
from typing import Any

from disclosures import desk, on_hand
from disclosures.guard import Means, Plan
from meso.models import Office, User
from records.models import Entry, Patient

# purpose code, days ago, to whom, address, why, what is on hand, how identity was checked, how it goes
LET_OUT = (
    ("court_order", 12, "Albany County Supreme Court", "16 Eagle Street\nAlbany, NY 12207", "Order in a civil case",
     "Order signed by Judge Roe, in the folder", "letterhead", Means.MAIL),
    ("treatment", 5, "Dr. Amara Osei", "9 Park Lane\nTroy, NY 12180", "Seen there next week for the same area",
     "The referral, signed by Dr. Vance", "known", Means.FAX),
)  # fmt: skip


def let_out(charts: list[tuple[Patient, list[Entry]]], by: User, office: Office, *, on: date, at: datetime) -> None:
    """Release the first entry of a few charts, each with everything on hand."""
    for (patient, written), row in zip(charts[8:], LET_OUT, strict=False):
        code, days_ago, recipient, address, why, basis, way, means = row
        day = on - timedelta(days=days_ago)
        entry = Entry.objects.with_marks().get(pk=written[0].pk)
        facts: dict[str, Any] = {"recipient": recipient, "address": address, "purpose": why, "basis": basis, "means": means}
        confirmed = frozenset(need.code for need in on_hand.needs(code))
        plan = Plan(
            patient, day, code, entries=(entry,), confirmed=confirmed, minimum_confirmed=True, verified_ways=(way,),
            verified_on=day, **facts,
        )  # fmt: skip
        desk.release(plan, {}, by=by, at=at - timedelta(days=days_ago), office=office)

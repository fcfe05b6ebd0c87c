"""Giving access: what a request asked for goes out through the release desk's act, and in no other way.

The release with its checks and its row of the log, and the event that stops the request's clock, stand or fall together.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from disclosures import desk
from disclosures.desk import Bill
from disclosures.guard import Means, Plan
from disclosures.models import Release
from meso.models import Office, User
from meso.pdf import Pdf
from records.models import Attachment, Entry, Representative, WayOut
from requests_app import carrying_out
from requests_app.answers import all_or_nothing
from requests_app.models import CopyBill, PatientRequest

MEANS_OF = {
    WayOut.MAIL: Means.MAIL,
    WayOut.HANDED_OVER: Means.PICK_UP,
    WayOut.EMAIL: Means.ELECTRONIC,
    WayOut.ENCRYPTED_EMAIL: Means.ELECTRONIC,
    WayOut.FAX: Means.FAX,
}


def facts_of(request: PatientRequest, on: date) -> dict[str, Any]:
    """What the request itself says of a plan: whose record, who asks, and the check of identity that was recorded."""
    acting = Representative.objects.with_state().filter(pk=request.representative_id).first()
    return {
        "patient": request.patient,
        "on": on,
        "purpose_code": "individual",
        "branch": "representative" if request.is_by_another else "patient",
        "representative": acting,
        "recipient": acting.name if acting else (request.patient.name if request.patient else ""),
        "purpose": str(request.get_kind_display()),
        "verified_words": request.identity_how,
        "verified_on": request.identity_checked_on,
        "request_number": request.number,
    }


def what_of(bill: CopyBill) -> dict[str, Any]:
    """What this copy holds, as a plan names it. Four queries."""
    entries = Entry.objects.with_marks().filter(pk__in=bill.entry_ids).oldest_first()
    loose = Attachment.objects.filter(pk__in=bill.package.get("files", []))
    return {"entries": tuple(entries), "loose": tuple(loose), "paper_pages": bill.paper_pages}


def give(
    bill: CopyBill, plan: Plan, overrides: Mapping[str, str], *, how: str, by: User, at: datetime, on: date, office: Office,
    warned_on: date | None = None, once: str = "",
) -> Release:  # fmt: skip
    """The copies of this bill go out as planned, on the plan's day; a bill never holds them.

    `warned_on`: when the patient accepted plain e-mail. Raises desk.ReleaseRefused, and NotAllowedNow
    as carrying_out.give_copies.
    """
    if once and (before := Release.objects.filter(source_id=once).first()):
        return before
    stored = CopyBill.objects.defer(None).get(pk=bill.pk)
    papers = desk.with_companions(plan, Pdf(bytes(stored.copy), stored.pages))
    owed = Bill(bytes(stored.document), stored.total)
    with all_or_nothing(bill.request):
        released = desk.release(plan, overrides, by=by, at=at, office=office, made=papers, bill=owed, once=once)
        facts: dict[str, Any] = {
            "given_on": plan.on,
            "how": how,
            "warned_on": warned_on,
            "release": released,
            "address": plan.address,
        }
        carrying_out.give_copies(bill, **facts, by=by, at=at, on=on)
    return released


def look(
    request: PatientRequest, plan: Plan, overrides: Mapping[str, str], *, by: User, at: datetime, on: date, office: Office,
    once: str = "",
) -> Release:  # fmt: skip
    """The patient, or who acts for them, looked at what is planned on the plan's day. Raises as `give` does."""
    if once and (before := Release.objects.filter(source_id=once).first()):
        return before
    with all_or_nothing(request):
        released = desk.release(plan, overrides, by=by, at=at, office=office, once=once)
        carrying_out.looked_at(request, seen_on=plan.on, by=by, at=at, on=on, release=released)
    return released

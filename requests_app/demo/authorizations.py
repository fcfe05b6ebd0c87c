"""Signed forms of the invented office: those on which something went out, and some that need somebody."""

from datetime import date, datetime, timedelta
from typing import Any

from disclosures.models import Authorization, OralRevocation
from meso.models import User
from records.models import Patient

# A white page of one dot: the invented scans are alike.
_SCAN = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63787364cd7f000858035cc3a7122e0000"
    "000049454e44ae426082"
)


def signed(patient: Patient, release: tuple[str, ...], day: date, desk: User, at: datetime, **changes: Any) -> Authorization:
    """A whole form for this release, signed five days before it and good for a year."""
    _code, recipient, address, information, purpose = release
    facts: dict[str, Any] = {
        "received_on": day, "signed_on": day - timedelta(days=5), "information": information, "recipient": recipient,
        "recipient_address": address, "purposes": [purpose], "discloser": "Lark Street Mesotherapy",
        "expires_on": day + timedelta(days=365), "says_revocable": True, "says_conditions": True, "says_redisclosure": True,
        "scan": _SCAN, "scan_format": "image/png", "recorded_by": desk, "recorded_at": at,
    }  # fmt: skip
    return Authorization.record(patient=patient, **facts | changes)


def that_need_somebody(patients: list[Patient], release: tuple[str, ...], desk: User, on: date, at: datetime) -> None:
    """One that ends soon, one that lacks two parts, one taken back orally, one directive, one for photographs."""
    first, second, third, fourth, fifth = patients[:5]
    day = on - timedelta(days=40)
    signed(first, release, day, desk, at, expires_on=on + timedelta(days=9))
    signed(second, release, day, desk, at, says_redisclosure=False, expires_on=None)
    doubted = signed(third, release, day, desk, at)
    OralRevocation.of(doubted, asked_on=on - timedelta(days=3), note="On the telephone.", by=desk, at=at)
    app = ("", "My Health Folder (app)", "inbox@folder.example.org", "My record as PDF", "")
    signed(fourth, app, day, desk, at, kind="directive", electronic_only=True, purposes=[], expires_on=None)
    photos = ("", "Readers of the office’s website", "", "Two photographs of the abdomen", "To advertise the office")
    special = {"recipient_is_class": True, "advertising_photos": True, "remuneration": "nobody", "asked_by_office": True}
    signed(fifth, photos, day, desk, at, **special)

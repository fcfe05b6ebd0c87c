"""What is measured: each page, who opens it, what is sent, its bar over the floor (docs/performance.md)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import NoReverseMatch, reverse

Order = list[Any]  # [path, fields or None], as bench/drive.py takes it
SAMPLE = 200  # charts that the requests go round


@dataclass(frozen=True)
class Sample:
    """Charts from all over the office, and the day."""

    patients: list[Any]
    on: date


@dataclass(frozen=True)
class Page:
    """One line of the table. `orders` makes what is sent, over and over; `writes` puts it beside the plain insert.

    A `part` is asked for as htmx does while somebody types: the answer is the rows without the page around them.
    """

    name: str
    user: str
    bar: float | None
    orders: Callable[[Sample], Iterator[Order]]
    expect: int = 200
    writes: bool = False
    part: bool = False


def sample(on: date) -> Sample:
    """Charts at even distances through the whole table."""
    from records.models import Patient

    last = Patient.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    first = Patient.objects.order_by("pk").values_list("pk", flat=True).first() or 0
    step = max(1, (last - first) // SAMPLE)
    return Sample(list(Patient.objects.filter(pk__in=range(first, last + 1, step))[:SAMPLE]), on)


def _search(query: Callable[[Any], str]) -> Callable[[Sample], Iterator[Order]]:
    return lambda of: ([reverse("patients"), {"q": query(patient)}] for patient in of.patients)


def _get(name: str) -> Callable[[Sample], Iterator[Order]]:
    return lambda of: iter([[reverse(name), None]])


def _chart(of: Sample) -> Iterator[Order]:
    return ([reverse("chart", args=[patient.chart_number]), None] for patient in of.patients)


def _floor(path: str) -> Callable[[Sample], Iterator[Order]]:
    return lambda of: ([f"{path}?from={patient.last_key[:3]}", None] for patient in of.patients)


def _facts(patient: Any, of: Sample) -> dict[str, str]:
    return {
        "disclosed_on": of.on.isoformat(),
        "recipient": "State Department of Health",
        "recipient_address": "Corning Tower\nAlbany, NY 12237",
        "information": "Visit notes of the last year",
        "purpose_code": "required_by_law",
        "purpose": "Inspection of lot records under state law",
    }


def _plain_insert(of: Sample) -> Iterator[Order]:
    return (["/floor/write/", {"patient_id": patient.pk, **_facts(patient, of)}] for patient in of.patients)


def _disclosure(of: Sample) -> Iterator[Order]:
    return ([reverse("disclosure_new"), {"patient": patient.chart_number, **_facts(patient, of)}] for patient in of.patients)


def _entry(of: Sample) -> Iterator[Order]:
    note = {
        "kind": "visit_note",
        "service_on": of.on.isoformat(),
        "title": "Follow-up visit",
        "body": "No bruising. Next session in two weeks.",
    }
    return ([reverse("entry_new", args=[patient.chart_number]), note] for patient in of.patients)


READ_FLOOR = Page("bare page", "officer", None, _floor("/floor/read/"))
WRITE_FLOOR = Page("plain insert", "officer", None, _plain_insert, expect=302, writes=True)

PAGES = (
    Page("bare page behind Meso's middleware", "officer", None, _floor("/floor/inside/")),
    Page("search: last name", "officer", 2, _search(lambda patient: patient.last_name)),
    Page("search: first letters, as they are typed", "officer", 2, _search(lambda patient: patient.last_key[:3]), part=True),
    Page("search: first and last name", "officer", 2, _search(lambda patient: patient.name)),
    Page("search: birth date", "officer", 2, _search(lambda patient: f"{patient.date_of_birth:%m/%d/%Y}")),
    Page("search: telephone", "officer", 2, _search(lambda patient: patient.phone_digits)),
    Page("search: chart number's first digits", "officer", 2, _search(lambda patient: patient.chart_number[:3])),
    Page("chart", "officer", 4, _chart),
    Page("disclosure log", "officer", 4, _get("disclosures")),
    Page("tracker", "officer", 4, _get("requests")),
    Page("dashboard", "officer", 4, _get("dashboard")),
    Page("sealed write: disclosure", "officer", 2, _disclosure, expect=302, writes=True),
    Page("sealed write: entry", "doctor", 2, _entry, expect=302, writes=True),
)


def _form(name: str, user_of: str = "", **fields: str) -> Callable[[Sample], Iterator[Order]]:
    """A filter's form sent with these fields; `user_of` names the field that takes a member of the staff."""

    def orders(of: Sample) -> Iterator[Order]:
        from meso.models import User

        chosen = {user_of: str(User.objects.get(username="desk").pk)} if user_of else {}
        numbers = {"chart_number": of.patients[len(of.patients) // 2].chart_number}
        return iter([[reverse(name), {**{key: numbers.get(key, value) for key, value in fields.items()}, **chosen}]])

    return orders


def _of_chart(name: str) -> Callable[[Sample], Iterator[Order]]:
    return lambda of: ([reverse(name, args=[patient.chart_number]), None] for patient in of.patients)


# Looked at from inside only: the other ways to ask the lists, each with its plan and its time.
ASKED = (
    Page("log: one chart", "officer", None, _form("disclosures", chart_number="*")),
    Page("log: one chart and a recipient", "officer", None, _form("disclosures", chart_number="*", recipient="clinic")),
    Page("log: a recipient since a day", "officer", None, _form("disclosures", recipient="zzyzx", since="2026-01-01")),
    Page("log: a rare purpose", "officer", None, _form("disclosures", purpose_code="impermissible")),
    Page("log: a purpose that nothing has", "officer", None, _form("disclosures", purpose_code="research")),
    Page("log: days of long ago", "officer", None, _form("disclosures", since="2021-01-01", until="2021-01-31")),
    Page("log: one of the staff", "officer", None, _form("disclosures", user_of="logged_by")),
    Page("log: not reviewed", "officer", None, _form("disclosures", show="unreviewed")),
    Page("log: held", "officer", None, _form("disclosures", show="held")),
    Page("tracker: overdue", "officer", None, _form("requests", state="overdue")),
    Page("tracker: closed", "officer", None, _form("requests", state="closed")),
    Page("tracker: to decide", "officer", None, _form("requests", state="to_decide")),
    Page("tracker: one kind", "officer", None, _form("requests", kind="accounting")),
    Page("tracker: received in a week", "officer", None, _form("requests", since="2024-01-01", until="2024-01-07")),
    Page("audit trail", "officer", None, _get("audit")),
    Page("audit: one chart", "officer", None, _form("audit", chart_number="*")),
    Page("audit: one of the staff", "officer", None, _form("audit", user_of="user")),
    Page("audit: refusals of one of the staff", "officer", None, _form("audit", user_of="user", action="refused")),
    Page("audit: one chart and one of the staff", "officer", None, _form("audit", user_of="user", chart_number="*")),
    Page("audit: days of long ago", "officer", None, _form("audit", since="2025-08-01", until="2025-08-02")),
    Page("disclosures of a chart", "officer", None, _of_chart("patient_disclosures")),
    Page("requests of a chart", "officer", None, _of_chart("patient_requests")),
    Page("accounting of a chart", "officer", None, _of_chart("accounting")),
)


def spec(page: Page, of: Sample) -> dict[str, Any] | None:
    """The page as bench/drive.py takes it, beside its floor; None when this tree does not have it."""
    try:
        orders = list(page.orders(of))
    except NoReverseMatch:
        return None
    floor = WRITE_FLOOR if page.writes else READ_FLOOR
    return {
        "name": page.name,
        "orders": orders,
        "expect": page.expect,
        "headers": {"HX-Request": "true"} if page.part else {},
        "floor": {"orders": list(floor.orders(of)), "expect": floor.expect, "headers": {}},
    }

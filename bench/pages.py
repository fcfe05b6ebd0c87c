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

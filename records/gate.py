"""The one gate before every page about a patient: a guarded chart answers with the glass instead (records.models.guards).

It stands behind the wall of permissions and before every view, so no page can forget it. Whose chart a page is about it reads
from the address: `<chart>`, or what `names_chart` was told of another part (`<number>`, a request), or what the view says of its
key (`@of_chart(Disclosure)`); and from the charts that a form or a link names. tests/test_gate.py walks every URL.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from meso import audit, clock, drafts
from meso.http import HttpRequest
from meso.roles import PUBLIC, may
from records import guarding
from records.forms.glass import GlassForm
from records.models import Patient

_NAMED = ("patient_picked", "patient", "chart")  # the fields by which a form or a link names a chart
_LONGEST = 64

_parts: dict[str, Callable[[Any], QuerySet]] = {}


def names_chart(part: str, find: Callable[[Any], QuerySet]) -> None:
    """Say whose chart an address with this part is about: `find(value)` gives the keys. Called from an app's ready()."""
    _parts[part] = find


def of_chart(model: type[Model]) -> Callable[[Callable], Callable]:
    """Mark a view whose address holds the key of a row of `model`, which has a `patient`."""

    def mark(view: Callable) -> Callable:
        view.of_chart = model  # type: ignore[attr-defined]
        return view

    return mark


def chooses_chart(view: Callable) -> Callable:
    """Mark a view whose form chooses a patient: what was kept of it may name a chart that has been closed since."""
    view.chooses_chart = True  # type: ignore[attr-defined]
    return view


def at_the_glass(view: Callable) -> Callable:
    """Mark the view on which the glass is broken: the only one about a chart that the gate lets through unasked."""
    view.at_the_glass = True  # type: ignore[attr-defined]
    return view


class ChartGate:
    """Middleware: asks once whether a chart that this page is about is closed to whoever asks. No query where none is named."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: dict[str, Any]) -> HttpResponse | None:
        asked_of_all = getattr(view, "needs", None) == PUBLIC or getattr(view, "at_the_glass", False)
        if asked_of_all or not request.user.is_authenticated or guarding.opens_every_chart(request.user):
            return None
        named = _named_by(request, view, kwargs)
        if named is None:
            return None
        charts = guarding.with_guard(Patient.objects.filter(named), request.user, clock.now())
        found = list(charts.only("chart_number").order_by("pk")[:50])
        if closed := [patient for patient in found if guarding.is_closed(patient)]:
            return the_glass(request, closed[0].chart_number)
        open_until = [until for one in found for until in (one.open_until, one.note_until) if until]  # type: ignore[attr-defined]
        request.emergency_until = max(open_until, default=None)
        return None


def _named_by(request: HttpRequest, view: Any, kwargs: dict[str, Any]) -> Q | None:
    """The patients whom the address, the link and the form name; None for none."""
    named = [Q(pk__in=find(kwargs[part])) for part, find in _parts.items() if part in kwargs]
    if model := getattr(view, "of_chart", None):
        named.append(Q(pk__in=model._base_manager.filter(pk=kwargs["pk"]).values("patient")))
    numbers = {kwargs[part] for part in ("chart",) if part in kwargs}
    numbers |= {value for name in _NAMED for sent in (request.GET, request.POST) for value in sent.getlist(name)}
    if getattr(view, "chooses_chart", False) and request.method == "GET" and not numbers:
        kept = drafts.as_initial(drafts.find(request.user, request.path))
        numbers |= {str(kept.get(name, "")) for name in _NAMED}
    numbers = {number.strip() for number in numbers if number.strip() and len(number) <= _LONGEST and "\0" not in number}
    if numbers:
        named.append(Q(chart_number__in=sorted(numbers)))
    return None if not named else _either(named)


def _either(named: list[Q]) -> Q:
    any_of = Q()
    for one in named:
        any_of |= one
    return any_of


def the_glass(request: HttpRequest, chart: str) -> HttpResponse:
    """The page in place of a closed chart: what a guard is, and how to open the chart in an emergency. What was typed is kept.

    A part of a page sends the whole page there.
    """
    audit.refused(request, "guarded chart", chart)
    page = request.path
    if request.method == "POST":
        page = drafts.keep_refused(request) or page
    elif request.GET:
        page = request.get_full_path()
    context = {"chart": chart, "form": GlassForm(initial={"next": page}), "may_break": may(request.user, "glass.break")}
    response = render(request, "records/glass.html", context, status=403)
    if request.headers.get("HX-Request") == "true":
        response["HX-Redirect"] = f"{reverse('break_glass', args=[chart])}?{urlencode({'next': page})}"
    return response

"""The floor: what the barest Django page costs here. A page of Meso is measured in multiples of it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import Context, Engine
from django.utils import timezone

from bench.models import PlainDisclosure
from meso.roles import STAFF, needs
from records.models import Patient

_PAGE = Engine().from_string(
    "<!doctype html><title>Patients</title><h1>Patients</h1><table>{% for patient in patients %}"
    "<tr><td>{{ patient.chart_number }}<td>{{ patient.last_name }}<td>{{ patient.first_name }}"
    "<td>{{ patient.date_of_birth }}</tr>"
    "{% endfor %}</table>"
)


@needs(STAFF)
@login_required
def read(request: HttpRequest) -> HttpResponse:
    """Session, login, one indexed query of 25 rows, a bare table."""
    patients = Patient.objects.filter(last_key__gte=request.GET.get("from", "")).order_by("last_key", "first_key", "id")[:25]
    return HttpResponse(_PAGE.render(Context({"patients": patients})))


@needs(STAFF)
@login_required
def write(request: HttpRequest) -> HttpResponse:
    """Session, login, protection against forgery, one plain insert, a redirect."""
    facts = {
        name: request.POST[name] for name in ("patient_id", "disclosed_on", "recipient", "information", "purpose_code", "purpose")
    }
    PlainDisclosure.objects.create(**facts, logged_by_id=request.user.pk, logged_at=timezone.now())
    return HttpResponseRedirect("/floor/read/")

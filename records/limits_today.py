"""What restrictions leave to do today: patients to call about a failed payment, letters of an emergency to send."""

from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _

from meso import today
from meso.http import HttpRequest
from meso.today import Task
from records.models import EmergencyRelease, PaymentBounce


@today.source("restriction.paid")
def patients_to_call(request: HttpRequest, on: date) -> list[Task]:
    """The failed payments that wait, oldest first: the patient is called before anything is lifted. One query."""
    waiting = PaymentBounce.objects.waiting().select_related("patient").order_by("id")[: today.MOST]
    why = _("The payment failed for what is kept from the health plan; it stays kept until then")
    return [_task(_("Chart %(chart)s: call the patient"), bounce.patient.chart_number, why) for bounce in waiting]


@today.source("request.send")
def emergency_letters_to_send(request: HttpRequest, on: date) -> list[Task]:
    """The letters that ask a provider not to use or disclose further what an emergency gave them. One query."""
    unsent = EmergencyRelease.objects.unsent().select_related("patient").order_by("id")[: today.MOST]
    what, why = _("Chart %(chart)s: send the letter to the provider"), _("Given in an emergency in spite of a restriction")
    return [_task(what, release.patient.chart_number, why, release.made_on) for release in unsent]


def _task(what: str, chart: str, why: str, due: date | None = None) -> Task:
    return Task(what % {"chart": chart}, why, reverse("chart_limits", args=[chart]), due)

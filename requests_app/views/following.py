"""The pages around the answer of a request: messages, waiting, what became of a letter, opening it again."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from meso.http import HttpRequest
from meso.roles import needs
from requests_app.forms import following as forms
from requests_app.forms.acts import ActForm
from requests_app.models import Letter
from requests_app.views.acting import act_on, form_for, request_or_404


def _act(request: HttpRequest, number: str, form_class: type[ActForm]) -> HttpResponse:
    return act_on(request, form_for(request, form_class, request_or_404(number)))


@needs("request.send")
def request_message(request: HttpRequest, number: str) -> HttpResponse:
    """Record what was said to the patient or by the patient."""
    return _act(request, number, forms.MessageForm)


@needs("request.note")
def request_wait(request: HttpRequest, number: str) -> HttpResponse:
    """Say whom the office waits for."""
    return _act(request, number, forms.WaitForm)


@needs("request.reopen")
def request_reopen(request: HttpRequest, number: str) -> HttpResponse:
    """Open a closed request again, with its letter."""
    return _act(request, number, forms.ReopenForm)


@needs("request.send")
def letter_delivery(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Record what became of a letter."""
    asked = request_or_404(number)
    letter = get_object_or_404(Letter.objects.select_related("request"), request=asked, pk=pk)
    return act_on(request, form_for(request, forms.DeliveryForm, asked, letter=letter), "requests_app/delivery.html")

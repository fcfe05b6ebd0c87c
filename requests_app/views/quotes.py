"""The price of copies, told before they are made, and what the patient said to it."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from meso import clock, drafts
from meso.http import HttpRequest
from meso.roles import needs
from requests_app.forms.quotes import PriceAnswerForm, TellPriceForm
from requests_app.models import FeeQuote
from requests_app.views.acting import act_on, form_for, request_or_404


@needs("request.bill")
def request_price(request: HttpRequest, number: str) -> HttpResponse:
    """Record the price that was told. The page of the copies hands over what it worked out: pages, postage, delivery."""
    shown = {name: request.GET[name] for name in ("pages", "postage", "delivery") if name in request.GET}
    initial = shown | drafts.initial(request)
    return act_on(request, TellPriceForm(request.POST or None, asked=request_or_404(number), on=clock.today(), initial=initial))


@needs("request.bill")
def request_price_answer(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Record what the patient said to a price."""
    asked = request_or_404(number)
    quote = get_object_or_404(FeeQuote.objects.select_related("request"), request=asked, pk=pk)
    return act_on(request, form_for(request, PriceAnswerForm, asked, quote=quote))

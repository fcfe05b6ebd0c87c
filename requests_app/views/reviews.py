"""The pages of the review of a denial."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect

from meso import clock, drafts
from meso.http import HttpRequest
from meso.roles import needs
from requests_app import reviews
from requests_app.forms.reviews import AskReviewForm, ReferForm, ReviewedForm
from requests_app.models import DenialReview
from requests_app.views.acting import act_on, request_or_404


@needs("request.take")
def review_ask(request: HttpRequest, number: str) -> HttpResponse:
    """The patient asks for a review."""
    asked = request_or_404(number)
    if reviews.denial_of(asked) is None:
        return redirect(asked)
    return act_on(request, AskReviewForm(request.POST or None, asked=asked, on=clock.today(), initial=drafts.initial(request)))


def _step(request: HttpRequest, number: str, pk: int, form_class: type[ReferForm] | type[ReviewedForm]) -> HttpResponse:
    asked = request_or_404(number)
    review = get_object_or_404(DenialReview.objects.select_related("request"), request=asked, pk=pk)
    initial = drafts.initial(request)
    return act_on(request, form_class(request.POST or None, asked=asked, on=clock.today(), review=review, initial=initial))


@needs("request.decide")
def review_refer(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Name the reviewer."""
    return _step(request, number, pk, ReferForm)


@needs("request.decide")
def review_decide(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Record what the reviewer decided."""
    return _step(request, number, pk, ReviewedForm)

"""The pages of the review of a denial."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect

from meso.http import HttpRequest
from meso.roles import needs
from requests_app import reviews
from requests_app.forms.acts import ActForm
from requests_app.forms.reviews import AskReviewForm, ReferForm, ReviewedForm
from requests_app.models import DenialReview
from requests_app.views.acting import act_on, form_for, request_or_404


@needs("request.take")
def review_ask(request: HttpRequest, number: str) -> HttpResponse:
    """The patient asks for a review."""
    asked = request_or_404(number)
    if reviews.denial_of(asked) is None:
        return redirect(asked)
    return act_on(request, form_for(request, AskReviewForm, asked))


def _step(request: HttpRequest, number: str, pk: int, form_class: type[ActForm]) -> HttpResponse:
    asked = request_or_404(number)
    review = get_object_or_404(DenialReview.objects.select_related("request"), request=asked, pk=pk)
    return act_on(request, form_for(request, form_class, asked, review=review))


@needs("request.decide")
def review_refer(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Name the reviewer."""
    return _step(request, number, pk, ReferForm)


@needs("request.decide")
def review_decide(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Record what the reviewer decided."""
    return _step(request, number, pk, ReviewedForm)

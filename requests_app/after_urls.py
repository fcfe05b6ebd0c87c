"""What follows an answer: a dispute about an amendment, a review of a denial, people to be told."""

from django.urls import path

from requests_app import converters  # noqa: F401  (registers request_number)
from requests_app.views import access, disputes, postage, reviews, telling

_REQUEST = "requests/<request_number:number>/"

urlpatterns = [
    path(_REQUEST + "disputed/", disputes.request_disputed, name="request_disputed"),
    path(_REQUEST + "statement/", disputes.request_statement, name="request_statement"),
    path(_REQUEST + "statement/<int:pk>/answer/", disputes.request_rebut, name="request_rebut"),
    path(_REQUEST + "travel/", disputes.request_travel, name="request_travel"),
    path(_REQUEST + "originator/", disputes.request_originator, name="request_originator"),
    path(_REQUEST + "tell/", telling.request_tell, name="request_tell"),
    path(_REQUEST + "tell/<int:pk>/", telling.request_telling, name="request_telling"),
    path("patients/<str:chart>/amendments/new/", telling.inbound_new, name="inbound_new"),
    path("office/postage/", postage.postage_prices, name="postage_prices"),
    path("amendments/<int:pk>/", telling.inbound_one, name="inbound"),
    path(_REQUEST + "appointment/", access.access_appointment, name="access_appointment"),
    path(_REQUEST + "summary/", access.summary_agreement, name="summary_agreement"),
    path(_REQUEST + "summary/given/", access.summary_given, name="summary_given"),
    path(_REQUEST + "review/", reviews.review_ask, name="review_ask"),
    path(_REQUEST + "review/<int:pk>/refer/", reviews.review_refer, name="review_refer"),
    path(_REQUEST + "review/<int:pk>/decide/", reviews.review_decide, name="review_decide"),
]

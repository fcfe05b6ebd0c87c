"""The desk's pages: tracker, one request, taking one in."""

from django.urls import path

from requests_app import converters  # noqa: F401  (registers request_number)
from requests_app.views import detail, tracker

urlpatterns = [
    path("requests/", tracker.tracker, name="requests"),
    path("requests/due.ics", tracker.due_dates, name="due_dates"),
    path("requests/new/", tracker.request_new, name="request_new"),
    path("requests/<request_number:number>/", detail.detail, name="request"),
    path("requests/<request_number:number>/match/", detail.request_match, name="request_match"),
    path("requests/<request_number:number>/identity/", detail.request_verify, name="request_verify"),
    path("requests/<request_number:number>/assign/", detail.request_assign, name="request_assign"),
    path("requests/<request_number:number>/receipt/", detail.request_receipt, name="request_receipt"),
    path("requests/<request_number:number>/extend/", detail.request_extend, name="request_extend"),
    path("requests/<request_number:number>/withdraw/", detail.request_withdraw, name="request_withdraw"),
    path("requests/<request_number:number>/note/", detail.request_note, name="request_note"),
    path("patients/<str:chart>/requests/", tracker.patient_requests, name="patient_requests"),
]

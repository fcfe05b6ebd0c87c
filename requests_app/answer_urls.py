"""Answering a request: decision, letters, copies, bills."""

from django.urls import path

from requests_app import converters  # noqa: F401  (registers request_number)
from requests_app.views import answers, copies

_REQUEST = "requests/<request_number:number>/"

urlpatterns = [
    path(_REQUEST + "decide/", answers.request_decide, name="request_decide"),
    path(_REQUEST + "decide-amendment/", answers.request_decide_amendment, name="request_decide_amendment"),
    path(_REQUEST + "letters/<int:pk>/", answers.letter, name="letter"),
    path(_REQUEST + "letters/<int:pk>/sent/", answers.letter_sent, name="letter_sent"),
    path(_REQUEST + "carry-out/", answers.request_carry_out, name="request_carry_out"),
    path(_REQUEST + "look/", answers.request_look, name="request_look"),
    path(_REQUEST + "amend/", answers.request_amend, name="request_amend"),
    path(_REQUEST + "amend/<int:pk>/", answers.request_amend_entry, name="request_amend_entry"),
    path(_REQUEST + "copies/", copies.request_copies, name="request_copies"),
    path(_REQUEST + "copies/<int:pk>/copy/", copies.copy_pdf, name="copy_pdf"),
    path(_REQUEST + "copies/<int:pk>/bill/", copies.bill_pdf, name="bill_pdf"),
    path(_REQUEST + "copies/<int:pk>/given/", copies.copies_given, name="copies_given"),
    path(_REQUEST + "copies/<int:pk>/aside/", copies.copies_set_aside, name="copies_set_aside"),
    path(_REQUEST + "copies/<int:pk>/settle/", copies.bill_settle, name="bill_settle"),
]

"""What goes with a request beside its answer: words withheld, its own papers, messages, what became of its letters."""

from django.urls import path

from requests_app import converters  # noqa: F401  (registers request_number)
from requests_app.views import following, package, proof, quotes

_REQUEST = "requests/<request_number:number>/"

urlpatterns = [
    path(_REQUEST + "withhold/", package.request_withhold, name="request_withhold"),
    path(_REQUEST + "withhold/<int:pk>/", package.request_withhold_words, name="request_withhold_words"),
    path(_REQUEST + "withheld/<int:pk>/", package.request_release_words, name="request_release_words"),
    path(_REQUEST + "papers/", package.request_papers, name="request_papers"),
    path(_REQUEST + "papers/<int:pk>/", package.request_paper, name="request_paper"),
    path(_REQUEST + "papers/<int:pk>/place/", package.request_paper_move, name="request_paper_move"),
    path(_REQUEST + "price/", quotes.request_price, name="request_price"),
    path(_REQUEST + "price/<int:pk>/", quotes.request_price_answer, name="request_price_answer"),
    path(_REQUEST + "proof.pdf", proof.request_proof_pdf, name="request_proof_pdf"),
    path(_REQUEST + "proof.zip", proof.request_proof_zip, name="request_proof_zip"),
    path(_REQUEST + "message/", following.request_message, name="request_message"),
    path(_REQUEST + "waiting/", following.request_wait, name="request_wait"),
    path(_REQUEST + "reopen/", following.request_reopen, name="request_reopen"),
    path(_REQUEST + "letters/<int:pk>/delivery/", following.letter_delivery, name="letter_delivery"),
]

"""What goes with a request beside its answer: words withheld, its own papers."""

from django.urls import path

from requests_app import converters  # noqa: F401  (registers request_number)
from requests_app.views import package

_REQUEST = "requests/<request_number:number>/"

urlpatterns = [
    path(_REQUEST + "withhold/", package.request_withhold, name="request_withhold"),
    path(_REQUEST + "withhold/<int:pk>/", package.request_withhold_words, name="request_withhold_words"),
    path(_REQUEST + "withheld/<int:pk>/", package.request_release_words, name="request_release_words"),
    path(_REQUEST + "papers/", package.request_papers, name="request_papers"),
    path(_REQUEST + "papers/<int:pk>/", package.request_paper, name="request_paper"),
    path(_REQUEST + "papers/<int:pk>/place/", package.request_paper_move, name="request_paper_move"),
]

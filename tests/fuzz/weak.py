"""Views as weak as can be, to show that the fuzz and the scanners see it. No address of Meso leads here.

`python -m tests.fuzz.scan --weak` serves them as a site of its own (`tests/fuzz/weak_settings.py`).
"""

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from meso.roles import PUBLIC, needs
from records.models import Patient

FORM = '<form method="post" action="{}"><input name="words"><button>Send</button></form>'


@needs(PUBLIC)
@csrf_exempt
def index(request: HttpRequest) -> HttpResponse:
    """Links and forms for whoever walks in."""
    links = '<a href="/weak/find/?q=10023">find</a> <a href="/weak/go/?to=/">go</a> <a href="/weak/echo/?words=a">echo</a>'
    return HttpResponse(
        f"<h1>Weak</h1>{links}{FORM.format('/weak/echo/')}{FORM.format('/weak/fails/')}{FORM.format('/weak/half/')}"
    )


@needs(PUBLIC)
@csrf_exempt
def echo(request: HttpRequest) -> HttpResponse:
    """Shows what was sent as it was sent: cross-site scripting."""
    response = HttpResponse(f"<p>{request.POST.get('words') or request.GET.get('words', '')}</p>")
    response._csp_replace = {"script-src": ["'unsafe-inline'"], "default-src": ["*"]}  # type: ignore[attr-defined]
    return response


@needs(PUBLIC)
def find(request: HttpRequest) -> HttpResponse:
    """A query glued together out of words: SQL injection."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT chart_number FROM records_patient WHERE chart_number = '{request.GET.get('q', '')}'")
        return HttpResponse(f"<p>Found: {' '.join(str(row[0]) for row in cursor.fetchall())}</p>")


@needs(PUBLIC)
def go(request: HttpRequest) -> HttpResponse:
    """Sends anybody anywhere: an open redirect."""
    return HttpResponseRedirect(request.GET.get("to", "/"))


@needs(PUBLIC)
@csrf_exempt
def fails(request: HttpRequest) -> HttpResponse:
    """Trusts that a number is a number."""
    return HttpResponse(f"<p>{int(request.POST.get('words', '1') or 1)}</p>")


@needs(PUBLIC)
@csrf_exempt
def half(request: HttpRequest) -> HttpResponse:
    """Writes first and refuses after."""
    Patient.objects.create(first_name="Half", last_name="Written", date_of_birth="1980-01-02")
    return HttpResponse("<p>No.</p>", status=400)


urlpatterns = [
    path("", index, name="weak"),
    path("weak/echo/", echo, name="weak_echo"),
    path("weak/find/", find, name="weak_find"),
    path("weak/go/", go, name="weak_go"),
    path("weak/fails/", fails, name="weak_fails"),
    path("weak/half/", half, name="weak_half"),
]

"""Nothing typed is lost: forms are kept while their writer logs in again, and long ones while they are written.

A POST from an expired login answers with the login page, which carries the typed fields along; after the login they
become a Draft of that person for that form. The entry form also saves its Draft as it is typed.
"""

import json
from typing import cast

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, QueryDict

from meso import clock
from meso.forms import LoginForm
from meso.models import Draft, User
from meso.roles import PUBLIC, needs

_NEVER_KEPT = {"csrfmiddlewaretoken", "password", "kept", "next"}
_LARGEST = 1_000_000  # characters of one kept form


def _typed(data: QueryDict) -> dict[str, list[str]]:
    return {name: values for name, values in data.lists() if name not in _NEVER_KEPT and any(values)}


def save(user: User, path: str, data: QueryDict) -> None:
    """Keep what is typed into the form at `path`, in place of what was kept before; an empty form keeps nothing."""
    fields = _typed(data)
    if not fields:
        discard(user, path)
    elif sum(len(value) for values in fields.values() for value in values) <= _LARGEST:
        Draft.objects.update_or_create(user=user, path=path, defaults={"fields": fields, "saved_at": clock.now()})


def find(user: User, path: str) -> Draft | None:
    """The draft this person has for the form at `path`, or None."""
    return Draft.objects.filter(user=user, path=path).first()


def as_post(draft: Draft | None) -> QueryDict | None:
    """The draft in the shape of a POST, for a form's `data`, or None."""
    if draft is None:
        return None
    data = QueryDict(mutable=True)
    for name, values in draft.fields.items():
        data.setlist(name, values)
    return data


def initial(request: HttpRequest) -> dict[str, str]:
    """What was kept for the form at this address, in the shape of a form's `initial`; {} when nothing was."""
    data = as_post(find(request.user, request.path)) if request.user.is_authenticated else None
    return {name: str(data[name]) for name in data} if data else {}


def discard(user: User, path: str) -> None:
    """Forget the draft: it was sent, or its writer does not want it."""
    Draft.objects.filter(user=user, path=path).delete()


def login_that_keeps_typing(request: HttpRequest) -> HttpResponse:
    """The answer to a POST whose login has expired: the login page, with the typed fields carried along."""
    typed = json.dumps(_typed(request.POST))
    view = StaffLoginView.as_view(extra_context={"kept": typed, "next": request.path, "expired": True})
    request.method = "GET"
    page = view(request)
    page.status_code = 401
    return cast(HttpResponse, page)


class StaffLoginView(LoginView):
    """The login. Fields kept from an expired POST become a draft of whoever logs in."""

    template_name = "meso/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_valid(self, form):
        response = super().form_valid(form)
        kept = self.request.POST.get("kept", "")
        path = self.get_redirect_url()
        if kept and path and len(kept) <= 2 * _LARGEST:
            data = QueryDict(mutable=True)
            try:
                for name, values in json.loads(kept).items():
                    data.setlist(str(name), [str(value) for value in values])
            except (ValueError, AttributeError, TypeError):
                return response
            save(form.get_user(), path, data)
        return response

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        context.setdefault("kept", self.request.POST.get("kept", ""))
        return context


login = needs(PUBLIC)(StaffLoginView.as_view())

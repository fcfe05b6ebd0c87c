"""Nothing typed is lost: forms are kept while their writer logs in again, and long ones while they are written.

A POST from an expired login answers with the login page, which carries the typed fields along; after the login they
become a Draft of that person for that form. The entry form also saves its Draft as it is typed.
"""

import json
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from django.contrib.auth.signals import user_logged_in
from django.contrib.auth.views import LoginView, redirect_to_login
from django.dispatch import receiver
from django.http import HttpResponse, QueryDict
from django.shortcuts import render, resolve_url

from meso import brakes, clock, lockout, signin
from meso.forms import LoginForm
from meso.http import HttpRequest, is_page_of_ours
from meso.models import LONGEST_PATH, Draft, User
from meso.roles import PUBLIC, needs

_NEVER_KEPT = {"csrfmiddlewaretoken", "kept", "next"}
_LARGEST = 1_000_000  # characters of one kept form
_KEPT = "kept_form"  # where the session keeps it between password and second factor
_SENT = "sent_form"  # and one whose sender is asked for the password again


def _typed(data: QueryDict) -> dict[str, list[str]]:
    """The fields that hold something, without passwords and the form's own machinery."""
    return {
        name: [str(value).replace("\0", "") for value in values]
        for name, values in data.lists()
        if name not in _NEVER_KEPT and "password" not in name and any(values)
    }


def _size(fields: dict[str, list[str]]) -> int:
    return sum(len(value) for values in fields.values() for value in values)


def _can_be_kept(fields: dict[str, list[str]], path: str) -> bool:
    return _size(fields) <= _LARGEST and len(path) <= LONGEST_PATH


def save(user: User, path: str, data: QueryDict) -> None:
    """Keep what is typed into the form at `path`, in place of what was kept before; an empty form keeps nothing."""
    fields = _typed(data)
    if not fields:
        discard(user, path)
    elif _can_be_kept(fields, path):
        Draft.objects.update_or_create(user=user, path=path, defaults={"fields": fields, "saved_at": clock.now()})


def find(user: User, path: str) -> Draft | None:
    """The draft this person has for the form at `path`, or None."""
    return Draft.objects.filter(user=user, path=path).first()


def as_post(draft: Draft | None) -> QueryDict | None:
    """The draft in the shape of a POST, for a form's `data`, or None."""
    if draft is None:
        return None
    return _as_query(draft.fields)


def _as_query(fields: dict[str, list[str]]) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, values in fields.items():
        data.setlist(name, values)
    return data


def initial(request: HttpRequest) -> dict[str, Any]:
    """What was kept for the form at this address, in the shape of a form's `initial`; {} when nothing was."""
    return as_initial(find(request.user, request.path)) if request.user.is_authenticated else {}


def as_initial(draft: Draft | None) -> dict[str, Any]:
    """The draft in the shape of a form's `initial`; {} for none."""
    data = as_post(draft)
    return {name: values if len(values) > 1 else values[0] for name, values in data.lists()} if data else {}


def bound(request: HttpRequest) -> QueryDict | None:
    """What to bind a form to that changes what is stored: what was sent, else what was kept for this address, else None.

    A box that was unticked stays unticked so, which `initial` can't say.
    """
    return request.POST if request.method == "POST" else as_post(find(request.user, request.path))


def discard(user: User, path: str) -> None:
    """Forget the draft: it was sent, or its writer does not want it."""
    Draft.objects.filter(user=user, path=path).delete()


def login_that_keeps_typing(request: HttpRequest) -> HttpResponse:
    """The answer to a POST whose login has expired: the login page, with the typed fields carried along.

    A part of a page gets a line for its reader instead: the page stays, with all that is typed in it.
    """
    if request.headers.get("HX-Request") == "true":
        return render(request, "meso/_expired.html", status=401)
    fields = _typed(request.POST)
    kept = json.dumps(fields) if fields and _size(fields) <= _LARGEST else ""
    context = {"expired": True, "kept": kept, "lost": bool(fields) and not kept, "files": bool(request.FILES)}
    request.method = "GET"
    page = StaffLoginView.as_view(extra_context={**context, "next": _page_of_form(request)})(request)
    page.status_code = 401
    return cast(HttpResponse, page)


def ask_again(request: HttpRequest) -> HttpResponse:
    """The answer to what wants a password or factor shown just now: the page that asks, and then on to what was wanted.

    A form that was sent waits in the session, all of it but passwords and files, until its sender presses its button again.
    """
    if request.headers.get("HX-Request") == "true":
        return render(request, "meso/_stale.html", status=401)
    if request.method != "POST":
        return redirect_to_login(request.get_full_path(), resolve_url("account_reauthenticate"))
    fields = {name: values for name, values in request.POST.lists() if name not in _NEVER_KEPT and "password" not in name}
    lost = _size(fields) > _LARGEST
    request.session[_SENT] = {
        "path": request.get_full_path(), "fields": {} if lost else fields, "lost": lost, "files": bool(request.FILES),
        "page": _page_of_form(request),
    }  # fmt: skip
    return redirect_to_login(resolve_url("account_go_on"), resolve_url("account_reauthenticate"))


def sent_before(request: HttpRequest) -> dict[str, Any] | None:
    """The form that waited while its sender proved who they are: `path`, `fields`, `lost`, `files`, `page`; None for none."""
    return request.session.get(_SENT)


def keep_refused(request: HttpRequest) -> str:
    """Keep what a form held whose protection token no longer fits: the address where it stands filled, or "" for nothing kept.

    Whoever logs in again in another window gets a new token, and the form in this one an old one.
    """
    if not request.user.is_authenticated or not _typed(request.POST):
        return ""
    page = _page_of_form(request)
    save(request.user, page, request.POST)
    return page if find(request.user, page) else ""


def keep_for_unlocking(request: HttpRequest) -> dict[str, Any]:
    """Keep what was sent into a locked session, which is not carried out: what the page that unlocks it has to tell.

    Kept in the database and not in that page, which may be looked at by anybody, or left for somebody else's login.
    """
    page, fields = _page_of_form(request), _typed(request.POST)
    kept = bool(fields) and _can_be_kept(fields, page)
    if kept:
        save(request.user, page, request.POST)
    return {"next": page, "kept": kept, "lost": bool(fields) and not kept, "files": bool(request.FILES)}


def _page_of_form(request: HttpRequest) -> str:
    """The address of the page on which the form stands: the sender's own where the browser tells it, else where it was sent."""
    sender = urlsplit(request.headers.get("Referer", ""))
    return sender.path if sender.netloc == request.get_host() and sender.path else request.path


class StaffLoginView(LoginView):
    """The login: name and password, then the second factor. Fields of an expired POST become a draft of whoever logs in."""

    template_name = "meso/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Where this account was tried too often, nothing is checked: the page says how long to wait, and keeps what is kept."""
        if wait := lockout.held(request, request.POST.get("username", "")):
            return self._held(wait)
        return super().post(request, *args, **kwargs)

    def _held(self, wait: timedelta) -> HttpResponse:
        form = LoginForm(self.request, initial={"username": self.request.POST.get("username", "")})
        page = self.render_to_response(self.get_context_data(form=form, held=brakes.in_words(wait)), status=429)
        page.headers["Retry-After"] = str(max(1, int(wait.total_seconds())))
        return page

    def get_redirect_url(self) -> str:
        """The page that was asked for before; "" for none of ours."""
        asked = super().get_redirect_url()
        return asked if is_page_of_ours(asked) else ""

    def form_valid(self, form: Any) -> HttpResponse:
        """On to the second factor. What was kept waits in the session until all of the login is done.

        What is no kept form, or too large to be one, is dropped.
        """
        user = form.get_user()
        path = urlsplit(self.get_redirect_url()).path
        fields = _read(self.request.POST.get("kept", ""))
        if path and fields and _can_be_kept(_typed(fields), path):
            self.request.session[_KEPT] = {"user": user.pk, "path": path, "fields": _typed(fields)}
        return signin.after_password(cast(HttpRequest, self.request), user, self.get_success_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What is kept goes along through a mistyped password."""
        context = super().get_context_data(**kwargs)
        context.setdefault("kept", self.request.POST.get("kept", ""))
        return context


def _read(kept: str) -> QueryDict | None:
    """The fields of a kept form; None for what is none."""
    try:
        fields = json.loads(kept)
        data = QueryDict(mutable=True)
        for name, values in fields.items():
            data.setlist(str(name), [str(value) for value in values])
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
    return data


@receiver(user_logged_in)
def _give_back(sender: Any, request: Any, user: User, **kwargs: Any) -> None:
    """What waited becomes a draft of the one who typed the password with it, and of nobody else."""
    kept = request.session.pop(_KEPT, None)
    if kept and kept["user"] == user.pk:
        save(user, kept["path"], _as_query(kept["fields"]))


login = needs(PUBLIC)(StaffLoginView.as_view())

"""What keeps robots off the forms that need no login: a field people don't see, a page made here, and work when many come."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.core.signing import BadSignature, Signer
from django.utils.translation import gettext_lazy as _

from meso.forms import Form
from requests_app import work

PAGE_LIVES = timedelta(days=1)  # how long a form stays good from the moment its page was made
_signer = Signer(salt="requests_app.public_form")


def new_token(at: datetime) -> str:
    """The signed mark of one form page, and when it was made. One page makes one request, however often it is sent."""
    return _signer.sign_object({"page": secrets.token_urlsafe(16), "made": int(at.timestamp())})


def made_at(token: str, at: datetime) -> datetime | None:
    """When the page with this token was made; None unless it was made here, at most a day ago."""
    try:
        made = datetime.fromtimestamp(_signer.unsign_object(token)["made"], UTC)
    except (BadSignature, ValueError, KeyError, TypeError):
        return None
    return made if timedelta(0) <= at.replace(microsecond=0) - made <= PAGE_LIVES else None


class GuardedForm(Form):
    """A form of the patients' pages.

    Robots fill the field that people don't see, or send a page that was never made here. A person to whom that happens
    gets the form back with all they typed and a fresh token, and sends it again. There is no lower limit on the time
    taken: whoever uses a browser's or a helper's automatic filling is quick too.
    """

    leave_empty = forms.CharField(
        label=_("Leave this empty"), required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"})
    )
    token = forms.CharField(required=False, widget=forms.HiddenInput)
    work = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"data-work-done": ""}))

    def __init__(self, data: Mapping[str, Any] | None = None, *, at: datetime, place: str, **kwargs: Any):
        super().__init__(data, **kwargs)
        self.at, self.gate = at, work.Gate(at, place)
        self.initial = {"token": new_token(at), **self.initial}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        made = made_at(data.get("token", ""), self.at)
        if data.get("leave_empty") or made is None:
            self._renew_page()
            self.add_error(None, _("Please look this over and send it once more. Nothing you typed is lost."))
        elif not self.errors and not self.gate.lets_through(data["token"], made, data.get("work", "")):
            self.add_error(None, _("We get many requests at the moment. Please look at the lines above the button."))
        return data

    def _renew_page(self) -> None:
        """Show the form with a fresh token, and with the field empty that should have been."""
        renewed = dict(self.data.items())
        renewed["token"], renewed["leave_empty"], renewed["work"] = new_token(self.at), "", ""
        self.data = renewed

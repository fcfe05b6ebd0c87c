"""The patients' own forms: choose what to ask for, ask for it, look how far it is."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _

from meso.forms import Form
from meso.models import Office
from requests_app import asked
from requests_app.forms.ask import PATIENT, SOMEBODY_ELSE, AskForm
from requests_app.forms.robots import GuardedForm
from requests_app.kinds import Channel, Kind
from requests_app.models import PatientRequest


@dataclass(frozen=True)
class Words:
    """How the public pages speak of one kind: the page's title, its line in the list, what to know before asking."""

    title: Any
    help: Any
    lead: Any


WORDS: dict[str, Words] = {
    Kind.ACCESS: Words(
        _("See or copy your record"),
        _("Look at it here, or get a copy on paper or electronically."),
        _("You may see everything in your record. You need not say what you want it for."),
    ),
    Kind.AMENDMENT: Words(
        _("Correct your record"),
        _("Something in it is wrong or missing."),
        _(
            "What is written stays readable, but the physician may draw a line through it and add the correction. "
            "If we do not agree we write to you why, and you may add your own statement."
        ),
    ),
    Kind.RESTRICTION: Words(
        _("Limit who sees your record"),
        _("Keep something from your health plan, a relative or somebody else."),
        _(
            "We look at each wish by itself. If you or somebody else paid in full for a treatment, "
            "we must keep it from your health plan when you ask."
        ),
    ),
    Kind.CONFIDENTIAL_COMMUNICATION: Words(
        _("Choose how we reach you"),
        _("Calls and letters only where it suits you."),
        _("Tell us where to call or write. That is all we need to know."),
    ),
    Kind.ACCOUNTING: Words(
        _("Get the list of whom we told"),
        _("To whom we gave information about you, when, and what for."),
        _(
            "The list shows everyone but those who treat you, those who pay, and the work of the office itself. "
            "The first list in any twelve months is free."
        ),
    ),
}


def public_choices() -> list[tuple[str, SafeString]]:
    """The five kinds in the patient's own voice, each with its line of help."""
    label = '<span><strong>{}</strong><span class="help d-block">{}</span></span>'
    return [(kind.value, format_html(label, WORDS[kind].title, WORDS[kind].help)) for kind in Kind]


class KindForm(Form):
    """The first of two short steps: what to ask for."""

    kind = forms.ChoiceField(
        label=_("What would you like to do?"),
        choices=public_choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the five."), "invalid_choice": _("Choose one of the five.")},
    )


class PublicAskForm(GuardedForm, AskForm):
    """The second step: the one kind that was chosen, in the patient's own voice."""

    reach_needed = True

    _AUTOCOMPLETE = {
        "asker_name": "name",
        "asker_born": "bday",
        "asker_phone": "tel",
        "asker_email": "email",
        "asker_address": "street-address",
    }

    def __init__(self, data: Mapping[str, Any] | None = None, *, kind: str, office: Office, **kwargs: Any):
        super().__init__(data, **kwargs)
        self.office = office
        self.initial = {**self.initial, "kind": kind}
        for other in Kind:
            if other != kind:
                self._drop(*self.names_of(other))
        if kind == Kind.CONFIDENTIAL_COMMUNICATION:
            self._drop("description")  # a box for more would ask for the one thing that may not be asked
        self._speak_to_the_patient(kind)

    def _drop(self, *names: str) -> None:
        for name in names:
            del self.fields[name]

    def _speak_to_the_patient(self, kind: str) -> None:
        fields = self.fields
        fields["kind"].widget = forms.HiddenInput()
        fields["who"].label = _("Who are you?")
        fields["who"].choices = [(PATIENT, _("I am the patient")), (SOMEBODY_ELSE, _("I act for the patient"))]  # type: ignore[attr-defined]
        fields["acting_name"].label, fields["acting_as"].label = _("Your name"), _("What you are to the patient")
        fields["asker_born"].help_text = _("Month, day, year, such as 7/2/1984. It helps us find the right record.")
        if "description" in fields:
            fields["description"].label = _("Anything else we should know")
        for name, token in self._AUTOCOMPLETE.items():
            fields[name].widget.attrs["autocomplete"] = token
        if kind == Kind.CONFIDENTIAL_COMMUNICATION:
            fields["confidential_communication_means"].label = _("How may we reach you?")
        if kind == Kind.ACCESS:
            fields["access_delivery_address"].help_text = _("An e-mail or postal address, if it is not your own below.")
            fields["access_form"].required = True
            fields["access_form"].label = _("How would you like it?")
            fields["access_form"].choices = self._ways()  # type: ignore[attr-defined]

    def _ways(self) -> list[tuple[str, SafeString]]:
        """The ways to get at the record, each with its price: the law wants it told before anything is made."""
        office = self.office
        rate = _("$%(rate)s a page") if office.charge_electronic_pages else _("at most $%(rate)s a page")
        by_page = rate % {"rate": office.page_rate}
        flat = _("$%(fee)s in all") % {"fee": office.electronic_copy_fee} if office.electronic_copy_fee else _("free")
        prices = {
            asked.Way.INSPECT: _("free"),
            asked.Way.ELECTRONIC: flat,
            asked.Way.MAIL: _("%(by_page)s, and the postage") % {"by_page": by_page},
            asked.Way.PICK_UP: by_page,
        }
        return [(way.value, format_html("<span>{} · {}</span>", way.label, price)) for way, price in prices.items()]

    # --- taking it in ---------------------------------------------------------------------------------------------

    def once(self) -> str:
        """What makes two submissions one: the same page with the same words. Changed words are another request."""
        said = json.dumps([self.cleaned_data["token"], self.facts()], default=str, sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:40]

    @transaction.atomic
    def take(self) -> tuple[PatientRequest, bool]:
        """Take the request in as received today. Returns it, and whether it is new and not a second click."""
        chosen = get_language() or ""
        language = "" if chosen == settings.LANGUAGE_CODE else chosen
        with override(settings.LANGUAGE_CODE):  # what the timeline keeps is read by the staff
            request = PatientRequest.take(
                received_on=self.on,
                by=None,
                at=self.at,
                on=self.on,
                office=self.office,
                once=self.once(),
                channel=Channel.WEB,
                language=language,
                **self.facts(),
            )
        is_new = not request.code_digest
        if is_new:
            self.gate.took()
            request.give_code(self.cleaned_data["token"])
        return request, is_new


class StatusForm(Form):
    """Number and code, as they stand on the receipt."""

    number = forms.CharField(
        label=_("Number of the request"),
        max_length=20,
        help_text=_("Such as R-1042."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        help_text=_("Twelve letters and digits, such as 7KQM-2XTA-9PHB."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )

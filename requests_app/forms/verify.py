"""Check who is asking: the patient or one of the chart's representatives, by a way of the table (164.514(h))."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from meso.models import Office, User
from records import representation, verification
from records.models import Representative
from records.representation import Scope
from records.verification import REQUESTERS, Identifier, Way
from requests_app.forms.acts import ActForm
from requests_app.kinds import Channel

PATIENT = "patient"
_REQUESTER_OF = {
    Channel.IN_PERSON: "patient_in_person",
    Channel.TELEPHONE: "patient_by_phone",
    Channel.LETTER: "patient_by_post",
    Channel.FAX: "patient_by_post",
    Channel.EMAIL: "patient_by_web",
    Channel.WEB: "patient_by_web",
}
_PATIENTS = [code for code in REQUESTERS if code.startswith(PATIENT)]
_WAYS = [way for way in Way if any(way in REQUESTERS[code].ways for code in (*_PATIENTS, "representative"))]


class VerifyForm(ActForm):
    """Who asks, how they came, and how the office made sure. A notary is no way of the table."""

    heading, button, done = _("Check who is asking"), _("Record the check"), _("The check of identity is recorded.")
    lead = _(
        "Nothing is released before this (45 CFR 164.514(h)). Don't make it hard: no notary, no coming in, if another way does."
    )
    audited = "identity checked"
    field_order = ("who", "themselves", "within", "came", "ways", "identifiers", "words")
    who = forms.ChoiceField(
        label=_("Who asks"), widget=forms.RadioSelect, error_messages={"required": _("Choose who is asking.")}
    )
    came = forms.ChoiceField(
        label=_("If the patient: how they came"), choices=[(code, REQUESTERS[code].label) for code in _PATIENTS], required=False
    )
    ways = forms.MultipleChoiceField(
        label=_("How it was checked"),
        choices=[(way.value, way.label) for way in _WAYS],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick at least one way.")},
    )
    identifiers = forms.MultipleChoiceField(
        label=_("Facts that matched the chart"),
        choices=Identifier.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("At least two, where the check rests on them."),
    )
    words = forms.CharField(
        label=_("More about it"), required=False, max_length=70, help_text=_("Such as: New York driver's license. No ID numbers.")
    )
    themselves = forms.BooleanField(
        label=_("The patient was reached and asks for this in their own name, though the request says otherwise"), required=False
    )
    within = forms.BooleanField(
        label=_("Where the authority is limited: what is asked for lies within its matters"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        patient = self.asked.patient
        self.on_file = {str(one.pk): one for one in patient.representatives.with_state()} if patient else {}
        told = [(key, _told(one, representation.refusal(one, self.on))) for key, one in self.on_file.items()]
        self.fields["who"].choices = [(PATIENT, _("The patient")), *told]  # type: ignore[attr-defined]
        self.fields["who"].initial = None if self.asked.on_behalf else PATIENT
        self.fields["came"].initial = _REQUESTER_OF.get(Channel(self.asked.channel)) if self.asked.channel else None
        if not any(one.scope == Scope.LIMITED for one in self.on_file.values()):
            del self.fields["within"]
        if not self.asked.on_behalf:
            del self.fields["themselves"]

    def representative(self) -> Representative | None:
        """Who was chosen; None is the patient."""
        return self.on_file.get(self.cleaned_data["who"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("who"):
            return data
        chosen = self.representative()
        if not chosen and self.asked.on_behalf and not data.get("themselves"):
            self.add_error("who", _("It came from somebody who acts for the patient: choose that representative."))
        requester = "representative" if chosen else data.get("came") or _REQUESTER_OF.get(self.asked.channel, _PATIENTS[0])  # type: ignore[call-overload]
        shown = [verification.Authority.ON_FILE] if chosen else []  # whether it holds is the request's own question
        found = verification.problems(requester, data.get("ways", []), data.get("identifiers", []), shown)
        for field, words in found.items():
            if field not in self.errors:
                self.add_error(field, words)
        if chosen and chosen.scope == Scope.LIMITED and not data.get("within"):
            self.add_error("within", _("The authority is limited. Tick this only if the request lies within it."))
        return data

    def how(self) -> str:
        """The check as one text for the timeline."""
        data, chosen = self.cleaned_data, self.representative()
        who = f"{chosen.name}, {chosen.get_basis_display()}" if chosen else ""
        parts = [who, verification.told(data["ways"], data["identifiers"]), data["words"].strip()]
        return ". ".join(part.rstrip(".") for part in parts if part)[:300]

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it."""
        self.asked.verify_identity(self.how(), by=by, at=at, on=self.on, representative=self.representative())


def _told(one: Representative, refusal: str | None) -> str:
    """A representative as the desk reads it: name, authority, limits, and why they may not act."""
    about = " · ".join(part for part in (one.get_basis_display(), one.limits, refusal or "") if part)
    return format_html('<span>{}, {}<span class="help d-block">{}</span></span>', one.name, one.relation, about)

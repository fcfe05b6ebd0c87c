"""The forms of complaints: taken in by staff, sent from the public page, and what is done about one (164.530(d))."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from meso.forms import DateField, Form
from meso.models import User
from records.forms.picker import PatientField
from requests_app import complaint_rules
from requests_app.deadlines import NotAllowedNow
from requests_app.forms.acts import long_text
from requests_app.forms.desk import EARLIEST_RECEIPT, new_token
from requests_app.forms.robots import GuardedForm
from requests_app.kinds import Channel
from requests_app.models import Complaint, ComplaintEvent

LONGEST = 8000


class _ComplaintForm(Form):
    """What every complaint says. `on` is the office's day."""

    about = long_text(_("What happened"), LONGEST, rows=7)
    complainant = forms.CharField(label=_("Name"), required=False, max_length=400)
    reach = long_text(_("How to reach them"), 500, rows=3, required=False)
    known_on = DateField(label=_("When they learned of it"), required=False)

    def __init__(self, *args: Any, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.on = on

    def clean_known_on(self) -> date | None:
        """A day that has been, and not a slip of the pen."""
        day = self.cleaned_data["known_on"]
        if day and day > self.on:
            raise forms.ValidationError(_("This day is in the future."))
        if day and day < EARLIEST_RECEIPT:
            raise forms.ValidationError(_("Please check the year."))
        return day

    def keep(self, **facts: Any) -> Complaint | None:
        """Keep it, or say at its field why not and give None."""
        names = ("about", "complainant", "reach", "known_on")
        try:
            return Complaint.take(on=self.on, **{name: self.cleaned_data[name] for name in names}, **facts)
        except NotAllowedNow as refusal:
            self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))
            return None


class DeskComplaintForm(_ComplaintForm):
    """A complaint that somebody brings to the desk, on the telephone or in a letter."""

    received_on = DateField(label=_("Received on"), help_text=_("The day it reached anybody here."))
    channel = forms.ChoiceField(label=_("How it came"), choices=Channel.choices, widget=forms.RadioSelect)
    patient = PatientField(required=False, help_text=_("Only if it is about one patient's record, and you know whose."))
    once = forms.CharField(widget=forms.HiddenInput, initial=new_token, required=False, max_length=40)
    field_order = ["received_on", "channel", "about", "complainant", "reach", "known_on", "patient", "once"]

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["received_on"].initial = self.on
        self.fields["about"].help_text = _("In their own words. Don't argue, and ask for no reason to complain.")
        self.fields["complainant"].help_text = _("They need not give it.")
        self.fields["reach"].help_text = _("Telephone, e-mail or address, if they want an answer.")

    def take(self, *, by: User, at: datetime) -> Complaint | None:
        """Keep it; None when a rule refuses, which is then said at its field."""
        data = self.cleaned_data
        facts = {name: data[name] for name in ("received_on", "channel", "patient", "once")}
        return self.keep(**facts, taken_by=by, taken_at=at)


class PublicComplaintForm(GuardedForm, _ComplaintForm):
    """The same from the public page. Name and address may be left out; robots are kept away as on the form for requests."""

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any):
        super().__init__(data, **kwargs)
        fields = self.fields
        fields["complainant"].label, fields["reach"].label = _("Your name"), _("How we can reach you")
        fields["complainant"].help_text = _("You may leave this out.")
        fields["reach"].help_text = _("Telephone, e-mail or address. Without it we look into the matter, but can't answer you.")
        fields["known_on"].label = _("When you learned of it")
        fields["known_on"].help_text = _("Month, day, year, such as 7/2/2026, if you know it.")
        fields["complainant"].widget.attrs["autocomplete"] = "name"

    def take(self) -> Complaint | None:
        """Keep it as received today. The same page sent twice with the same words is one complaint."""
        said = json.dumps([self.cleaned_data["token"], self.cleaned_data["about"]])
        once = f"web-{hashlib.sha256(said.encode()).hexdigest()[:40]}"
        taken = self.keep(received_on=self.on, channel=Channel.WEB, once=once, taken_at=self.at)
        if taken:
            self.gate.took()
        return taken


class ComplaintActForm(Form):
    """What was done about one complaint: only what can follow from where it stands."""

    verb = forms.ChoiceField(label=_("What was done"))
    done_on = DateField(label=_("On"))
    text = long_text(_("In words"), LONGEST, rows=6)

    def __init__(self, *args: Any, complaint: Complaint, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.complaint, self.on = complaint, on
        labels = dict(ComplaintEvent.Verb.choices)
        possible = [verb for verb in complaint_rules.POSSIBLE[complaint.state] if verb != "answered" or complaint.reach]
        self.fields["verb"].choices = [(verb, labels[verb]) for verb in possible]  # type: ignore[attr-defined]
        self.fields["done_on"].initial = on
        self.fields["text"].help_text = _(
            "For an answer: the words that they get. For an outcome: what was found, what is changed."
        )

    def save(self, *, by: User, at: datetime) -> bool:
        """Write it down, or say at its field why it can't be done now. Returns whether it was done."""
        data = self.cleaned_data
        try:
            self.complaint.act(data["verb"], data["text"], done_on=data["done_on"], by=by, at=at, on=self.on)
        except NotAllowedNow as refusal:
            self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))
            return False
        return True

"""The desk's forms: a request taken in by staff, and what narrows the tracker."""

import secrets
from datetime import date, datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from meso.forms import DateField, Form
from meso.models import Office, User
from meso.roles import PERMISSIONS
from records.forms.picker import PatientField
from requests_app.forms.ask import AskForm
from requests_app.kinds import Channel, Kind, Step
from requests_app.models import PatientRequest

EARLIEST_RECEIPT = date(2003, 4, 14)  # the privacy rule took effect; an earlier day is a slip of the pen
_TOKEN_BYTES = 16


def new_token() -> str:
    """A token for one form: sent twice, the form takes one request."""
    return secrets.token_hex(_TOKEN_BYTES)


def staff_of_requests() -> QuerySet[User]:
    """The people on whose desk a request may lie."""
    return User.objects.filter(is_active=True, role__in=PERMISSIONS["request.view"]).order_by("last_name", "username")


class DeskRequestForm(AskForm):
    """The same request taken in by staff: with the day it was received, how it came, and the chart where it is known.

    An oral request is a request like any other: nothing here demands writing (45 CFR 164.524(b)(1); law.md §13a).
    """

    received_on = DateField(
        label=_("Received on"), help_text=_("The day it reached anybody here, also after hours. Day 0 of its clock.")
    )
    channel = forms.ChoiceField(label=_("How it came"), choices=Channel.choices, widget=forms.RadioSelect)
    patient = PatientField(
        required=False, help_text=_("Not sure, or not a patient yet? Leave it empty and find the chart later.")
    )
    once = forms.CharField(widget=forms.HiddenInput, initial=new_token, required=False, max_length=40)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["received_on"].initial = self.on
        self.fields["asker_name"].required = False  # the chart says it, where one is chosen
        self.fields["asker_name"].help_text = _("Needed only when no chart is chosen.")

    def clean_received_on(self) -> date:
        """A day that has been, and not a slip of the pen."""
        day = self.cleaned_data["received_on"]
        if day > self.on:
            raise forms.ValidationError(_("The day of receipt can't lie in the future."))
        if day < EARLIEST_RECEIPT:
            raise forms.ValidationError(_("Please check the year."))
        return day

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if not data.get("asker_name") and not data.get("patient") and "patient" not in self.errors:
            self.add_error("asker_name", _("Choose a chart above, or write the patient's name."))
        return data

    def take(self, *, by: User, at: datetime, on: date, office: Office) -> PatientRequest:
        """Take it in. Name and birth date left empty are the chart's."""
        data, facts = self.cleaned_data, self.facts()
        if patient := data["patient"]:
            facts["asker_name"] = facts["asker_name"] or patient.name
            facts["asker_born"] = facts["asker_born"] or patient.date_of_birth
        return PatientRequest.take(
            received_on=data["received_on"],
            channel=data["channel"],
            patient=patient,
            once=data["once"],
            by=by,
            at=at,
            on=on,
            office=office,
            **facts,
        )


OVERDUE, DUE_SOON, CLOSED = "overdue", "due_soon", "closed"
NOBODY = "nobody"


def _assignees() -> list[tuple[str, Any]]:
    return [("", _("Anybody")), (NOBODY, _("Nobody yet")), *((str(user.pk), user.signature) for user in staff_of_requests())]


class TrackerFilterForm(Form):
    """Narrows the tracker. `narrow` gives the requests and the order in which they are shown."""

    number = forms.CharField(
        label=_("Number"), required=False, max_length=20, widget=forms.TextInput(attrs={"placeholder": "R-1042"})
    )
    state = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[
            ("", _("All open requests")),
            (OVERDUE, _("Overdue")),
            (DUE_SOON, _("Due within 7 days")),
            *((step.value, _("Next: %(step)s") % {"step": step.label}) for step in Step),
            (CLOSED, _("Closed requests")),
        ],
    )
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("Any kind")), *Kind.choices])
    assignee = forms.ChoiceField(label=_("With"), required=False)
    since = DateField(label=_("Received from"), required=False)
    until = DateField(label=_("Received to"), required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["assignee"].choices = _assignees()  # type: ignore[attr-defined]  # asked for once; a callable is asked twice

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["since"] > data["until"]:
            self.add_error("until", _("This day comes before the first one."))
        return data

    def narrow(self, requests: Any, on: date) -> tuple[Any, list[str]]:
        """The requests that match, and their order. A number finds its request in whatever state; wrong fields narrow nothing."""
        data = self.cleaned_data if self.is_bound and self.is_valid() else {}
        if data.get("number"):
            return requests.by_number(data["number"]), ["due_on", "id"]
        state = data.get("state", "")
        if data.get("kind"):
            requests = requests.filter(kind=data["kind"])
        if data.get("assignee"):
            requests = requests.filter(assignee=None if data["assignee"] == NOBODY else int(data["assignee"]))
        if data.get("since"):
            requests = requests.filter(received_on__gte=data["since"])
        if data.get("until"):
            requests = requests.filter(received_on__lte=data["until"])
        if state == CLOSED:
            return requests.closed(), ["-closed_on", "-due_on", "-id"]
        return self._in_state(requests, state, on), ["due_on", "id"]

    @staticmethod
    def _in_state(requests: Any, state: str, on: date) -> Any:
        if state in Step.values:
            return requests.at_step(Step(state))
        return {OVERDUE: requests.overdue, DUE_SOON: requests.due_soon}[state](on) if state else requests.open()

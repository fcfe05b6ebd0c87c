"""One small form for each act on a request. Each says its words, and calls the one method that does the act."""

from datetime import date, datetime
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from meso.forms import DateField, Form
from meso.models import Office, User
from records.models import Patient, WayOut
from requests_app import answers, deadlines
from requests_app.deadlines import NotAllowedNow
from requests_app.forms.desk import EARLIEST_RECEIPT, staff_of_requests
from requests_app.models import PatientRequest


def long_text(label: Any, most: int, *, rows: int = 4, help_text: Any = "", required: bool = True) -> forms.CharField:
    """A box for a few sentences, of at most so many characters."""
    return forms.CharField(
        label=label, max_length=most, required=required, help_text=help_text, widget=forms.Textarea(attrs={"rows": rows})
    )


class ActForm(Form):
    """An act on one request. `asked` is the request, `on` the office day; subclasses write `act`."""

    heading: ClassVar[Any]  # the page's h1
    lead: Any = ""  # what to know before doing it
    button: ClassVar[Any]  # says what it does
    done: Any  # the message behind it
    audited: ClassVar[str]  # the audit's word for it

    def __init__(self, *args: Any, asked: PatientRequest, on: date, **kwargs: Any):
        self.asked, self.on = asked, on
        super().__init__(*args, **kwargs)

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Do it. Raises NotAllowedNow."""
        raise NotImplementedError

    def save(self, *, by: User, at: datetime, office: Office) -> bool:
        """Do it, or show at its field why it can't be done now. Returns whether it was done."""
        try:
            self.act(by=by, at=at, office=office)
        except NotAllowedNow as refusal:
            self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))
            return False
        return True


class MatchForm(ActForm):
    """Links the request to the chart whose button was pressed."""

    heading, button, done, audited = _("Find the chart"), _("Link this chart"), _("The chart is linked."), "matched"
    chart = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def clean_chart(self) -> Patient:
        """The chart with this number."""
        found = Patient.objects.filter(chart_number=self.cleaned_data["chart"]).first()
        if found is None:
            raise forms.ValidationError(_("There is no chart with this number."))
        return found

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Link it."""
        self.asked.match(self.cleaned_data["chart"], by=by, at=at, on=self.on)


class AssignForm(ActForm):
    """Puts the request on somebody's desk."""

    heading, button, done, audited = _("Give it to somebody"), _("Assign request"), _("The request is assigned."), "assigned"
    lead = _("This person is reminded by e-mail when the clock runs out.")
    to = forms.ModelChoiceField(User.objects.none(), label=_("To"), empty_label=_("Choose a person"))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        field.queryset = staff_of_requests()  # type: ignore[attr-defined]
        field.label_from_instance = lambda user: f"{user.signature} ({user.get_role_display()})"  # type: ignore[attr-defined]
        field.initial = self.asked.assignee_id

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Assign it."""
        self.asked.assign(self.cleaned_data["to"], by=by, at=at, on=self.on)


class ReceiptForm(ActForm):
    """Puts the day of receipt right, with the reason."""

    heading, button, audited = _("Correct the day of receipt"), _("Correct the day"), "day of receipt corrected"
    done = _("The day of receipt is corrected; the due date has followed.")
    lead = _("The due date follows the day of receipt. The old day and your reason stay on the timeline.")
    received_on = DateField(label=_("Really received on"))
    reason = long_text(_("Reason"), 1000, rows=3, help_text=_("Such as: handed to the front desk on Friday, typed in on Monday."))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["received_on"].initial = self.asked.received_on

    def clean_received_on(self) -> date:
        """Not a slip of the pen."""
        day = self.cleaned_data["received_on"]
        if day < EARLIEST_RECEIPT:
            raise forms.ValidationError(_("Please check the year."))
        return day

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Correct it."""
        data = self.cleaned_data
        self.asked.correct_receipt(data["received_on"], reason=data["reason"], by=by, at=at, on=self.on)


class ExtendForm(ActForm):
    """Extends the clock, once, to a named day, together with the letter that says so (law.md §1, §13a)."""

    WAYS = tuple((way.value, way.label) for way in WayOut if way != WayOut.ENCRYPTED_EMAIL)
    heading, button, audited = _("Extend the due date"), _("Extend once and make the letter"), "extended"
    done = _("The due date is moved and the letter is made. Print it from the letters below.")
    until = DateField(label=_("New day, named to the patient"))
    reason = long_text(
        _("Reason for the delay"),
        2000,
        help_text=_("It stands in the letter as you write it: plain words, no other patient's name."),
    )
    told_on = DateField(label=_("Letter sent on"))
    how = forms.ChoiceField(label=_("How it was sent"), choices=WAYS)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        working = self.asked.working()
        spoken = {"due": deadlines.spoken(working.first_due_on), "last": deadlines.spoken(working.last_extension_day)}
        self.lead = _("Once only, with a letter that is sent by %(due)s and names the new day: %(last)s at the latest.") % spoken
        self.fields["until"].help_text = _("After %(due)s, and %(last)s at the latest.") % spoken
        self.fields["told_on"].help_text = _("On or before %(due)s.") % spoken
        self.fields["told_on"].initial = self.on

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Extend it and make the letter, in one transaction."""
        answers.extend_with_letter(self.asked, **self.cleaned_data, by=by, at=at, on=self.on, office=office)


class WithdrawForm(ActForm):
    """The patient takes the request back."""

    heading, button, audited = _("Withdraw the request"), _("Withdraw and close"), "withdrawn"
    done = _("The request is withdrawn and closed. Its letter is among the letters below.")
    lead = _("Only when the patient has said so. An unpaid bill, a missing form or silence is no withdrawal.")
    reason = long_text(_("What the patient said, and how"), 1000, rows=3)

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Close it as withdrawn, with the letter that confirms it."""
        answers.withdraw_with_letter(self.asked, **self.cleaned_data, by=by, at=at, on=self.on, office=office)


class NoteForm(ActForm):
    """A note on the timeline."""

    heading, button, done, audited = _("Add a note"), _("Add note"), _("The note is on the timeline."), "note"
    text = long_text(
        _("Note"), 5000, rows=3, help_text=_("Only the staff reads it; no letter and no page for patients shows it.")
    )

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Add it."""
        self.asked.add_note(self.cleaned_data["text"], by=by, at=at, on=self.on)

"""Access by another way than a copy: an appointment to look, an agreement to a summary, the summary given."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from meso.forms import DateField
from meso.models import Office, User
from requests_app import access
from requests_app.deadlines import spoken
from requests_app.forms.acts import ActForm, ExtendForm


class AppointForm(ActForm):
    """A day, time and place to look at the record."""

    heading, button, audited = (
        _("Appointment to look at the record"),
        _("Make the appointment and its letter"),
        "appointment made",
    )
    done = _("The appointment is made. Print its letter below; once the patient was here, record the visit.")
    day = DateField(label=_("Day"))
    time = forms.TimeField(
        label=_("Time"), input_formats=["%H:%M", "%I:%M %p"], widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    place = forms.CharField(label=_("Place"), max_length=300)

    def __init__(self, *args: Any, office: Office, **kwargs: Any):
        super().__init__(*args, **kwargs)
        due = spoken(self.asked.due_on)
        self.lead = _("At a convenient time and place (45 CFR 164.524(c)(3)(i)), by %(due)s. Looking never costs anything.") % {
            "due": due
        }
        self.fields["place"].initial = ", ".join([office.name, *office.address_lines()])

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Make it."""
        data = self.cleaned_data
        facts = {"day": data["day"], "at_time": data["time"], "place": data["place"]}
        access.appoint(self.asked, **facts, by=by, at=at, on=self.on, office=office)


class AgreeSummaryForm(ActForm):
    """The patient agrees to a summary and to its fee, before it is sent."""

    heading, button, audited = _("The patient agrees to a summary"), _("Record the agreement"), "summary agreed"
    done = _("The agreement is recorded. Once the summary is sent, record that.")
    lead = _(
        "A summary or an explanation takes the place of the record only if the patient agrees to it, and to its fee, "
        "beforehand (45 CFR 164.524(c)(2)(iii))."
    )
    agreed_on = DateField(label=_("Agreed to the summary on"))
    fee = forms.DecimalField(
        label=_("Fee, dollars"),
        min_value=0,
        max_digits=7,
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    fee_agreed_on = DateField(label=_("Agreed to the fee on"))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["agreed_on"].initial = self.fields["fee_agreed_on"].initial = self.on

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it."""
        access.agree_summary(self.asked, **self.cleaned_data, by=by, at=at, on=self.on)


class GiveSummaryForm(ActForm):
    """The summary went out."""

    heading, button, audited = _("Record that the summary was given"), _("Record as given"), "summary given"
    done = _("It is recorded that the summary was given.")
    given_on = DateField(label=_("Given on"))
    how = forms.ChoiceField(label=_("How"), choices=ExtendForm.WAYS)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["given_on"].initial = self.on

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it."""
        access.give_summary(self.asked, **self.cleaned_data, by=by, at=at, on=self.on)

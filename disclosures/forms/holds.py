"""The forms of legal holds."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from meso.forms import DateField, Form
from records.forms.picker import PatientField


class HoldForm(Form):
    """Places a hold on one patient's records or on everything. `on` is today."""

    patient = PatientField(required=False, help_text=_("Whose records are held."))
    everything = forms.BooleanField(label=_("Or hold everything the office keeps"), required=False)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Such as: lawsuit announced by letter of Nov 3; audit by the state."),
    )
    begins_on = DateField(label=_("In force since"))

    def __init__(self, *args: Any, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.on = on
        self.fields["begins_on"].initial = on

    def clean_begins_on(self) -> date:
        """A hold is placed when it begins or later."""
        if self.cleaned_data["begins_on"] > self.on:
            raise forms.ValidationError(_("This day is in the future."))
        return self.cleaned_data["begins_on"]

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        if "patient" in data and bool(data["patient"]) == bool(data.get("everything")):
            self.add_error("patient", _("Choose a chart, or tick that everything is held."))
        return data


class LiftForm(Form):
    """Lifts a hold."""

    reason = forms.CharField(label=_("Why it ends"), max_length=1000, widget=forms.TextInput)

"""Choosing a patient inside another form: by chart number as typed, or found by name and picked. Works without JavaScript."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from records.models import Patient


class PatientPicker(forms.TextInput):
    """A box for the chart number, and beside it one that finds by name; what is picked there wins over what is typed."""

    template_name = "records/_patient_picker.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str | None:
        """The chart number that was picked, or else the one that was typed."""
        return data.get(f"{name}_picked") or data.get(name)


def typed(sent: QueryDict, *many: str) -> dict[str, Any]:
    """The fields of a form as they stand, to show it without judging it; those in `many` hold several values."""
    picked = PatientPicker().value_from_datadict(sent, {}, "patient") or ""
    return {**sent.dict(), "patient": picked, **{name: sent.getlist(name) for name in many}}


class NamesPatient(forms.Form):
    """Mixin of a form with a PatientField `patient`: what else it offers depends on whom it names."""

    def chosen_patient(self) -> Patient | None:
        """The patient that the form names so far, sent or kept, or None. One query."""
        sent = PatientPicker().value_from_datadict(self.data, self.files, "patient") if self.is_bound else None
        number = (sent or self.initial.get("patient") or "").strip()
        return Patient.objects.filter(chart_number=number).first() if number else None


class PatientField(forms.CharField):
    """A chart number that becomes its Patient, or None when it may be empty and is."""

    widget = PatientPicker

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("label", _("Chart number"))
        super().__init__(max_length=64, **kwargs)

    def clean(self, value: Any) -> Patient | None:
        """Raises ValidationError for a number that no chart has."""
        number = super().clean(value)
        if not number:
            return None
        found = Patient.objects.filter(chart_number=number).first()
        if found is None:
            raise ValidationError(_("There is no chart with this number. Find the patient by name beside it."))
        return found

"""Telling the patient of an abuse report, or the reason why not (164.512(c)(2))."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from disclosures.models import PatientTold, Release, TellingRefused
from meso.forms import DateField, Form
from meso.models import User


class ToldForm(Form):
    """Told, or not and why."""

    told = forms.TypedChoiceField(
        label=_("The patient"),
        choices=[
            ("yes", _("Was told")),
            ("no", _("Is not told: it would put them at risk of serious harm, or tell whoever is suspected")),
        ],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    told_on = DateField(label=_("On"))
    words = forms.CharField(
        label=_("How they were told, or who judged so and why"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, release: Release, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.row, self.on = release, on
        self.initial.setdefault("told_on", on)

    def record(self, *, by: User, at: datetime) -> bool:
        """Record it; False, with the reason at the form, where it can't be."""
        try:
            PatientTold.record(self.row, **self.cleaned_data, by=by, at=at, on=self.on)
        except TellingRefused as refusal:
            self.add_error(None, str(refusal))
            return False
        return True

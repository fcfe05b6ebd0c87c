"""The form of the auditor's export: a period."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from disclosures.accounting_rules import same_day_in
from meso.forms import DateField, Form


class PeriodForm(Form):
    """A period that has been, both days included. `on` is today; offered are the twelve months up to it."""

    start = DateField(label=_("From"))
    end = DateField(label=_("To"))

    def __init__(self, *args: Any, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.on = on
        self.fields["start"].initial, self.fields["end"].initial = same_day_in(on.year - 1, on), on

    def clean(self) -> dict[str, Any]:
        super().clean()
        start, end = self.cleaned_data.get("start"), self.cleaned_data.get("end")
        if start and end and start > end:
            self.add_error("end", _("The period must end after it begins."))
        if end and end > self.on:
            raise forms.ValidationError({"end": _("The period can't reach into the future.")})
        return self.cleaned_data

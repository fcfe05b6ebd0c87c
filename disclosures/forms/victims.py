"""Whether the patient of a report of abuse was told of it."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disclosures.models import Disclosure, VictimTold
from meso.forms import DateField, Form
from meso.models import User

TOLD = "told"


class VictimForm(Form):
    """The day of the letter or talk; or one of the two reasons that the rule knows, with the judgment (164.512(c)(2))."""

    what = forms.ChoiceField(
        label=gettext_lazy("The patient"), widget=forms.RadioSelect,
        choices=[(TOLD, gettext_lazy("Was told")), *VictimTold.WhyNot.choices],
    )  # fmt: skip
    told_on = DateField(label=gettext_lazy("Told on"), required=False)
    words = forms.CharField(
        label=gettext_lazy("How; or the professional’s judgment, with their name"), max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip

    def __init__(self, *args: Any, row: Disclosure, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.row, self.on = row, on

    def clean(self) -> dict[str, Any]:
        """A day with “was told”, between the report and today; none with a reason why not."""
        data = super().clean() or {}
        day = data.get("told_on")
        if data.get("what") == TOLD and "told_on" not in self.errors:
            if day is None:
                self.add_error("told_on", _("Give the day on which the patient was told."))
            elif not self.row.disclosed_on <= day <= self.on:
                self.add_error("told_on", _("The day must lie between the report and today."))
        return data

    def save(self, *, by: User, at: datetime) -> VictimTold:
        """Keep it. Raises IntegrityError when it was recorded already."""
        data = self.cleaned_data
        told = data["what"] == TOLD
        return VictimTold.objects.create(
            patient=self.row.patient, disclosure=self.row, told_on=data["told_on"] if told else None,
            why_not="" if told else data["what"], words=data["words"], by=by, at=at,
        )  # fmt: skip

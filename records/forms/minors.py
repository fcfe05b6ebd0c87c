"""Care that a minor consented to alone; forms signed anew at 18; a death told to the office."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.forms import DateField
from meso.models import User
from records.forms.acting import PatientActForm
from records.models import DeathReport, Entry, MinorConsent, MinorDecision, Patient, SignedAnew


class MarkMinorForm(PatientActForm):
    """The minor acts alone in what this entry tells."""

    heading, button = _("The minor consented to this alone"), _("Hide it from the parent")
    lead = _(
        "Then the parent is not the representative in this, and gets no copy of the entry, until you or another physician "
        "decides (45 CFR 164.502(g)(3)(i))."
    )
    done = _("The entry is hidden from the parent until a physician decides.")
    audited = "minor's own consent"
    ground = forms.ChoiceField(label=_("Why"), choices=MinorConsent.Ground.choices, widget=forms.RadioSelect)

    def __init__(self, *args: Any, entry: Entry, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.entry = entry

    def act(self, *, by: User, at: datetime) -> None:
        """Mark it."""
        MinorConsent.mark(self.entry, ground=self.cleaned_data["ground"], by=by, at=at)


class DecideMinorForm(PatientActForm):
    """Whether the parent sees it."""

    heading, button = _("May the parent see this entry?"), _("Record the decision")
    lead = _(
        "State law decides. Where it is silent, a licensed professional does, by professional judgment "
        "(45 CFR 164.502(g)(3)(ii)). The latest decision holds."
    )
    done = _("The decision is recorded.")
    audited = "decision on a minor's own consent"
    law = forms.ChoiceField(label=_("What state law says"), choices=MinorDecision.Law.choices, widget=forms.RadioSelect)
    may_see = forms.ChoiceField(
        label=_("The parent"), choices=[("yes", _("may see it")), ("no", _("does not see it"))], widget=forms.RadioSelect
    )
    reasoning = forms.CharField(
        label=_("The law looked up, or your reasoning"), max_length=10_000, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, *args: Any, mark: MinorConsent, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.mark = mark

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        bound = {"allows": "yes", "forbids": "no"}.get(data.get("law", ""))
        if bound and data.get("may_see") and data["may_see"] != bound:
            self.add_error("may_see", _t("State law decides this, as you say above: it leaves no choice."))
        return data

    def act(self, *, by: User, at: datetime) -> None:
        """Decide."""
        data = self.cleaned_data
        self.mark.decide(parent_may_see=data["may_see"] == "yes", law=data["law"], reasoning=data["reasoning"], by=by, at=at)


class SignedAnewForm(PatientActForm):
    """A patient turned 18: the notice and every form in their own name."""

    heading, button, done = _("Signed anew at 18"), _("Record it"), _("It is recorded.")
    lead = _(
        "From the 18th birthday on the patient acts alone. What a parent signed for them is signed anew, and the notice given to "
        "them (45 CFR 164.502(g)(3), 164.520(c)). Parents still on file are ended with this."
    )
    audited = "signed anew at 18"
    outcome = forms.ChoiceField(label=_("What came of it"), choices=SignedAnew.Outcome.choices, widget=forms.RadioSelect)
    signed_on = DateField(label=_("On"))
    signed = forms.CharField(
        label=_("Which forms"), max_length=300, required=False, help_text=_("Such as: notice acknowledged, consent to treatment.")
    )

    def __init__(self, *args: Any, patient: Patient, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.patient = patient
        self.fields["signed_on"].initial = self.on

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("outcome") == SignedAnew.Outcome.SIGNED and not data.get("signed", "").strip():
            self.add_error("signed", _t("Which forms did they sign?"))
        return data

    def act(self, *, by: User, at: datetime) -> None:
        """Record it."""
        data = self.cleaned_data
        facts = {"outcome": data["outcome"], "signed_on": data["signed_on"], "forms": data["signed"]}
        SignedAnew.record(self.patient, **facts, by=by, at=at, on=self.on)


class DeathForm(PatientActForm):
    """The patient has died, or the report of it was wrong."""

    heading, button, done = _("A patient's death"), _("Record it"), _("It is recorded.")
    lead = _(
        "With the death every authority ends but an executor's or administrator's (45 CFR 164.502(g)(4)). The record stays "
        "protected for fifty years (45 CFR 164.502(f))."
    )
    audited = "death"
    what = forms.ChoiceField(
        label=_("What is to be recorded"),
        choices=[("died", _("The patient has died")), ("lives", _("The report was wrong: the patient lives"))],
        widget=forms.RadioSelect,
        initial="died",
    )
    died_on = DateField(label=_("Died on"), required=False)
    how_known = forms.CharField(
        label=_("How the office knows"), max_length=300, help_text=_("Such as: death certificate seen; the daughter called.")
    )

    def __init__(self, *args: Any, patient: Patient, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.patient = patient
        self.fields["died_on"].initial = patient.deceased_on
        if patient.deceased_on is None:
            del self.fields["what"]

    def _died(self) -> bool:
        return self.cleaned_data.get("what", "died") == "died"

    def clean_died_on(self) -> date | None:
        if self._died() and not self.cleaned_data["died_on"]:
            raise ValidationError(_t("On which day?"))
        return self.cleaned_data["died_on"]

    def act(self, *, by: User, at: datetime) -> None:
        """Record it."""
        died_on = self.cleaned_data["died_on"] if self._died() else None
        DeathReport.record(self.patient, died_on=died_on, how_known=self.cleaned_data["how_known"], by=by, at=at, on=self.on)

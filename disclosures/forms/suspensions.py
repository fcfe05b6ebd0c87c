"""An agency's statement taken down, ended before its time, and "re-issue?" answered (164.528(a)(2))."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disclosures import purposes, suspension_rules
from disclosures.forms.accounting import way_field
from disclosures.models import Disclosure, Suspension
from disclosures.suspension_rules import NotSuspendable
from disclosures.withholding import Reissue
from meso.forms import DateField, Form
from meso.models import User
from records import uploads
from records.models import Patient

ORAL, WRITTEN = "oral", "written"
# What agencies ask to have left out. The form offers also what can't be, so that the refusal says why.
_ASKED_FOR = (*suspension_rules.SUSPENDABLE, "court_order", "subpoena", "abuse_neglect")


class SuspensionForm(Form):
    """An official's statement, oral or written. What the rule does not let be withheld is refused at its box."""

    agency = forms.CharField(
        label=gettext_lazy("Agency, as the log names it"),
        max_length=300,
        widget=forms.TextInput(attrs={"list": "agencies", "autocomplete": "off"}),
    )
    names = forms.MultipleChoiceField(
        label=gettext_lazy("It stands in this chart’s log also as"), required=False, widget=forms.CheckboxSelectMultiple
    )
    official = forms.CharField(label=gettext_lazy("Official who made the statement"), max_length=200)
    identity = forms.CharField(
        label=gettext_lazy("How their identity was shown"),
        max_length=300,
        help_text=gettext_lazy("Such as: badge seen, number noted; called back at the agency’s own number; on its letterhead."),
    )
    codes = forms.MultipleChoiceField(
        label=gettext_lazy("Which disclosures it covers"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Only health oversight and law enforcement can be suspended: 45 CFR 164.528(a)(2)."),
    )
    how = forms.ChoiceField(
        label=gettext_lazy("How it was made"),
        widget=forms.RadioSelect,
        choices=[
            (ORAL, gettext_lazy("By word of mouth: holds 30 days from the statement")),
            (WRITTEN, gettext_lazy("In writing: holds to the day it names; 30 days if it names none")),
        ],
    )
    stated_on = DateField(label=gettext_lazy("Made on"))
    until = DateField(
        label=gettext_lazy("Holds through"),
        required=False,
        help_text=gettext_lazy("The last day that a written one names."),
    )
    impedes = forms.BooleanField(
        label=gettext_lazy("It says that an accounting would be reasonably likely to impede the agency’s activities"),
        error_messages={"required": gettext_lazy("Without these words nothing may be withheld: 45 CFR 164.528(a)(2)(i).")},
    )
    statement = forms.CharField(label=gettext_lazy("What was stated"), max_length=5000, widget=forms.Textarea(attrs={"rows": 3}))
    document = forms.FileField(
        label=gettext_lazy("Scan of the statement"),
        required=False,
        help_text=gettext_lazy("Kept here and not in the chart, where others would see it."),
    )

    def __init__(self, *args: Any, patient: Patient, on: date, supersedes: Suspension | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.patient, self.on, self.supersedes = patient, on, supersedes
        labels = ((code, purposes.purpose(code)) for code in _ASKED_FOR)
        self.fields["codes"].choices = [(code, f"{one.label} · {one.citation}") for code, one in labels]  # type: ignore[attr-defined]
        self.recipients = self._recipients()
        others = {name for name in self.recipients if not suspension_rules.same_agency(name, self.initial.get("agency", ""))}
        self.fields["names"].choices = [(name, name) for name in sorted(others)]  # type: ignore[attr-defined]
        if not others:
            del self.fields["names"]
        self.fields["codes"].needed_at_times = True  # type: ignore[attr-defined]  # so it is not called optional
        self.initial.setdefault("stated_on", on)

    def _recipients(self) -> list[str]:
        """Those to whom this chart went under a code that can be suspended. One query."""
        rows = Disclosure.objects.filter(patient=self.patient, purpose_code__in=suspension_rules.SUSPENDABLE)
        return sorted(set(rows.values_list("recipient", flat=True)))

    def clean_document(self) -> uploads.CheckedFile | None:
        """A file that Meso keeps, or none."""
        sent = self.cleaned_data["document"]
        return uploads.read(sent) if sent else None

    def save(self, *, by: User, at: datetime) -> Suspension | None:
        """Record it; None, with the reason at its field, for what the rule refuses."""
        data = dict(self.cleaned_data)
        data["written"] = data.pop("how") == WRITTEN
        scan, _impedes = data.pop("document"), data.pop("impedes")
        if scan:
            data |= {"document": scan.content, "document_name": scan.name, "document_format": scan.format}
        names = [name for name in data.pop("names", []) if not suspension_rules.same_agency(name, data["agency"])]
        try:
            return Suspension.record(
                patient=self.patient, by=by, at=at, on=self.on, supersedes=self.supersedes, names=names, **data
            )
        except NotSuspendable as refusal:
            field = "how" if refusal.field == "written" else refusal.field
            self.add_error(field if field in self.fields else None, str(refusal))
            return None


class EndForm(Form):
    """A suspension ended before its time."""

    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Such as: the agency took its statement back; by whom and how it was told."),
    )


class ReissueForm(Form):
    """How an accounting that was cut goes out anew, or why it is not given anew. `task` is which."""

    how = way_field()
    reason = forms.CharField(label=gettext_lazy("Or why not"), required=False, max_length=1000)

    def __init__(self, data: Any = None, *, task: Reissue):
        super().__init__(data, auto_id=f"id_{task.accounting.pk}_%s")
        self.task = task

    def clean_reason(self) -> str:
        """A reason, where the button that needs one was pressed."""
        reason = self.cleaned_data["reason"].strip()
        if "leave" in self.data and not reason:
            raise forms.ValidationError(_("Say why it is not given anew."))
        return reason

    def answer(self) -> dict[str, Any]:
        """The way, or the reason where the button for that was pressed, as issuing.answer_reissue takes them."""
        data = self.cleaned_data
        return {"reason": data["reason"]} if "leave" in self.data else {"how": data["how"], "reason": ""}

"""Putting somebody on file who may act for the patient, ending that, and the physician's refusal."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.forms import DateField
from meso.models import User
from records import contact_checks, verification
from records.forms.acting import PatientActForm
from records.forms.entries import FilesField
from records.models import Patient, Representative, RepresentativeRefusal
from records.representation import RULES, Basis, Paper, Scope
from records.uploads import CheckedFile
from records.verification import REQUESTERS, Identifier

_WAYS = REQUESTERS["representative"].ways


class RepresentativeForm(PatientActForm):
    """Who it is, what gives them the right, which paper shows it, and how the office made sure."""

    heading, button = _("Put a representative on file"), _("Put on file")
    lead = _(
        "Only somebody with legal authority in health care acts for a patient (45 CFR 164.502(g)). Family who help with the care "
        "are no representatives for that alone."
    )
    done = _("The representative is on file.")
    audited = "representative on file"

    name = forms.CharField(label=_("Name"), max_length=300)
    relation = forms.CharField(
        label=_("Who they are to the patient"), max_length=100, help_text=_("Such as: mother, attorney, guardian.")
    )
    phone = forms.CharField(label=_("Telephone"), max_length=40, required=False)
    address = forms.CharField(
        label=_("Postal address"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    basis = forms.ChoiceField(label=_("Authority"), choices=Basis.choices, widget=forms.RadioSelect)
    law = forms.CharField(
        label=_("Which law"), max_length=300, required=False, help_text=_("Where it is another authority: name the law.")
    )
    paper = forms.ChoiceField(label=_("Document seen"), choices=[("", _("Choose…")), *Paper.choices])
    paper_dated = DateField(label=_("Date of the document"), required=False)
    scan = FilesField(
        label=_("Scan of the document"), required=False, help_text=_("PDF, JPEG, PNG, HEIC or Word (DOCX), at most 25 MB.")
    )
    scope = forms.ChoiceField(
        label=_("For which matters"), choices=Scope.choices, widget=forms.RadioSelect, initial=Scope.HEALTH_CARE.value
    )
    limits = forms.CharField(
        label=_("Which matters, in words"), max_length=500, required=False, help_text=_("Where the document names some only.")
    )
    begins_on = DateField(label=_("In force since"))
    expires_on = DateField(
        label=_("Last day in force"),
        required=False,
        help_text=_("Leave it empty where the document names none. A parent's ends at 18."),
    )
    ways = forms.MultipleChoiceField(
        label=_("How"),
        choices=[(way.value, way.label) for way in _WAYS],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick at least one way.")},
    )
    identifiers = forms.MultipleChoiceField(
        label=_("Facts about the patient that they knew and the chart holds"),
        choices=Identifier.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("At least two, where the check rests on them (45 CFR 164.514(h))."),
    )

    def __init__(self, *args: Any, patient: Patient, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.patient = patient
        self.fields["begins_on"].initial = self.on
        told = [(code, f"{Basis(code).label} ({rule.citation})") for code, rule in RULES.items()]
        self.fields["basis"].choices = told  # type: ignore[attr-defined]

    def groups(self) -> list[tuple[Any, list[Any]]]:
        """The fields as the page sets them out: a heading and its fields."""
        laid_out = (
            (_t("Who it is"), ("name", "relation", "phone", "address")),
            (_t("What gives them the right"), ("basis", "law")),
            (_t("What shows it"), ("paper", "paper_dated", "scan")),
            (_t("For what, and from when to when"), ("scope", "limits", "begins_on", "expires_on")),
            (_t("How you made sure who they are"), ("ways", "identifiers")),
        )
        return [(heading, [self[name] for name in names]) for heading, names in laid_out]

    def clean_phone(self) -> str:
        contact_checks.check_phone(self.cleaned_data["phone"])
        return self.cleaned_data["phone"]

    def clean_scan(self) -> list[CheckedFile]:
        if len(self.cleaned_data["scan"]) > 1:
            raise ValidationError(_t("One file, please: join the pages before."))
        return self.cleaned_data["scan"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("basis") == Basis.OTHER_LAW and not data.get("law", "").strip():
            self.add_error("law", _t("Which law gives this right?"))
        if data.get("scope") == Scope.LIMITED and not data.get("limits", "").strip():
            self.add_error("limits", _t("Which matters? Write what the document says."))
        found = verification.problems("representative", data.get("ways", []), data.get("identifiers", []), ["on_file"])
        for field, words in found.items():
            if field not in self.errors:
                self.add_error(field, words)
        if self.errors and self.files and "scan" not in self.errors:
            self.add_error("scan", _t("Please choose the file again, a browser can't keep it."))
        return data

    def act(self, *, by: User, at: datetime) -> None:
        """Put them on file."""
        data = dict(self.cleaned_data)
        scan = data.pop("scan")
        data["verified_how"] = verification.told(data.pop("ways"), data.pop("identifiers"))[:300]
        data |= {"scan": scan[0].content, "scan_format": scan[0].format} if scan else {}
        Representative.put_on_file(self.patient, by=by, at=at, on=self.on, **data)


class EndForm(PatientActForm):
    """The authority ends: revoked, replaced, the minor emancipated."""

    heading, button, done = _("End this authority"), _("End it"), _("The authority has ended. It stays on file.")
    lead = _("From that day on nothing is given to this person as the representative (45 CFR 164.502(g)).")
    audited = "representative ended"
    ended_on = DateField(label=_("Ended on"))
    reason = forms.CharField(
        label=_("What ended it"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Such as: revoked in writing by the patient; the minor was emancipated; the court named another."),
    )  # fmt: skip

    def __init__(self, *args: Any, representative: Representative, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.representative = representative
        self.fields["ended_on"].initial = self.on

    def act(self, *, by: User, at: datetime) -> None:
        """End it."""
        self.representative.end(by=by, at=at, on=self.on, **self.cleaned_data)


class RefuseForm(PatientActForm):
    """The physician no longer treats somebody as the representative."""

    heading, button = _("No longer treat this person as the representative"), _("Refuse from today on")
    lead = _(
        "45 CFR 164.502(g)(5): your reasonable belief, and your judgment that this is in the patient's best interest. Only you "
        "and the privacy officer can read what you write. The desk reads “Ask the privacy officer before acting for this "
        "representative”, and no letter says why."
    )
    done = _("From today on nothing is given to this representative.")
    audited = "representative refused"
    ground = forms.ChoiceField(
        label=_("What you believe, with reason"), choices=RepresentativeRefusal.Ground.choices, widget=forms.RadioSelect
    )
    reasoning = forms.CharField(
        label=_("Why this is in the patient's best interest"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 6})
    )

    def __init__(self, *args: Any, representative: Representative, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.representative = representative

    def act(self, *, by: User, at: datetime) -> None:
        """Refuse."""
        self.representative.refuse(by=by, at=at, on=self.on, **self.cleaned_data)


class EndRefusalForm(PatientActForm):
    """The ground of a refusal is gone."""

    heading, button = _("Treat this person as the representative again"), _("End the refusal")
    lead = _("Your judgment ends the refusal from today on (45 CFR 164.502(g)(5)). Both stay on file.")
    done = _("The refusal has ended.")
    audited = "refusal of a representative ended"
    reason = forms.CharField(label=_("Why the ground is gone"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 5}))

    def __init__(self, *args: Any, refusal: RepresentativeRefusal, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.refusal = refusal

    def act(self, *, by: User, at: datetime) -> None:
        """End it."""
        self.refusal.end(by=by, at=at, on=self.on, **self.cleaned_data)

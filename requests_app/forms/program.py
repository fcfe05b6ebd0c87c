"""The forms of the privacy program's registers: each adds one row."""

from datetime import date, datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnly
from meso.forms import DateField, ModelForm
from meso.models import User
from records import uploads
from records.models import Attachment
from requests_app.models import Policy, PolicyEnding, Sanction, Statement, Training


class RegisterForm(ModelForm):
    """Adds one row to a register. `on` is today: no day of a row lies in the future, but for a policy's or statement's begin."""

    heading: ClassVar[Any]
    lead: ClassVar[Any]
    button: ClassVar[Any] = _("Write it down")
    ahead: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *args: Any, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.on = on
        if "person" in self.fields:
            self.fields["person"].queryset = User.objects.order_by("last_name", "username")  # type: ignore[attr-defined]
            self.fields["person"].label_from_instance = lambda person: person.signature  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        super().clean()
        for name, value in list(self.cleaned_data.items()):
            if isinstance(value, date) and value > self.on and name not in self.ahead:
                self.add_error(name, _t("This day is in the future."))
        return self.cleaned_data

    def keep(self, *, by: User, at: datetime) -> AppendOnly:
        """Store the row."""
        self.instance.by, self.instance.at = by, at
        return self.save()


class PolicyForm(RegisterForm):
    """A policy with its document."""

    heading = _("Put a policy into the register")
    lead = _("A policy that replaces another: put it in here, then end the old one on the day before.")
    ahead = frozenset({"begins_on"})
    file = forms.FileField(label=_("Document (PDF)"), widget=forms.FileInput(attrs={"accept": ".pdf"}))

    class Meta:
        model = Policy
        fields = ["title", "created_on", "begins_on"]
        field_classes = {"created_on": DateField, "begins_on": DateField}

    def clean_file(self) -> bytes:
        """The bytes of a PDF, whatever the name says."""
        upload: UploadedFile = self.cleaned_data["file"]
        checked = uploads.read(upload)
        if checked.format != Attachment.Format.PDF:
            raise ValidationError(_t("This is not a PDF, whatever its name says."))
        return checked.content

    def keep(self, *, by: User, at: datetime) -> AppendOnly:
        """Store the policy with its document."""
        self.instance.document = self.cleaned_data["file"]
        return super().keep(by=by, at=at)


class PolicyEndingForm(RegisterForm):
    """The end of one policy."""

    heading, button = _("End a policy"), _("End this policy")
    lead = _("Its document stays for six years from the day it was last in force (45 CFR 164.530(j)).")

    class Meta:
        model = PolicyEnding
        fields = ["last_on", "reason"]
        field_classes = {"last_on": DateField}


class TrainingForm(RegisterForm):
    """A training."""

    heading = _("Write down a training")
    lead = _(
        "Everybody who works here is trained: when they begin, and when a policy changes that concerns them (45 CFR 164.530(b))."
    )

    class Meta:
        model = Training
        fields = ["person", "trained_on", "topic"]
        field_classes = {"trained_on": DateField}


class SanctionForm(RegisterForm):
    """A sanction."""

    heading = _("Write down a sanction")
    lead = _("What happened and what followed, also when nothing did and why (45 CFR 164.530(e)). No patient's name.")

    class Meta:
        model = Sanction
        fields = ["person", "imposed_on", "what_happened", "sanction"]
        field_classes = {"imposed_on": DateField}
        widgets = {"what_happened": forms.Textarea(attrs={"rows": 4})}


class StatementForm(RegisterForm):
    """What the office states about itself."""

    heading = _("State something about the office")
    lead = _("The latest statement of a kind is in force; those before it stay as its history.")
    ahead = frozenset({"begins_on"})

    class Meta:
        model = Statement
        fields = ["kind", "text", "begins_on"]
        field_classes = {"begins_on": DateField}
        widgets = {"text": forms.Textarea(attrs={"rows": 5})}

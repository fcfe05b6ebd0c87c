"""What the log may say besides to whom, what and why: part of the rule, research, who gave it out, the written request."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disclosures import enclosures, purposes
from disclosures.models import BusinessAssociate, ResearchProtocol
from records import uploads


class Details(forms.Form):
    """Mixin of a form with `purpose_code`, `purpose` and `disclosed_on`. What does not fit the purpose is left out."""

    sub_kind = forms.ChoiceField(label=gettext_lazy("Which part of the rule"), required=False)
    protocol = forms.ModelChoiceField(
        ResearchProtocol.objects.none(),
        label=gettext_lazy("For which research"),
        required=False,
        empty_label=gettext_lazy("Not in the register"),
    )
    made_by = forms.ModelChoiceField(
        BusinessAssociate.objects.none(),
        label=gettext_lazy("Who gave it out"),
        required=False,
        empty_label=gettext_lazy("The office itself"),
    )
    written_request = forms.FileField(
        label=gettext_lazy("Copy of their written request"),
        required=False,
        help_text=gettext_lazy(
            "PDF, JPEG or PNG. For a disclosure to HHS or under 45 CFR 164.512 it may stand in place of the purpose."
        ),
    )

    def offer_details(self) -> None:
        """Fill the choices; called from the form's own __init__. Two queries."""
        groups = [
            (str(purposes.purpose(code).label), [(name, f"{part.label} · {part.citation}") for name, part in parts.items()])
            for code, parts in purposes.PARTS.items()
        ]
        self.fields["sub_kind"].choices = [("", _("Not said")), *groups]  # type: ignore[attr-defined]
        self.fields["protocol"].queryset = ResearchProtocol.objects.all()  # type: ignore[attr-defined]
        self.fields["made_by"].queryset = BusinessAssociate.objects.all()  # type: ignore[attr-defined]
        if purposes.copy_may_stand_for_purpose(self.data.get("purpose_code", "")) and self.files.get("written_request"):
            self.fields["purpose"].required = False

    def clean_written_request(self) -> uploads.CheckedFile | None:
        """A file that an accounting can carry along, or none."""
        sent: UploadedFile | None = self.cleaned_data["written_request"]
        if not sent:
            return None
        read = uploads.read(sent)
        if read.format not in ("application/pdf", "image/jpeg", "image/png"):
            raise forms.ValidationError(_("Scan it as a PDF, JPEG or PNG: it goes along with the patient’s accounting."))
        if read.format == enclosures.PDF and not enclosures.can_be_enclosed(read.content):
            raise forms.ValidationError(_("This PDF is broken or locked with a password. Print and scan it anew."))
        return read

    def check_details(self, data: dict[str, Any]) -> None:
        """What was chosen for another purpose, before this one was, is left out: the page hides it."""
        code = data.get("purpose_code", "")
        if data.get("sub_kind") not in purposes.PARTS.get(code, {}):
            data["sub_kind"] = ""
        if code != "research":
            data["protocol"] = None

    def details(self) -> dict[str, Any]:
        """The facts as `Disclosure.log` takes them."""
        data = self.cleaned_data
        return {name: data.get(name) for name in ("protocol", "made_by", "written_request")} | {
            "sub_kind": data.get("sub_kind", "")
        }

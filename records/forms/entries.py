"""Writing an entry, and what is laid beside one: lines, addenda, the wrong-chart mark, files."""

import secrets
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from meso.forms import DateField, Form, ModelForm
from meso.models import User
from meso.roles import may
from records import uploads
from records.exclusion import WHAT_IT_DOES, Kind
from records.forms.money import money
from records.models import PAYABLE, Attachment, Entry, PaidInFull, Patient

FILED_KINDS = (
    Entry.Kind.OUTSIDE_RECORD, Entry.Kind.CORRESPONDENCE, Entry.Kind.PHOTOGRAPH, Entry.Kind.CONSENT, Entry.Kind.LAB_RESULT,
    Entry.Kind.BILLING_RECORD,
)  # fmt: skip
PRODUCT_ROWS = 6
LONGEST = 500_000  # characters of one text
_PARTS = ("name", "lot", "dose")
_TREATMENT = ("areas", "technique", "reaction")


class AlreadyWrittenError(Exception):
    """This very form was sent before: `entry` is what it wrote."""

    def __init__(self, entry: Entry):
        super().__init__("already written")
        self.entry = entry


class FilesField(forms.FileField):
    """Several files at once, each checked by its content. Gives a list of `uploads.CheckedFile`."""

    class Input(forms.FileInput):
        allow_multiple_selected = True

    def __init__(self, **kwargs: Any):
        endings = ",".join(ending for group in uploads.ENDINGS.values() for ending in group)
        kwargs.setdefault("widget", self.Input(attrs={"accept": endings}))
        kwargs.setdefault("help_text", gettext_lazy("PDF, JPEG, PNG, HEIC or Word (DOCX), at most 25 MB each and 10 at a time."))
        super().__init__(**kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[uploads.CheckedFile]:
        given: list[UploadedFile] = list(data or [])
        if self.required and not given:
            raise ValidationError(_("Choose a file."))
        if len(given) > uploads.MAX_FILES:
            raise ValidationError(_("At most 10 files at a time."))
        files, refusals = [], []
        for upload in given:
            try:
                files.append(uploads.read(upload))
            except ValidationError as refusal:
                refusals.append(refusal)
        if refusals:
            raise ValidationError(refusals)
        return files


class EntryForm(ModelForm):
    """A new entry with its files. Which kinds there are depends on who writes: `by`.

    The hidden token makes the form good for one entry, however often it is sent.
    """

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        error_messages={"invalid_choice": gettext_lazy("Your role can't write an entry of this kind.")},
    )
    service_on = DateField(label=gettext_lazy("Date of service"))
    title = forms.CharField(
        label=gettext_lazy("Title"), max_length=200, required=False, help_text=gettext_lazy("Left empty, the kind is the title.")
    )
    body = forms.CharField(
        label=gettext_lazy("Text"), required=False, max_length=LONGEST, strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "true"}),
    )  # fmt: skip
    on_paper = forms.BooleanField(label=gettext_lazy("The original is on paper"), required=False)
    attached = FilesField(label=gettext_lazy("Files"), required=False)
    keep_from_plan = forms.BooleanField(
        label=gettext_lazy("Paid in full by the patient, who keeps it from the health plan"), required=False,
        help_text=gettext_lazy("The office must keep it from the plan from now on (45 CFR 164.522(a)(1)(vi))."),
    )  # fmt: skip
    plan = forms.CharField(label=gettext_lazy("Health plan it is kept from"), required=False, max_length=300)
    paid = money(gettext_lazy("Charged and paid, dollars"), required=False)
    token = forms.RegexField(r"^[A-Za-z0-9_-]{16,64}$", required=False, widget=forms.HiddenInput)

    class Meta:
        model = Entry
        fields = ["kind", "service_on", "title", *_TREATMENT, "body", "on_paper"]

    def __init__(self, *args: Any, patient: Patient, by: User, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.patient, self.by, self.on = patient, by, on
        kinds = Entry.Kind if may(by, "entry.write") else FILED_KINDS
        self.fields["kind"].choices = [("", _("Choose…")), *((kind.value, kind.label) for kind in kinds)]  # type: ignore[attr-defined]
        self.may_treat = Entry.Kind.TREATMENT in kinds
        if not self.may_treat:
            for name in _TREATMENT:
                del self.fields[name]
        else:
            self.fields["areas"].widget.use_required_attribute = lambda initial: False  # type: ignore[method-assign]
            self.fields["areas"].required = self.data.get("kind", Entry.Kind.TREATMENT) == Entry.Kind.TREATMENT
            self.fields["areas"].error_messages["required"] = _("Which areas were treated?")
            self._add_product_rows()
        self.initial.setdefault("service_on", on)
        self.initial.setdefault("token", secrets.token_urlsafe(24))

    def _add_product_rows(self) -> None:
        labels = {"name": _("Product %(row)d"), "lot": _("Lot number %(row)d"), "dose": _("Dose %(row)d")}
        for row in range(1, PRODUCT_ROWS + 1):
            for part in _PARTS:
                self.fields[f"product_{row}_{part}"] = forms.CharField(
                    label=labels[part] % {"row": row}, required=False, max_length=120
                )

    def product_rows(self) -> list[list[Any]]:
        """The fields of the products, a row each; none for those who write no treatments."""
        rows = range(1, PRODUCT_ROWS + 1) if self.may_treat else ()
        return [[self[f"product_{row}_{part}"] for part in _PARTS] for row in rows]

    def treatment_fields(self) -> list[Any]:
        """Areas, technique, reaction; none for those who write no treatments."""
        return [self[name] for name in _TREATMENT if name in self.fields]

    def clean_service_on(self) -> date:
        day = self.cleaned_data["service_on"]
        if day > self.on:
            raise ValidationError(_("This day is in the future."))
        if day < self.patient.date_of_birth:
            raise ValidationError(_("This day comes before the patient was born."))
        return day

    def clean_body(self) -> str:
        return self.cleaned_data["body"].strip("\n")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("title") and "title" not in self.errors:
            data["title"] = str(dict(Entry.Kind.choices).get(data.get("kind", ""), ""))
        self._clean_treatment(data)
        self._clean_paid(data)
        chosen = self.files.getlist("attached") if self.files else []
        if chosen and self.errors and "attached" not in self.errors:
            names = ", ".join(uploads.clean_name(file.name or "") for file in chosen)
            self.add_error("attached", _("Please choose these again, a browser can't keep them: %(names)s") % {"names": names})
        return data

    def _clean_treatment(self, data: dict[str, Any]) -> None:
        products = []
        for row in range(1, PRODUCT_ROWS + 1) if self.may_treat else ():
            parts = {part: data.get(f"product_{row}_{part}", "") for part in _PARTS}
            if any(parts.values()):
                products.append(parts)
                if not parts["name"]:
                    self.add_error(f"product_{row}_name", _("Which product is this?"))
        data["products"] = products
        filled = products or any(data.get(name) for name in _TREATMENT)
        if filled and data.get("kind", Entry.Kind.TREATMENT) != Entry.Kind.TREATMENT:
            self.add_error(
                "kind", _("Areas and products are filled in below: choose Mesotherapy treatment, or empty them there.")
            )

    def _clean_paid(self, data: dict[str, Any]) -> None:
        if not data.get("keep_from_plan"):
            return
        if data.get("kind") and data["kind"] not in PAYABLE:
            self.add_error("keep_from_plan", _("Only a treatment or a billing record is paid for."))
        for name, words in (("plan", _("Which health plan?")), ("paid", _("How much was charged and paid?"))):
            if not data.get(name) and name not in self.errors:
                self.add_error(name, words)

    def _keep_from_plan(self, entry: Entry, at: datetime) -> None:
        """Put the mandatory restriction in force for this entry, unless its line is kept from the plan already."""
        paid = self.cleaned_data["paid"]
        facts: dict[str, Any] = {"by": self.by, "at": at, "entries": [entry], "begins_on": self.on, "paid_on": self.on}
        facts |= {"plan": self.cleaned_data["plan"], "charged": paid, "amount": paid}
        with suppress(ValidationError):
            PaidInFull.keep(self.patient, service=entry.title, service_on=entry.service_on, **facts)

    def write(self, at: datetime) -> Entry:
        """Store the entry and its files as one. Raises AlreadyWrittenError when this form was sent before."""
        entry = self.save(commit=False)
        entry.patient, entry.author, entry.signed_as, entry.written_at = self.patient, self.by, self.by.signature, at
        entry.products = self.cleaned_data["products"]
        entry.source_id = source_of(self.cleaned_data["token"] or secrets.token_urlsafe(24))
        try:
            with transaction.atomic():
                entry.save()
                for file in self.cleaned_data["attached"]:
                    attach(self.patient, file, by=self.by, at=at, entry=entry)
                if self.cleaned_data["keep_from_plan"]:
                    self._keep_from_plan(entry, at)
        except IntegrityError:
            written = Entry.objects.filter(source_id=entry.source_id, patient=self.patient).first()
            if written is None:
                raise
            raise AlreadyWrittenError(written) from None
        return entry


def source_of(token: str) -> str:
    """What an entry keeps of the form that wrote it, so that the database refuses to write it twice."""
    return f"form:{token}"


def attach(patient: Patient, file: uploads.CheckedFile, *, by: User, at: datetime, entry: Entry | None = None) -> Attachment:
    """Keep a checked file in the chart, under an entry or by itself."""
    return Attachment.objects.create(
        patient=patient, entry=entry, name=file.name, format=file.format, content=file.content, added_by=by, added_at=at
    )


class FilesForm(Form):
    """Files for the chart that stand under no entry."""

    attached = FilesField(label=gettext_lazy("Add files"))

    def keep(self, patient: Patient, *, by: User, at: datetime) -> list[Attachment]:
        """Keep them all. A file whose bytes are in the chart already is not kept a second time."""
        with transaction.atomic():
            Patient.objects.select_for_update().get(pk=patient.pk)
            there = set(patient.attachments.values_list("sha256", flat=True))
            new = {file.sha256: file for file in self.cleaned_data["attached"] if file.sha256 not in there}
            return [attach(patient, file, by=by, at=at) for file in new.values()]


class StrikeForm(Form):
    """The line: through the whole entry, or through words of it."""

    extent = forms.ChoiceField(
        label=gettext_lazy("What is disputed"), initial="passage", widget=forms.RadioSelect,
        choices=[("passage", gettext_lazy("Some words of the text")), ("whole", gettext_lazy("The whole entry"))],
    )  # fmt: skip
    passage = forms.CharField(
        label=gettext_lazy("The words to strike"), required=False, max_length=LONGEST, strip=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Select them in the text above, or copy them here exactly as they stand."),
    )  # fmt: skip
    passage.needed_at_times = True  # type: ignore[attr-defined]  # so it is not called optional
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Shown beside the line, on every copy."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("extent") == "whole":
            data["passage"] = ""
        elif not data.get("passage", "").strip() and "passage" not in self.errors:
            self.add_error("passage", _("Which words? To strike all of it, choose “The whole entry”."))
        return data


class AddendumForm(Form):
    """What the physician adds."""

    body = forms.CharField(
        label=gettext_lazy("Addendum"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 8}),
        help_text=gettext_lazy("Shown under the entry, dated and signed. The entry itself stays as it is."),
    )  # fmt: skip


class MisfiledForm(Form):
    """Why an entry does not belong here."""

    reason = forms.CharField(
        label=gettext_lazy("What happened"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Do not name the other patient here; a chart number is enough."),
    )  # fmt: skip


class FlagForm(Form):
    """What an entry is, so that copies leave it out or other rules bind it."""

    kind = forms.ChoiceField(label=gettext_lazy("What it is"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=gettext_lazy("Why it is that"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Such as: session notes of Dr. Reyes, kept in a separate folder. Copies do not show it."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        told = '<span><strong>{}</strong><span class="help d-block">{}</span></span>'
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (kind.value, format_html(told, kind.label, WHAT_IT_DOES[kind])) for kind in Kind
        ]


class FlagEndForm(Form):
    """Why a flag was a mistake."""

    reason = forms.CharField(
        label=gettext_lazy("Why it was a mistake"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Both stay readable: the flag and why it was taken back."),
    )  # fmt: skip

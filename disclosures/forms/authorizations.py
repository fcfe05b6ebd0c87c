"""Recording a signed form as it came, and what becomes of it."""

import hashlib
import json
import secrets
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disclosures.forms.log import ENTRIES_OFFERED, EntriesField
from disclosures.models import EARLIEST, Authorization, AuthorizationCopyGiven, AuthorizationLetterSent
from disclosures.models.authorizations import SCAN_FORMATS
from meso.forms import DateField, Form, ModelForm
from meso.models import User
from records import uploads
from records.models import Entry, Patient

FIELDS = [
    "kind",
    "received_on",
    "electronic_only",
    "information",
    "entry_kinds",
    "since",
    "until",
    "discloser",
    "recipient",
    "recipient_is_class",
    "recipient_address",
    "purposes",
    "at_request",
    "expires_on",
    "expiry_event",
    "research",
    "signed",
    "signed_on",
    "signed_by",
    "signer_name",
    "signer_authority",
    "says_revocable",
    "says_conditions",
    "says_redisclosure",
    "notes",
    "combined_with",
    "conditions",
    "marketing",
    "sale",
    "advertising_photos",
    "remuneration",
    "asked_by_office",
]
_NEEDED = ("information", "discloser", "recipient", "purposes", "expires_on", "expiry_event", "signed_on", "signer_authority")
_LINES = forms.Textarea(attrs={"rows": 2})


def not_later(day: date | None, on: date) -> date | None:
    """The day, which has been and is no slip of the pen. Raises ValidationError."""
    if day and day > on:
        raise ValidationError(_("This day is in the future."))
    if day and day < EARLIEST:
        raise ValidationError(_("Please check the year."))
    return day


class ScanField(forms.FileField):
    """One scan, known by its content: PDF, JPEG or PNG. Gives an `uploads.CheckedFile`, or None where there may be none."""

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("widget", forms.FileInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png"}))
        kwargs.setdefault("help_text", gettext_lazy("PDF, JPEG or PNG, at most 25 MB."))
        super().__init__(**kwargs)

    def clean(self, data: Any, initial: Any = None) -> uploads.CheckedFile | None:
        if not data:
            if self.required:
                raise ValidationError(_("Choose the scan of the signed paper."))
            return None
        file = uploads.read(data)
        if file.format not in dict(SCAN_FORMATS):
            raise ValidationError(_("A scan is a PDF, a JPEG or a PNG."))
        return file


class LinesField(forms.CharField):
    """Several texts, one a line. Gives a list."""

    def clean(self, value: Any) -> Any:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value


class AuthorizationForm(ModelForm):
    """A signed form as it came: what it lacks is no error here, it is recorded and said. `again` is the one it replaces."""

    scan = ScanField(label=gettext_lazy("Scan of the signed paper"))
    received_on = DateField(label=gettext_lazy("Received on"))
    entry_kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Kinds of entries"),
        choices=Entry.Kind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Tick only what the form limits itself to. Without ticks its own words decide."),
    )
    entries = EntriesField(
        Entry.objects.none(), label=gettext_lazy("Entries named one by one"), required=False, widget=forms.CheckboxSelectMultiple
    )
    since = DateField(label=gettext_lazy("Services from"), required=False)
    until = DateField(label=gettext_lazy("Services to"), required=False)
    purposes = LinesField(
        label=gettext_lazy("What for"),
        required=False,
        widget=_LINES,
        max_length=2000,
        help_text=gettext_lazy("As the form words it, one purpose a line."),
    )
    expires_on = DateField(label=gettext_lazy("Last day"), required=False)
    signed_on = DateField(label=gettext_lazy("Signed on"), required=False)
    copy_given_on = DateField(label=gettext_lazy("Copy given to the patient on"), required=False)
    once = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput, required=False)

    class Meta:
        model = Authorization
        fields = FIELDS
        widgets = {
            "kind": forms.RadioSelect,
            "information": _LINES,
            "recipient": _LINES,
            "recipient_address": _LINES,
            "signed_by": forms.RadioSelect,
        }
        help_texts = {
            "information": gettext_lazy("As the form words it."),
            "recipient": gettext_lazy("As the form names them, one name a line."),
            "expiry_event": gettext_lazy("As the form words it. “None” and “end of the study” only for research."),
        }

    def __init__(self, *args: Any, patient: Patient, on: date, again: Authorization | None = None, **kwargs: Any):
        super().__init__(*args, instance=None, **kwargs)
        self.patient, self.on, self.again = patient, on, again
        self.fields["scan"].required = again is None
        for name in _NEEDED:
            self.fields[name].needed_at_times = True  # type: ignore[attr-defined]  # so it is not called optional
        if again:
            self.fields["scan"].help_text = _("Choose a file if a new paper came; else the scan of the record before is kept.")
        newest = patient.entries.of_record().newest_first().values_list("pk", flat=True)[:ENTRIES_OFFERED]
        ticked = list(again.keys_named) if again else []
        offered = Entry.objects.filter(pk__in=[*newest, *ticked]).newest_first()
        self.fields["entries"].queryset = offered  # type: ignore[attr-defined]
        self.initial.setdefault("received_on", on)
        self.initial.setdefault("once", secrets.token_hex(16))

    def clean_received_on(self) -> date | None:
        return not_later(self.cleaned_data["received_on"], self.on)

    def clean_copy_given_on(self) -> date | None:
        return not_later(self.cleaned_data["copy_given_on"], self.on)

    def clean_signed_on(self) -> date | None:
        """A signature has been given; one that the paper dates later is a paper without a good date."""
        day = self.cleaned_data["signed_on"]
        if day and day > self.on:
            raise ValidationError(
                _("A signature can’t lie in the future. If the paper says so, leave this empty: its day is missing.")
            )
        return not_later(day, self.on)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["since"] > data["until"]:
            self.add_error("until", _("This day comes before the first one."))
        if data.get("signed_on") and data.get("received_on") and data["signed_on"] > data["received_on"]:
            self.add_error("received_on", _("It can’t have come before it was signed."))
        if self.errors and self.files and "scan" not in self.errors:
            self.add_error("scan", _("Please choose the scan again: a browser can’t keep it."))
        return data

    def record(self, *, by: User, at: datetime) -> Authorization:
        """Keep it. The same page sent twice gives what it wrote the first time."""
        data = self.cleaned_data
        facts = {name: data[name] for name in FIELDS}
        facts |= self._scan()
        entries = list(data["entries"])
        told = [data["once"] or secrets.token_hex(16), self.patient.pk, {**facts, "scan": ""}, [entry.pk for entry in entries]]
        source = hashlib.sha256(json.dumps([*told, facts["scan_sha256"]], default=str, sort_keys=True).encode()).hexdigest()
        facts |= {"replaces": self.again, "recorded_by": by, "recorded_at": at, "source_id": source}
        try:
            form = Authorization.record(patient=self.patient, entries=entries, **facts)
        except IntegrityError:
            if written := Authorization.objects.filter(source_id=source).first():
                return written
            raise
        if data["copy_given_on"]:
            AuthorizationCopyGiven.of(form, by=by, at=at, given_on=data["copy_given_on"])
        return form

    def _scan(self) -> dict[str, Any]:
        """The columns of the scan: the new file's, or those of the record that this one replaces."""
        file, before = self.cleaned_data["scan"], self.again
        if before and not file:
            return {"scan": bytes(before.scan), "scan_format": before.scan_format, "scan_sha256": before.scan_sha256}
        return {"scan": file.content, "scan_format": file.format, "scan_sha256": file.sha256}


def initial_of(form: Authorization) -> dict[str, Any]:
    """What stands on a recorded form, to record it anew."""
    return {name: getattr(form, name) for name in FIELDS} | {"entries": sorted(form.keys_named)}


class ActForm(Form):
    """An act on a form that happened on a day. `on` is the office's day; `done` the message behind it."""

    DAYS: tuple[str, ...] = ()
    done: Any = gettext_lazy("Kept.")

    def __init__(self, *args: Any, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.on = on
        for name in self.DAYS:
            self.initial.setdefault(name, on)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in self.DAYS:
            try:
                not_later(data.get(name), self.on)
            except ValidationError as refusal:
                self.add_error(name, refusal)
        return data


class RevocationForm(ActForm):
    """The patient takes a form back: in writing, which ends it, or orally, which the law gives no effect."""

    DAYS = ("day",)

    how = forms.ChoiceField(
        label=gettext_lazy("How it came"),
        widget=forms.RadioSelect,
        choices=[
            ("written", gettext_lazy("In writing: it ends the form from that day on")),
            ("oral", gettext_lazy("Orally: it has no effect yet; ask the patient to write it")),
        ],
    )
    day = DateField(label=gettext_lazy("On which day"))
    scan = ScanField(label=gettext_lazy("Scan of what the patient wrote"), required=False)
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=1000)

    @property
    def done(self) -> str:
        """What that means. Only of a valid form."""
        if self.cleaned_data["how"] == "oral":
            return _("Kept. It has no effect until it comes in writing: ask the patient to write it.")
        return _("The form is taken back. Nothing more goes out on it; what went out before stays in the log.")


class EventForm(ActForm):
    """What was to end the form has happened."""

    DAYS = ("happened_on", "known_on")
    done = gettext_lazy("The form has ended.")

    happened_on = DateField(label=gettext_lazy("It happened on"))
    known_on = DateField(label=gettext_lazy("Our office has known it since"))

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("happened_on") and data.get("known_on") and data["known_on"] < data["happened_on"]:
            self.add_error("known_on", _("It can’t be known before it happened."))
        return data


class FalseForm(ActForm):
    """The privacy officer finds that something material in the form is false."""

    DAYS = ("found_on",)
    done = gettext_lazy("The finding is kept. Nothing more goes out on this form.")

    found_on = DateField(label=gettext_lazy("Found on"))
    reason = forms.CharField(
        label=gettext_lazy("What is false, and how you know"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )


class CopyForm(ActForm):
    """The patient got a copy of what they signed."""

    DAYS = ("given_on",)

    given_on = DateField(label=gettext_lazy("Copy given on"))


class SentForm(ActForm):
    """How and when a letter went out."""

    DAYS = ("sent_on",)

    sent_on = DateField(label=gettext_lazy("Sent on"))
    way = forms.ChoiceField(label=gettext_lazy("How"), choices=AuthorizationLetterSent.Way.choices)

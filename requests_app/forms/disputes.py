"""After an amendment was not agreed to: the entries in dispute, the patient's statement or wish, the office's answer to it."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from meso.forms import DateField
from meso.models import Office, User
from records import uploads
from records.models import Entry
from requests_app import amendments
from requests_app.deadlines import spoken
from requests_app.forms.acts import ActForm, long_text
from requests_app.forms.choosing import entry_choices
from requests_app.models import Disagreement

_SCANS = (uploads.Format.PDF, uploads.Format.JPEG, uploads.Format.PNG)


class ScanField(forms.FileField):
    """One scan: PDF, JPEG or PNG, known by its content. Gives an `uploads.CheckedFile` or None."""

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("widget", forms.FileInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png"}))
        kwargs.setdefault("help_text", _("PDF, JPEG or PNG, at most 25 MB."))
        super().__init__(**kwargs)

    def clean(self, data: Any, initial: Any = None) -> uploads.CheckedFile | None:
        if not data:
            if self.required:
                raise ValidationError(_("Choose the file."))
            return None
        file = uploads.read(data)
        if file.format not in _SCANS:
            raise ValidationError(_("Choose a PDF, JPEG or PNG file."))
        return file


class DisputedForm(ActForm):
    """Names further entries that a denied amendment is about."""

    heading, button, audited = _("Name the entry in dispute"), _("Tie the request to it"), "disputed entry named"
    done = _("The request, its denial and all that the patient adds hang on the entry now.")
    lead = _("Request, denial, statement and answer are tied to the entry for good (45 CFR 164.526(d)(4)).")
    disputed = forms.MultipleChoiceField(
        label=_("Entries"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick the entry that the patient wants changed.")},
    )

    def __init__(self, *args: Any, entries: list[Entry], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.entries = entries
        self.fields["disputed"].choices = entry_choices(entries)  # type: ignore[attr-defined]

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Tie them."""
        ticked = set(self.cleaned_data["disputed"])
        chosen = [entry for entry in self.entries if str(entry.pk) in ticked]
        amendments.name_disputed(self.asked, chosen, by=by, at=at, on=self.on)


class StatementForm(ActForm):
    """The patient's statement of disagreement: typed, scanned, or both; at any time after the denial."""

    heading, button, audited = _("Take in the statement of disagreement"), _("File the statement"), "statement filed"
    done = _("The statement hangs on the entry and goes along whenever that entry is given out.")
    received_on = DateField(label=_("Received on"))
    text = long_text(
        _("The statement"), 100_000, rows=8, required=False, help_text=_("Word for word. Leave it empty for a scan.")
    )
    scan = ScanField(label=_("Scan of it"), required=False)

    def __init__(self, *args: Any, office: Office, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.office = office
        self.lead = _("There is no deadline for it (45 CFR 164.526(d)(2)). It may not be refused for what it says.")
        self.fields["received_on"].initial = self.on
        if office.longest_statement:
            self.fields["text"].help_text = _("Word for word; the office takes at most %(most)s characters.") % {
                "most": office.longest_statement
            }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not data.get("text", "").strip() and data.get("scan") is None:
            self.add_error("text", _("Write the statement, or choose its scan."))
        if self.errors and data.get("scan"):
            self.add_error("scan", _("Please choose the scan again: a browser can't keep it."))
        return data

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """File it."""
        amendments.file_statement(self.asked, **self.cleaned_data, by=by, at=at, on=self.on, office=office)


class TravelForm(ActForm):
    """The patient files no statement, and asks that request and denial go along with the entry."""

    heading, button, audited = _("The patient asks that the denial goes along"), _("Record the wish"), "travel asked"
    done = _("From now on request and denial go along whenever the entry is given out.")
    lead = _("Without a statement, request and denial go along only if the patient asks for it (45 CFR 164.526(d)(5)(ii)).")
    asked_on = DateField(label=_("Asked on"))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["asked_on"].initial = self.on

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it."""
        amendments.ask_to_travel(self.asked, **self.cleaned_data, by=by, at=at, on=self.on)


class RebutForm(ActForm):
    """The office's written answer to a statement; the patient gets a copy."""

    heading, button, audited = _("Answer the statement"), _("Write the answer and its letter"), "statement answered"
    done = _("The answer is written. It is final, and hangs on the entry, once the patient's copy is recorded as sent.")
    text = long_text(
        _("Our answer"), 20_000, rows=8, help_text=_("Plain words: the patient reads it, and so does who gets the entry.")
    )

    def __init__(self, *args: Any, statement: Disagreement, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.statement = statement
        words = _("Nobody has to answer the statement of %(day)s. If you do, the patient gets a copy (45 CFR 164.526(d)(3)).")
        self.lead = words % {"day": spoken(statement.received_on)}

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Write it."""
        amendments.rebut(self.statement, self.cleaned_data["text"], by=by, at=at, on=self.on, office=office)


class OriginatorForm(ActForm):
    """The patient shows that whoever wrote the entry can't act on it any more."""

    heading, button, audited = _("Whoever wrote it can't act"), _("Record it"), "originator can't act"
    done = _("It is recorded. “This office did not create it” is no ground for a denial any more.")
    lead = _("An entry from elsewhere may be left as it is only while its writer can still correct it (45 CFR 164.526(a)(2)(i)).")
    why = forms.CharField(label=_("Why not"), max_length=300, help_text=_("Such as: the hospital closed in 2024."))

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it."""
        amendments.originator_gone(self.asked, self.cleaned_data["why"], by=by, at=at, on=self.on)

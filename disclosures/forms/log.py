"""Logging a disclosure, correcting one, reviewing, deciding on a held one, and narrowing the log."""

import hashlib
import json
import secrets
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, Subquery
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disclosures import purposes, withholding
from disclosures.forms.details import Details
from disclosures.forms.on_authorization import OnAuthorization
from disclosures.models import EARLIEST, Disclosure
from meso.forms import DateField, Form
from meso.models import User
from meso.roles import PERMISSIONS
from records.forms.picker import NamesPatient, PatientField
from records.models import Entry, Patient

ENTRIES_OFFERED = 60  # the newest of the chart; older ones are named in the text
RECIPIENTS_OFFERED = 40
_ROWS_LOOKED_THROUGH = 300
RECIPIENT_WINDOW = timedelta(days=731)  # two years: what a search for words in a recipient may look through
LONGEST = 5000


def earlier_recipients(user: Any, on: date) -> list[tuple[str, str]]:
    """The recipients of the latest rows, each once with its latest address; not one that was corrected away.

    Looks through a fixed number of rows. What an agency has withheld on the day `on` is there for the privacy officer alone.
    """
    rows = withholding.shown_to(user, Disclosure.objects.current(), on).order_by("-id")
    known: dict[str, str] = {}
    for recipient, address in rows.values_list("recipient", "recipient_address")[:_ROWS_LOOKED_THROUGH]:
        known.setdefault(recipient, address)
    return list(known.items())[:RECIPIENTS_OFFERED]


def purpose_choices() -> list[tuple[str, Any]]:
    """The purposes in plain words with their citation, in three groups."""
    groups: dict[str, list[tuple[str, str]]] = {
        _("Goes into the log"): [],
        _("Stays out of the log"): [],
        _("Happened, and should not have"): [],
    }
    logged, exempt, slip = groups.values()
    for code, purpose in purposes.PURPOSES.items():
        place = exempt if purpose.exempt else logged if purpose.plannable else slip
        place.append((code, f"{purpose.label} · {purpose.citation}"))
    return [("", _("Choose…")), *groups.items()]


_LONGEST_KEY = 18  # digits


class EntriesField(forms.ModelMultipleChoiceField):
    """Entries of the chart to tick, each with its day and title."""

    def clean(self, value: Any) -> Any:
        """The entries. A number longer than any key is nobody's, and SQLite can't even be asked for it."""
        if any(len(key) > _LONGEST_KEY for key in value or ()):
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice", params={"value": "…"})
        return super().clean(value)

    def label_from_instance(self, entry: Any) -> str:
        return f"{date_format(entry.service_on, 'M j, Y')} · {entry.get_kind_display()} · {entry.called}"


class DisclosureForm(OnAuthorization, Details, NamesPatient, Form):
    """One disclosure: to whom, when, what, why. `on` is the office's day; the patient's entries are offered once known."""

    patient = PatientField(label=gettext_lazy("Patient’s chart number"))
    disclosed_on = DateField(label=gettext_lazy("Date"))
    recipient = forms.CharField(
        label=gettext_lazy("To whom"),
        max_length=300,
        widget=forms.TextInput(attrs={"list": "recipients", "data-fills": "recipient_address", "autocomplete": "off"}),
    )
    recipient_address = forms.CharField(
        label=gettext_lazy("Their address, if known"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    entries = EntriesField(
        Entry.objects.none(), label=gettext_lazy("Entries given"), required=False, widget=forms.CheckboxSelectMultiple
    )
    information = forms.CharField(
        label=gettext_lazy("What was given"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("In words, or tick entries. Left empty, the ticked entries are named by title and date."),
    )
    purpose_code = forms.ChoiceField(label=gettext_lazy("Why"), choices=purpose_choices)
    purpose = forms.CharField(
        label=gettext_lazy("Purpose in a few words"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": gettext_lazy("Say why, in a few words: the patient may ask.")},
    )
    once = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.on = on
        self.fields["information"].needed_at_times = True  # type: ignore[attr-defined]  # so it is not called optional
        self.initial.setdefault("disclosed_on", on)
        self.initial.setdefault("once", secrets.token_hex(16))
        self.chosen = self.chosen_patient()
        self.offer_entries_of(self.chosen)
        self.offer_authorizations_of(self.chosen)
        self.offer_details()

    def offer_entries_of(self, patient: Patient | None) -> None:
        """Offer the newest entries of this chart; without a chart the field goes."""
        if patient is None:
            del self.fields["entries"]
            return
        newest = patient.entries.of_record().newest_first().values_list("pk", flat=True)[:ENTRIES_OFFERED]
        offered = Entry.objects.filter(Q(pk__in=newest) | Q(pk__in=self.entries_given())).prefetch_related(
            "flags"
        )  # asked when looked at, not before
        self.fields["entries"].queryset = offered.newest_first()  # type: ignore[attr-defined]

    def entries_given(self) -> list[int]:
        """Entries to offer besides the newest ones: those that the row to be corrected gave."""
        return []

    def clean_disclosed_on(self) -> date:
        """A day that has been, and not a slip of the pen."""
        day = self.cleaned_data["disclosed_on"]
        if day > self.on:
            raise forms.ValidationError(_("A disclosure can't lie in the future."))
        if day < EARLIEST:
            raise forms.ValidationError(_("Please check the year."))
        return day

    @property
    def exempt(self) -> purposes.Purpose | None:
        """The purpose, when it is one that stays out of the log; else None."""
        code = self.data.get("purpose_code", "")
        known = purposes.PURPOSES.get(code)
        return known if known and known.exempt else None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("information", "").strip() and not data.get("entries"):
            self.add_error("information", _("Say what was given, or tick entries."))
        self.check_authorization(data)
        self.check_details(data)
        return data

    def row(self) -> dict[str, Any]:
        """The facts of the row, as `Disclosure.log` takes them, but for the patient."""
        data = self.cleaned_data
        entries = list(data.get("entries") or [])
        names = "; ".join(f"{entry.called} ({date_format(entry.service_on, 'M j, Y')})" for entry in entries)
        return {
            "disclosed_on": data["disclosed_on"],
            "recipient": data["recipient"],
            "recipient_address": data["recipient_address"],
            "information": data["information"].strip() or names,
            "purpose_code": data["purpose_code"],
            "purpose": data["purpose"].strip(),
            "authorization": data.get("authorization"),
            "entries": entries,
            **self.details(),
        }

    def log(self, *, by: User, at: datetime) -> Disclosure:
        """Write the row. The same form sent twice gives the row that it wrote the first time.

        One that was gone back to and sent with other facts is another disclosure.
        """
        patient, row = self.cleaned_data["patient"], self.row()
        scan = row["written_request"]
        facts = {**row, "entries": [entry.pk for entry in row["entries"]], "written_request": scan and scan.sha256}
        once = self.cleaned_data["once"] or secrets.token_hex(16)
        source = hashlib.sha256(json.dumps([once, patient.pk, facts], default=str).encode()).hexdigest()
        try:
            with transaction.atomic():
                return Disclosure.log(patient=patient, by=by, at=at, source_id=source, **row)
        except IntegrityError:
            if logged := Disclosure.objects.filter(source_id=source).first():
                return logged
            raise


class CorrectionForm(DisclosureForm):
    """A row put right by a new one, or taken back because it was never made. Always with the reason."""

    reason = forms.CharField(label=gettext_lazy("What was wrong"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    never_made = forms.BooleanField(
        label=gettext_lazy("It was never made, or not of this patient: put nothing in its place"), required=False
    )

    def __init__(self, *args: Any, original: Disclosure, **kwargs: Any):
        self.original = original
        self.base_facts = {
            "patient": original.patient.chart_number,
            "disclosed_on": original.disclosed_on,
            "recipient": original.recipient,
            "recipient_address": original.recipient_address,
            "information": original.information,
            "purpose_code": original.purpose_code,
            "purpose": original.purpose,
            "authorization": original.authorization_id,
            "entries": self.entries_given(),
            "sub_kind": original.sub_kind,
            "protocol": original.protocol_id,
            "made_by": original.made_by_id,
        }
        kwargs["initial"] = {**self.base_facts, **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        del self.fields["patient"]
        self._ask_for_the_day_alone()
        self.fields["purpose_code"].choices = [  # type: ignore[attr-defined]
            (name, [(code, words) for code, words in group if code not in purposes.EXEMPT] if isinstance(group, list) else group)
            for name, group in purpose_choices()
        ]
        self.order_fields(["reason", "never_made"])

    def _ask_for_the_day_alone(self) -> None:
        """A row out of an old log has the day of its authorization and no form on file; its correction may have the same."""
        if self.original.purpose_code == "authorization" and self.original.authorization_id is None:
            self.fields["authorized_on"] = DateField(
                label=_("Authorization signed on, where the form is not on file"),
                required=False,
                initial=self.original.authorized_on,
            )

    def may_lack_form(self, data: dict[str, Any]) -> bool:
        """As an old row had it: the day alone, on or before the disclosure's."""
        signed_on, given_on = data.get("authorized_on"), data.get("disclosed_on")
        if signed_on and given_on and signed_on > given_on:
            self.add_error("authorized_on", _("The authorization must be signed before anything goes out."))
        return bool(signed_on) or "authorized_on" in self.errors

    def row(self) -> dict[str, Any]:
        day = self.cleaned_data.get("authorized_on") if self.cleaned_data["purpose_code"] == "authorization" else None
        return super().row() | {"authorized_on": day}

    def details(self) -> dict[str, Any]:
        """A scan that came with the row stays with its correction unless another comes."""
        found = super().details()
        return found | {"written_request": found["written_request"] or self.original.written_request}

    def chosen_patient(self) -> Patient | None:
        return self.original.patient

    def authorizations_given(self) -> list[int]:
        return [self.original.authorization_id] if self.original.authorization_id else []

    def entries_given(self) -> list[int]:
        return list(self.original.disclosed_entries.values_list("entry", flat=True))

    def clean(self) -> dict[str, Any]:
        """A row that is taken back needs its reason alone: whatever else it lacks, nothing of it is written."""
        data = super().clean()
        if data.get("never_made"):
            for name in [name for name in self.errors if name != "reason"]:
                del self.errors[name]
        return data

    def correct(self, *, by: User, at: datetime) -> Any:
        """Write the correction. Raises ValidationError when the row was corrected meanwhile."""
        data = self.cleaned_data
        return self.original.correct(by=by, at=at, reason=data["reason"], replacement=None if data["never_made"] else self.row())


class ReviewForm(Form):
    """The privacy officer's note on what they reviewed."""

    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=1000)


class HoldForm(Form):
    """Whether a held row is listed in the patient's accounting (164.512(k)(2))."""

    listed = forms.TypedChoiceField(
        label=gettext_lazy("In accountings"),
        choices=[
            ("yes", gettext_lazy("List it: no order or law forbids")),
            ("no", gettext_lazy("Leave it out")),
        ],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


def _patient_of(number: str) -> Subquery | None:
    """The key of the patient with this chart number, for the index of a patient's rows; a join is walked day by day instead."""
    return Subquery(Patient.objects.filter(chart_number=number).values("pk")[:1]) if number else None


def _loggers() -> QuerySet[User]:
    return User.objects.filter(role__in=PERMISSIONS["disclosure.log"]).order_by("last_name", "username")


class LogFilterForm(Form):
    """Narrows the log. `narrow(rows)` applies what is filled in; `on` is the office's day.

    No index finds words inside a recipient; so that search looks through one chart, or through two years at a time.
    """

    SHOW = (
        ("", gettext_lazy("Rows in force")),
        ("unreviewed", gettext_lazy("Not reviewed yet")),
        ("all", gettext_lazy("Corrected ones too")),
        ("held", gettext_lazy("Held: waiting for a decision")),
    )

    show = forms.ChoiceField(label=gettext_lazy("Show"), choices=SHOW, required=False)
    chart_number = forms.CharField(label=gettext_lazy("Chart number"), required=False, max_length=64)
    recipient = forms.CharField(label=gettext_lazy("To whom"), required=False, max_length=300)
    purpose_code = forms.ChoiceField(label=gettext_lazy("Why"), required=False)
    since = DateField(label=gettext_lazy("From"), required=False)
    until = DateField(label=gettext_lazy("To"), required=False)
    logged_by = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("Logged by"), required=False, empty_label=gettext_lazy("Anybody")
    )

    def __init__(self, *args: Any, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.on = on
        self.looked_through: tuple[date, date] | None = None
        self.fields["logged_by"].queryset = _loggers()  # type: ignore[attr-defined]
        logged = [(code, p.label) for code, p in purposes.PURPOSES.items() if not p.exempt]
        self.fields["purpose_code"].choices = [("", _("Anything")), *logged]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["since"] > data["until"]:
            self.add_error("until", _("This day comes before the first one."))
        elif data.get("recipient") and not data.get("chart_number") and not self.errors:
            self._bound_the_search(data)
        return data

    def _bound_the_search(self, data: dict[str, Any]) -> None:
        """Two years, the latest ones unless days are given."""
        until = data["until"] or (data["since"] + RECIPIENT_WINDOW if data["since"] else self.on)
        since = data["since"] or until - RECIPIENT_WINDOW
        if until - since > RECIPIENT_WINDOW:
            self.add_error("since", _("A search for a recipient looks through two years at a time, or through one chart."))
        else:
            data["since"], data["until"] = self.looked_through = since, until

    @property
    def address(self) -> str:
        """The filter as an address may carry it: without the recipient, who can be a person."""
        kept = {name: self.data.get(name, "") for name in self.fields if name != "recipient"}
        return urlencode({name: value for name, value in kept.items() if value})

    def narrow(self, rows: Any) -> Any:
        """The rows that match; those in force when nothing is filled in or what is filled in is not right."""
        if not self.is_valid():
            return rows.current()
        data = self.cleaned_data
        shown = {"": rows.current, "unreviewed": rows.not_reviewed, "held": rows.held, "all": rows.with_replacements}
        wanted = {
            "patient": _patient_of(data["chart_number"].strip()),
            "recipient__icontains": data["recipient"],
            "purpose_code": data["purpose_code"],
            "disclosed_on__gte": data["since"],
            "disclosed_on__lte": data["until"],
            "logged_by": data["logged_by"],
        }
        return shown[data["show"]]().filter(**{name: value for name, value in wanted.items() if value})

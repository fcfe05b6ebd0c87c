"""Restrictions: agreed, mandatory, ended; a payment that failed; a release in an emergency."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from meso.forms import DateField, Form
from records.forms.money import money
from records.models import Entry, Patient, Restriction, RestrictionEnding
from records.restriction_rules import Covers, Recipient

OFFERED = 200  # entries to choose from, newest first
WHOLE, CHOSEN = "whole", "chosen"
NOTICE = "notice"


def _long(label: Any, most: int, *, rows: int = 3, help_text: Any = "", required: bool = True) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, max_length=most, required=required, help_text=help_text, widget=widget)


def _ticks(label: Any, choices: Any, *, help_text: Any = "", required: bool = False) -> forms.MultipleChoiceField:
    widget = forms.CheckboxSelectMultiple
    return forms.MultipleChoiceField(label=label, choices=choices, required=required, help_text=help_text, widget=widget)


def named(entry: Entry) -> str:
    """The entry in one line: day, kind, title."""
    return f"{date_format(entry.service_on, 'M j, Y')} · {entry.get_kind_display()} · {entry.title}"


def entries_of(patient: Patient) -> list[Entry]:
    """The entries that a restriction may list, newest first."""
    return list(patient.entries.of_record().newest_first()[:OFFERED])


def not_in_the_future(form: Any, name: str) -> date:
    """The day in this field of a form that knows today. Raises ValidationError for one in the future."""
    day = form.cleaned_data[name]
    if day > form.on:
        raise ValidationError(_("This day is in the future."))
    return day


class OnADay(Form):
    """A form that knows today: `on`."""

    def __init__(self, *args: Any, on: date, **kwargs: Any):
        self.on = on
        super().__init__(*args, **kwargs)


class _Terms(Form):
    """Terms that may list entries of one chart: `choices`. Mixed into a form that takes today as `on`."""

    on: date

    entries = _ticks(gettext_lazy("Entries"), [])
    begins_on = DateField(label=gettext_lazy("In force since"))

    def __init__(self, *args: Any, choices: Sequence[Entry], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.known = {str(entry.pk): entry for entry in choices}
        self.fields["entries"].choices = [(key, named(entry)) for key, entry in self.known.items()]  # type: ignore[attr-defined]
        self.initial.setdefault("begins_on", self.on)

    def clean_entries(self) -> list[Entry]:
        """The entries themselves."""
        return [self.known[key] for key in self.cleaned_data["entries"]]

    def clean_begins_on(self) -> date:
        return not_in_the_future(self, "begins_on")


class AgreedTerms(_Terms):
    """A restriction that the office agrees to (164.522(a)(1)(i))."""

    what = _long(gettext_lazy("What is restricted"), 10_000)
    extent = forms.ChoiceField(
        label=gettext_lazy("About"), initial=WHOLE, widget=forms.RadioSelect,
        choices=[(WHOLE, gettext_lazy("The whole record")), (CHOSEN, gettext_lazy("Certain entries"))],
    )  # fmt: skip
    covers = _ticks(
        gettext_lazy("Not for"), Covers.choices, required=True,
        help_text=gettext_lazy("A restriction can cover these and no others; what a law asks for goes out all the same."),
    )  # fmt: skip
    kept_from = _ticks(gettext_lazy("Kept from"), Recipient.choices, help_text=gettext_lazy("None ticked: from everybody."))
    from_whom = forms.CharField(
        label=gettext_lazy("From whom, in words"), required=False, max_length=300,
        help_text=gettext_lazy("Such as: her brother Tom; the pharmacy on Lark Street."),
    )  # fmt: skip
    field_order = ("what", "extent", "entries", "covers", "kept_from", "from_whom", "begins_on")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("extent") == CHOSEN and not data.get("entries") and "entries" not in self.errors:
            self.add_error("entries", _("Tick the entries that it is about."))
        if data.get("from_whom") and not data.get("kept_from") and "kept_from" not in self.errors:
            self.add_error("kept_from", _("Tick what kind of recipient that is: the computer can't read it out of the words."))
        if data.get("extent") == WHOLE:
            data["entries"] = []
        return data

    def terms(self) -> dict[str, Any]:
        """What `Restriction.agree` is told."""
        names = ("what", "entries", "covers", "kept_from", "from_whom", "begins_on")
        return {name: self.cleaned_data[name] for name in names}


class AgreedForm(AgreedTerms, OnADay):
    """The same as a form of the chart."""


class PaidTerms(_Terms):
    """A service that was paid for in full and is kept from the health plan: never refused (164.522(a)(1)(vi))."""

    service = forms.CharField(label=gettext_lazy("Service"), max_length=300)
    service_on = DateField(label=gettext_lazy("Date of service"))
    plan = forms.CharField(label=gettext_lazy("Health plan it is kept from"), max_length=300)
    charged = money(gettext_lazy("Charged for this service, dollars"))
    amount = money(
        gettext_lazy("Paid for it, dollars"), gettext_lazy("By the patient or anybody but the plan. It must be all of it.")
    )
    paid_on = DateField(label=gettext_lazy("Paid on"))
    field_order = ("service", "service_on", "entries", "plan", "charged", "amount", "paid_on", "begins_on")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        entries = self.fields["entries"]
        entries.label = _("Entries of this service")
        entries.help_text = _(
            "Only this line: other services of the same day stay open to the plan. None ticked: all of that day."
        )
        self.initial.setdefault("paid_on", self.on)

    def clean_service_on(self) -> date:
        return not_in_the_future(self, "service_on")

    def clean_paid_on(self) -> date:
        return not_in_the_future(self, "paid_on")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("charged") and data.get("amount") and data["charged"] != data["amount"]:
            self.add_error("amount", _("Charged and paid must be the same: the law asks for payment in full."))
        return data

    def terms(self) -> dict[str, Any]:
        """What `PaidInFull.keep` is told."""
        return {name: self.cleaned_data[name] for name in self.field_order}


class PaidForm(PaidTerms, OnADay):
    """The same as a form of the chart."""


class EndForm(OnADay):
    """How a restriction ends: three ways of the law, and a fourth for a payment that failed (164.522(a)(2))."""

    kind = forms.ChoiceField(label=gettext_lazy("How it ends"), widget=forms.RadioSelect)
    day = DateField(label=gettext_lazy("On"), help_text=gettext_lazy("The day the patient said so, or was told."))
    evidence = forms.CharField(
        label=gettext_lazy("What shows it"), max_length=500,
        help_text=gettext_lazy("Where the signed paper lies; who heard the patient and when; how the patient was told."),
    )  # fmt: skip
    reason = _long(gettext_lazy("Reason"), 1000)

    def __init__(self, *args: Any, restriction: Restriction, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.restriction = restriction
        kinds = [RestrictionEnding.Kind.IN_WRITING, RestrictionEnding.Kind.ORALLY]
        choices: list[tuple[str, Any]] = [(kind.value, kind.label) for kind in kinds]
        if not restriction.is_mandatory:
            choices.append((NOTICE, _("The office tells the patient: frees only what comes after the notice")))
        elif restriction.bounces.exists():
            words = _("The payment failed, the patient was called, and it was not made good")
            choices.append((RestrictionEnding.Kind.NOT_PAID.value, words))
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]
        self.initial.setdefault("day", self.on)

    def clean_day(self) -> date:
        day = self.cleaned_data["day"]
        if not self.restriction.begins_on <= day <= self.on:
            raise ValidationError(_("The day must lie between the day it began and today."))
        return day

    def end(self, **now: Any) -> None:
        """End it, or record the notice. `now`: by and at. Raises ValidationError."""
        data = self.cleaned_data
        if data["kind"] == NOTICE:
            self.restriction.tell(told_on=data["day"], how=data["evidence"], reason=data["reason"], **now)
        else:
            self.restriction.end(data["kind"], reason=data["reason"], evidence=data["evidence"], on=data["day"], **now)


class EmergencyForm(OnADay):
    """What went to a provider in an emergency (164.522(a)(1)(iii)). Its letter is made with it."""

    reason = _long(gettext_lazy("What the emergency was"), 1000, rows=2)
    provider = forms.CharField(label=gettext_lazy("Provider who got it"), max_length=300)
    provider_address = _long(gettext_lazy("Provider's address"), 1000, rows=2, required=False)
    information = _long(gettext_lazy("What was given"), 5000, rows=2)
    released_on = DateField(label=gettext_lazy("Given on"))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("released_on", self.on)

    def clean_released_on(self) -> date:
        return not_in_the_future(self, "released_on")


class LetterSentForm(OnADay):
    """The letter of an emergency went out."""

    how = forms.CharField(
        label=gettext_lazy("How"), max_length=300, help_text=gettext_lazy("Such as: by fax to the ward; by mail.")
    )
    day = DateField(label=gettext_lazy("Sent on"))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("day", self.on)

    def clean_day(self) -> date:
        return not_in_the_future(self, "day")


class BounceForm(OnADay):
    """The payment behind a restriction failed."""

    what = _long(gettext_lazy("What happened"), 500, rows=2, help_text=gettext_lazy("Such as: the check came back."))
    day = DateField(label=gettext_lazy("Found on"))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("day", self.on)

    def clean_day(self) -> date:
        return not_in_the_future(self, "day")


class MadeGoodForm(BounceForm):
    """The patient has paid after all."""

    what = _long(gettext_lazy("How it was paid"), 500, rows=2, help_text=gettext_lazy("Such as: paid again by card, in full."))
    day = DateField(label=gettext_lazy("Paid on"))

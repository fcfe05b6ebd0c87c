"""Restrictions: agreed, mandatory, ended; a payment that failed; a release in an emergency."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from meso.forms import DateField, Form
from meso.models import Office, User
from records.forms.acting import PatientActForm
from records.forms.money import money
from records.models import (
    EmergencyRelease,
    Entry,
    PaidInFull,
    Patient,
    PaymentBounce,
    Restriction,
    RestrictionEnding,
)
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
    return f"{date_format(entry.service_on, 'M j, Y')} · {entry.get_kind_display()} · {entry.called}"


def entries_of(patient: Patient) -> list[Entry]:
    """The entries that a restriction may list, newest first."""
    return list(patient.entries.of_record().prefetch_related("flags").newest_first()[:OFFERED])


def not_in_the_future(form: Any, name: str) -> date:
    """The day in this field of a form that knows today. Raises ValidationError for one in the future."""
    day = form.cleaned_data[name]
    if day > form.on:
        raise ValidationError(_("This day is in the future."))
    return day


class LimitForm(PatientActForm):
    """An act upon what binds the office for a patient."""

    audited = "restriction"


class PastDayForm(LimitForm):
    """An act of a day: today, or a day before."""

    day = DateField(label=gettext_lazy("On"))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("day", self.on)

    def clean_day(self) -> date:
        return not_in_the_future(self, "day")


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


class AgreedForm(AgreedTerms, LimitForm):
    """The same as a form of the chart."""

    heading, button = gettext_lazy("Agree to a restriction"), gettext_lazy("Put it in force")
    done, detail = gettext_lazy("The restriction is in force."), "restriction agreed"

    def __init__(self, *args: Any, patient: Patient, **kwargs: Any):
        self.patient = patient
        super().__init__(*args, choices=entries_of(patient), **kwargs)

    def act(self, *, by: User, at: datetime) -> None:
        """Agree."""
        Restriction.agree(self.patient, **self.terms(), by=by, at=at)


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


class PaidForm(PaidTerms, LimitForm):
    """The same as a form of the chart."""

    heading, button = gettext_lazy("Paid in full: keep it from the health plan"), gettext_lazy("Keep it from the plan")
    lead = gettext_lazy(
        "The office must keep it from the plan, for payment and operations (45 CFR 164.522(a)(1)(vi)). Treatment stays open."
    )
    done, detail = gettext_lazy("It is kept from the health plan from now on."), "kept from the plan"

    def __init__(self, *args: Any, patient: Patient, **kwargs: Any):
        self.patient = patient
        super().__init__(*args, choices=entries_of(patient), **kwargs)

    def act(self, *, by: User, at: datetime) -> None:
        """Keep it from the plan."""
        PaidInFull.keep(self.patient, **self.terms(), by=by, at=at)


class EndForm(LimitForm):
    """How a restriction ends: three ways of the law, and a fourth for a payment that failed (164.522(a)(2))."""

    heading, button = gettext_lazy("End a restriction"), gettext_lazy("Record the end")
    lead = gettext_lazy("45 CFR 164.522(a)(2). What was paid for in full can't be ended by the office alone.")
    done, detail = gettext_lazy("It is recorded."), "restriction ended"

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

    def act(self, *, by: User, at: datetime) -> None:
        """End it, or record the notice."""
        data = self.cleaned_data
        if data["kind"] == NOTICE:
            self.restriction.tell(told_on=data["day"], how=data["evidence"], reason=data["reason"], by=by, at=at)
        else:
            facts = {"reason": data["reason"], "evidence": data["evidence"], "on": data["day"]}
            self.restriction.end(data["kind"], **facts, by=by, at=at)


class EmergencyForm(LimitForm):
    """What went to a provider in an emergency (164.522(a)(1)(iii)). Its letter is made with it."""

    heading, button = gettext_lazy("Given in an emergency"), gettext_lazy("Record it and make the letter")
    lead = gettext_lazy(
        "A provider may have what is needed to treat the patient in an emergency; we must ask them not to use or disclose it "
        "further (45 CFR 164.522(a)(1)(iii)-(iv)). The letter is dated today: send it today."
    )
    done, detail = gettext_lazy("It is recorded. Print the letter below and send it today."), "emergency release"
    reason = _long(gettext_lazy("What the emergency was"), 1000, rows=2)
    provider = forms.CharField(label=gettext_lazy("Provider who got it"), max_length=300)
    provider_address = _long(gettext_lazy("Provider's address"), 1000, rows=2, required=False)
    information = _long(gettext_lazy("What was given"), 5000, rows=2)
    released_on = DateField(label=gettext_lazy("Given on"))

    def __init__(self, *args: Any, restriction: Restriction, office: Office, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.restriction, self.office = restriction, office
        self.initial.setdefault("released_on", self.on)

    def clean_released_on(self) -> date:
        return not_in_the_future(self, "released_on")

    def act(self, *, by: User, at: datetime) -> None:
        """Record it."""
        EmergencyRelease.record(self.restriction, **self.cleaned_data, by=by, at=at, on=self.on, office=self.office)


class LetterSentForm(PastDayForm):
    """The letter of an emergency went out."""

    heading, button = gettext_lazy("The letter was sent"), gettext_lazy("Record as sent")
    done, detail = gettext_lazy("It is recorded."), "emergency letter sent"
    how = forms.CharField(
        label=gettext_lazy("How"), max_length=300, help_text=gettext_lazy("Such as: by fax to the ward; by mail.")
    )
    field_order = ("how", "day")

    def __init__(self, *args: Any, release: EmergencyRelease, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.release = release
        self.fields["day"].label = _("Sent on")
        self.lead = _("To %(provider)s, about what was given in an emergency.") % {"provider": release.provider}

    def act(self, *, by: User, at: datetime) -> None:
        """Record it."""
        self.release.send(sent_on=self.cleaned_data["day"], how=self.cleaned_data["how"], by=by, at=at)


class BounceForm(PastDayForm):
    """The payment behind a restriction failed."""

    heading, button = gettext_lazy("The payment failed"), gettext_lazy("Record it")
    lead = gettext_lazy("Nothing is lifted by this: the plan gets nothing. The patient is called first.")
    done = gettext_lazy("It is recorded. The patient is to be called: it stands on the dashboard.")
    detail = "payment failed"
    what = _long(gettext_lazy("What happened"), 500, rows=2, help_text=gettext_lazy("Such as: the check came back."))
    field_order = ("what", "day")

    def __init__(self, *args: Any, restriction: Restriction, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.restriction = restriction
        self.fields["day"].label = _("Found on")

    def act(self, *, by: User, at: datetime) -> None:
        """Note it."""
        data = self.cleaned_data
        PaymentBounce.note(self.restriction, found_on=data["day"], what=data["what"], by=by, at=at)


class MadeGoodForm(PastDayForm):
    """The patient has paid after all."""

    heading, button = gettext_lazy("The payment was made good"), gettext_lazy("Record it")
    done, detail = gettext_lazy("It is recorded."), "payment made good"
    what = _long(gettext_lazy("How it was paid"), 500, rows=2, help_text=gettext_lazy("Such as: paid again by card, in full."))
    field_order = ("what", "day")

    def __init__(self, *args: Any, bounce: PaymentBounce, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.bounce = bounce
        self.fields["day"].label = _("Paid on")

    def act(self, *, by: User, at: datetime) -> None:
        """Record it."""
        self.bounce.make_good(paid_on=self.cleaned_data["day"], how=self.cleaned_data["what"], by=by, at=at)

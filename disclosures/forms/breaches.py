"""One small form for each act on a breach. Each says its words, and calls the one method that does the act."""

import re
from datetime import date, datetime
from typing import Any, ClassVar

from django import forms
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from disclosures import breach_rules
from disclosures.forms.suspensions import ORAL, WRITTEN
from disclosures.models import Breach, Disclosure
from disclosures.models.breaches import NotNow, Standing
from disclosures.suspension_rules import NotSuspendable
from meso.forms import DateField, Form
from meso.models import Office, User
from records.forms.picker import PatientField


def _long(label: Any, rows: int = 3, help_text: Any = "", required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=5000, required=required, help_text=help_text, widget=forms.Textarea(attrs={"rows": rows})
    )


class OpenForm(Form):
    """A breach assessment opened, from a row of the log or by itself."""

    what = _long(_("What happened"), help_text=_("In plain words. No name of a patient: the chart is named beside it."))
    happened_on = DateField(label=_("It happened on"), required=False)
    discovered_on = DateField(
        label=_("Discovered on"),
        help_text=_("The first day on which anybody of the office knew, or should have known: the clock runs from it."),
    )

    def __init__(self, *args: Any, on: date, row: Disclosure | None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.on, self.row = on, row
        self.initial.setdefault("discovered_on", on)
        if row:
            self.initial.setdefault("happened_on", row.disclosed_on)
            self.initial.setdefault("what", f"{row.recipient}: {row.information}. {row.purpose}")

    def save(self, *, by: User, at: datetime) -> Breach | None:
        """Open it; None, with the reason at its field, for what can't be."""
        try:
            with transaction.atomic():
                return Breach.open_one(**self.cleaned_data, disclosure=self.row, by=by, at=at, on=self.on)
        except NotNow as refusal:
            self.add_error(refusal.field or None, str(refusal))
        except IntegrityError:
            self.add_error(None, _t("An assessment of this disclosure has been opened meanwhile."))
        return None


class ActForm(Form):
    """An act on one breach. `on` is the office day; subclasses write `act`."""

    heading: ClassVar[Any]
    lead: ClassVar[Any] = ""
    button: ClassVar[Any]
    done: ClassVar[Any]

    def __init__(self, *args: Any, standing: Standing, office: Office, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.standing, self.office, self.on = standing, office, on
        self.breach = standing.breach

    def act(self, *, by: User, at: datetime) -> None:
        """Do it. Raises NotNow or NotSuspendable."""
        raise NotImplementedError

    def save(self, *, by: User, at: datetime) -> bool:
        """Do it, or show at its field why it can't be done now. Returns whether it was done."""
        try:
            self.act(by=by, at=at)
        except (NotNow, NotSuspendable) as refusal:
            self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))
            return False
        return True


class CountForm(ActForm):
    """How many people, and of which states."""

    heading, button = _("How many people it concerns"), _("Record the numbers")
    done = _("The numbers are recorded; whom to tell follows them.")
    lead = _(
        "500 or more people: HHS is told together with them (45 CFR 164.408). More than 500 residents of one state: its media "
        "are told too (45 CFR 164.406)."
    )
    people = forms.IntegerField(label=_("People"), min_value=0, max_value=100_000_000)
    residents = forms.CharField(
        label=_("Residents of each state"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A line for each state: NY 12"),
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        known = self.standing
        self.initial.setdefault("people", known.breach.affected.count() if known.people is None else known.people)
        self.initial.setdefault("residents", "\n".join(f"{state} {count}" for state, count in known.residents.items()))

    def clean_residents(self) -> dict[str, int]:
        """State by state. Raises ValidationError that quotes the line that is not understood."""
        found: dict[str, int] = {}
        for line in filter(None, (line.strip() for line in self.cleaned_data["residents"].splitlines())):
            read = re.fullmatch(r"([A-Za-z]{2})[\s:,]+([0-9]{1,9})", line)
            if not read or read[1].upper() in found:
                raise forms.ValidationError(_t("“%(line)s” is not a state once and its number, such as NY 12.") % {"line": line})
            found[read[1].upper()] = int(read[2])
        return found

    def act(self, *, by: User, at: datetime) -> None:
        """Record it."""
        self.breach.count(**self.cleaned_data, by=by, at=at, on=self.on)


class AssessForm(ActForm):
    """The four factors, each with its reasoning, and what they come to."""

    heading, button, done = _("Judge the four factors"), _("Keep this judgment"), _("The judgment is kept.")
    lead = _(
        "A breach is presumed. Only where the four factors show a low probability that the information was compromised need "
        "nobody be told, and the office must be able to prove it (45 CFR 164.402, 164.414(b))."
    )
    low = forms.TypedChoiceField(
        label=_("Together they show"),
        widget=forms.RadioSelect,
        choices=[("no", _("A breach: people are told")), ("yes", _("A low probability that the information was compromised"))],
        coerce=lambda value: value == "yes",
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        before = self.standing.assessment
        for name, (label, citation) in breach_rules.FACTORS.items():
            self.fields[name] = _long(label, help_text=citation)
            self.initial.setdefault(name, before.data["factors"].get(name, "") if before else "")
        self.order_fields([*breach_rules.FACTORS, "low"])

    def act(self, *, by: User, at: datetime) -> None:
        """Keep it."""
        data = dict(self.cleaned_data)
        self.breach.assess(low=data.pop("low"), factors=data, by=by, at=at, on=self.on)


class DelayForm(ActForm):
    """Law enforcement asks that nobody be told yet."""

    heading, button, done = (
        _("Law enforcement delays it"),
        _("Record the delay"),
        _("The delay is recorded; the dates follow it."),
    )
    lead = _("Only on an official’s statement that telling would impede an investigation: 45 CFR 164.412.")
    agency = forms.CharField(label=_("Agency"), max_length=300)
    official = forms.CharField(label=_("Official, and how their identity was shown"), max_length=300)
    how = forms.ChoiceField(
        label=_("How it was made"),
        widget=forms.RadioSelect,
        choices=[
            (ORAL, _("By word of mouth: holds 30 days from the statement")),
            (WRITTEN, _("In writing: holds to the day it names; 30 days if it names none")),
        ],
    )
    stated_on = DateField(label=_("Made on"))
    until = DateField(label=_("Holds through"), required=False)

    def act(self, *, by: User, at: datetime) -> None:
        """Record it."""
        data = dict(self.cleaned_data)
        self.breach.delay(written=data.pop("how") == WRITTEN, **data, by=by, at=at, on=self.on)


class DescribeForm(ActForm):
    """The five things that each letter to a patient says."""

    heading, button, done = _("What the letter says"), _("Keep this text"), _("The text is kept. Letters can be made.")
    lead = _("Plain words. The letter lacks none of the five, and says by itself when it happened and when it was discovered.")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        office = self.office
        contact = " · ".join(filter(None, [office.officer_name, office.officer_phone, office.email, *office.address_lines()]))
        for name, (label, citation) in breach_rules.CONTENTS.items():
            self.fields[name] = _long(label, help_text=citation)
            self.initial.setdefault(name, self.standing.contents.get(name) or (contact if name == "contact" else ""))
        self.fields["contact"].help_text = _("A toll-free number, an e-mail, a website or a postal address: %(citation)s") % {
            "citation": breach_rules.CONTENTS["contact"][1]
        }

    def clean_contact(self) -> str:
        """A way that the rule knows: a digit of a number or an address, or an e-mail or website."""
        contact = self.cleaned_data["contact"]
        if not re.search(r"[0-9@]|www\.", contact):
            raise forms.ValidationError(_t("Give a toll-free number, an e-mail, a website or a postal address."))
        return contact

    def act(self, *, by: User, at: datetime) -> None:
        """Keep it."""
        self.breach.describe(self.cleaned_data, by=by, at=at, on=self.on)


class TellForm(ActForm):
    """Somebody was told: the day and the way."""

    whom: ClassVar[str]
    told_on = DateField(label=_("Told on"))
    how = forms.CharField(label=_("How"), max_length=500)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("told_on", self.on)

    def act(self, *, by: User, at: datetime) -> None:
        """Record it."""
        self.breach.tell(self.whom, **self.cleaned_data, by=by, at=at, on=self.on)


class IndividualsForm(TellForm):
    """The patients were told."""

    whom, heading, button = "individuals", _("The patients were told"), _("Record it")
    done = _("It is recorded that the patients were told.")
    lead = _("As soon as possible. Where there is reason to hurry, telephone as well (45 CFR 164.404(d)(3)).")
    how = forms.ChoiceField(  # type: ignore[assignment]
        label=_("How"), widget=forms.RadioSelect, choices=[(code, label) for code, (label, _cite) in breach_rules.WAYS.items()]
    )


class MediaForm(TellForm):
    """The media were told."""

    whom, heading, button, done = "media", _("The media were told"), _("Record it"), _("It is recorded that the media were told.")
    lead = _("Prominent media outlets serving the state, by a press release: 45 CFR 164.406.")


class HhsForm(TellForm):
    """HHS was told."""

    whom, heading, button, done = "hhs", _("HHS was told"), _("Record it"), _("It is recorded that HHS was told.")
    lead = _("On the website of the Secretary of Health and Human Services: 45 CFR 164.408.")


class CloseForm(ActForm):
    """The breach is closed."""

    heading, button, done = _("Close the breach"), _("Close it"), _("The breach is closed. Its papers are kept six years.")
    reason = _long(_("What was done, and what keeps it from happening again"))

    def act(self, *, by: User, at: datetime) -> None:
        """Close it."""
        self.breach.close(self.cleaned_data["reason"], by=by, at=at, on=self.on)


class AffectedForm(ActForm):
    """A patient whom it concerns."""

    heading, button, done = _("Whom it concerns"), _("Add this patient"), _("The patient is added.")
    patient = PatientField()

    def act(self, *, by: User, at: datetime) -> None:
        """Name them."""
        try:
            with transaction.atomic():
                self.breach.concern(self.cleaned_data["patient"], by=by, at=at)
        except IntegrityError as twice:
            raise NotNow(_t("This patient is named already."), "patient") from twice

"""Carry out what was granted, kind by kind, and record that a letter went out."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from disclosures import accounting_rules, pricing
from disclosures.forms.accounting import LIST_WAYS, AccountingForm, PriceAnswerFields, PriceFields
from disclosures.models import AccountingGiven, PriceTold
from disclosures.purposes import Scope
from meso.forms import DateField
from meso.models import Office, User
from meso.money import in_words
from meso.roles import may
from records.forms import limits
from records.models import ContactPreference, Entry
from requests_app import answers, carrying_out, letters
from requests_app.deadlines import spoken
from requests_app.forms.acts import ActForm, ExtendForm, long_text
from requests_app.forms.choosing import ChoosingForm
from requests_app.kinds import Kind
from requests_app.models import Letter, PatientRequest


class SendForm(ActForm):
    """A letter went out: the day and the way."""

    heading, button, audited = _("Record that the letter was sent"), _("Record as sent"), "letter sent"
    done = _("It is recorded that the letter was sent.")
    lead = _("A decision counts for the clock on the day its letter is sent.")
    sent_on = DateField(label=_("Sent on"))
    how = forms.ChoiceField(label=_("How"), choices=ExtendForm.WAYS)

    def __init__(self, *args: Any, letter: Letter, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.letter = letter
        self.fields["sent_on"].initial = self.on
        self.fields["how"].help_text = self._envelope(letters.envelope_of(letter, self.on))

    def _envelope(self, lines: list[str]) -> SafeString:
        """What goes on the envelope today; it says so when the letter was made before the patient changed it."""
        moved = _("The letter was made with another address: do not use that one.") if self._is_old(lines) else ""
        return format_html("{} <strong>{}</strong> {}", _("On the envelope:"), ", ".join(lines), moved)

    def _is_old(self, lines: list[str]) -> bool:
        return self.letter.addressed_to != "\n".join(lines)

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it."""
        answers.send_letter(self.letter, **self.cleaned_data, by=by, at=at, on=self.on)
        self.asked.refresh_from_db()


NO_LINE, THESE_WORDS, WHOLE = "none", "words", "whole"


class AmendForm(ChoosingForm):
    """The physician's line, addendum, or both, on one entry."""

    heading, button, audited = _("Amend the record"), _("Amend this entry"), "record amended"
    done = _("The entry is amended. Other entries can follow until the letter is sent.")
    line = forms.ChoiceField(
        label=_("Line"),
        widget=forms.RadioSelect,
        initial=NO_LINE,
        choices=[
            (NO_LINE, _("Draw no line")),
            (THESE_WORDS, _("Through these words")),
            (WHOLE, _("Through the whole entry")),
        ],
    )
    passage = long_text(
        _("Words to strike"), 20_000, rows=2, help_text=_("Select them in the entry, or copy them as they stand.")
    )
    reason = forms.CharField(label=_("Reason for the line"), max_length=1000, help_text=_("It stands beside the entry."))
    addendum = long_text(
        _("Addendum"), 20_000, rows=5, required=False, help_text=_("It stands under the entry, dated and signed.")
    )

    conditional = ("passage", "reason")

    def __init__(self, *args: Any, entry: Entry, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.entry = entry
        self.fields["passage"].error_messages["required"] = _("Copy the words from the entry.")
        self.fields["reason"].error_messages["required"] = _("A line needs its reason: it stands beside the entry.")

    def needed(self) -> set[str]:
        """A line needs its reason, and one through words the words."""
        return {NO_LINE: set(), WHOLE: {"reason"}, THESE_WORDS: {"passage", "reason"}}.get(self.chosen("line"), set())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("line") == NO_LINE and not data.get("addendum", "").strip():
            self.add_error("addendum", _("Draw a line, write an addendum, or both."))
        return data

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Amend the entry."""
        data = self.cleaned_data
        passage = {NO_LINE: None, WHOLE: "", THESE_WORDS: data["passage"]}[data["line"]]
        words = {"passage": passage, "reason": data["reason"], "addendum": data["addendum"]}
        carrying_out.amend(self.asked, self.entry, **words, by=by, at=at, on=self.on)


class _RestrictForm(ActForm):
    """What both forms of a restriction share: they begin with the words of the request."""

    button, audited = _("Put it in force"), "restriction in force"
    done = _("The restriction stands on the chart.")

    def __init__(self, *args: Any, asked: PatientRequest, **kwargs: Any):
        choices = limits.entries_of(asked.patient) if asked.patient else []
        super().__init__(*args, asked=asked, choices=choices, **kwargs)
        self.initial["begins_on"] = asked.decided_on

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Put it in force."""
        carrying_out.restrict(self.asked, **self.terms(), by=by, at=at, on=self.on)  # type: ignore[attr-defined]


class RestrictForm(_RestrictForm, limits.AgreedTerms, ActForm):
    """The restriction as it stands on the chart."""

    heading = _("Put the restriction in force")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        told = self.asked.details
        self.fields["what"].initial = told.get("what") or self.asked.description
        self.fields["from_whom"].initial = told.get("from_whom")


class KeepFromPlanForm(_RestrictForm, limits.PaidTerms, ActForm):
    """What was paid for in full, as it stands on the chart."""

    heading = _("Keep what was paid in full from the health plan")
    lead = _("Service by service: a second one is added on the chart, under “Restrictions and contact”.")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        told = self.asked.details
        self.fields["service"].initial, self.fields["plan"].initial = told.get("what", "")[:300], told.get("from_whom")


def restrict_form(*args: Any, asked: PatientRequest, **kwargs: Any) -> ActForm:
    """The form for this request: of what was paid for in full, or of any other restriction."""
    return (KeepFromPlanForm if asked.must_be_granted else RestrictForm)(*args, asked=asked, **kwargs)


class ContactForm(ActForm):
    """How the patient is reached from now on. There is no field for why, and there must be none."""

    heading, button, audited = _("Record how to reach the patient"), _("Record it on the chart"), "contact preference"
    done = _("The chart says how to reach the patient.")
    means = forms.ChoiceField(label=_("How"), choices=ContactPreference.Means.choices, widget=forms.RadioSelect)
    where = long_text(_("Where"), 1000, rows=3, help_text=_("The address, number or e-mail to use, line by line."))
    avoid = forms.CharField(label=_("Do not use"), required=False, max_length=300)
    begins_on = DateField(label=_("In force since"))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        told = self.asked.details
        for name in ("means", "where", "avoid"):
            self.fields[name].initial = told.get(name)
        self.fields["begins_on"].initial = self.asked.decided_on

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it."""
        carrying_out.set_contact(self.asked, **self.cleaned_data, by=by, at=at, on=self.on)


class IssueForm(PriceFields, ActForm):
    """The period and scope of an accounting, and its terms where it is not free. Only whoever may choose sees the scope."""

    heading, button, audited = _("Make the accounting"), _("Make the accounting"), "accounting made"
    done = _("The accounting is made. Print it below, then record the day on which it is given.")
    since = DateField(label=_("From"))
    until = DateField(label=_("To"))
    scope = forms.ChoiceField(
        label=_("Scope"),
        initial=Scope.NOTICE.value,
        choices=[(Scope.NOTICE.value, _("As the office's notice promises")), (Scope.HIPAA.value, _("Federal minimum"))],
    )
    reason = forms.ChoiceField(label=_("Why the federal minimum"), choices=AccountingForm.REASONS, required=False)

    field_order = ("since", "until", "scope", "reason", "delivery", "postage", "waived", "told_on")

    def __init__(self, *args: Any, by: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.first = accounting_rules.look_back_start(self.asked.received_on)
        told, fields = self.asked.details, self.fields
        fields["since"].initial = told.get("since") or self.first
        fields["until"].initial = told.get("until") or self.asked.received_on
        fields["since"].help_text = _("%(day)s at the earliest: six years before the request.") % {"day": spoken(self.first)}
        self.officer_note = ""
        if not may(by, "accounting.scope"):
            del fields["scope"], fields["reason"]
        else:
            self.officer_note = carrying_out.why_officer(self.asked, self.first, self.on, Scope.NOTICE, self.on)
        self._show_the_price()

    def _show_the_price(self) -> None:
        """Say whether the list is free; the terms are asked only where it is not."""
        asked, fields = self.asked, self.fields
        standing = pricing.standing(asked.patient, asked.received_on, asked.number) if asked.patient else None
        if standing is None or standing.is_free:
            self.lead = _("This list is free: the first in twelve months (45 CFR 164.528(c)(2)).")
            for name in PriceFields.base_fields:
                del fields[name]
            return
        days = {"last": spoken(standing.last_free_on), "again": spoken(standing.free_again_on)}
        self.lead = _(
            "The free list of these twelve months was asked for on %(last)s; the next is free from %(again)s. The patient must "
            "know the price before, and may ask for less or take it back (45 CFR 164.528(c)(2))."
        ) % days  # fmt: skip
        fields["delivery"].initial = "electronic"

    def clean_since(self) -> date:
        """Six years before the request at most (164.528(a)(1))."""
        day = self.cleaned_data["since"]
        if day < self.first:
            raise forms.ValidationError(_("The list goes back six years before the request."))
        return day

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("until") and data["until"] > self.on:
            self.add_error("until", _("This day lies in the future."))
        elif data.get("since") and data.get("until") and data["since"] > data["until"]:
            self.add_error("until", _("This day comes before the first one."))
        if data.get("scope") == Scope.HIPAA and not data.get("reason"):
            self.add_error("reason", _("Say why the patient gets the shorter list."))
        return data

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Make it, or keep that its price was told."""
        data = self.cleaned_data
        scope = Scope(data.get("scope", Scope.NOTICE))
        terms = self.terms if "delivery" in data else None
        facts = {"start": data["since"], "end": data["until"], "scope": scope, "scope_reason": data.get("reason", "")}
        made = carrying_out.issue_accounting(self.asked, **facts, terms=terms, by=by, at=at, on=self.on, office=office)
        if isinstance(made, PriceTold):
            self.done = _("It is recorded that the patient was told the price. Now record what they choose.")


class PriceChoiceForm(PriceAnswerFields, ActForm):
    """What the patient chose once they knew the price of a later list."""

    heading, button, audited = _("What the patient chose"), _("Record the answer"), "price answered"
    done = _("It is recorded, and nothing was made or charged.")

    def __init__(self, *args: Any, told: PriceTold, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.told = told
        facts = {"day": spoken(told.told_on), "total": in_words(told.total), "start": spoken(told.start), "end": spoken(told.end)}
        self.lead = _(
            "The patient was told on %(day)s that the list from %(start)s to %(end)s costs %(total)s. With “pays this price” it "
            "is made at once. Does not want it any more? Record the withdrawal of the request as well."
        ) % facts  # fmt: skip
        self.fields["answered_on"].initial = self.on

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it, and make the list that is paid for."""
        if carrying_out.answer_price(self.asked, self.told, **self.cleaned_data, by=by, at=at, on=self.on, office=office):
            self.done = IssueForm.done


class GiveAccountingForm(ActForm):
    """The accounting went out."""

    heading, button, audited = _("Record that the accounting was given"), _("Record as given"), "accounting given"
    done = _("It is recorded that the accounting was given.")
    lead = _("The clock stops on this day.")
    given_on = DateField(label=_("Given on"))
    how = forms.ChoiceField(label=_("How"), choices=LIST_WAYS)

    def __init__(self, *args: Any, given: AccountingGiven, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.given = given
        self.fields["given_on"].initial = self.on
        to = ", ".join(letters.envelope(self.asked, self.on))
        self.fields["how"].help_text = format_html("{} <strong>{}</strong>", _("On the envelope:"), to)

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it."""
        carrying_out.give_accounting(self.asked, self.given, **self.cleaned_data, by=by, at=at, on=self.on)


# The form by which each kind is carried out on its own page; copies and amendments have pages of their own.
FORMS: dict[str, Callable[..., ActForm]] = {
    Kind.RESTRICTION: restrict_form,
    Kind.CONFIDENTIAL_COMMUNICATION: ContactForm,
}

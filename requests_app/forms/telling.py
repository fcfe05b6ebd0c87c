"""After an amendment was agreed to: whom to tell, and what came of it; and what other providers tell us."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from meso.forms import DateField, Form
from meso.models import Office, User
from records.models import Entry
from requests_app import inbound, telling
from requests_app.deadlines import NotAllowedNow, spoken
from requests_app.forms.acts import ActForm, ExtendForm, long_text
from requests_app.forms.choosing import entry_choices
from requests_app.models import InboundAmendment, Recipient, Telling
from requests_app.telling import Proposal

NAMES, NOBODY = "names", "nobody"


class TellForm(ActForm):
    """Puts people on the list: those whom the log says have the entry, whom the patient names, who works for the office."""

    heading, button, audited = _("Whom to tell of the correction"), _("Put on the list and make the letters"), "people to tell"
    done = _("The list is kept and each letter is made. Record each one below as it is told.")
    lead = _(
        "Ask the patient whom to tell, and whether they agree. Tell also those who have the old words from this office and "
        "might act on them (45 CFR 164.526(c)(2), (3))."
    )
    proposed = forms.MultipleChoiceField(
        label=_("They got the entry from this office, says the log"), required=False, widget=forms.CheckboxSelectMultiple
    )
    answer = forms.ChoiceField(
        label=_("The patient was asked whom to tell"),
        required=False,
        widget=forms.RadioSelect,
        choices=[("", _("Not asked today")), (NAMES, _("Names somebody")), (NOBODY, _("Names nobody else"))],
        initial="",
    )
    name = forms.CharField(label=_("Whom the patient names"), required=False, max_length=300)
    address = long_text(_("Their address"), 1000, rows=2, required=False)
    agreed_on = DateField(label=_("The patient agreed on"), required=False)
    associate = forms.CharField(
        label=_("A business associate who has the entry"),
        required=False,
        max_length=300,
        help_text=_("Who works for this office, such as a billing service: name and place."),
    )

    def __init__(self, *args: Any, proposals: list[Proposal], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.proposals = {str(one.disclosure.pk): one for one in proposals}
        fields = self.fields
        fields["proposed"].choices = [(key, _told(one)) for key, one in self.proposals.items()]  # type: ignore[attr-defined]
        fields["proposed"].initial, fields["agreed_on"].initial = list(self.proposals), self.on
        if not proposals:
            del fields["proposed"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        named = data.get("answer") == NAMES
        if named and not data.get("name"):
            self.add_error("name", _("Write whom the patient names."))
        if named and not data.get("agreed_on") and "agreed_on" not in self.errors:
            self.add_error("agreed_on", _("The patient must agree that this person is told: write the day."))
        if data.get("name") and not named and not self.errors:
            self.add_error("answer", _("Choose “Names somebody” for the person written below."))
        if not self.errors and not (data.get("proposed") or data.get("answer") or data.get("associate")):
            self.add_error(None, _("Nothing is chosen."))
        return data

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Put them on the list, all or none."""
        data = self.cleaned_data
        chosen = [self.proposals[key] for key in data.get("proposed", ())]
        with telling.all_or_nothing(self.asked):
            now: dict[str, Any] = {"by": by, "at": at, "on": self.on}
            facts: dict[str, Any]
            for one in chosen:
                facts = {"name": one.name, "address": one.address, "disclosure": one.disclosure, "office": office}
                telling.add(self.asked, Recipient.Why.HOLDS, **facts, **now)
            if data["answer"]:
                said = data["name"] if data["answer"] == NAMES else str(_("nobody else"))
                telling.asked_whom(self.asked, said, **now)
            if data["answer"] == NAMES:
                facts = {"name": data["name"], "address": data["address"], "agreed_on": data["agreed_on"], "office": office}
                telling.add(self.asked, Recipient.Why.NAMED, **facts, **now)
            if data["associate"]:
                telling.add(self.asked, Recipient.Why.ASSOCIATE, name=data["associate"], office=office, **now)


def _told(one: Proposal) -> str:
    days = ", ".join(spoken(day) for day in one.days)
    return " · ".join(part for part in (one.name, ", ".join(one.address.splitlines()), days) if part)


class TellingForm(ActForm):
    """One attempt to tell somebody on the list."""

    heading, button, audited = _("Tell of the correction"), _("Record it"), "recipient told"
    done = _("It is recorded.")
    outcome = forms.ChoiceField(label=_("What came of it"), widget=forms.RadioSelect, choices=Telling.How.choices)
    day = DateField(label=_("On"))
    way = forms.ChoiceField(label=_("How"), choices=ExtendForm.WAYS)
    note = forms.CharField(label=_("Note"), required=False, max_length=300, help_text=_("Such as: came back, moved away."))

    def __init__(self, *args: Any, recipient: Recipient, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.recipient = recipient
        self.lead = f"{recipient.name}: {recipient.get_why_display()}"
        self.fields["day"].initial = self.on

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it."""
        telling.tell(self.recipient, **self.cleaned_data, by=by, at=at, on=self.on)


# --- what other providers tell us -------------------------------------------------------------------------------------


class InboundForm(Form):
    """Another provider or plan tells us of an amendment."""

    told_by = forms.CharField(label=_("Who tells us"), max_length=300, help_text=_("Name and place of the provider or plan."))
    told_on = DateField(label=_("Told on"))
    what = long_text(
        _("What they changed"), 20_000, rows=5, help_text=_("As they say it. Add their letter to the chart's files.")
    )

    def clean_told_on(self) -> Any:
        """Not in the future."""
        day = self.cleaned_data["told_on"]
        if day > self.on:
            raise forms.ValidationError(_("This day lies in the future."))
        return day

    def __init__(self, *args: Any, on: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.on, self.fields["told_on"].initial = on, on


AMEND, LEAVE = "amend", "leave"


class InboundAnswerForm(Form):
    """The physician amends an entry, or says why the record stays as it is."""

    use_required_attribute = False
    answer = forms.ChoiceField(
        label=_("What is done"),
        widget=forms.RadioSelect,
        choices=[(AMEND, _("Amend an entry of ours")), (LEAVE, _("Leave the record as it is"))],
    )
    entry = forms.ChoiceField(label=_("Which entry"), required=False)
    passage = long_text(_("Words to strike"), 20_000, rows=2, required=False, help_text=_("As they stand in the entry, or none."))
    reason = forms.CharField(label=_("Reason for the line"), required=False, max_length=1000)
    addendum = long_text(_("Addendum"), 20_000, rows=5, required=False)
    why_not = forms.CharField(label=_("Why nothing is amended"), required=False, max_length=1000)

    def __init__(self, *args: Any, told: InboundAmendment, entries: list[Entry], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.told, self.entries = told, {str(entry.pk): entry for entry in entries}
        choices = [("", _("Choose an entry")), *entry_choices(entries)]
        self.fields["entry"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("answer") == AMEND and not data.get("entry") and "entry" not in self.errors:
            self.add_error("entry", _("Choose the entry."))
        return data

    def save(self, *, by: User, at: datetime, on: Any) -> bool:
        """Do it, or show at its field why not. Returns whether it was done."""
        data = self.cleaned_data
        try:
            if data["answer"] == LEAVE:
                inbound.leave(self.told, data["why_not"], by=by, at=at, on=on)
            else:
                words = {"passage": data["passage"] or None, "reason": data["reason"], "addendum": data["addendum"]}
                inbound.amend(self.told, self.entries[data["entry"]], **words, by=by, at=at, on=on)
        except NotAllowedNow as refusal:
            self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))
            return False
        return True

"""Decide a request: grant, grant in part, or deny with a ground from the list of its kind and no other."""

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import translation
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.models import Office, User
from records.forms.money import money
from records.models import Entry
from requests_app import answers, checklist, grounds, letters
from requests_app.deadlines import NotAllowedNow
from requests_app.forms.acts import long_text
from requests_app.forms.choosing import ChoosingForm, entry_choices
from requests_app.grounds import PERSON
from requests_app.kinds import ANSWERED_BY_THE_THING_ITSELF, HELD_BACK, Kind, Outcome, Step
from requests_app.letters import Draft
from requests_app.models import PatientRequest

_GRANT, _DENY = (Outcome.GRANTED, _("Grant it")), (Outcome.DENIED, _("Deny it"))
_ANSWERS = (_GRANT, (Outcome.GRANTED_IN_PART, _("Grant it in part")), _DENY)

_NOT_FOUND = (Outcome.NO_RECORDS, _("Say that no records were found"))


def professionals() -> QuerySet[User]:
    """Staff who hold a licence: only their judgment can carry a reviewable ground (164.524(a)(3))."""
    return User.objects.filter(is_active=True).exclude(licence_number="").order_by("last_name", "username")


class DecideForm(ChoosingForm):
    """The decision, and what the patient reads of it. Only the fields that the kind needs are there.

    Confidential communication has no field for why: the patient is never asked (164.522(b)(2)(iii)).
    """

    heading, audited = _("Decide"), "decided"
    done = _("The decision is recorded.")
    button = _("Decide")

    outcome = forms.ChoiceField(
        label=_("Decision"), widget=forms.RadioSelect, error_messages={"required": _("Choose what is decided.")}
    )
    ground = forms.ChoiceField(
        label=_("Ground"),
        widget=forms.RadioSelect,
        help_text=_("The law knows no others for this kind of request."),
        error_messages={"required": _("Choose one of the grounds.")},
    )
    judged_by = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Licensed professional who judged"),
        empty_label=_("Choose a person"),
        help_text=_("Grounds R1 to R3 rest on this person's judgment. Whoever judged can't review the denial later."),
    )
    text = long_text(
        _("Reason, as the patient reads it"),
        5000,
        help_text=_("Plain words: say what is held back or not changed, and why. It stands in the letter as you write it."),
    )
    held_by = forms.CharField(
        label=_("Who holds what we do not have"), required=False, max_length=300, help_text=_("If you know it: name and place.")
    )
    open_balance = money(_("Balance still open on it, dollars"))
    disputed = forms.MultipleChoiceField(
        label=_("Entry in dispute"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Request and denial are tied to it, and so is all that the patient adds (45 CFR 164.526(d)(4))."),
        error_messages={"required": _("Tick the entry that the patient wants changed. Only ground A2 needs none.")},
    )
    not_owed = forms.BooleanField(
        label=_("I have checked: what is refused is not to keep something that was paid for in full from a health plan"),
        help_text=_("That one limit the law makes us agree to (45 CFR 164.522(a)(1)(vi))."),
        error_messages={"required": _("Check this first: if it does ask for that, grant it.")},
    )

    conditional = ("ground", "text", "not_owed", "open_balance", "judged_by", "disputed")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        kind, fields = self.asked.kind, self.fields
        known, choices = self._offered()
        fields["outcome"].choices = choices  # type: ignore[attr-defined]
        if kind == Kind.ACCOUNTING:
            fields["outcome"].help_text = _("The law knows no ground to deny an accounting.")
        fields["ground"].choices = [(ground.code, told(ground)) for ground in known]  # type: ignore[attr-defined]
        fields["judged_by"].queryset = professionals()  # type: ignore[attr-defined]
        fields["judged_by"].label_from_instance = lambda user: f"{user.signature}, {user.licence_number}"  # type: ignore[attr-defined]
        fields["open_balance"].help_text = _("It was asked for as paid in full: only an open balance lets the office refuse it.")
        fields["open_balance"].error_messages["required"] = _("Nothing is open? Then the law makes us agree: grant it.")
        fields["text"].error_messages["required"] = _("Write the reason in plain words: the patient reads it.")
        self.left_out = self.asked.left_out()
        if choices == (_DENY,):
            fields["outcome"].initial, fields["outcome"].help_text = (
                Outcome.DENIED,
                self.asked.representative_refusal(self.on) or "",
            )
            fields["ground"].initial, fields["text"].initial = PERSON.code, _neutral(self.asked)
        elif self.left_out:
            fields["outcome"].choices = _ANSWERS[1:]  # type: ignore[attr-defined]
            fields["outcome"].error_messages["invalid_choice"] = _("Part of it is left out by law: grant it in part.")
            fields["ground"].initial = "U1"
        self.entries = self._disputable() if kind == Kind.AMENDMENT else []
        fields["disputed"].choices = entry_choices(self.entries)  # type: ignore[attr-defined]
        for name, keep in {**self._kept(self.asked, bool(known)), "disputed": bool(self.entries)}.items():
            if not keep:
                del fields[name]

    def _offered(self) -> tuple[tuple[grounds.Ground, ...], tuple[tuple[Outcome, Any], ...]]:
        """The grounds and the answers to choose from: whom nobody may act for any more gets a denial on P1 and nothing else."""
        known = grounds.GROUNDS[self.asked.kind]
        if self.asked.representative_refusal(self.on):
            return (PERSON,), (_DENY,)
        if not self.asked.is_by_another:
            more = (_NOT_FOUND,) if self.asked.kind == Kind.ACCESS else ()
            return known, (*_ANSWERS, *more) if known else (_GRANT,)
        return (*known, PERSON), _ANSWERS if known else (_GRANT, _DENY)

    @staticmethod
    def _kept(asked: PatientRequest, may_deny: bool) -> dict[str, bool]:
        kind = asked.kind
        return {
            "ground": may_deny,
            "text": may_deny,
            "judged_by": kind == Kind.ACCESS,
            "held_by": kind == Kind.ACCESS,
            "not_owed": kind == Kind.RESTRICTION,
            "open_balance": asked.must_be_granted,
        }

    def _disputable(self) -> list[Entry]:
        """The entries of the chart, newest first; none while the chart is not found."""
        mine = Entry.objects.of_record().filter(patient=self.asked.patient_id)
        return list(mine.newest_first().select_related("misfiling").prefetch_related("flags"))

    @property
    def reviewable(self) -> str:
        """The codes of the grounds that rest on a professional's judgment, for the page to ask who judged."""
        return ",".join(ground.code for ground in grounds.GROUNDS[self.asked.kind] if ground.reviewable)

    def needed(self) -> set[str]:
        """A denial needs its ground and reason, a grant neither. `clean` asks who judged."""
        chosen = self.chosen("outcome")
        if chosen not in HELD_BACK:
            return set()
        if self.chosen("ground") == PERSON.code:
            return {"ground", "text"}
        denied = {"open_balance"} if chosen == Outcome.DENIED else set()
        tied = {"disputed"} if self.chosen("ground") in grounds.ABOUT_AN_ENTRY else set()
        return {"ground", "text", "not_owed"} | denied | tied

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("outcome") in HELD_BACK and data.get("ground"):
            try:
                grounds.check_originator(self.asked.kind, data["ground"], self.asked.details.get("originator", ""))
                answers.judgment(grounds.ground(self.asked.kind, data["ground"]), data.get("judged_by"))
            except NotAllowedNow as refusal:
                self.add_error(refusal.field, str(refusal))
        return data

    def _answer(self) -> dict[str, Any]:
        """What is decided, as answers.decide_with_letter takes it."""
        data = self.cleaned_data
        denies = data.get("outcome") in HELD_BACK
        facts = {"ground": data.get("ground", ""), "text": data.get("text", "")} if denies else {"ground": "", "text": ""}
        return facts | {"judged_by": data.get("judged_by"), "held_by": data.get("held_by", "")}

    def draft(self, *, by: User, office: Office) -> Draft | None:
        """The letter that this decision would make, or None where the thing itself is the answer. Raises LetterIncomplete."""
        outcome = self.cleaned_data["outcome"]
        if outcome == Outcome.GRANTED and self.asked.kind in ANSWERED_BY_THE_THING_ITSELF:
            return None
        return letters.decision(self.asked, outcome, dated=self.on, by=by, office=office, **self._answer())

    def steps_after(self) -> list[str]:
        """What will be left to do once this is decided, in words."""
        after = PatientRequest(
            kind=self.asked.kind,
            outcome=self.cleaned_data["outcome"],
            patient_id=self.asked.patient_id,
            identity_checked_on=self.asked.identity_checked_on,
        )
        return [str(checklist.CARRY_OUT[after.kind] if step == Step.CARRY_OUT else step.label) for step in after.steps_left()]

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Decide, and make the letter."""
        outcome = self.cleaned_data["outcome"]
        ticked = set(self.cleaned_data.get("disputed", ()))
        disputed = [entry for entry in self.entries if str(entry.pk) in ticked]
        facts = self._answer() | {"open_balance": self.cleaned_data.get("open_balance"), "disputed": disputed}
        letter = answers.decide_with_letter(self.asked, outcome, by=by, at=at, on=self.on, office=office, **facts)
        if letter:
            self.done = _("The decision is recorded and its letter is made: print it below and send it.")


def told(ground: grounds.Ground) -> str:
    """A ground as the decider reads it: the words of the letter, the citation, and whether it may be reviewed."""
    review = _t("the patient may have it reviewed") if ground.reviewable else ""
    about = " · ".join(part for part in (ground.code, ground.citation, review) if part)
    return format_html('<span>{}<span class="help d-block">{}</span></span>', ground.words, about)


def _neutral(asked: PatientRequest) -> str:
    """A reason that says nothing, for a letter to somebody who may not act for the patient, in the letter's language."""
    with translation.override(letters.language_of(asked)):
        return _t("Please call our privacy officer if you have questions.")

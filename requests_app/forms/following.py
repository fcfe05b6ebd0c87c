"""What happens around the answer of a request: messages, waiting, what became of a letter, opening it again."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from meso.forms import DateField
from meso.models import Office, User
from requests_app import answers, deadlines, letters, mailing, talking
from requests_app.forms.acts import ActForm, ExtendForm, long_text
from requests_app.forms.choosing import ChoosingForm
from requests_app.models import Letter, LetterDelivery

TO, FROM = "to", "from"
What = LetterDelivery.What


class MessageForm(ActForm):
    """Something said to the patient, or by the patient."""

    heading, button, audited = _("Message to or from the patient"), _("Record the message"), "message"
    done = _("The message stands on the timeline. It can't be changed or removed.")
    lead = _("Write it as it was said. Notes for the staff alone go under “Internal note”.")
    direction = forms.ChoiceField(
        label=_("Who speaks"),
        choices=[(TO, _("We tell the patient")), (FROM, _("The patient tells us"))],
        widget=forms.RadioSelect,
    )
    way = forms.ChoiceField(
        label=_("How"),
        choices=talking.Way.choices,
        widget=forms.RadioSelect,
        help_text=_("By letter, to the patient: the letter is made from these words, in the language you write."),
    )
    said_on = DateField(label=_("Day"))
    text = long_text(_("Message"), 5000)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["said_on"].initial = self.on

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it, and make its letter."""
        data = self.cleaned_data
        facts: dict[str, Any] = {"way": data["way"], "said_on": data["said_on"], "by": by, "at": at, "on": self.on}
        if data["direction"] == FROM:
            talking.hear(self.asked, data["text"], **facts)
            return
        talking.tell(self.asked, data["text"], **facts, office=office)
        if data["way"] == talking.Way.LETTER:
            self.done = _("The message stands on the timeline, and its letter is made: print it below and send it.")


class WaitForm(ActForm):
    """Whom the office waits for."""

    heading, button, done, audited = _("Waiting for somebody"), _("Record it"), _("It is recorded. The clock runs on."), "waiting"
    lead = _("This shows beside the clock and pauses nothing: the due date stays, whoever is slow.")
    whom = forms.ChoiceField(
        label=_("Waiting for"),
        required=False,
        choices=[*talking.Whom.choices, ("", _("nobody any more"))],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label=_("For what"), required=False, max_length=300)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        waiting = talking.waits_for(self.asked)
        self.fields["whom"].initial = waiting.data["whom"] if waiting else None

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it."""
        talking.wait(self.asked, **self.cleaned_data, by=by, at=at, on=self.on)


class ReopenForm(ActForm):
    """A closed request is decided anew."""

    heading, button, audited = _("Open the request again"), _("Open again and make the letter"), "opened again"
    done = _("The request is open again and to be decided anew. Its letter is made: print it below and send it.")
    reason = long_text(_("Reason"), 2000, help_text=_("It stands in the letter as you write it: plain words."))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        due, left = self.asked.due_on, self.asked.days_left(self.on)
        words = _("The law gives no new time. The due date stays %(due)s: %(left)s. What was answered stays on the timeline.")
        self.lead = words % {"due": deadlines.spoken(due), "left": deadlines.in_words(left)}

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Open it and make the letter, in one transaction."""
        answers.reopen_with_letter(self.asked, **self.cleaned_data, by=by, at=at, on=self.on, office=office)


class DeliveryForm(ChoosingForm):
    """What became of a letter that was sent: delivered, come back, or sent another way."""

    heading, button, audited = _("What became of the letter"), _("Record it"), "letter delivery"
    done = _("It is recorded what became of the letter.")
    what = forms.ChoiceField(label=_("What happened"), widget=forms.RadioSelect)
    done_on = DateField(label=_("On"))
    note = forms.CharField(label=_("What is known of it"), max_length=300, help_text=_("Such as: no such number; mailbox full."))
    how = forms.ChoiceField(label=_("How"), choices=ExtendForm.WAYS)
    address = forms.CharField(label=_("Where to"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))

    conditional = ("note", "how", "address")
    _WORDS = {
        What.DELIVERED: _("It was delivered"),
        What.RETURNED: _("It came back"),
        What.AGAIN: _("It was sent again, another way"),
    }

    def __init__(self, *args: Any, letter: Letter, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.letter = letter
        self.last, last_on, how, address = mailing.last_of(letter)
        may_be = mailing.NEXT[self.last]
        choices = [(what.value, words) for what, words in self._WORDS.items() if what in may_be]
        self.fields["what"].choices, self.fields["done_on"].initial = choices, self.on  # type: ignore[attr-defined]
        self.fields["what"].initial = choices[0][0] if len(choices) == 1 else None
        self.fields["address"].initial = "\n".join(letters.envelope_of(letter, self.on))
        where = ", ".join(address.splitlines())
        words = {"kind": letter.get_kind_display(), "how": how, "where": where}
        self.lead = _("Letter “%(kind)s”, %(how)s, to %(where)s.") % words if last_on else _("This letter has not been sent yet.")
        if self.last == What.RETURNED:
            more = _("It counts as sent on the day it left, but the patient has not got it: find another way or another address.")
            self.lead = f"{self.lead} {more}"

    def needed(self) -> set[str]:
        """A return needs its word, a second sending its way and address."""
        return {What.RETURNED: {"note"}, What.AGAIN: {"how", "address"}}.get(self.chosen("what"), set())  # type: ignore[call-overload]

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it."""
        data = {name: self.cleaned_data.get(name) or "" for name in ("how", "address", "note")}
        if self.cleaned_data["what"] != What.AGAIN:
            data["how"] = data["address"] = ""
        facts: dict[str, Any] = {"done_on": self.cleaned_data["done_on"], **data, "by": by, "at": at, "on": self.on}
        mailing.record(self.letter, self.cleaned_data["what"], **facts)

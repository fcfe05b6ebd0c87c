"""The price of copies, told before they are made, and what the patient said to it."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from meso.forms import DateField
from meso.models import Office, User
from meso.money import in_words
from requests_app import quoting, talking
from requests_app.deadlines import spoken
from requests_app.forms.acts import ActForm
from requests_app.kinds import Delivery
from requests_app.models import FeeAnswer, FeeQuote

WAYS = [way for way in talking.Way.choices if way[0] != talking.Way.LETTER]


class TellPriceForm(ActForm):
    """The price as it is told. Pages and postage are an estimate; the bill may be less and never more."""

    heading, button, audited = _("Tell the price of the copies"), _("Record that the price was told"), "price told"
    lead = _("Before the copies are made. Paper pages at the office's rate and the postage, and nothing else.")
    delivery = forms.ChoiceField(label=_("On paper or electronically"), choices=Delivery.choices, widget=forms.RadioSelect)
    pages = forms.CharField(
        label=_("Pages, about"),
        required=False,
        max_length=12,
        help_text=_("Round up: a bill over the price that was told can't be made."),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    postage = forms.CharField(
        label=_("Postage, about, dollars"),
        required=False,
        max_length=12,
        help_text=_("By mail only."),
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    told_on = DateField(label=_("Told on"))
    how = forms.ChoiceField(label=_("How"), choices=WAYS, widget=forms.RadioSelect)
    accepted = forms.BooleanField(label=_("The patient accepted it at once"), required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        fields, told = self.fields, self.asked.details
        fields["told_on"].initial = self.on
        fields["delivery"].initial = told.get("form") if told.get("form") in Delivery.values else None

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it, with the answer when there is one already."""
        data, now = self.cleaned_data, dict[str, Any](by=by, at=at, on=self.on)
        figures: dict[str, Any] = {name: data[name].strip().removeprefix("$") or "0" for name in ("pages", "postage")}
        quote = quoting.tell(
            self.asked, delivery=data["delivery"], **figures, told_on=data["told_on"], how=data["how"], office=office, **now
        )
        if data["accepted"]:
            quoting.answer(quote, FeeAnswer.What.ACCEPTED, said_on=data["told_on"], how=data["how"], **now)
        self.done = _("It is recorded that the price was told: %(total)s.") % {"total": in_words(quote.total)}


class PriceAnswerForm(ActForm):
    """What the patient said to the price."""

    heading, button, audited = _("What the patient said to the price"), _("Record the answer"), "answer to the price"
    done = _("The answer is recorded.")
    what = forms.ChoiceField(
        label=_("Answer"),
        choices=[
            (FeeAnswer.What.ACCEPTED, _("Accepts it")),
            (FeeAnswer.What.CHANGED, _("Wants something else: fewer pages, another way")),
            (FeeAnswer.What.WITHDRAWN, _("Wants no copies at this price")),
        ],
        widget=forms.RadioSelect,
        help_text=_("The request stays open either way: look at the record here, an electronic copy, or a waived bill are left."),
    )
    said_on = DateField(label=_("Day"))
    how = forms.ChoiceField(label=_("How"), choices=talking.Way.choices, widget=forms.RadioSelect)
    note = forms.CharField(label=_("In their words"), required=False, max_length=1000)

    def __init__(self, *args: Any, quote: FeeQuote, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.quote = quote
        words = {"total": in_words(quote.total), "day": spoken(quote.told_on)}
        self.lead = _("%(total)s, told on %(day)s.") % words
        self.fields["said_on"].initial = self.on

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it."""
        quoting.answer(self.quote, **self.cleaned_data, by=by, at=at, on=self.on)

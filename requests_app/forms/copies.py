"""Copies: what goes in and how it goes out, then given, and the bill settled."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from meso.forms import DateField
from meso.models import Office, User
from meso.money import in_words
from records.models import Attachment, Entry
from requests_app import carrying_out, copies, fees
from requests_app.asked import Way
from requests_app.copies import ChangedSinceShown, Order, PriceFirst, Quote
from requests_app.deadlines import NotAllowedNow, spoken
from requests_app.fees import FeeRefused
from requests_app.forms.acts import ActForm
from requests_app.forms.choosing import ChoosingForm, entry_choices
from requests_app.kinds import Delivery
from requests_app.models import BillSettlement, CopyBill


class CopiesForm(ChoosingForm):
    """Which entries, how the copy goes out, and what the office can't count itself: paper pages and postage.

    `entries` and `loose` are what the chart has. Ticked and within the days is what is copied. `quote` is what was worked
    out last, or None.
    """

    heading, audited = _("Copies and their bill"), "copies made"
    done = _("The copy and its bill are made. Print them below, then record the day on which they are given.")
    button = _("Work out the bill")

    entry = forms.MultipleChoiceField(label=_("Entries"), widget=forms.CheckboxSelectMultiple)
    file = forms.MultipleChoiceField(label=_("Files under no entry"), required=False, widget=forms.CheckboxSelectMultiple)
    internal = forms.MultipleChoiceField(
        label=_("Files of the entries that stay internal"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Ticked: left out of the package. All others go with their entry."),
    )
    since = DateField(label=_("Only from"), required=False)
    until = DateField(label=_("Only up to"), required=False)
    delivery = forms.ChoiceField(label=_("On paper or electronically"), choices=Delivery.choices, widget=forms.RadioSelect)
    paper_pages = forms.CharField(
        label=_("Pages photocopied"),
        required=False,
        max_length=12,
        help_text=_("From a paper chart: printed sides."),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    postage = forms.CharField(
        label=_("Postage paid, dollars"),
        max_length=12,
        help_text=_("By mail only: what the post office took."),
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={"required": _("Write the postage, as paid. Weigh it first if you must.")},
    )
    both_sides = forms.BooleanField(
        label=_("Printed on both sides"),
        required=False,
        help_text=_("Fewer sheets to weigh; the price counts the printed sides."),
    )
    other_form = forms.CharField(
        label=_("Why in another form than was asked for"),
        required=False,
        max_length=300,
        help_text=_("Only then (45 CFR 164.524(c)(2)). Such as: too large for e-mail; the patient picks it up instead."),
    )
    other_form_agreed_on = DateField(label=_("The patient agreed to it on"), required=False)
    waive = forms.BooleanField(
        label=_("Waive the bill: the office asks nothing for this copy"), required=False, help_text=_("No reason is needed.")
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    conditional = ("entry", "postage")

    def __init__(self, *args: Any, entries: list[Entry], loose: list[Attachment], ticked: bool = True, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.entries, self.loose = {str(entry.pk): entry for entry in entries}, {str(file.pk): file for file in loose}
        self.quote: Quote | None = None
        told = self.asked.details
        fields = self.fields
        fields["entry"].choices = entry_choices(entries)  # type: ignore[attr-defined]
        fields["file"].choices = [(key, file.name) for key, file in self.loose.items()]  # type: ignore[attr-defined]
        fields["entry"].initial, fields["file"].initial = (list(self.entries), list(self.loose)) if ticked else ([], [])
        fields["since"].initial, fields["until"].initial = told.get("since"), told.get("until")
        fields["delivery"].initial = told.get("form") if told.get("form") != Way.INSPECT else None
        self.inside = {str(file.pk): file for entry in entries for file in entry.attachments.all()}
        fields["internal"].choices = [(key, file.name) for key, file in self.inside.items()]  # type: ignore[attr-defined]
        for name, there in (("file", loose), ("internal", self.inside)):
            if not there:
                del fields[name]

    @property
    def other_ways(self) -> str:
        """The ways that were not asked for, for the page to ask why."""
        return ",".join(way for way in Delivery.values if way != self.asked.details.get("form"))

    def needed(self) -> set[str]:
        """Only what is mailed has postage. A chart may be all on paper, so no entry is needed; `clean` asks for anything."""
        return {"postage"} if self.chosen("delivery") == Delivery.MAIL else set()

    def clean_paper_pages(self) -> int:
        """A whole number."""
        return self._figure(fees.check_pages, self.cleaned_data["paper_pages"] or "0")

    def clean_postage(self) -> Decimal:
        """Dollars and cents."""
        return self._figure(lambda text: fees.check_money(text, str(_("Postage"))), self.cleaned_data["postage"] or "0")

    @staticmethod
    def _figure(check: Any, text: str) -> Any:
        try:
            return check(text.strip().removeprefix("$"))
        except FeeRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["since"] > data["until"]:
            self.add_error("until", _("This day comes before the first one."))
        if not self.errors:
            self._check_form()
        if not self.errors and not (self._chosen() or data.get("file") or data.get("paper_pages")):
            self.add_error("entry", _("Nothing is chosen: tick at least one entry that lies within the days."))
        return data

    def _chosen(self) -> list[Entry]:
        """The entries that are ticked and lie within the days."""
        since, until = self.cleaned_data.get("since") or date.min, self.cleaned_data.get("until") or date.max
        ticked = set(self.cleaned_data.get("entry", []))
        return [entry for key, entry in self.entries.items() if key in ticked and since <= entry.service_on <= until]

    def _check_form(self) -> None:
        """The form given is the one asked for, or one that the patient agreed to."""
        try:
            data = self.cleaned_data
            why, agreed_on = data.get("other_form", ""), data.get("other_form_agreed_on")
            copies.check_form(self.asked, data["delivery"], why, agreed_on, self.on)
        except NotAllowedNow as refusal:
            self.add_error(refusal.field, str(refusal))

    def order(self) -> Order:
        """What is ordered, once the form is valid."""
        data = self.cleaned_data
        loose = [self.loose[key] for key in self.loose if key in data.get("file", [])]
        internal = tuple(self.inside[key] for key in self.inside if key in data.get("internal", []))
        how: dict[str, Any] = {name: data[name] for name in ("delivery", "paper_pages", "postage", "both_sides")}
        how |= {"other_form": data.get("other_form", ""), "other_form_agreed_on": data.get("other_form_agreed_on")}
        order = Order(tuple(self._chosen()), tuple(loose), internal=internal, **how)
        return copies.with_package(self.asked, order)

    def work_out(self, *, by: User, office: Office) -> bool:
        """Draw the copy and work out its bill into `quote`; False, with the reason at its field, when a figure is refused."""
        try:
            self.quote = copies.quote(self.asked.patient, self.order(), by=by, on=self.on, office=office)  # type: ignore[arg-type]
        except FeeRefused as refusal:
            self.add_error(refusal.field or None, str(refusal))
        return self.quote is not None

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Make the copy and its bill as they were shown."""
        try:
            data = self.cleaned_data
            now: dict[str, Any] = {"by": by, "at": at, "on": self.on, "office": office}
            copies.make(self.asked, self.order(), seen=data["seen"], waive=data["waive"], **now)
        except (ChangedSinceShown, PriceFirst) as refusal:
            self.quote = refusal.quote
            raise
        except FeeRefused as wrong:
            raise carrying_out.NotAllowedNow(str(wrong), wrong.field) from wrong


class SetAsideForm(ActForm):
    """A copy that was made is not given after all."""

    heading, button, audited = _("Set the copy aside"), _("Set it aside"), "copy set aside"
    done = _("The copy is set aside. The request no longer waits for it.")
    reason = forms.CharField(
        label=_("Why it is not given"), max_length=1000, help_text=_("Such as: made twice; the patient wants it by mail instead.")
    )

    def __init__(self, *args: Any, bill: CopyBill, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.bill = bill
        self.lead = _("It was made on %(day)s and stays on file.") % {"day": spoken(bill.made_on)}

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Set it aside."""
        carrying_out.set_aside(self.bill, self.cleaned_data["reason"], by=by, at=at, on=self.on)
        self.asked.refresh_from_db()


class SettleForm(ActForm):
    """The bill was paid, or the office waives it."""

    heading, button, done, audited = _("Settle the bill"), _("Settle bill"), _("The bill is settled."), "bill settled"
    how = forms.ChoiceField(
        label=_("How"),
        choices=[
            (BillSettlement.How.PAID, _("It was paid")),
            (BillSettlement.How.WAIVED, _("The office waives it; no reason is needed")),
        ],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, bill: CopyBill, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.bill = bill
        self.lead = _("%(total)s for the copies made on %(day)s.") % {"total": in_words(bill.total), "day": spoken(bill.made_on)}

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Settle it."""
        self.bill.settle(self.cleaned_data["how"], by=by, at=at, on=self.on)

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
from requests_app.copies import ChangedSinceShown, Order, Quote
from requests_app.deadlines import spoken
from requests_app.fees import FeeRefused
from requests_app.forms.acts import ActForm
from requests_app.forms.choosing import ChoosingForm
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
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    conditional = ("entry", "postage")

    def __init__(self, *args: Any, entries: list[Entry], loose: list[Attachment], ticked: bool = True, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.entries, self.loose = {str(entry.pk): entry for entry in entries}, {str(file.pk): file for file in loose}
        self.quote: Quote | None = None
        told = self.asked.details
        fields = self.fields
        fields["entry"].choices = [(key, _named(entry)) for key, entry in self.entries.items()]  # type: ignore[attr-defined]
        fields["file"].choices = [(key, file.name) for key, file in self.loose.items()]  # type: ignore[attr-defined]
        fields["entry"].initial, fields["file"].initial = (list(self.entries), list(self.loose)) if ticked else ([], [])
        fields["since"].initial, fields["until"].initial = told.get("since"), told.get("until")
        fields["delivery"].initial = told.get("form") if told.get("form") != Way.INSPECT else None
        self.inside = {str(file.pk): file for entry in entries for file in entry.attachments.all()}
        fields["internal"].choices = [(key, file.name) for key, file in self.inside.items()]  # type: ignore[attr-defined]
        for name, there in (("file", loose), ("internal", self.inside)):
            if not there:
                del fields[name]

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
        if not self.errors and not (self._chosen() or data.get("file") or data.get("paper_pages")):
            self.add_error("entry", _("Nothing is chosen: tick at least one entry that lies within the days."))
        return data

    def _chosen(self) -> list[Entry]:
        """The entries that are ticked and lie within the days."""
        since, until = self.cleaned_data.get("since") or date.min, self.cleaned_data.get("until") or date.max
        ticked = set(self.cleaned_data.get("entry", []))
        return [entry for key, entry in self.entries.items() if key in ticked and since <= entry.service_on <= until]

    def order(self) -> Order:
        """What is ordered, once the form is valid."""
        data = self.cleaned_data
        loose = [self.loose[key] for key in self.loose if key in data.get("file", [])]
        internal = tuple(self.inside[key] for key in self.inside if key in data.get("internal", []))
        order = Order(tuple(self._chosen()), tuple(loose), data["delivery"], data["paper_pages"], data["postage"], internal)
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
            copies.make(self.asked, self.order(), seen=self.cleaned_data["seen"], by=by, at=at, on=self.on, office=office)
        except ChangedSinceShown as changed:
            self.quote = changed.quote
            raise
        except FeeRefused as refusal:
            raise carrying_out.NotAllowedNow(str(refusal), refusal.field) from refusal


def _named(entry: Entry) -> str:
    paper = " · " + str(_("original on paper")) if entry.on_paper else ""
    return f"{spoken(entry.service_on)} · {entry.get_kind_display()} · {entry.title}{paper}"


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

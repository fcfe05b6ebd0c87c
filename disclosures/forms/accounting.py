"""The period and scope of an accounting."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disclosures import tariff
from disclosures.accounting_rules import ListRefused, look_back_start
from disclosures.issuing import Terms
from disclosures.models import PriceAnswer
from disclosures.purposes import Scope
from meso.forms import DateField, Form
from records.models import WayOut


class AccountingForm(Form):
    """A period of six years at most, ending today or before; the narrower federal list only with a reason, and only for some."""

    REASONS = (
        ("", gettext_lazy("Choose…")),
        ("asked", gettext_lazy("The patient asked for the federal list only")),
        ("court", gettext_lazy("A court or agency asked for the federal list")),
        ("audit", gettext_lazy("Internal audit")),
    )

    start = DateField(label=gettext_lazy("From"))
    end = DateField(label=gettext_lazy("To"))
    scope = forms.ChoiceField(
        label=gettext_lazy("Which list"),
        choices=[
            (Scope.NOTICE.value, gettext_lazy("Everyone, as our notice promises")),
            (Scope.HIPAA.value, gettext_lazy("The federal minimum (45 CFR 164.528)")),
        ],
    )
    reason = forms.ChoiceField(label=gettext_lazy("Why the federal minimum"), choices=REASONS, required=False)

    def __init__(self, data: Any = None, *, on: date, may_choose_scope: bool):
        self.on = on
        self.earliest = look_back_start(on)
        usual = {"start": self.earliest, "end": on, "scope": Scope.NOTICE.value}
        super().__init__({**usual, **data.dict()} if data else None, initial=usual)
        if not may_choose_scope:
            del self.fields["scope"], self.fields["reason"]

    def clean_start(self) -> date:
        """Within the six years (164.528(a)(1))."""
        start = self.cleaned_data["start"]
        if start < self.earliest:
            day = date_format(self.earliest, "M j, Y")
            raise forms.ValidationError(_("An accounting reaches back six years: %(day)s at the earliest.") % {"day": day})
        return start

    def clean_end(self) -> date:
        """Not in the future."""
        if self.cleaned_data["end"] > self.on:
            raise forms.ValidationError(_("The last day can't lie in the future."))
        return self.cleaned_data["end"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("start") and data.get("end") and data["start"] > data["end"]:
            self.add_error("end", _("This day comes before the first one."))
        if data.get("scope") == Scope.HIPAA.value and not data.get("reason"):
            self.add_error("reason", _("Say why the patient gets the shorter list."))
        data.setdefault("scope", Scope.NOTICE.value)
        return data

    def period(self) -> tuple[date, date, Scope]:
        """First day, last day, scope; the usual ones where the form is empty or not right."""
        if self.is_bound and self.is_valid():
            data = self.cleaned_data
            return data["start"], data["end"], Scope(data["scope"])
        return self.earliest, self.on, Scope.NOTICE

    @property
    def address(self) -> str:
        """The period and scope as the query of an address."""
        start, end, scope = self.period()
        reason = self.cleaned_data.get("reason", "") if self.is_bound and self.is_valid() else ""
        return urlencode({"start": start.isoformat(), "end": end.isoformat(), "scope": str(scope), "reason": reason})

    @property
    def why(self) -> str:
        """What the audit keeps of the scope: its name and the reason's code."""
        _start, _end, scope = self.period()
        return f"{scope}, {self.cleaned_data['reason']}" if scope == Scope.HIPAA else str(scope)


class PriceFields(forms.Form):
    """The terms of a later list within twelve months: the way, the postage, and that its price was told (164.528(c)(2))."""

    delivery = forms.ChoiceField(label=gettext_lazy("How the list goes out"), choices=lambda: tariff.current().ways)
    postage = forms.DecimalField(
        label=gettext_lazy("Postage in dollars"),
        required=False,
        min_value=0,
        max_digits=8,
        decimal_places=2,
        help_text=gettext_lazy("Only for a list that goes by mail: what it costs to send."),
    )
    waived = forms.BooleanField(label=gettext_lazy("Make no charge for it"), required=False)
    told_on = DateField(
        label=gettext_lazy("The patient was told the price on"),
        required=False,
        help_text=gettext_lazy("Leave it empty to see the price first."),
    )

    @property
    def terms(self) -> Terms:
        """What was filled in. Only of a valid form."""
        data = self.cleaned_data
        return Terms(data["delivery"], data["postage"] or Decimal(0), data["told_on"], data["waived"])


# Plain e-mail is not among them: others might read it.
LIST_WAYS = [(way.value, way.label) for way in WayOut if way != WayOut.EMAIL]


def way_field() -> forms.ChoiceField:
    """How a list goes out that costs nothing; one that costs something says it with its price."""
    return forms.ChoiceField(label=gettext_lazy("How"), choices=LIST_WAYS, initial=WayOut.HANDED_OVER)


class GiveForm(PriceFields, Form):
    """How the list goes out to the patient from the chart; where it is not free, its price with it.

    `to` are the lines of the envelope.
    """

    how = way_field()

    def __init__(self, data: Any = None, *, is_free: bool, to: Sequence[str]):
        super().__init__(data, initial={"delivery": "electronic"})
        self.is_free = is_free
        for name in PriceFields.base_fields if is_free else ["how"]:
            del self.fields[name]
        self.fields["how" if is_free else "delivery"].help_text = format_html(
            "{} <strong>{}</strong>", _("On the envelope:"), ", ".join(to)
        )

    def what(self) -> dict[str, Any]:
        """The way and the terms, as issuing.issue takes them. Only of a valid form."""
        if self.is_free:
            return {"how": self.cleaned_data["how"], "terms": None}
        return {"how": self.terms.how, "terms": self.terms}

    def refuse(self, refusal: ListRefused) -> None:
        """Show at its field why the list may not be given so."""
        field = "delivery" if refusal.field == "how" and not self.is_free else refusal.field
        self.add_error(field if field in self.fields else None, str(refusal))


class PriceAnswerFields(forms.Form):
    """What the patient chose once they knew the price."""

    choice = forms.ChoiceField(label=gettext_lazy("The patient"), choices=PriceAnswer.Choice.choices, widget=forms.RadioSelect)
    answered_on = DateField(label=gettext_lazy("Answered on"))


class PriceAnswerForm(PriceAnswerFields, Form):
    """The same as a form of its own."""

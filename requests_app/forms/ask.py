"""What a patient may ask for, and the facts that each kind needs: shared by the public form and the desk's.

Nothing is demanded that the law forbids to demand: no reason for access, none at all for confidential communication, no
notary, no coming in person (45 CFR 164.524(b)(1), 164.522(b)(2)(iii); law.md §2, §5).
"""

from datetime import date
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from disclosures.accounting_rules import look_back_start, same_day_in
from meso.forms import DateField, Form
from records.models import ContactPreference
from requests_app import asked
from requests_app.deadlines import spoken
from requests_app.kinds import DETAILS, Kind

OLDEST = 130  # years: an age nobody has reached

KIND_HELP: dict[str, Any] = {
    Kind.ACCESS: _("Look at it at the office, or get a copy on paper or electronically."),
    Kind.AMENDMENT: _("Something in it is wrong or missing."),
    Kind.RESTRICTION: _("Keep something from somebody, such as a health plan or a relative."),
    Kind.CONFIDENTIAL_COMMUNICATION: _("Be called or written to only at a number or an address of your choice."),
    Kind.ACCOUNTING: _("Whom the office has given information to, and when."),
}

PATIENT, SOMEBODY_ELSE = "patient", "other"


def kind_choices() -> list[tuple[str, SafeString]]:
    """The five kinds for a radio list, each with its line of help under its name."""
    label = '<span><strong>{}</strong><span class="help d-block">{}</span></span>'
    return [(kind.value, format_html(label, kind.label, KIND_HELP[kind])) for kind in Kind]


def _text(label: Any, most: int, *, rows: int = 0, required: bool = False, help_text: Any = "", **attrs: str) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, **attrs}) if rows else forms.TextInput(attrs=attrs)
    return forms.CharField(label=label, max_length=most, required=required, help_text=help_text, widget=widget)


class AskForm(Form):
    """A request of any of the five kinds. Only the fields of the chosen kind are checked and kept.

    The field of a kind's fact is named `<kind>_<fact>`, such as `access_since`; `details()` takes the kind off again.
    `asker_name` and `asker_born` are always the patient's, for by them the chart is found; who acts for the patient is
    kept in `on_behalf` ("Rosa Alvarez, mother"). `on` is the day of receipt: no day may lie behind it.
    """

    use_required_attribute = False  # the browser must not ask for a part that is not shown
    reach_needed = False  # whether the asker must say how we reach them; the desk has the chart

    kind = forms.ChoiceField(label=_("What is asked for"), choices=kind_choices, widget=forms.RadioSelect)

    access_which = _text(_("Which records"), 2000, rows=3, help_text=_("Leave it empty for everything."))
    access_since = DateField(label=_("Records from"), required=False)
    access_until = DateField(label=_("Records up to"), required=False)
    access_form = forms.ChoiceField(label=_("How"), required=False, choices=asked.Way.choices, widget=forms.RadioSelect)
    access_delivery_address = _text(
        _("Where to send it"), 1000, rows=2, help_text=_("An e-mail or postal address, when it is not the asker's own below.")
    )

    amendment_entry = _text(_("Which entry"), 2000, rows=2, help_text=_("Its date or title, as far as known."))
    amendment_change = _text(_("What should change"), 10_000, rows=4, required=True)
    amendment_reason = _text(_("Why it should change"), 10_000, rows=3)
    amendment_originator = _text(
        _("Another office wrote it and can't correct it any more"),
        300,
        help_text=_("Only then: say why. Such as: the hospital closed in 2024."),
    )

    restriction_what = _text(_("What to keep private"), 10_000, rows=4, required=True)
    restriction_from_whom = _text(_("From whom"), 300, help_text=_("Such as a health plan or a relative."))
    restriction_paid_in_full = forms.ChoiceField(
        label=_("Was it paid for in full, without the health plan, and is the plan not to hear of it?"),
        help_text=_("Then the law makes us agree."),
        required=False,
        choices=asked.YesNo.choices,
        widget=forms.RadioSelect,
    )

    confidential_communication_means = forms.ChoiceField(
        label=_("How to reach the patient"), choices=ContactPreference.Means.choices, widget=forms.RadioSelect
    )
    confidential_communication_where = _text(
        _("Where"), 1000, rows=2, required=True, help_text=_("The address, telephone number or e-mail to use.")
    )
    confidential_communication_avoid = _text(_("What not to use"), 300, help_text=_("Such as the home telephone."))

    accounting_since = DateField(label=_("List from"), required=False)
    accounting_until = DateField(
        label=_("List up to"),
        required=False,
        help_text=_("Leave both empty for the last six years, as far back as the list goes."),
    )

    who = forms.ChoiceField(
        label=_("Who is asking"),
        widget=forms.RadioSelect,
        initial=PATIENT,
        choices=[(PATIENT, _("The patient")), (SOMEBODY_ELSE, _("Somebody who acts for the patient"))],
    )
    acting_name = _text(_("Name of the person who acts for the patient"), 200, required=True, autocomplete="off")
    acting_as = _text(_("What they are to the patient"), 90, required=True, help_text=_("Such as parent or guardian."))
    asker_name = _text(_("Patient's name"), 400, required=True)
    asker_born = DateField(
        label=_("Patient's date of birth"),
        required=False,
        help_text=_("Such as 7/2/1984."),
        widget=forms.DateInput(format="%m/%d/%Y"),
        input_formats=["%Y-%m-%d", "%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y", "%B %d, %Y", "%b %d, %Y"],
    )
    asker_phone = forms.CharField(label=_("Telephone"), required=False, max_length=40, widget=forms.TelInput)
    asker_email = forms.EmailField(label=_("E-mail"), required=False, max_length=254)
    asker_address = _text(_("Postal address"), 1000, rows=3)
    description = _text(_("In their own words"), 10_000, rows=3)

    ASKER = ("who", "acting_name", "acting_as", "asker_name", "asker_born", "asker_phone", "asker_email", "asker_address")

    def __init__(self, *args: Any, on: date, **kwargs: Any):
        self.on = on
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            choosing = isinstance(field, forms.ChoiceField)
            field.error_messages["required"] = _("Please choose one.") if choosing else _("Please fill this in.")

    @staticmethod
    def names_of(kind: str) -> list[str]:
        """The names of the fields that belong to this kind alone, in order."""
        return [f"{kind}_{fact}" for fact in DETAILS[kind]] if kind in DETAILS else []

    def _standing(self, name: str) -> str:
        """What stands in this field now, typed or given."""
        if self.is_bound:
            return str(self.data.get(self.add_prefix(name)) or "")
        return str(self.get_initial_for_field(self.fields[name], name) or "")

    @property
    def chosen_kind(self) -> str:
        """The kind that is chosen as the form stands, or "" when none is."""
        chosen = self._standing("kind")
        return chosen if chosen in DETAILS else ""

    def parts(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """The form's five parts as (kind, label, fields), for a page that shows them all."""
        return [(kind.value, str(kind.label), [self[name] for name in self.names_of(kind)]) for kind in Kind]

    def asker(self) -> list[forms.BoundField]:
        """The fields of who asks, as far as the form has them."""
        return [self[name] for name in self.ASKER if name in self.fields]

    # --- checking -------------------------------------------------------------------------------------------------

    def full_clean(self) -> None:
        """Check the chosen kind's part and let the other four sleep."""
        every, chosen = self.fields, self.chosen_kind
        asleep = {name for kind in Kind if kind != chosen for name in self.names_of(kind)}
        self.fields = {name: field for name, field in every.items() if name not in asleep}
        if self.is_bound:
            self._demand_only_what_applies(self.fields)
        try:
            super().full_clean()
        finally:
            self.fields = every

    def _demand_only_what_applies(self, fields: dict[str, forms.Field]) -> None:
        fields["acting_name"].required = fields["acting_as"].required = self._standing("who") == SOMEBODY_ELSE
        if "confidential_communication_where" in fields:
            picks_up = self._standing("confidential_communication_means") == ContactPreference.Means.PICK_UP
            fields["confidential_communication_where"].required = not picks_up

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self._check_who(data)
        self._check_born(data)
        self._check_phone(data)
        if kind := data.get("kind"):
            self._check_period(kind, data)
            if self.reach_needed:
                self._check_reach(kind, data)
        return data

    def _check_who(self, data: dict[str, Any]) -> None:
        """The patient does not name somebody who acts for them."""
        if data.get("who") == PATIENT and (data.get("acting_name") or data.get("acting_as")):
            self.add_error("who", _("Below stands somebody who acts for the patient. Choose that, or empty those two fields."))

    def _check_born(self, data: dict[str, Any]) -> None:
        born = data.get("asker_born")
        if born and born > self.on:
            self.add_error("asker_born", _("This day lies in the future."))
        elif born and born < same_day_in(self.on.year - OLDEST, self.on):
            self.add_error("asker_born", _("Please check the year."))

    def _check_phone(self, data: dict[str, Any]) -> None:
        if data.get("asker_phone") and sum(letter.isdigit() for letter in data["asker_phone"]) < 7:
            self.add_error("asker_phone", _("This is not a whole telephone number."))

    def _check_period(self, kind: str, data: dict[str, Any]) -> None:
        """The days of a period: in order, not in the future, and for an accounting in the last six years (164.528(a)(1))."""
        since, until = f"{kind}_since", f"{kind}_until"
        earliest, too_early = same_day_in(self.on.year - OLDEST, self.on), str(_("Please check the year."))
        if kind == Kind.ACCOUNTING:
            earliest = look_back_start(self.on)
            too_early = _("The list goes back six years: %(day)s is the earliest day.") % {"day": spoken(earliest)}
        for name in (since, until):
            if data.get(name) and data[name] > self.on:
                self.add_error(name, _("This day lies in the future."))
            elif data.get(name) and data[name] < earliest:
                self.add_error(name, too_early)
        if data.get(since) and data.get(until) and data[since] > data[until]:
            self.add_error(until, _("This day comes before the first one."))

    def _check_reach(self, kind: str, data: dict[str, Any]) -> None:
        """We must be able to answer, and to send what is to be sent. Where to reach the patient may be the request itself."""

        def said(*names: str) -> bool:
            return any(data.get(name) or name in self.errors for name in names)  # one marked wrong was said all the same

        if kind != Kind.CONFIDENTIAL_COMMUNICATION and not said("asker_phone", "asker_email", "asker_address"):
            self.add_error("asker_phone", _("Give us one way to reach you: telephone, e-mail or postal address."))
        way, sent_to = data.get("access_form"), "access_delivery_address"
        if way == asked.Way.MAIL and not said(sent_to, "asker_address"):
            self.add_error(sent_to, _("Write the address to which we mail it."))
        if way == asked.Way.ELECTRONIC and not said(sent_to, "asker_email", "asker_address"):
            self.add_error(sent_to, _("Write the e-mail or postal address to which we send it."))

    # --- what is kept ---------------------------------------------------------------------------------------------

    def details(self) -> dict[str, str]:
        """The facts of the chosen kind for `PatientRequest.details`: texts, codes, and days as ISO; empty ones left out."""
        kind = self.cleaned_data["kind"]
        found = {fact: self.cleaned_data.get(f"{kind}_{fact}") for fact in DETAILS[kind]}
        if found.get("means") == ContactPreference.Means.PICK_UP:
            found["where"] = found["where"] or str(ContactPreference.Means.PICK_UP.label)
        return {fact: value.isoformat() if isinstance(value, date) else str(value) for fact, value in found.items() if value}

    def facts(self) -> dict[str, Any]:
        """What `PatientRequest.take` is told of who asks for what; the caller adds how and when it came."""
        data = self.cleaned_data
        as_they_are = ("kind", "asker_name", "asker_born", "asker_phone", "asker_email", "asker_address")
        acting = data.get("who") == SOMEBODY_ELSE
        return {
            **{name: data[name] for name in as_they_are},
            "on_behalf": f"{data['acting_name']}, {data['acting_as']}" if acting else "",
            "description": data.get("description", ""),
            "details": self.details(),
        }

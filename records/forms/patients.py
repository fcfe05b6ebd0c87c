"""Finding, registering and updating a patient."""

import json
from collections.abc import Collection
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from meso.forms import DateField, Form, ModelForm
from records import chart_numbers, contact_checks
from records.changes import DETAILS
from records.models import ChangedMeanwhileError, Patient

LANGUAGES = (
    ("en", gettext_lazy("English")), ("es", gettext_lazy("Spanish")), ("zh", gettext_lazy("Chinese")),
    ("tl", gettext_lazy("Tagalog")), ("vi", gettext_lazy("Vietnamese")), ("ar", gettext_lazy("Arabic")),
    ("fr", gettext_lazy("French")), ("ko", gettext_lazy("Korean")), ("ru", gettext_lazy("Russian")),
    ("pt", gettext_lazy("Portuguese")), ("ht", gettext_lazy("Haitian Creole")), ("hi", gettext_lazy("Hindi")),
    ("pl", gettext_lazy("Polish")), ("it", gettext_lazy("Italian")), ("de", gettext_lazy("German")),
)  # fmt: skip
EDITED = [name for name in DETAILS if name != "deceased_on"]  # a death is an act of its own (records/models/deaths.py)
_NAMES = ("first_name", "last_name", "preferred_name")
_ONE_LINE = (*_NAMES, "phone", "address_1", "address_2", "city", "state", "zip")


class SearchForm(Form):
    """What is typed to find a patient."""

    q = forms.CharField(
        label=gettext_lazy("Find a patient"), required=False, max_length=200,
        help_text=gettext_lazy("Name, birth date, chart number or telephone; a name and a birth date may stand together."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip


class DetailsForm(ModelForm):
    """Who the patient is and how to reach them. `on` is the office's day."""

    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES, required=False)

    class Meta:
        model = Patient
        fields = EDITED
        field_classes = {"date_of_birth": DateField}

    def __init__(self, *args: Any, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.on = on
        self.fields["last_name"].help_text = _("Somebody with one name: type it here.")
        for name in _NAMES:  # a browser would cut a longer name off without a word
            self.fields[name].widget.attrs.pop("maxlength", None)
        spoken = self.instance.language
        if spoken and spoken not in dict(LANGUAGES):
            self.fields["language"].choices = [(spoken, spoken), *LANGUAGES]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in _ONE_LINE:
            self._check(name, contact_checks.check_text, data.get(name, ""))
        if "first_name" in data and "last_name" in data:
            self._check("last_name", contact_checks.check_full_name, data["first_name"], data["last_name"])
        if data.get("date_of_birth"):
            self._check("date_of_birth", contact_checks.check_birth, data["date_of_birth"], self.on)
        self._check("phone", contact_checks.check_phone, data.get("phone", ""))
        data["state"] = contact_checks.us_state(data.get("state", ""))
        self._check("zip", contact_checks.check_zip, data.get("zip", ""), data["state"])
        return data

    def _check(self, name: str, check: Any, *values: Any) -> None:
        """Run a check and lay what it says at its field, once."""
        if name in self.errors:
            return
        try:
            check(*values)
        except ValidationError as refusal:
            self.add_error(name, refusal)

    def groups(self) -> list[tuple[str, list[Any]]]:
        """The fields as the page sets them out: a heading and its fields."""
        laid_out = (
            (_("Name"), _NAMES),
            (_("Person"), ("date_of_birth", "sex", "language", "chart_number")),
            (_("How to reach them"), ("phone", "email", "address_1", "address_2", "city", "state", "zip")),
        )
        return [(heading, [self[name] for name in names if name in self.fields]) for heading, names in laid_out]


class RegisterForm(DetailsForm):
    """A new patient."""

    chart_number = forms.CharField(
        label=gettext_lazy("Chart number"), required=False, max_length=64,
        help_text=gettext_lazy("Left empty, the next number is given."),
    )  # fmt: skip

    class Meta(DetailsForm.Meta):
        fields = [*DetailsForm.Meta.fields, "chart_number"]

    def clean_chart_number(self) -> str:
        number = self.cleaned_data["chart_number"]
        if number:
            chart_numbers.check(number)
        return number

    def register(self, seen: Collection[int]) -> Patient:
        """Store the patient; `seen` are the keys of the charts that the desk was shown. Raises what Patient.register raises."""
        self.instance.register(seen)
        return self.instance


def _read(seen: Any) -> Any:
    """What a kept form holds of `seen`, which it keeps as text; None for anything else."""
    try:
        return json.loads(seen) if seen else None
    except (TypeError, ValueError):
        return None


class UpdateForm(DetailsForm):
    """A patient's details, changed. Two desks may do so at once: each sets what it changed, and is told where both did."""

    seen = forms.JSONField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.stored = self.instance.details(EDITED)
        self.initial["seen"] = _read(self.initial.get("seen")) or self.stored

    def _post_clean(self) -> None:
        """The stored row is read again under a lock when it is saved; this form's copy is left as it was read."""

    def update(self) -> list[str]:
        """Save; gives the fields that were changed. Raises ChangedMeanwhileError and ValidationError as the patient does."""
        wanted = {name: self.cleaned_data[name] for name in EDITED}
        return self.instance.change_details(wanted, self._seen())

    def _seen(self) -> dict[str, str]:
        seen = self.cleaned_data.get("seen")
        return {name: str(value) for name, value in seen.items()} if isinstance(seen, dict) else {}

    def after(self, meanwhile: ChangedMeanwhileError) -> "UpdateForm":
        """The form to show when both desks changed the same detail: mine where I typed, theirs elsewhere, and what clashes."""
        data, seen, stored = dict(self.data.items()), self._seen(), meanwhile.now.details(EDITED)
        for name in EDITED:
            typed = self.cleaned_data[name]
            if ("" if typed is None else str(typed)) == seen.get(name):
                data[name] = stored[name]
        form = UpdateForm(instance=meanwhile.now, on=self.on)
        data["seen"] = form["seen"].value()
        form = UpdateForm(data, instance=meanwhile.now, on=self.on)
        for name in meanwhile.fields:
            value = getattr(meanwhile.now, name)
            shown = date_format(value, "M j, Y") if isinstance(value, date) else value
            form.add_error(
                name,
                _("Somebody changed this while you were typing. It now says “%(value)s”. Save again to put yours in its place.")
                % {"value": shown or _("nothing")},
            )
        return form

"""The period of a list of who has looked."""

from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from meso.forms import DateField, Form

_A_YEAR = timedelta(days=365)


class LookersForm(Form):
    """From when to when, both days included; a year back where nothing is said. `on` is the office's day."""

    start = DateField(label=gettext_lazy("From"))
    end = DateField(label=gettext_lazy("To"))

    def __init__(self, *args: Any, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.on = on
        self.initial.setdefault("start", on - _A_YEAR)
        self.initial.setdefault("end", on)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        start, end = data.get("start"), data.get("end")
        if end and end > self.on:
            self.add_error("end", _("This day is in the future."))
        elif start and end and start > end:
            self.add_error("end", _("This day comes before the first one."))
        return data

    @property
    def period(self) -> tuple[date, date]:
        """The days that are right so far; the year back where they are not."""
        if self.is_bound and self.is_valid():
            return self.cleaned_data["start"], self.cleaned_data["end"]
        return self.on - _A_YEAR, self.on

"""What a small form about one patient shares: its words, and a model's refusal shown at its field."""

from datetime import date, datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError

from meso.forms import Form
from meso.models import User


class PatientActForm(Form):
    """An act upon something of a chart. `on` is the office's day; subclasses write `act`."""

    heading: ClassVar[Any]  # the page's h1
    lead: Any = ""  # what to know before doing it, with its citation
    button: ClassVar[Any]  # says what it does
    done: Any  # the message behind it
    audited: ClassVar[str]  # the audit's word for it
    detail: ClassVar[str] = ""  # and what more it says

    def __init__(self, *args: Any, on: date, **kwargs: Any):
        self.on = on
        super().__init__(*args, **kwargs)

    def act(self, *, by: User, at: datetime) -> None:
        """Do it. Raises ValidationError."""
        raise NotImplementedError

    def save(self, *, by: User, at: datetime) -> bool:
        """Do it, or show at its field why it can't be done. Returns whether it was done."""
        try:
            self.act(by=by, at=at)
        except ValidationError as refusal:
            told = getattr(refusal, "error_dict", {})
            self.add_error(None, refusal if set(told) <= set(self.fields) else refusal.messages)
            return False
        return True

"""Forms whose first choice decides which of their other fields are needed, and entries to choose from."""

from collections.abc import Iterable
from typing import ClassVar

from django.utils.translation import gettext as _

from records.models import Entry
from requests_app.deadlines import spoken
from requests_app.forms.acts import ActForm


def entry_choices(entries: Iterable[Entry]) -> list[tuple[str, str]]:
    """Entries as choices: day, kind, what it is called, and whether the original is on paper."""
    return [
        (str(entry.pk), " · ".join((spoken(entry.service_on), entry.get_kind_display(), entry.called, *_paper(entry))))
        for entry in entries
    ]


def _paper(entry: Entry) -> tuple[str, ...]:
    return (_("original on paper"),) if entry.on_paper else ()


class ChoosingForm(ActForm):
    """An act with fields that only some choices need. The page shows them as needed, beside the choice that needs them."""

    conditional: ClassVar[tuple[str, ...]] = ()
    use_required_attribute = False  # the browser must not ask for what the choice does not need

    def needed(self) -> set[str]:
        """The conditional fields that what was chosen can't do without."""
        raise NotImplementedError

    def chosen(self, name: str) -> str:
        """What was chosen in this field, as it came."""
        return str(self.data.get(self.add_prefix(name)) or "")

    def full_clean(self) -> None:
        """Check what the choice needs, and let the rest be empty."""
        needed = self.needed() if self.is_bound else set()
        there = {name: self.fields[name] for name in self.conditional if name in self.fields}
        for name, field in there.items():
            field.required = name in needed
        super().full_clean()
        for field in there.values():
            field.required = True

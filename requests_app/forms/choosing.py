"""Forms whose first choice decides which of their other fields are needed."""

from typing import ClassVar

from requests_app.forms.acts import ActForm


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

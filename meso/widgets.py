"""The commonest controls written straight away, to the letter as Django's templates write them.

Django renders a template for each control and each option of a list; a filter of seven fields took as long as the rows
below it (docs/performance.md). Every other control still goes through its template.
"""

from collections.abc import Callable
from typing import Any

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

_INPUTS = ("text", "number", "email", "url", "date", "datetime", "time", "hidden", "password", "search", "tel")


def _attributes(attributes: dict[str, Any]) -> str:
    return "".join(
        f" {name}" if value is True else f' {name}="{conditional_escape(value)}"'
        for name, value in attributes.items()
        if value is not False
    )


def _input(widget: dict[str, Any]) -> str:
    value = "" if widget["value"] is None else f' value="{conditional_escape(widget["value"])}"'
    return f'<input type="{widget["type"]}" name="{conditional_escape(widget["name"])}"{value}{_attributes(widget["attrs"])}>'


def _textarea(widget: dict[str, Any]) -> str:
    text = "" if widget["value"] is None else conditional_escape(widget["value"])
    return f'<textarea name="{conditional_escape(widget["name"])}"{_attributes(widget["attrs"])}>\n{text}</textarea>'


def _option(option: dict[str, Any]) -> str:
    value, label = conditional_escape(option["value"]), conditional_escape(option["label"])
    return f'<option value="{value}"{_attributes(option["attrs"])}>{label}</option>'


def _select(widget: dict[str, Any]) -> str:
    parts = []
    for group, options, _index in widget["optgroups"]:
        written = "\n".join(_option(option) for option in options)
        parts.append(f'<optgroup label="{conditional_escape(group)}">\n{written}\n</optgroup>' if group else written)
    head = f'<select name="{conditional_escape(widget["name"])}"{_attributes(widget["attrs"])}>'
    return "\n".join([head, *parts, "</select>"])


_WRITERS: dict[str, Callable[[dict[str, Any]], str]] = {
    **{f"django/forms/widgets/{kind}.html": _input for kind in _INPUTS},
    "django/forms/widgets/textarea.html": _textarea,
    "django/forms/widgets/select.html": _select,
}


def written(template_name: str, context: dict[str, Any]) -> SafeString | None:
    """The control that this template stands for; None for a template that is not one of these. All that varies is escaped."""
    write = _WRITERS.get(template_name)
    return mark_safe(write(context["widget"])) if write else None  # noqa: S308

"""The controls that are written straight away are those of Django's templates, letter for letter but for blank space."""

import re

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import mark_safe

from meso.forms import BootstrapRenderer, DateInput

CHOICES = [("", "Choose…"), ("a", "One & <two>"), ('Group "x"', [(1, "Inner"), (2, mark_safe("<b>bold</b>"))])]
WIDGETS = [
    (forms.TextInput(attrs={"placeholder": "R-1042", "required": True, "disabled": False}), "text"),
    (forms.TextInput(), '"><script>alert(1)</script>'),
    (forms.TextInput(), None),
    (forms.NumberInput(attrs={"min": 0}), 1234567),
    (forms.EmailInput(), "a@example.org"),
    (forms.PasswordInput(render_value=True), "it's"),
    (forms.HiddenInput(), ""),
    (DateInput(), "2026-11-24"),
    (forms.Textarea(attrs={"rows": 3}), "one\n</textarea>two"),
    (forms.Textarea(), None),
    (forms.Select(choices=CHOICES), "a"),
    (forms.Select(choices=CHOICES, attrs={"class": "form-select"}), 2),
    (forms.SelectMultiple(choices=CHOICES), ["a", "2"]),
    (forms.NullBooleanSelect(), True),
    (forms.CheckboxInput(), True),
    (forms.RadioSelect(choices=CHOICES[:2]), "a"),
]


def plain(html: str) -> str:
    return re.sub(r">\s+<", "><", re.sub(r"\s*\n\s*", "\n", html)).strip()


@pytest.mark.parametrize(("widget", "value"), WIDGETS)
def test_a_control_is_the_one_of_django_s_template(widget, value):
    theirs = widget.render("name", value, {"id": "id_name"}, renderer=DjangoTemplates())
    ours = widget.render("name", value, {"id": "id_name"}, renderer=BootstrapRenderer())
    if not isinstance(widget, forms.RadioSelect):  # its template is our own
        assert plain(ours) == plain(theirs)
    assert "<script>" not in ours


def test_what_was_typed_keeps_its_blank_lines():
    html = forms.Textarea().render("body", "\n\n  first\n\nsecond  \n", renderer=BootstrapRenderer())
    assert "\n\n\n  first\n\nsecond  \n</textarea>" in html

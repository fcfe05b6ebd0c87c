"""What every form of the house does by itself."""

import pytest
from django import forms
from django.http import QueryDict

from meso.forms import Form


class NoteForm(Form):
    text = forms.CharField(widget=forms.Textarea)
    ticked = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B")])


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_new_line_is_kept_as_one_character_whatever_the_browser_sends(end):
    sent = QueryDict(mutable=True)
    sent["text"] = f"1 Capitol Square{end}Albany"
    sent.setlist("ticked", ["a", "b"])
    form = NoteForm(sent)
    assert form.is_valid()
    assert form.cleaned_data == {"text": "1 Capitol Square\nAlbany", "ticked": ["a", "b"]}


def test_a_form_without_data_stays_unbound():
    assert not NoteForm(None).is_bound

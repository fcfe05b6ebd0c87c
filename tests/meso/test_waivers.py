"""No letter, form or notice asks for a waiver or threatens whoever complains (45 CFR 164.530(g), 164.530(h))."""

import re
from html import unescape

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from meso.waivers import refuse_waiver, waiver_in

REFUSED = [
    "Sign to give up complaint right",
    "Sign here to give up your right to complain.",
    "You waive all rights under HIPAA",
    "I agree not to file a complaint with the government.",
    "By signing, I promise never to complain about this office",
    "We can’t treat you unless you waive your right to complain.",
    "You can be seen only if you sign away your privacy rights.",
    "If you complain to the government, we will no longer see you as a patient.",
    "Because you complained we will not give you further appointments.",
    "We will discharge you from our care if you complain again.",
    "You may not complain to the Secretary.",
    "Please withdraw your complaint, or we will close your chart.",
    "Your right to an accounting is waived.",
    "Al firmar usted renuncia a su derecho a presentar una queja.",
]
FINE = [
    "",
    "We waive the fee of $5.55.",
    "The bill is waived; you keep your right to a copy.",
    "Your care does not depend on it, and we never ask you to give up this right.",
    "You do not have to give up any right.",
    "You may complain to us or to the Secretary.",
    "If we deny your request you may complain to us.",
    "We will not refuse you care because you complained.",
    "If you complain to us we will answer you in writing.",
    "You can complain after we refuse a review",
    "Nadie le pide que renuncie a su derecho a quejarse.",
]


@pytest.mark.parametrize("text", REFUSED)
def test_a_waiver_or_a_threat_is_refused_with_its_sentence(text):
    assert waiver_in(f"Dear Maria Alvarez.\n{text} Yours") != ""
    with pytest.raises(ValidationError, match=r"164\.530\(g\)"):
        refuse_waiver(text)


@pytest.mark.parametrize("text", FINE)
def test_what_takes_no_right_away_passes(text):
    assert waiver_in(text) == ""
    refuse_waiver(text)


def test_no_template_of_the_house_holds_one():
    """Every text of ours that a patient may read: pages, letters, mails."""
    found = {}
    for path in (settings.BASE_DIR / "templates").rglob("*"):
        if path.suffix in (".html", ".txt"):
            words = unescape(
                re.sub(r"<[^>]+>|{#.*?#}|{%.*?%}", "\n", re.sub(r'{% translate "([^"]*)"[^%]*%}', r"\1", path.read_text()))
            )
            if sentence := waiver_in(words):
                found[path.name] = sentence
    assert found == {}

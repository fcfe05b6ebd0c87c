"""Nobody is asked to give up the right to complain, and nobody pays for having complained (45 CFR 164.530(g), 164.530(h)).

A rule on text: letters, notices and answers that staff write in their own words are read for a waiver of the patient's
rights or a threat before they can be made. It reads sentence by sentence, in English and Spanish. It knows phrases and not
meanings: what it lets pass is still its writer's responsibility.
"""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_SENTENCE = re.compile(r"[^.!?;\n]+")
_RIGHT = r"(?:rights?|complain\w*|claims?|privacy|derechos?|quejas?|reclam\w+)"
_GIVE_UP = (
    r"(?:g[ia]ve(?:s|n)? up|giving up|sign(?:s|ed|ing)? away|waiv(?:e|es|ed|ing|er)|surrender\w*|renounc\w+|relinquish\w*"
    r"|forgo\w*|renunci\w+)"
)
_WAIVER = re.compile(
    rf"\b(?:{_GIVE_UP}\b.{{0,60}}?\b{_RIGHT}|{_RIGHT}\b.{{0,20}}?\b(?:is|are) (?:hereby )?(?:waived|given up))\b"
)
_SILENCE = re.compile(
    r"\b(?:agree|promise|undertake|accept|consent)\w*\b.{0,30}?\b(?:not|never)\b.{0,12}?\b(?:complain|file|report|sue)\b"
    r"|\b(?:must|may|can|shall)(?: ?not|n't)\b.{0,12}?\b(?:complain|file a complaint)\b"
    r"|\b(?:withdraw|take back|drop)\w*\b.{0,30}?\bcomplain\w*\b.{0,60}?\b(?:or|otherwise|before)\b"
)
_TAKEN_AS_CAUSE = re.compile(
    r"\b(?:if|because|since|unless|until|after|now that|for having)\b.{0,30}?\bcomplain\w*|\bbecause of\b.{0,20}?\bcomplaint"
)
_HARM = re.compile(
    r"\b(?:will not|won't|can ?not|can't|no longer)(?: be)? (?:treat|see|seen|accept|give|make|book|care)\w*"
    r"|\b(?:refuse|discharge|dismiss|end|stop|drop|charge)\w*\b.{0,30}?\b(?:you|your|care|treatment|visits?|patients?)\b"
)
_DENIED = re.compile(r"\b(?:never|not|no|nobody|neither|nor|without|nunca|nadie)\b|n't\b")
_CONDITION = re.compile(r"\b(?:unless|until|only (?:if|when)|without (?:giving|signing|waiving)|a menos|hasta)\b")


def waiver_in(text: str) -> str:
    """The first sentence that asks the reader to give up a right, or threatens whoever complains; "" when there is none."""
    for found in _SENTENCE.finditer(text.replace("’", "'")):
        sentence = " ".join(found[0].split())
        plain = sentence.casefold()
        if _asks(plain) or _threatens(plain):
            return sentence
    return ""


def _asks(plain: str) -> bool:
    if _SILENCE.search(plain):
        return True
    found = _WAIVER.search(plain)
    return found is not None and not _is_denied(plain[: found.start()])


def _threatens(plain: str) -> bool:
    harm = _HARM.search(plain)
    return harm is not None and _TAKEN_AS_CAUSE.search(plain) is not None and not _is_denied(plain[: harm.start()])


def _is_denied(before: str) -> bool:
    """Whether what follows is said not to be so: "we never ask you to …", but not "we can't treat you unless you …"."""
    denials = list(_DENIED.finditer(before))
    return bool(denials) and not _CONDITION.search(before[denials[-1].start() :])


def refusal(text: str) -> str:
    """Why this text can't go to anybody, with its sentence that asks for a waiver or threatens; "" when it may."""
    sentence = waiver_in(text)
    words = _(
        "No letter, form or notice may ask somebody to give up a right, or threaten whoever complains "
        "(45 CFR 164.530(g) and (h)). Please write this differently: “%(sentence)s”"
    )
    return words % {"sentence": sentence[:200]} if sentence else ""


def refuse_waiver(text: str) -> None:
    """A form field's validator. Raises ValidationError with the words of `refusal`."""
    if words := refusal(text):
        raise ValidationError(words)

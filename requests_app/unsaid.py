"""What no letter to a representative may say or hint at: that the office believes in abuse or danger (164.502(g)(5)).

Whoever is refused as a representative reads the same neutral ground as somebody whose paper has expired, and nothing else.
"""

import re
from datetime import date

from django.utils.translation import gettext as _

from records import representation
from requests_app import grounds
from requests_app.deadlines import NotAllowedNow
from requests_app.grounds import Ground
from requests_app.models import PatientRequest

_STEMS = (
    "abus", "neglect", "violen", "endanger", "danger", "unsafe", "safety", "harm", "suspect", "suspic", "threat", "afraid",
    "fear", "bruis", "injur", "hurt", "assault", "police", "protective", "best interest", "maltrat", "negligen", "peligr",
    "amenaz", "sospech", "miedo", "daño", "lesion", "golpe", "seguridad", "policía", "mejor interés",
)  # fmt: skip
_HINT = re.compile(r"\b(?:" + "|".join(_STEMS) + r")\w*", re.IGNORECASE)


def hints(text: str) -> list[str]:
    """The words of this text, in English or Spanish, that would let a representative guess; [] when it is neutral."""
    return _HINT.findall(text)


def check(request: PatientRequest, ground: Ground | None, text: str, *, on: date, field: str = "text") -> None:
    """Raise NotAllowedNow, with the words, when a letter to somebody who acts for the patient would hint at why.

    It is asked where the ground speaks of the person (P1, R3), and where a refusal of anybody on the patient's file binds.
    """
    speaks_of_them = ground is not None and ground.code in (grounds.PERSON.code, "R3")
    if (found := hints(text)) and (speaks_of_them or _somebody_is_refused(request, on)):
        words = _("This letter must not say or hint why (45 CFR 164.502(g)(5)). Leave out: %(words)s.")
        raise NotAllowedNow(words % {"words": ", ".join(sorted({word.lower() for word in found}))}, field)


def _somebody_is_refused(request: PatientRequest, on: date) -> bool:
    if request.patient is None or not request.is_by_another:
        return False
    return any(representation.refusal_in_force(one, on) for one in request.patient.representatives.with_state())

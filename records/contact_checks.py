"""Checks of what the desk types about a patient: they catch slips and refuse nobody's name, address or country."""

import re
import unicodedata
from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from records import names

OLDEST = 130  # years
_CODES = """
    AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA
    RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI AA AE AP
"""
US_STATES = frozenset(_CODES.split())
_PHONE = re.compile(r"[+\d(][\d\s().\-/]*(?:\s*(?:x|ext\.?|#)\s*\d{1,8})?", re.IGNORECASE)
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # marks that show a text other than it is


def check_text(text: str) -> None:
    """Raise ValidationError for characters that nobody can see and that make a text show other than it is."""
    if any(unicodedata.category(letter) in ("Cc", "Cs") or letter in _TURNING for letter in text):
        raise ValidationError(_("There is a character in it that can't be seen. Please type it again by hand."))


def check_full_name(first: str, last: str) -> None:
    """Raise ValidationError for a name under which the chart could never be found."""
    if not (first or last):
        raise ValidationError(_("A patient needs a name; one word is enough."))
    if not names.key(first + last):
        raise ValidationError(_("A name needs at least one letter, of any script."))


def check_birth(born: date, on: date) -> None:
    """Raise ValidationError for a birth date in the future or more than 130 years before `on`."""
    if born > on:
        raise ValidationError(_("This day is in the future."))
    if (born.year + OLDEST, born.month, born.day) < (on.year, on.month, on.day):
        raise ValidationError(_("This is more than 130 years ago. Please check the year."))


def check_phone(phone: str) -> None:
    """Raise ValidationError for what can't be a telephone number anywhere; an extension may follow it."""
    number = re.split(r"x|ext|#", phone, flags=re.IGNORECASE)[0]
    if phone and not (_PHONE.fullmatch(phone) and 5 <= sum(letter.isdigit() for letter in number) <= 15):
        raise ValidationError(
            _("This is not a telephone number. Type it like (518) 555-0140, 518-555-0140 ext. 12 or +44 20 7946 0018.")
        )


def us_state(state: str) -> str:
    """A US state's two letters in capitals; any other text as it came."""
    return state.upper() if state.upper() in US_STATES else state


def check_zip(code: str, state: str) -> None:
    """Raise ValidationError for digits that are no US ZIP code beside a US state; other countries' codes pass."""
    if code and state in US_STATES and not re.search(r"[^\W\d_]", code) and not re.fullmatch(r"\d{5}(-?\d{4})?", code):
        raise ValidationError(_("A ZIP code in the United States has 5 digits, or 9 as in 12207-1234."))

"""Passwords, after NIST SP 800-63B-4: long, not guessable, no rule on their letters, no change on a date (docs/security.md)."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from zxcvbn import zxcvbn

from meso.models import Office, User

GIVEN_FOR = timedelta(days=7)  # that a password from the admin is good for
_STRONG = 4  # of zxcvbn's 0 to 4: more than 10^10 guesses
_READ = 40  # characters that are judged: a longer beginning costs seconds and tells nothing more
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # 5 bits each; none that looks like another


class GuessableValidator:
    """Refuses what a guesser tries first: common passwords, words, names and dates, keys in a row, also put together.

    The person's own names and the office's count as the first that are tried.
    """

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError for a password that few guesses reach."""
        together = "".join(password.split())[:_READ]  # spaces make no word harder to guess
        if together and zxcvbn(together, user_inputs=_close_words(user))["score"] < _STRONG:
            raise ValidationError(
                _("This password is easy to guess. A sentence, or four words that have nothing to do with each other, is not."),
                code="password_guessable",
            )

    def get_help_text(self) -> str:
        """What is said below the field."""
        return _("A sentence, or four words that have nothing to do with each other. A password manager’s own is best.")


def _close_words(user: Any) -> list[str]:
    """Words that a guesser of this person's password begins with."""
    office = Office.current()
    texts = [office.name, office.city, "meso", "mesotherapy"]
    texts += [str(getattr(user, name, "")) for name in ("username", "first_name", "last_name", "email")] if user else []
    return [word for text in texts for word in [text, *text.replace("@", " ").split()] if len(word) > 2]


def give_one(person: User, *, at: datetime) -> str:
    """A new password by chance (100 bits), to be told to the person and replaced in their next login. Kept is its hash."""
    given = "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))
    person.set_password(given)
    person.password_given_at = at
    person.save(update_fields=["password", "password_given_at"])
    return given


def has_expired(person: User, *, at: datetime) -> bool:
    """Whether the password is one that was given too long ago to log in with."""
    return person.password_given_at is not None and at - person.password_given_at > GIVEN_FOR

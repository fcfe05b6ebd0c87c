"""The secret code of a web request: with the number it opens the status page, so only its keyed digest is stored."""

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0/O, 1/I/L, U
_LENGTH = 12  # 58 bits


def secrets() -> list[str]:
    """The server's secrets, today's first: a code given out under a former one stays good as long as that one is kept."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def code_for(seed: str, secret: str | None = None) -> str:
    """The code that grows from this secret seed, as people read it: "7KQM-2XTA-9PHB".

    The same seed gives the same code, so a form that is sent twice, or a receipt that is shown and then printed, says one
    code and nobody stores it; without the server's own secret (today's, unless given) the seed gives nothing away.
    """
    rest = int.from_bytes(salted_hmac("requests_app.code_for", seed, secret, algorithm="sha256").digest(), "big")
    code = ""
    for _ in range(_LENGTH):
        rest, letter = divmod(rest, len(_LETTERS))
        code += _LETTERS[letter]
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def digest(code: str, secret: str | None = None) -> str:
    """What is stored of a code, however it was typed: keyed, so that a stolen database does not give the codes away."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return salted_hmac("requests_app.code", plain, secret, algorithm="sha256").hexdigest()


def matches(code: str, stored: str) -> bool:
    """Whether this is the code of that digest. Takes the same time whether or not, and whichever secret it was made under."""
    return any([constant_time_compare(digest(code, secret), stored) for secret in secrets()])  # noqa: C419  (all are compared)

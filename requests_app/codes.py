"""The secret code of a web request: with the number it opens the status page, so only its keyed digest is stored."""

import secrets

from django.utils.crypto import salted_hmac

_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0/O, 1/I/L, U
_LENGTH = 12  # 58 bits


def new_code() -> str:
    """A fresh code as people read it: "7KQM-2XTA-9PHB"."""
    code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def digest(code: str) -> str:
    """What is stored of a code, however it was typed: keyed, so that a stolen database does not give the codes away."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return salted_hmac("requests_app.code", plain, algorithm="sha256").hexdigest()

"""The secret code of a web request: with the number it opens the status page, so only its keyed digest is stored."""

from django.utils.crypto import salted_hmac

_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0/O, 1/I/L, U
_LENGTH = 12  # 58 bits


def code_for(seed: str) -> str:
    """The code that grows from this secret seed, as people read it: "7KQM-2XTA-9PHB".

    The same seed gives the same code, so a form that is sent twice, or a receipt that is shown and then printed, says one
    code and nobody stores it; without the server's own secret the seed gives nothing away.
    """
    rest = int.from_bytes(salted_hmac("requests_app.code_for", seed, algorithm="sha256").digest(), "big")
    code = ""
    for _ in range(_LENGTH):
        rest, letter = divmod(rest, len(_LETTERS))
        code += _LETTERS[letter]
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def digest(code: str) -> str:
    """What is stored of a code, however it was typed: keyed, so that a stolen database does not give the codes away."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return salted_hmac("requests_app.code", plain, algorithm="sha256").hexdigest()

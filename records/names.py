"""Names as people have them, and the keys under which they are found. No database here."""

import unicodedata

LAST = "\U0010ffff"  # sorts behind every character a key can hold

# Letters that no decomposition turns into the plain one people type for them.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "ı": "i"})


def key(text: str) -> str:
    """The search key of a name: lower case, without accents, blanks or punctuation. "O'Brien-Peña" → "obrienpena".

    Letters of any script stay. A name with no letter or digit at all gives "".
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if letter.isalnum()).translate(_PLAIN)


def words(text: str) -> list[str]:
    """The keys of the single words of a name. "Carreño Quiñones" → ["carreno", "quinones"]."""
    for mark in "-‐–/,":
        text = text.replace(mark, " ")
    return [found for word in text.split() if (found := key(word))]


def digits(text: str) -> str:
    """The digits of a telephone number or of its beginning, without the country's 1. "+1 (555) 123-4567" → "5551234567"."""
    only = "".join(letter for letter in text if letter in "0123456789")
    has_country = only.startswith("1") and (len(only) == 11 or text.lstrip().startswith("+"))
    return only[1:] if has_country else only


def full_name(first: str, last: str) -> str:
    """The name as it is read; people with one word for a name have just that."""
    return " ".join(part for part in (first, last) if part)

"""Words inside a text: where they stand, and a text with some of them blacked out. Plain functions, no database."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

Place = TypeVar("Place")


@dataclass(frozen=True, order=True)
class Cover:
    """A passage that a copy leaves out: where it begins, its length in characters, and what stands in its place."""

    start: int
    length: int
    why: str

    @property
    def end(self) -> int:
        """The place behind its last character."""
        return self.start + self.length


def places(text: str, passage: str) -> list[tuple[int, str]]:
    """Each place where the passage begins in the text, and its words as they stand there, however its lines are broken."""
    pattern = r"\s+".join(re.escape(word) for word in passage.split())
    return [(match.start(1), match.group(1)) for match in re.finditer(f"(?=({pattern}))", text)] if pattern else []


def the_one(found: list[Place]) -> Place:
    """The only one of these places. Raises ValidationError when there is none, or more than one and so it is not clear."""
    if not found:
        raise ValidationError(_("These words do not stand in the entry exactly so."))
    if len(found) > 1:
        raise ValidationError(_("These words stand in the entry more than once. Take in a few words more."))
    return found[0]


def cut(pieces: Iterable[tuple[str, bool]], covers: Iterable[Cover]) -> list[tuple[str, bool, str]]:
    """The pieces of (text, struck) without the covered words, as (text, struck, why).

    Where a cover begins stands ("", struck, why); what it covers is in no piece. Touching and overlapping covers each
    keep their own words of why.
    """
    found: list[tuple[str, bool, str]] = []
    place, ordered = 0, sorted(covers)
    for text, struck in pieces:
        at, end = place, place + len(text)
        for cover in ordered:
            if cover.end <= place or cover.start >= end:
                continue
            if cover.start > at:
                found.append((text[at - place : cover.start - place], struck, ""))
            if cover.start >= place:
                found.append(("", struck, cover.why))
            at = max(at, min(cover.end, end))
        if at < end:
            found.append((text[at - place :], struck, ""))
        place = end
    return found


def uncovered(text: str, covers: Iterable[Cover]) -> str:
    """What is left of the text."""
    return "".join(piece for piece, _struck, _why in cut([(text, False)], covers))


def same_words(text: str) -> str:
    """The text in the one form in which words are compared: small letters, single blanks."""
    return " ".join(text.split()).casefold()

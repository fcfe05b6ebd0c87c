"""What of a chart that is open to somebody is closed to them all the same: psychotherapy notes are their author's alone.

The flag in force decides, whenever it was laid. Others see that there is such an entry, by whom and of when, and nothing that it
says, nor its files, on any page, print or export; lists, letters and the log call it by what it is (`Entry.called`). Its use is
its originator's (45 CFR 164.508(a)(2)(i)(A)); another physician opens it only to avert a serious and imminent threat, by breaking
the glass (records.models.EmergencyAccess). A release of it is made by the privacy officer unread: docs/security.md.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import prefetch_related_objects

from meso.models import User
from meso.roles import Role
from records.exclusion import Kind
from records.models import EmergencyAccess, Entry, EntryFlag


def shut(entries: Iterable[Entry], user: User, at: datetime) -> None:
    """Take away, from those of these entries that are closed to this person, what they say; to be called before they are shown.

    No query for entries that came `with_marks()` where none is closed; one where one is, one more for their flags.
    """
    others = [entry for entry in entries if entry.author_id != user.pk]
    if others:
        prefetch_related_objects(others, "flags")
    notes = [entry for entry in others if entry.is_notes]
    if not notes:
        return
    opened = EmergencyAccess.objects.lasting(at).filter(by=user, entry__in=notes).values_list("entry_id", flat=True)
    theirs = set(opened)
    for entry in notes:
        if entry.pk not in theirs:
            entry.shut()


def may_see_entry(user: User, entry: Entry, at: datetime) -> bool:
    """Whether this person may read what the entry says: anybody to whom its chart is open, but for psychotherapy notes."""
    if not entry.is_notes or entry.author_id == user.pk:
        return True
    return EmergencyAccess.objects.lasting(at).filter(by=user, entry=entry).exists()


def may_open_copy(user: User, entries: Iterable[Entry]) -> bool:
    """Whether this person may open a finished copy of these entries.

    One that holds psychotherapy notes opens for the privacy officer, who sends it, and for whoever wrote all of them.
    """
    notes = [entry for entry in entries if entry.is_notes]
    return user.role == Role.PRIVACY_OFFICER or all(entry.author_id == user.pk for entry in notes)


def may_take_back(user: User, flag: EntryFlag) -> bool:
    """Whether this person may end the flag. One of psychotherapy notes opens them, so it is their author's to end.

    Where the author wrote elsewhere or is no longer here, a physician ends it, who signs for that and why.
    """
    author = flag.entry.author
    if flag.kind != Kind.PSYCHOTHERAPY_NOTES or author == user:
        return True
    return (author is None or not author.is_active) and user.role == Role.PHYSICIAN

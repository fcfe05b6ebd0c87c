"""Letters and pages of a request that say what an entry says: they open to those to whom the entry is open (records.seeing).

A correction holds the line and the addendum; the answer to a statement, and the statement itself, speak of the disputed entry.
The request and its decision are the desk's own work and stay open to whoever may see requests.
"""

from datetime import datetime

from django.db.models import QuerySet

from meso.models import User
from records import seeing
from records.models import Entry
from requests_app import telling
from requests_app.models import Letter, PatientRequest


def disputed(request: PatientRequest) -> QuerySet[Entry]:
    """The entries that the request's statements and the answers to them are about, with their flags."""
    return Entry.objects.filter(disputes__request=request).prefetch_related("flags")


def by_letter(letter: Letter) -> QuerySet[Entry]:
    """The entries whose words this letter may hold, with their flags; none for what only answers the request."""
    if letter.kind == Letter.Kind.CORRECTION:
        return telling.amended_entries(letter.request)
    return disputed(letter.request) if letter.kind == Letter.Kind.REBUTTAL else Entry.objects.none()


def may_read_statements(user: User, request: PatientRequest, at: datetime) -> bool:
    """Whether this person may read what was said for and against the disputed entries. Two queries, one more for each note."""
    return all(seeing.may_see_entry(user, entry, at) for entry in disputed(request))

"""An entry put right: a line through words, an addendum, or both; for a patient's request or another provider's word."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from meso.models import User
from records.models import Entry
from requests_app.deadlines import NotAllowedNow


def put_right(
    entry: Entry,
    patient_id: int,
    *,
    passage: str | None,
    reason: str,
    addendum: str,
    by: User,
    at: datetime,
    request_number: str = "",
) -> list[str]:
    """The line, the addendum, or both, on an entry of this patient; what was done, in words. Within a transaction.

    Nothing is erased (law.md §3). `passage` is the words to strike, "" for the whole entry, None for no line. Raises
    NotAllowedNow: nothing to do, a line without its reason, words that do not stand in the entry, another chart's entry.
    """
    if passage is None and not addendum.strip():
        raise NotAllowedNow(_("Draw a line, write an addendum, or both."), "addendum")
    if passage is not None and not reason.strip():
        raise NotAllowedNow(_("A line needs its reason: it stands beside the entry."), "reason")
    if entry.patient_id != patient_id or entry.is_misfiled:
        raise NotAllowedNow(_("That entry is not in this patient's record."), "entry")
    done = []
    if passage is not None:
        try:
            entry.strike(by=by, at=at, reason=reason, passage=passage, request_number=request_number)
        except ValidationError as wrong:
            raise NotAllowedNow(" ".join(wrong.messages), "passage") from wrong
        done.append(_("line through words") if passage else _("line through the whole entry"))
    if addendum.strip():
        entry.add_addendum(by=by, at=at, body=addendum, request_number=request_number)
        done.append(_("addendum"))
    return done

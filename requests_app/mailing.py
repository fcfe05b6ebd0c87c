"""What becomes of a letter after it was sent. A letter that comes back was sent all the same: what counts for the clock is
the day it left (law.md §13a). But the patient has not got it, so it must go another way.
"""

from datetime import date, datetime

from django.utils.translation import gettext as _

from meso.models import User
from requests_app import letters
from requests_app.answers import all_or_nothing, sent_event
from requests_app.deadlines import NotAllowedNow, spoken
from requests_app.models import Letter, LetterDelivery
from requests_app.models.timeline import Verb

What = LetterDelivery.What

# what became of a letter last -> what may become of it next; sending it first is answers.send_letter
NEXT: dict[str, frozenset[str]] = {
    "": frozenset(),
    What.SENT: frozenset({What.DELIVERED, What.RETURNED}),
    What.AGAIN: frozenset({What.DELIVERED, What.RETURNED}),
    What.DELIVERED: frozenset({What.RETURNED}),  # taken in at the door, and brought back
    What.RETURNED: frozenset({What.AGAIN}),
}
_VERBS = {What.DELIVERED: Verb.LETTER_DELIVERED, What.RETURNED: Verb.LETTER_RETURNED, What.AGAIN: Verb.LETTER_AGAIN}


def last_of(letter: Letter) -> tuple[str, date | None, str, str]:
    """What became of it last, on which day, how and where it went last; ("", None, "", "") before it was sent."""
    rows = list(letter.deliveries.all())
    gone = [row for row in rows if row.what in (What.SENT, What.AGAIN)]
    if gone:
        return rows[-1].what, rows[-1].on, gone[-1].how, gone[-1].address
    sent = sent_event(letter)  # before deliveries were kept, only the timeline said that it was sent
    if sent is None:
        return "", None, "", ""
    last, last_on = (rows[-1].what, rows[-1].on) if rows else (What.SENT, date.fromisoformat(sent.data["sent_on"]))
    return last, last_on, sent.data["how"], letter.addressed_to


def record(
    letter: Letter,
    what: str,
    *,
    done_on: date,
    how: str = "",
    address: str = "",
    note: str = "",
    by: User,
    at: datetime,
    on: date,
) -> LetterDelivery:
    """Record that it was delivered, came back, or was sent again; also after the request was closed. No clock moves.

    Raises NotAllowedNow: not sent yet, no such thing after what became of it last, a return without a word of it, a day before
    the last thing or in the future, or sent again in the way and to the place from which it came back, or in a way or to a
    place that the patient does not wish.
    """
    with all_or_nothing(letter.request) as me:
        last, last_on, last_how, last_address = last_of(letter)
        _check_order(last, what)
        if last_on is None or not last_on <= done_on <= on:
            words = _("The day must lie between %(day)s and today.") % {"day": spoken(last_on or on)}
            raise NotAllowedNow(words, "done_on")
        if what == What.RETURNED and not note.strip():
            raise NotAllowedNow(_("Write what is known of it, such as: no such number."), "note")
        if what == What.AGAIN and (how, address.split()) == (last_how, last_address.split()):
            raise NotAllowedNow(_("From there it came back. Choose another way or another address."), "address")
        if what == What.AGAIN:
            letters.check_letter_way(letter, how, done_on, address)
        delivery = LetterDelivery.objects.create(
            letter=letter, what=what, on=done_on, how=how, address=address, note=note, by=by, at=at
        )
        facts = {"day": done_on, "how": how, "letter": letter.get_kind_display(), "key": letter.pk}
        me.events.record(_VERBS[What(what)], by=by, at=at, on=on, note=note, **facts)
        return delivery


def _check_order(last: str, what: str) -> None:
    if what in NEXT[last]:
        return
    if not last:
        raise NotAllowedNow(_("This letter has not been sent yet."))
    if what == What.AGAIN:
        raise NotAllowedNow(_("It has not come back. Record that first, or make a message if the patient has lost it."))
    words = {What.DELIVERED: _("It was delivered; that is recorded."), What.RETURNED: _("It came back; send it another way.")}
    raise NotAllowedNow(words.get(What(last), _("That can't be recorded of it now.")))

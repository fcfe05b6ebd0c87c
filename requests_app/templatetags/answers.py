"""The answer of a request as its page shows it: the decision, letters, copies, and what was carried out."""

from dataclasses import dataclass
from datetime import date

from django import template

from disclosures.models import AccountingGiven
from requests_app import carrying_out, grounds
from requests_app.grounds import Ground
from requests_app.kinds import Kind
from requests_app.models import CopyBill, Letter, PatientRequest, RequestEvent
from requests_app.models.timeline import Verb

register = template.Library()

_DONE = {Verb.INSPECTED, Verb.AMENDED, Verb.RESTRICTED, Verb.CONTACT_SET, Verb.ACCOUNTING_GIVEN}


@dataclass(frozen=True)
class Answer:
    """What a request was answered with. Each letter and copy stands beside the event that says it went out, or None."""

    ground: Ground | None
    judged_by: str
    letters: list[tuple[Letter, RequestEvent | None]]
    copies: list[tuple[CopyBill, RequestEvent | None]]
    done: list[RequestEvent]  # what was carried out, but copies: they stand beside their bill
    accounting: AccountingGiven | None  # made, and not given yet
    may_copy: bool

    def __bool__(self) -> bool:
        return bool(self.ground or self.letters or self.copies or self.done or self.accounting or self.may_copy)


@register.simple_tag
def answer_of(request: PatientRequest, on: date) -> Answer:
    """What it was answered with, and what may be done on that day.

    Four queries, and one more for an accounting, however many letters and copies there are.
    """
    events = list(request.events.all())
    sent = {event.data.get("letter"): event for event in events if event.verb == Verb.LETTER_SENT}
    given = {event.data.get("bill"): event for event in events if event.verb == Verb.COPIES_GIVEN}
    made = [event for event in events if event.verb == Verb.LETTER_MADE]
    return Answer(
        grounds.ground(request.kind, request.ground) if request.ground else None,
        next((event.data["judged_by"] for event in reversed(made) if "judged_by" in event.data), ""),
        [(letter, sent.get(str(letter.pk))) for letter in request.letters.prefetch_related("deliveries")],
        [(bill, given.get(str(bill.pk))) for bill in request.bills.select_related("settlement")],
        [event for event in events if event.verb in _DONE],
        None if request.carried_out_on else carrying_out.accounting_of(request),
        request.kind == Kind.ACCESS and not carrying_out.why_not(request, on),
    )

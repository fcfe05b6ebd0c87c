"""The price of copies is told before they are made, and accepted (law.md §2, §12: the approximate fee is told in advance).

A price holds nothing back: the clock runs on, an electronic copy is free where the office says so, and a bill can be waived.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from meso.models import Office, User
from meso.money import in_words
from requests_app import carrying_out, fees, talking, tariff
from requests_app.answers import all_or_nothing
from requests_app.deadlines import NotAllowedNow, spoken
from requests_app.fees import Bill, FeeRefused
from requests_app.kinds import Kind
from requests_app.models import FeeAnswer, FeeQuote, PatientRequest
from requests_app.models.timeline import Verb


def estimate(delivery: str, pages: int | str, postage: Decimal | str, office: Office) -> Bill:
    """What about so many pages on paper, or an electronic copy, would cost by the office's tariff. Raises fees.FeeRefused."""
    return fees.for_delivery(
        delivery,
        pages=0,
        paper_pages=_at("pages", lambda: fees.check_pages(pages)),
        postage=_at("postage", lambda: fees.check_money(postage, _("Postage"))),
        **tariff.rates(office),
    )


def _at(field: str, check: Callable[[], Any]) -> Any:
    """What the check gives; what it refuses is refused at this field."""
    try:
        return check()
    except FeeRefused as refused:
        raise FeeRefused(str(refused), refused.field or field) from refused


def tell(
    request: PatientRequest,
    *,
    delivery: str,
    pages: int | str,
    postage: Decimal | str,
    told_on: date,
    how: str,
    by: User,
    at: datetime,
    on: date,
    office: Office,
) -> FeeQuote:
    """Record that the patient was told this price, on that day and in that way. A later price takes its place.

    Raises NotAllowedNow: no request for access, a closed one, a day that can't be, a way the patient does not wish, a figure
    that the tariff refuses.
    """
    with all_or_nothing(request) as me:
        if me.kind != Kind.ACCESS or (not me.is_open and carrying_out.why_not(me, on)):  # a reviewed denial is copied later
            raise NotAllowedNow(_("Only an open request for access has a price."))
        if not me.received_on <= told_on <= on:
            raise NotAllowedNow(_("The day must lie between the receipt and today."), "told_on")
        if refusal := talking.why_not_by(me, how, on):
            raise NotAllowedNow(refusal, "how")
        try:
            bill = estimate(delivery, pages, postage, office)
        except FeeRefused as refused:
            raise NotAllowedNow(str(refused), refused.field) from refused
        quote = FeeQuote.objects.create(
            request=me, delivery=delivery, pages=bill.pages, rate=bill.per_page, copies=bill.copies, postage=bill.postage,
            total=bill.total, told_on=told_on, how=how, by=by, at=at,
        )  # fmt: skip
        words: dict[str, Any] = {"day": told_on, "how": talking.Way(how).label, "total": in_words(bill.total), "quote": quote.pk}
        me.events.record(Verb.FEE_TOLD, by=by, at=at, on=on, **words)
        return quote


def answer(quote: FeeQuote, what: str, *, said_on: date, how: str, note: str = "", by: User, at: datetime, on: date) -> FeeAnswer:
    """Record what the patient said to this price. Raises NotAllowedNow for a second answer, or a day that can't be."""
    with all_or_nothing(quote.request) as me:
        if FeeAnswer.objects.filter(quote=quote).exists():
            raise NotAllowedNow(_("The answer to this price is recorded. Tell the price anew if it has changed."))
        if not quote.told_on <= said_on <= on:
            words = _("The day must lie between %(day)s and today.") % {"day": spoken(quote.told_on)}
            raise NotAllowedNow(words, "said_on")
        given = FeeAnswer.objects.create(quote=quote, what=what, on=said_on, how=how, note=note, by=by, at=at)
        facts = {"day": said_on, "answer": FeeAnswer.What(what).label, "total": in_words(quote.total)}
        me.events.record(Verb.FEE_ANSWERED, by=by, at=at, on=on, note=note, **facts)
        return given


def why_not_bill(request: PatientRequest, total: Decimal) -> str:
    """Why copies with a bill of so many dollars can't be made now, in words for the desk; "" when they can.

    What costs nothing needs no price; nor does a bill that the office waives.
    """
    if not total:
        return ""
    quote = request.fee_quotes.standing()
    words = {"bill": in_words(total), "told": in_words(quote.total) if quote else ""}
    if quote is None:
        return _("The patient has not been told the price, %(bill)s. Tell it first, or waive it.") % words
    if total > quote.total:
        return _("The bill of %(bill)s is more than the price that was told, %(told)s. Tell it anew, or waive it.") % words
    if not quote.is_accepted:
        return _("The patient has not accepted the price, %(told)s. Record the answer, or waive it.") % words
    return ""

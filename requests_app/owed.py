"""What is still owed once a request is answered, for the dashboard: each line a link to the page that does it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, islice
from typing import Any

from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from meso import dashboard
from meso.roles import may
from requests_app.deadlines import spoken
from requests_app.kinds import Kind, Outcome
from requests_app.models import (
    DenialReview,
    InboundAmendment,
    PatientRequest,
    Rebuttal,
    Recipient,
    RequestEvent,
    ReviewOutcome,
    Telling,
)
from requests_app.models.timeline import Verb

SHOWN = 10
ASK_WITHIN = timedelta(days=60)  # so long after an amendment the desk is reminded to ask whom to tell


@dataclass(frozen=True)
class Owed:
    """One thing owed: what, why, and the page that does it."""

    what: str
    why: str
    url: str


@dashboard.register(permission="request.view", template="requests_app/_owed.html", order=15, wide=True)
def owed_card(request: HttpRequest, on: date) -> dict[str, Any]:
    """At most SHOWN lines for this person; a fixed number of queries, each of so many rows at most."""
    parts = []
    if may(request.user, "entry.addendum"):
        parts.append(_inbound())
    if may(request.user, "request.decide"):
        parts.append(_reviews())
    if may(request.user, "request.carry_out"):
        parts += [_overturned(), _recipients(), _not_asked(on)]
    if may(request.user, "request.send"):
        parts.append(_rebuttals())
    return {"rows": list(islice(chain(*parts), SHOWN))}


def _inbound() -> Iterator[Owed]:
    for told in InboundAmendment.objects.filter(answer=None).order_by("told_on", "id").select_related("patient")[:SHOWN]:
        what = _("Chart %(chart)s: another provider amended what we hold too") % {"chart": told.patient.chart_number}
        why = _("told on %(day)s; amend ours or say why not (45 CFR 164.526(e))") % {"day": spoken(told.told_on)}
        yield Owed(what, why, reverse("inbound", args=[told.pk]))


def _reviews() -> Iterator[Owed]:
    waiting = DenialReview.objects.filter(outcome=None).order_by("asked_on", "id").select_related("request")
    for review in waiting.prefetch_related("referrals")[:SHOWN]:
        with_whom = review.referrals.all()
        what = _("%(number)s: review of the denial") % {"number": review.request.number}
        if with_whom:
            last = list(with_whom)[-1]
            why = _("with %(who)s since %(day)s") % {"who": last.name, "day": spoken(last.referred_on)}
        else:
            why = _("asked for on %(day)s: name the reviewer promptly (45 CFR 164.524(d)(4))") % {"day": spoken(review.asked_on)}
        yield Owed(what, why, review.request.get_absolute_url() + "#review")


def _overturned() -> Iterator[Owed]:
    owed = ReviewOutcome.objects.filter(given=None, result=ReviewOutcome.Result.OVERTURNED).order_by("decided_on", "id")
    for outcome in owed.select_related("review__request")[:SHOWN]:
        asked = outcome.review.request
        what = _("%(number)s: give what the review has opened") % {"number": asked.number}
        why = _("decided on %(day)s") % {"day": spoken(outcome.decided_on)}
        yield Owed(what, why, reverse("request_carry_out", args=[asked.number]))


def _recipients() -> Iterator[Owed]:
    told = Telling.objects.filter(recipient=OuterRef("pk"), outcome=Telling.How.TOLD)
    for one in Recipient.objects.filter(~Exists(told)).order_by("added_on", "id").select_related("request")[:SHOWN]:
        what = _("%(number)s: tell of the correction") % {"number": one.request.number}
        why = f"{one.name}: {one.get_why_display()}"
        yield Owed(what, why, reverse("request_telling", args=[one.request.number, one.pk]))


def _not_asked(on: date) -> Iterator[Owed]:
    said = RequestEvent.objects.filter(request=OuterRef("pk"), verb=Verb.ASKED_WHOM)
    amended = PatientRequest.objects.filter(
        kind=Kind.AMENDMENT,
        outcome__in=[Outcome.GRANTED, Outcome.GRANTED_IN_PART],
        carried_out_on__range=(on - ASK_WITHIN, on),
    ).filter(Q(closed_on=None) | Q(closed_on__gte=on - ASK_WITHIN))  # the index is by the day of closing
    for asked in amended.filter(~Exists(said)).order_by("carried_out_on", "id")[:SHOWN]:
        what = _("%(number)s: ask the patient whom to tell of the correction") % {"number": asked.number}
        why = _("amended on %(day)s (45 CFR 164.526(c)(2))") % {"day": spoken(asked.carried_out_on)}  # type: ignore[arg-type]
        yield Owed(what, why, reverse("request_tell", args=[asked.number]))


def _rebuttals() -> Iterator[Owed]:
    events = RequestEvent.objects.filter(request=OuterRef("disagreement__request"), verb=Verb.LETTER_SENT)
    sent = events.annotate(which=KeyTextTransform("letter", "data")).filter(which=OuterRef("which"))
    waiting = Rebuttal.objects.annotate(which=Cast("letter", CharField())).filter(~Exists(sent))
    for rebuttal in waiting.order_by("id").select_related("disagreement__request")[:SHOWN]:
        asked = rebuttal.disagreement.request
        what = _("%(number)s: send the patient our answer to the statement") % {"number": asked.number}
        why = _("written on %(day)s, final once it is sent (45 CFR 164.526(d)(3))") % {"day": spoken(rebuttal.written_on)}
        yield Owed(what, why, asked.get_absolute_url() + "#answer")

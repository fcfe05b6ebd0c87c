"""What is still owed once a request is answered, for the order of the day: each a task with the page that does it.

The days are the office's own targets: the law says "promptly" and "in reasonable time" (law.md §2, §3).
"""

from collections.abc import Iterator
from datetime import date, timedelta

from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from meso import today
from meso.today import MOST, Task
from requests_app.deadlines import spoken
from requests_app.kinds import AGREED_TO, Kind
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

ASK_WITHIN = timedelta(days=60)  # so long after an amendment the desk is reminded to ask whom to tell
PROMPTLY, IN_REASONABLE_TIME = timedelta(days=7), timedelta(days=30)


@today.source("entry.addendum")
def inbound_amendments(request: HttpRequest, on: date) -> Iterator[Task]:
    """What other providers told us and the physician has not answered."""
    for told in InboundAmendment.objects.filter(answer=None).order_by("told_on", "id").select_related("patient")[:MOST]:
        what = _("Chart %(chart)s: another provider amended what we hold too") % {"chart": told.patient.chart_number}
        why = _("told on %(day)s; amend ours or say why not (45 CFR 164.526(e))") % {"day": spoken(told.told_on)}
        yield Task(what, why, reverse("inbound", args=[told.pk]), told.told_on + IN_REASONABLE_TIME)


@today.source("request.decide")
def reviews_to_make(request: HttpRequest, on: date) -> Iterator[Task]:
    """Reviews of denials that are asked for and not decided."""
    waiting = DenialReview.objects.filter(outcome=None).order_by("asked_on", "id").select_related("request")
    for review in waiting.prefetch_related("referrals")[:MOST]:
        with_whom = review.referrals.all()
        what = _("%(number)s: review of the denial") % {"number": review.request.number}
        if with_whom:
            last = list(with_whom)[-1]
            why = _("with %(who)s since %(day)s") % {"who": last.name, "day": spoken(last.referred_on)}
        else:
            why = _("asked for on %(day)s: name the reviewer promptly (45 CFR 164.524(d)(4))") % {"day": spoken(review.asked_on)}
        yield Task(what, why, review.request.get_absolute_url() + "#review", review.asked_on + PROMPTLY)


@today.source("request.carry_out")
def access_opened_by_a_review(request: HttpRequest, on: date) -> Iterator[Task]:
    """Denials that were overturned and whose access is not given."""
    owed = ReviewOutcome.objects.filter(given=None, result=ReviewOutcome.Result.OVERTURNED).order_by("decided_on", "id")
    for outcome in owed.select_related("review__request")[:MOST]:
        asked = outcome.review.request
        what = _("%(number)s: give what the review has opened") % {"number": asked.number}
        why = _("decided on %(day)s") % {"day": spoken(outcome.decided_on)}
        yield Task(what, why, reverse("request_carry_out", args=[asked.number]), outcome.decided_on + PROMPTLY)


@today.source("request.carry_out")
def people_to_tell(request: HttpRequest, on: date) -> Iterator[Task]:
    """Who is to be told of a correction and is not."""
    told = Telling.objects.filter(recipient=OuterRef("pk"), outcome=Telling.How.TOLD)
    for one in Recipient.objects.filter(~Exists(told)).order_by("added_on", "id").select_related("request")[:MOST]:
        what = _("%(number)s: tell of the correction") % {"number": one.request.number}
        why = f"{one.name}: {one.get_why_display()}"
        yield Task(what, why, reverse("request_telling", args=[one.request.number, one.pk]), one.added_on + IN_REASONABLE_TIME)


@today.source("request.carry_out")
def whom_to_ask(request: HttpRequest, on: date) -> Iterator[Task]:
    """Amendments whose patient was not asked whom to tell."""
    said = RequestEvent.objects.filter(request=OuterRef("pk"), verb=Verb.ASKED_WHOM)
    amended = PatientRequest.objects.filter(
        kind=Kind.AMENDMENT,
        outcome__in=AGREED_TO,
        carried_out_on__range=(on - ASK_WITHIN, on),
    ).filter(Q(closed_on=None) | Q(closed_on__gte=on - ASK_WITHIN))  # the index is by the day of closing
    for asked in amended.filter(~Exists(said)).order_by("carried_out_on", "id")[:MOST]:
        what = _("%(number)s: ask the patient whom to tell of the correction") % {"number": asked.number}
        why = _("amended on %(day)s (45 CFR 164.526(c)(2))") % {"day": spoken(asked.carried_out_on)}  # type: ignore[arg-type]
        due = asked.carried_out_on + IN_REASONABLE_TIME  # type: ignore[operator]
        yield Task(what, why, reverse("request_tell", args=[asked.number]), due)


@today.source("request.send")
def rebuttals_to_send(request: HttpRequest, on: date) -> Iterator[Task]:
    """Answers to statements whose copy the patient has not been sent."""
    events = RequestEvent.objects.filter(request=OuterRef("disagreement__request"), verb=Verb.LETTER_SENT)
    sent = events.annotate(which=KeyTextTransform("letter", "data")).filter(which=OuterRef("which"))
    waiting = Rebuttal.objects.annotate(which=Cast("letter", CharField())).filter(~Exists(sent))
    for rebuttal in waiting.order_by("id").select_related("disagreement__request")[:MOST]:
        asked = rebuttal.disagreement.request
        what = _("%(number)s: send the patient our answer to the statement") % {"number": asked.number}
        why = _("written on %(day)s, final once it is sent (45 CFR 164.526(d)(3))") % {"day": spoken(rebuttal.written_on)}
        yield Task(what, why, asked.get_absolute_url() + "#answer", rebuttal.written_on + PROMPTLY)

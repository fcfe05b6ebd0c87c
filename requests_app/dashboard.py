"""The dashboard's part about requests: what is overdue, four figures, and the clocks that end first."""

from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from meso import clock, dashboard, today
from meso.http import HttpRequest
from meso.roles import may
from meso.today import Task
from requests_app import checklist
from requests_app.kinds import Kind, Step
from requests_app.models import LetterDelivery, PatientRequest

SHOWN = 10
NAMED_LATE = 5


@dashboard.register(permission="request.view", template="requests_app/_dashboard.html", order=10, wide=True)
def requests_card(request: HttpRequest, on: date) -> dict[str, Any]:
    """Three queries, however many requests there are."""
    PatientRequest.objects.note_overdue(on=on, at=clock.now())
    theirs = PatientRequest.objects.seen_by(request.user, clock.now())
    rows = list(theirs.due_soonest().with_waiting().select_related("patient", "assignee")[:SHOWN])
    late = [row for row in rows if row.days_left(on) < 0][:NAMED_LATE]
    return {"figures": theirs.figures(on), "rows": rows, "late": late}


@today.source("request.view")
def next_steps(request: HttpRequest, on: date) -> list[Task]:
    """The next step of each open request that is this person's to do, the soonest due first. One query, bounded."""
    theirs = {step: [kind for kind in Kind.values if may(request.user, checklist.page_of(step, kind)[0])] for step in Step}
    waiting = (
        PatientRequest.objects.seen_by(request.user, clock.now())
        .waiting_for(request.user, theirs)
        .order_by("due_on", "pk")[: today.MOST]
    )
    return [_task(asked, asked.steps_left()[0]) for asked in waiting]


def _task(asked: PatientRequest, step: Step) -> Task:
    label = checklist.CARRY_OUT[asked.kind] if step == Step.CARRY_OUT else step.label
    _permission, page = checklist.page_of(step, asked.kind)
    what = _("%(number)s: %(step)s") % {"number": asked.number, "step": label}
    return Task(
        what, asked.get_kind_display(), reverse(page, args=[asked.number]) if page else asked.get_absolute_url(), asked.due_on
    )


@today.source("request.send")
def letters_that_came_back(request: HttpRequest, on: date) -> list[Task]:
    """The letters that came back and must go another way, the oldest first. One query."""
    returned = LetterDelivery.objects.came_back().select_related("letter__request").defer("letter__document")[: today.MOST]
    return [_another_way(delivery) for delivery in returned]


def _another_way(delivery: LetterDelivery) -> Task:
    letter = delivery.letter
    what = _("%(number)s: send the letter another way") % {"number": letter.request.number}
    why = _("It came back on %(day)s") % {"day": date_format(delivery.on, "SHORT_DAY")}
    return Task(what, why, reverse("letter_delivery", args=[letter.request.number, letter.pk]))

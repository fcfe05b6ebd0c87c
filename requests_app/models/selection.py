"""Which requests: the words that lists, cards, mails and commands share, and the numbers by which people name a request."""

from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_

from django.db import models, transaction
from django.db.models import OuterRef, Q
from django.db.models.fields.json import KT

from meso.days import SOON_DAYS
from meso.models import User
from records import guarding
from requests_app.kinds import ANSWERED_BY_THE_THING_ITSELF, NOTHING_GIVEN, Outcome, Step
from requests_app.models.timeline import RequestEvent, Verb

FIRST_NUMBER = 1000  # request numbers begin behind it: R-1001


def parse_number(number: str) -> int | None:
    """The key behind a request number, or None: "R-1042", "r1042" and "1042" are the same."""
    digits = number.strip().upper().removeprefix("R").lstrip("- ")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 12):
        return None
    return int(digits) - FIRST_NUMBER if int(digits) > FIRST_NUMBER else None


_NOT_DENIED = ~Q(outcome__in=NOTHING_GIVEN)
_NEEDS_LETTER = ~Q(outcome__in=["", Outcome.GRANTED], kind__in=ANSWERED_BY_THE_THING_ITSELF)

# The twin of PatientRequest.steps_left, for the database: which open requests still have this step before them.
STEP_LEFT: dict[Step, Q] = {
    Step.MATCH: _NOT_DENIED & Q(patient=None),
    Step.VERIFY: _NOT_DENIED & Q(identity_checked_on=None),
    Step.DECIDE: Q(outcome=""),
    Step.CARRY_OUT: _NOT_DENIED & Q(carried_out_on=None),
    Step.SEND: _NEEDS_LETTER & Q(letter_sent_on=None),
}


def is_next(step: Step) -> Q:
    """This step is left, and none before it."""
    return reduce(lambda found, earlier: found & ~STEP_LEFT[earlier], list(Step)[: list(Step).index(step)], STEP_LEFT[step])


class PatientRequestQuerySet(models.QuerySet):
    """Which requests."""

    def seen_by(self, user: User, at: datetime) -> "PatientRequestQuerySet":
        """Those that this person may open: requests about a guarded chart that is closed to them are left out. No query more."""
        return self.exclude(patient__in=guarding.closed_to(user, at))

    def open(self) -> "PatientRequestQuerySet":
        """Not yet answered."""
        return self.filter(closed_on=None)

    def closed(self) -> "PatientRequestQuerySet":
        """Answered, withdrawn, or taken over as a thing of the past."""
        return self.exclude(closed_on=None)

    def overdue(self, on: date) -> "PatientRequestQuerySet":
        """Open, and the due date lies before the day."""
        return self.open().filter(due_on__lt=on)

    def due_soon(self, on: date) -> "PatientRequestQuerySet":
        """Open, and due on the day or in the week behind it."""
        return self.open().filter(due_on__range=(on, on + timedelta(days=SOON_DAYS)))

    def due_soonest(self) -> "PatientRequestQuerySet":
        """Open ones, the soonest due date first."""
        return self.open().order_by("due_on", "pk")

    def at_step(self, step: Step) -> "PatientRequestQuerySet":
        """Open, and this is the next step: what comes before it is done or not needed."""
        return self.open().filter(is_next(step))

    def waiting_for(self, user: User, steps: dict[Step, list[str]]) -> "PatientRequestQuerySet":
        """Open, the next step is one of these for its kind, and it lies on this person's desk or on nobody's."""
        theirs = reduce(or_, (is_next(step) & Q(kind__in=kinds) for step, kinds in steps.items()), Q(pk=None))
        return self.open().filter(theirs, Q(assignee=None) | Q(assignee=user))

    def with_waiting(self) -> "PatientRequestQuerySet":
        """Each with `waiting`: whom the office waits for in words, or "" or None. No query more."""
        said = RequestEvent.objects.filter(request=OuterRef("pk"), verb__in=[Verb.WAITING, Verb.WAITED]).order_by("-id")
        return self.annotate(waiting=models.Subquery(said.values(words=KT("data__words"))[:1]))

    def by_number(self, number: str) -> "PatientRequestQuerySet":
        """The request with this number ("R-1042"); none for text that is no number."""
        pk = parse_number(number)
        return self.filter(pk=pk) if pk else self.none()

    def figures(self, on: date) -> dict[str, int]:
        """How many are open, overdue, due within the week, and without a chart. One query over the open ones."""
        soon = Q(due_on__range=(on, on + timedelta(days=SOON_DAYS)))
        return self.open().aggregate(
            open=models.Count("pk"),
            overdue=models.Count("pk", filter=Q(due_on__lt=on)),
            due_soon=models.Count("pk", filter=soon),
            to_match=models.Count("pk", filter=STEP_LEFT[Step.MATCH]),
        )

    def note_overdue(self, *, on: date, at: datetime) -> int:
        """Write the overdue event of each request that has passed its due date since the last look. Returns how many.

        Costs one query when there is none. A request whose clock is moved and passes again gets a second event.
        """
        noted = RequestEvent.objects.filter(request=OuterRef("pk"), verb=Verb.OVERDUE, on__gt=OuterRef("due_on"))
        late = self.overdue(on).filter(~models.Exists(noted))
        # In the order of the open ones' index: else PostgreSQL, which thinks most due dates have passed, reads every request.
        if not late.order_by("due_on", "pk").values_list("pk", flat=True)[:1]:
            return 0
        with transaction.atomic():
            locked = list(late.order_by("pk").select_for_update().values_list("pk", flat=True))
            # Asked again behind the lock: who held it before may have noted the same ones.
            found = list(late.filter(pk__in=locked).values_list("pk", "due_on"))
            RequestEvent.objects.bulk_create(
                RequestEvent(request_id=pk, verb=Verb.OVERDUE, at=at, on=on, data={"due_on": due.isoformat()})
                for pk, due in found
            )
        return len(found)

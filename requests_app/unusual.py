"""Looks at charts that somebody should look through: plain rules over the audit's events of a span (164.308(a)(1)(ii)(D)).

Nothing here says that a look was wrong. The events are read once and counted by person, chart and day of the office; what the
rules ask of patients, visits and requests is fetched once for all charts of the span.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from disclosures.models import Disclosure, Release
from meso import clock
from meso.audit import BY_COMMAND, Action
from meso.models import AccessEvent, Office, User
from records import names
from records.models import ChartGuard, Entry, Patient
from requests_app.models import AccessReview, Appointment, PatientRequest
from requests_app.models.looks import Rule

NEAR = 14  # days on either side of a look within which a visit, a request or a release explains it
CHARTS_AN_HOUR, CHARTS_A_DAY, OUTPUTS_A_DAY = 30, 100, 10  # more than so many by one person are many: decisions, not law

_OUTPUTS = (Action.PRINT, Action.DOWNLOAD, Action.EXPORT)
_LOOKS = (Action.VIEW, Action.CREATE, Action.CHANGE, Action.CHECK, *_OUTPUTS)
_WAYS = {"st": "street", "ave": "avenue", "av": "avenue", "rd": "road", "dr": "drive", "ln": "lane", "blvd": "boulevard"}
WHY = _("Opened without a visit near, after hours, or by somebody with the same name, for instance")
_HOUR = timedelta(hours=1)
_RANK = {rule: place for place, rule in enumerate(Rule)}


@dataclass(frozen=True)
class Finding:
    """One line of the queue: who, whose chart ("" for many), on which day of the office, how often, and why it is listed."""

    rule: Rule
    about: User
    chart: str
    day: date
    looks: int
    first: datetime
    last: datetime

    @property
    def key(self) -> str:
        """What names the line in a form."""
        return f"{self.rule}.{self.about.pk}.{self.day.isoformat()}.{self.looks}.{self.chart}"

    @property
    def why(self) -> str:
        """Why it is listed, in words."""
        return str(self.rule.label)


@dataclass(frozen=True)
class _Group:
    """The looks of one person at one chart on one day."""

    user: int
    chart: str
    day: date
    looks: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class _Person:
    """A member of the staff, by keys."""

    first: str
    last: str
    street: str


class _Hour:
    """One person's charts of the last hour, look by look, and the most that they ever were."""

    def __init__(self) -> None:
        self._seen: deque[tuple[datetime, str]] = deque()
        self._charts: dict[str, int] = defaultdict(int)
        self.most = 0

    def add(self, chart: str, at: datetime) -> None:
        """One more look, no earlier than the one before."""
        self._seen.append((at, chart))
        self._charts[chart] += 1
        while self._seen[0][0] <= at - _HOUR:
            gone = self._seen.popleft()[1]
            self._charts[gone] -= 1
            if not self._charts[gone]:
                del self._charts[gone]
        self.most = max(self.most, len(self._charts))


@dataclass
class _Charts:
    """What the rules ask about the charts of the span, by chart number."""

    patients: dict[str, Patient]
    guards: dict[str, str]
    days: dict[str, list[date]]  # of visits, releases and the like, sorted
    requests: dict[str, list[tuple[date, date | None]]]  # received, closed


def street(address: str) -> str:
    """The key of a street in an address, without the house's number: "12 Elm St." and "140 Elm Street" are one."""
    words = [_WAYS.get(word, word) for word in names.words(address) if not any(letter.isdigit() for letter in word)]
    return "".join(words)


def findings(since: date, until: date, office: Office) -> list[Finding]:
    """Every unusual look from `since` to `until` that nobody has signed off, gravest and newest first. At most 16 queries."""
    events = _events(since, until)
    groups, crowds, outputs = _counted(events, since, until)
    people = {user.pk: user for user in User.objects.filter(pk__in={group.user for group in groups})}
    charts = _charts(events, since, until)
    found = [*_ways_in(since, until), *_single(groups, people, charts, office), *_many(groups, people, crowds, outputs)]
    done = AccessReview.objects.filter(day__gte=since, day__lte=until)
    signed = set(done.values_list("rule", "about", "chart_number", "day", "looks"))
    if signed:
        found = [one for one in found if (one.rule, one.about.pk, one.chart, one.day, one.looks) not in signed]
    return sorted(found, key=lambda one: (_RANK[one.rule], -one.day.toordinal(), one.about.pk, one.chart))


def _events(since: date, until: date) -> QuerySet[AccessEvent]:
    span = AccessEvent.objects.between(clock.midnight(since), clock.midnight(until + timedelta(days=1)))
    looks = span.filter(action__in=_LOOKS, user__isnull=False).exclude(chart_number="")
    return looks.exclude(subject__startswith="review ")  # signing off a line is no look at its chart


def _ways_in(since: date, until: date) -> Iterator[Finding]:
    """Logins whose password or second factor somebody else changed: whoever can do that can log in as that person."""
    span = AccessEvent.objects.between(clock.midnight(since), clock.midnight(until + timedelta(days=1)))
    changed = Q(user__isnull=False) & (Q(detail__contains="password") | Q(detail__contains="removed")) | Q(detail=BY_COMMAND)
    changes = span.filter(changed, action=Action.CHANGE, subject__startswith="staff ")
    found: dict[tuple[int, date], list[datetime]] = defaultdict(list)
    for subject, by, at in changes.order_by("at").values_list("subject", "user", "at"):
        whose = int(subject.removeprefix("staff "))
        if whose != by:
            found[whose, clock.office_day(at)].append(at)
    people = User.objects.in_bulk({whose for whose, _day in found})
    for (whose, day), times in found.items():
        if whose in people:
            yield Finding(Rule.WAY_IN, people[whose], "", day, len(times), times[0], times[-1])


def _counted(
    events: QuerySet[AccessEvent], since: date, until: date
) -> tuple[list[_Group], dict[tuple[int, date], int], dict[tuple[int, date], int]]:
    """The events, read once: looks by person, chart and day; by person and day the most charts in an hour, and the prints."""
    days = [since + timedelta(days=number) for number in range((until - since).days + 1)]
    midnights = [clock.midnight(day) for day in days]
    groups: dict[tuple[int, str, date], list[Any]] = {}
    hours: dict[tuple[int, date], _Hour] = defaultdict(_Hour)
    outputs: dict[tuple[int, date], int] = defaultdict(int)
    rows = events.order_by("at").values_list("user", "chart_number", "at", "action")
    for user, chart, at, action in rows.iterator(chunk_size=5000):
        day = days[bisect_right(midnights, at) - 1]
        counted = groups.setdefault((user, chart, day), [0, at, at])
        counted[0] += 1
        counted[2] = at
        hours[user, day].add(chart, at)
        if action in _OUTPUTS:
            outputs[user, day] += 1
    crowds = {key: hour.most for key, hour in hours.items()}
    return [_Group(*key, *counted) for key, counted in groups.items()], crowds, outputs


def _charts(events: QuerySet[AccessEvent], since: date, until: date) -> _Charts:
    """What is known of these charts. Eight queries, however many there are."""
    numbers = events.order_by().values("chart_number")
    near = (since - timedelta(days=NEAR), until + timedelta(days=NEAR))
    fields = ("chart_number", "first_key", "last_key", "address_1", "registered_at")
    patients = {one.chart_number: one for one in Patient.objects.filter(chart_number__in=numbers).only(*fields)}
    guards = ChartGuard.objects.in_force().values_list("patient__chart_number", "kind")
    days: dict[str, list[date]] = defaultdict(list)
    for chart, one in patients.items():
        days[chart].append(clock.office_day(one.registered_at))
    ours = {"patient__chart_number__in": numbers}
    for rows in (
        Entry.objects.filter(service_on__range=near, **ours).values_list("patient__chart_number", "service_on"),
        Disclosure.objects.filter(disclosed_on__range=near, **ours).values_list("patient__chart_number", "disclosed_on"),
        Release.objects.filter(released_on__range=near, **ours).values_list("patient__chart_number", "released_on"),
        Appointment.objects.filter(day__range=near, request__patient__chart_number__in=numbers).values_list(
            "request__patient__chart_number", "day"
        ),
    ):
        for chart, day in rows.order_by().distinct():
            days[chart].append(day)
    requests: dict[str, list[tuple[date, date | None]]] = defaultdict(list)
    asked = PatientRequest.objects.filter(received_on__lte=near[1], **ours)
    for chart, received, closed in asked.values_list("patient__chart_number", "received_on", "closed_on"):
        requests[chart].append((received, closed))
    return _Charts(patients, dict(guards), {chart: sorted(set(some)) for chart, some in days.items()}, requests)


def _single(groups: Iterable[_Group], people: dict[int, User], charts: _Charts, office: Office) -> Iterator[Finding]:
    """What the rules say of one person's looks at one chart on one day."""
    every = User.objects.values_list("pk", "first_name", "last_name", "home_street")
    staff = {pk: _Person(names.key(first), names.key(last), street(home)) for pk, first, last, home in every}
    named = {(one.first, one.last) for one in staff.values() if one.first and one.last}
    hours = {day: office.hours(day) for day in {group.day for group in groups}}
    for group in groups:
        rules: list[Rule | None] = []
        patient, open_hours = charts.patients.get(group.chart), hours[group.day]
        if patient:
            rules.append(_of_person(staff[group.user], patient, named, charts.guards.get(group.chart, "")))
            rules.append(None if _explained(charts, group.chart, group.day) else Rule.NO_VISIT)
        if open_hours is None or group.first < open_hours[0] or group.last >= open_hours[1]:
            rules.append(Rule.AFTER_HOURS)
        for rule in filter(None, rules):
            yield Finding(rule, people[group.user], group.chart, group.day, group.looks, group.first, group.last)


def _of_person(who: _Person, patient: Patient, staff: set[tuple[str, str]], guard: str) -> Rule | None:
    """The gravest thing that the two have to do with each other, or None."""
    name = (patient.first_key, patient.last_key)
    if name == (who.first, who.last):
        return Rule.OWN
    if guard == ChartGuard.Kind.STAFF or name in staff:
        return Rule.COLLEAGUE
    if guard:
        return Rule.GUARDED
    if who.last and who.last == patient.last_key:
        return Rule.SURNAME
    return Rule.STREET if who.street and who.street == street(patient.address_1) else None


def _explained(charts: _Charts, chart: str, day: date) -> bool:
    """Whether a visit, a release, an appointment or an open request lies near that day."""
    some, near = charts.days.get(chart, []), timedelta(days=NEAR)
    place = bisect_left(some, day - near)
    if place < len(some) and some[place] <= day + near:
        return True
    return any(
        received <= day + near and (closed is None or closed >= day - near) for received, closed in charts.requests.get(chart, [])
    )


def _many(
    groups: list[_Group],
    people: dict[int, User],
    crowds: dict[tuple[int, date], int],
    outputs: dict[tuple[int, date], int],
) -> Iterator[Finding]:
    """Those who opened many charts in an hour or a day, or let much out."""
    by_person: dict[tuple[int, date], list[_Group]] = defaultdict(list)
    for group in groups:
        by_person[group.user, group.day].append(group)
    for (user, day), some in by_person.items():
        if len(some) > CHARTS_A_DAY or crowds[user, day] > CHARTS_AN_HOUR:
            yield _of_day(Rule.CHARTS, people[user], day, len(some), some)
        if outputs.get((user, day), 0) > OUTPUTS_A_DAY:
            yield _of_day(Rule.EXPORTS, people[user], day, outputs[user, day], some)


def _of_day(rule: Rule, who: User, day: date, number: int, some: list[_Group]) -> Finding:
    return Finding(rule, who, "", day, number, min(one.first for one in some), max(one.last for one in some))

"""The patient's request: what was asked, its clock, and everything that may be done to it.

Each act is one method that locks the row, checks the rule, changes the named fields and writes the timeline, all or
nothing. Nothing but `extend` and `correct_receipt` moves a due date, and nothing pauses a clock (law.md §1).
"""

import secrets
from datetime import date, datetime
from typing import Any

from django.db import models, transaction
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso import clock
from meso.models import Office, User
from records.models import Patient
from requests_app import deadlines, grounds
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import ANSWERED_BY_THE_THING_ITSELF, Channel, Kind, Outcome, Step
from requests_app.models.timeline import RequestEvent, Verb

FIRST_NUMBER = 1000  # request numbers begin behind it: R-1001
_CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0/O, 1/I/L, U


class PatientRequestQuerySet(models.QuerySet):
    """Which requests."""

    def open(self) -> "PatientRequestQuerySet":
        """Not yet answered."""
        return self.filter(closed_on=None)

    def overdue(self, on: date) -> "PatientRequestQuerySet":
        """Open, and the due date lies before the day."""
        return self.open().filter(due_on__lt=on)

    def due_soonest(self) -> "PatientRequestQuerySet":
        """Open ones, the soonest due date first."""
        return self.open().order_by("due_on", "pk")

    def by_number(self, number: str) -> "PatientRequestQuerySet":
        """The request with this number ("R-1042"); none for text that is no number."""
        pk = parse_number(number)
        return self.filter(pk=pk) if pk else self.none()

    def note_overdue(self, *, on: date, at: datetime) -> int:
        """Write the overdue event of each request that has passed its due date since the last look. Returns how many."""
        noted = RequestEvent.objects.filter(request=models.OuterRef("pk"), verb=Verb.OVERDUE)
        late = self.overdue(on).filter(~models.Exists(noted))
        if not late.exists():
            return 0
        with transaction.atomic():
            found = list(late.select_for_update())
            for request in found:
                request.events.record(Verb.OVERDUE, by=None, at=at, on=on, due_on=request.due_on)
        return len(found)


def parse_number(number: str) -> int | None:
    """The key behind a request number, or None: "R-1042", "r1042" and "1042" are the same."""
    digits = number.strip().upper().removeprefix("R").lstrip("- ")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 12):
        return None
    return int(digits) - FIRST_NUMBER if int(digits) > FIRST_NUMBER else None


class PatientRequest(models.Model):
    """One request of one patient, of one kind, with its own clock.

    Dates are office days. `promised_days` and `rule_version` are pinned at receipt, so a later change of the office's
    promise leaves this clock alone (law.md §0).
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="requests")
    kind = models.CharField(_("kind"), max_length=30, choices=Kind.choices)
    channel = models.CharField(_("how it came"), max_length=12, choices=Channel.choices)
    received_on = models.DateField(_("received on"))
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    assignee = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="assigned_requests")

    # who asks, in the words of the form
    asker_name = models.CharField(_("name"), max_length=400)
    asker_born = models.DateField(_("date of birth"), null=True, blank=True)
    asker_phone = models.CharField(_("telephone"), max_length=40, blank=True)
    asker_email = models.EmailField(_("e-mail"), blank=True)
    asker_address = models.TextField(_("postal address"), blank=True)
    on_behalf = models.CharField(_("asks for the patient as"), max_length=300, blank=True)  # "" is the patient
    description = models.TextField(_("in their words"), blank=True)
    details = models.JSONField(default=dict, blank=True)  # kinds.DETAILS names the keys

    # the clock
    promised_days = models.PositiveSmallIntegerField()
    rule_version = models.CharField(max_length=20)
    extended_to = models.DateField(null=True, blank=True)
    due_on = models.DateField(_("due"))

    # the answer
    identity_checked_on = models.DateField(null=True, blank=True)
    identity_checked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    identity_how = models.CharField(max_length=300, blank=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices, blank=True)
    ground = models.CharField(max_length=4, blank=True)  # grounds.GROUNDS
    decision_text = models.TextField(_("reason, as the patient reads it"), blank=True)
    decided_on = models.DateField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    carried_out_on = models.DateField(null=True, blank=True)
    letter_sent_on = models.DateField(null=True, blank=True)
    closed_on = models.DateField(_("closed on"), null=True, blank=True)

    code_digest = models.CharField(max_length=64, blank=True, editable=False)  # of the code the web form gave out
    source_id = models.CharField(max_length=64, null=True, unique=True, editable=False)  # digest of an imported row

    objects = PatientRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request")
        indexes = [
            models.Index(fields=["closed_on", "due_on", "id"], name="request_by_due"),
            models.Index(fields=["patient", "-received_on", "-id"], name="request_by_patient"),
            models.Index(fields=["assignee", "closed_on", "due_on"], name="request_by_assignee"),
        ]
        constraints = [
            models.CheckConstraint(
                name="request_due_after_receipt",
                condition=models.Q(due_on__gt=models.F("received_on")),
                violation_error_message=_("The due date must come after the day of receipt."),
            ),
            models.CheckConstraint(name="request_kind_is_known", condition=models.Q(kind__in=Kind.values)),
            models.CheckConstraint(
                name="request_closed_has_outcome", condition=models.Q(closed_on=None) | ~models.Q(outcome="")
            ),
            models.CheckConstraint(name="request_promise_1_to_30", condition=models.Q(promised_days__range=(1, 30))),
        ]

    def __str__(self) -> str:
        return self.number

    # --- reading -------------------------------------------------------------------------------------------------

    @property
    def number(self) -> str:
        """The number on letters and screens, such as R-1042."""
        return f"R-{FIRST_NUMBER + self.pk}"

    def get_absolute_url(self) -> str:
        """The request's page."""
        return reverse("request", args=[self.number])

    @property
    def is_open(self) -> bool:
        """Whether the clock still runs."""
        return self.closed_on is None

    @property
    def extended(self) -> bool:
        """Whether it has had its one extension."""
        return self.extended_to is not None

    @property
    def first_due_on(self) -> date:
        """The due date before any extension."""
        return deadlines.due_on(self.received_on, self.promised_days)

    @property
    def statutory_due_on(self) -> date | None:
        """The federal limit, or None where the law sets none."""
        return deadlines.statutory_due_on(self.kind, self.received_on, extended=self.extended)

    def working(self) -> deadlines.Working:
        """How the due date was worked out."""
        return deadlines.working(
            self.kind, self.received_on, self.promised_days, extended_to=self.extended_to, rule_version=self.rule_version
        )

    def days_left(self, on: date) -> int:
        """Days from that day to the due date; negative when overdue."""
        return deadlines.days_left(self.due_on, on)

    @property
    def needs_letter(self) -> bool:
        """Whether a decision letter must be sent before the clock stops (law.md §13a: a partial grant needs both)."""
        if self.outcome == Outcome.WITHDRAWN:
            return False
        return not (self.outcome in ("", Outcome.GRANTED) and self.kind in ANSWERED_BY_THE_THING_ITSELF)

    def steps_left(self) -> list[Step]:
        """What still has to be done, in order; [] when closed."""
        if not self.is_open or self.outcome == Outcome.WITHDRAWN:
            return []
        left = []
        if self.outcome != Outcome.DENIED:
            left += [Step.MATCH] if self.patient_id is None else []
            left += [Step.VERIFY] if self.identity_checked_on is None else []
        left += [Step.DECIDE] if not self.outcome else []
        if self.outcome != Outcome.DENIED and self.carried_out_on is None:
            left.append(Step.CARRY_OUT)
        if self.needs_letter and self.letter_sent_on is None:
            left.append(Step.SEND)
        return left

    @property
    def status(self) -> str:
        """The next step's code, or "closed": one word for lists and files."""
        left = self.steps_left()
        return left[0].value if left else "closed"

    @property
    def status_label(self) -> str:
        """The same in words for people."""
        left = self.steps_left()
        return str(left[0].label) if left else str(self.get_outcome_display() or _t("Closed"))

    # --- taking it in --------------------------------------------------------------------------------------------

    @classmethod
    def take(cls, *, received_on: date, by: User | None, at: datetime, on: date, office: Office, **facts: Any) -> "PatientRequest":
        """Take a request in: its clock starts on the day of receipt. `facts` are the model's fields of who asks for what.

        Raises NotAllowedNow for a receipt later than the day of entry.
        """
        if received_on > on:
            raise NotAllowedNow(_t("The day of receipt can't lie in the future."))
        days = office.promised_days
        with transaction.atomic():
            request = cls.objects.create(
                received_on=received_on, entered_at=at, entered_by=by, promised_days=days,
                rule_version=deadlines.RULE_VERSION, due_on=deadlines.due_on(received_on, days), **facts,
            )
            request.events.record(
                Verb.RECEIVED, by=by, at=at, on=on, channel=request.get_channel_display(), received_on=received_on, due_on=request.due_on
            )
            if request.patient_id:
                request.events.record(Verb.MATCHED, by=by, at=at, on=on, chart_number=request.patient.chart_number)
        return request

    def give_code(self) -> str:
        """Make the secret code of a web request, store its digest, and return it: it is shown once. 12 letters, 58 bits."""
        code = "".join(secrets.choice(_CODE_LETTERS) for _ in range(12))
        self.code_digest = _digest(code)
        self.save(update_fields=["code_digest"])
        return f"{code[:4]}-{code[4:8]}-{code[8:]}"

    @classmethod
    def find_by_code(cls, number: str, code: str) -> "PatientRequest | None":
        """The web request with this number and code, or None. Compares a digest whether or not the number exists."""
        request = cls.objects.by_number(number).exclude(code_digest="").first()
        stored = request.code_digest if request else _digest("no such request")
        return request if constant_time_compare(stored, _digest(code)) and request else None

    # --- acting on it --------------------------------------------------------------------------------------------

    def _locked(self) -> "PatientRequest":
        """This row, fresh and locked. Raises NotAllowedNow when it is closed."""
        me = type(self).objects.select_for_update().get(pk=self.pk)
        if not me.is_open:
            raise NotAllowedNow(_t("This request is closed."))
        return me

    def _store(self, me: "PatientRequest", *fields: str) -> None:
        me.save(update_fields=list(fields))
        self.refresh_from_db()

    @transaction.atomic
    def match(self, patient: Patient, *, by: User, at: datetime, on: date) -> RequestEvent:
        """Link it to a chart. A link may be put right until identity has been checked; NotAllowedNow after that."""
        me = self._locked()
        if me.identity_checked_on and me.patient_id:
            raise NotAllowedNow(_t("Identity was checked against the linked chart; the link stays."))
        me.patient = patient
        self._store(me, "patient")
        return self.events.record(Verb.MATCHED, by=by, at=at, on=on, chart_number=patient.chart_number)

    @transaction.atomic
    def verify_identity(self, how: str, *, by: User, at: datetime, on: date) -> RequestEvent:
        """Record that the asker is who they say (164.514(h)): how, by whom, when. Needs the chart to be found first."""
        me = self._locked()
        if me.patient_id is None:
            raise NotAllowedNow(_t("Find the chart first: identity is checked against it."))
        me.identity_checked_on, me.identity_checked_by, me.identity_how = on, by, how
        self._store(me, "identity_checked_on", "identity_checked_by", "identity_how")
        return self.events.record(Verb.VERIFIED, by=by, at=at, on=on, how=how)

    @transaction.atomic
    def assign(self, to: User, *, by: User, at: datetime, on: date) -> RequestEvent:
        """Put it on somebody's desk."""
        me = self._locked()
        me.assignee = to
        self._store(me, "assignee")
        return self.events.record(Verb.ASSIGNED, by=by, at=at, on=on, to=to.signature)

    @transaction.atomic
    def correct_receipt(self, received_on: date, *, reason: str, by: User, at: datetime, on: date) -> RequestEvent:
        """Put the day of receipt right, with a reason; the clock follows it.

        Raises NotAllowedNow without a reason, for a day after the entry, or when an extension would no longer be lawful.
        """
        me = self._locked()
        if not reason.strip():
            raise NotAllowedNow(_t("A correction of the day of receipt needs its reason."))
        if received_on > clock.office_day(me.entered_at):
            raise NotAllowedNow(_t("The day of receipt can't be later than the day it was typed in."))
        first = deadlines.due_on(received_on, me.promised_days)
        if me.extended_to and not first < me.extended_to <= deadlines.last_extension_day(first):
            raise NotAllowedNow(_t("With that day the extension already told to the patient would not be lawful."))
        before, me.received_on, me.due_on = me.received_on, received_on, me.extended_to or first
        self._store(me, "received_on", "due_on")
        return self.events.record(
            Verb.RECEIPT_CORRECTED, by=by, at=at, on=on, note=reason, before=before, after=received_on, due_on=self.due_on
        )

    @transaction.atomic
    def extend(self, *, until: date, reason: str, told_on: date, by: User, at: datetime, on: date) -> RequestEvent:
        """Move the due date, once, to the day named to the patient in the letter sent on `told_on`.

        Raises NotAllowedNow with the rule that refuses (deadlines.check_extension).
        """
        me = self._locked()
        if told_on > on:
            raise NotAllowedNow(_t("The letter can't have been sent in the future."))
        deadlines.check_extension(first_due_on=me.first_due_on, extended=me.extended, until=until, told_on=told_on, reason=reason)
        before, me.extended_to, me.due_on = me.due_on, until, until
        self._store(me, "extended_to", "due_on")
        return self.events.record(
            Verb.EXTENDED, by=by, at=at, on=on, note=reason, before=before, until=until, told_on=told_on
        )

    @transaction.atomic
    def decide(self, outcome: str, *, by: User, at: datetime, on: date, ground: str = "", text: str = "") -> RequestEvent:
        """Grant, grant in part, or deny. The clock runs on until the answer has gone out (law.md §13a).

        Raises NotAllowedNow: decided already; a grant before chart and identity are known; a denial without a ground of
        its kind; a restriction or other kind that the office may not deny.
        """
        me = self._locked()
        if me.outcome:
            raise NotAllowedNow(_t("This request has been decided."))
        if outcome in (Outcome.GRANTED, Outcome.GRANTED_IN_PART) and (me.patient_id is None or me.identity_checked_on is None):
            raise NotAllowedNow(_t("Before a request is granted its chart must be found and identity checked."))
        if outcome == Outcome.GRANTED:
            ground = text = ""
        else:
            self._check_ground(me.kind, ground, text)
        me.outcome, me.ground, me.decision_text, me.decided_on, me.decided_by = outcome, ground, text, on, by
        self._store(me, "outcome", "ground", "decision_text", "decided_on", "decided_by")
        return self.events.record(Verb.DECIDED, by=by, at=at, on=on, note=text, outcome=Outcome(outcome).label, ground=ground)

    @staticmethod
    def _check_ground(kind: str, ground: str, text: str) -> None:
        try:
            grounds.ground(kind, ground)
        except LookupError:
            raise NotAllowedNow(_t("Choose one of the grounds that the law knows for this kind of request.")) from None
        if not text.strip():
            raise NotAllowedNow(_t("Write the reason in plain words: the patient reads it."))

    @transaction.atomic
    def withdraw(self, *, reason: str, by: User, at: datetime, on: date) -> RequestEvent:
        """The patient takes the request back; it closes on that day."""
        me = self._locked()
        if me.outcome:
            raise NotAllowedNow(_t("This request has been decided."))
        me.outcome, me.decision_text, me.decided_on, me.decided_by = Outcome.WITHDRAWN, reason, on, by
        self._store(me, "outcome", "decision_text", "decided_on", "decided_by")
        self.events.record(Verb.DECIDED, by=by, at=at, on=on, note=reason, outcome=Outcome.WITHDRAWN.label, ground="")
        return self._close(me, on, by=by, at=at, on=on)

    @transaction.atomic
    def carried_out(self, verb: str, done_on: date, *, by: User, at: datetime, on: date, note: str = "", **data: Any) -> RequestEvent:
        """What was granted has been done on `done_on`: copies given, record amended, restriction in force, accounting given.

        Raises NotAllowedNow before it is granted, or for a day that lies in the future or before the decision.
        Closes the request when nothing else is left.
        """
        me = self._locked()
        me.check_may_carry_out()
        if not me.decided_on <= done_on <= on:  # type: ignore[operator]
            raise NotAllowedNow(_t("The day must lie between the decision and today."))
        me.carried_out_on = me.carried_out_on or done_on
        self._store(me, "carried_out_on")
        event = self.events.record(verb, by=by, at=at, on=on, note=note, **data)
        self._close_if_done(by=by, at=at, on=on)
        return event

    def check_may_carry_out(self) -> None:
        """Raise NotAllowedNow unless it is granted, its chart found and identity checked: nothing is released before that."""
        if self.patient_id is None or self.identity_checked_on is None:
            raise NotAllowedNow(_t("Nothing is released before the chart is found and identity checked."))
        if self.outcome not in (Outcome.GRANTED, Outcome.GRANTED_IN_PART):
            raise NotAllowedNow(_t("This request has not been granted."))

    @transaction.atomic
    def letter_sent(self, letter: Any, *, sent_on: date, how: str, by: User, at: datetime, on: date) -> RequestEvent:
        """A letter went out on `sent_on`. A decision letter may stop the clock.

        Raises NotAllowedNow for a day before the letter was made or in the future.
        """
        me = self._locked()
        if not letter.made_on <= sent_on <= on:
            raise NotAllowedNow(_t("The day must lie between the day the letter was made and today."))
        if letter.kind == letter.Kind.DECISION and me.letter_sent_on is None:
            me.letter_sent_on = sent_on
            self._store(me, "letter_sent_on")
        event = self.events.record(Verb.LETTER_SENT, by=by, at=at, on=on, sent_on=sent_on, how=how, letter=letter.pk)
        self._close_if_done(by=by, at=at, on=on)
        return event

    @transaction.atomic
    def add_note(self, text: str, *, by: User, at: datetime, on: date) -> RequestEvent:
        """A note of the staff on the timeline; also on a closed request."""
        return self.events.record(Verb.NOTE, by=by, at=at, on=on, note=text)

    def _close_if_done(self, *, by: User, at: datetime, on: date) -> None:
        if self.outcome and not self.steps_left():
            acted_on = max(day for day in (self.decided_on, self.carried_out_on, self.letter_sent_on) if day)
            self._close(self, acted_on, by=by, at=at, on=on)

    def _close(self, me: "PatientRequest", acted_on: date, *, by: User, at: datetime, on: date) -> RequestEvent:
        me.closed_on = acted_on
        self._store(me, "closed_on")
        late = (acted_on - self.due_on).days
        timeliness = _t("On time.") if late <= 0 else _t("%(days)s days late.") % {"days": late}
        return self.events.record(
            Verb.CLOSED, by=by, at=at, on=on, outcome=self.get_outcome_display(), acted_on=acted_on, timeliness=timeliness
        )


def _digest(code: str) -> str:
    """What is stored of a code: keyed, so that a stolen database does not give the codes away."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return salted_hmac("requests_app.code", plain, algorithm="sha256").hexdigest()

"""The patient's request: how it is taken in, and everything that may be done to it.

Each act is one method that locks the row, checks the rule, changes the named fields and writes the timeline, all or
nothing. Nothing but `extend` and `correct_receipt` moves a due date, and nothing pauses a clock (law.md §1).
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _t

from meso import clock
from meso.models import Office, User
from records.models import Entry, Patient, Representative
from requests_app import asked, deadlines, grounds, rules
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import NOTHING_GIVEN, Kind, Outcome
from requests_app.models.by_another import ByAnother
from requests_app.models.mail import LetterDelivery
from requests_app.models.timeline import Letter, RequestEvent, Verb


class PatientRequest(ByAnother):
    """One request of one patient, of one kind, with its own clock."""

    # --- taking it in --------------------------------------------------------------------------------------------

    @classmethod
    def take(
        cls, *, received_on: date, by: User | None, at: datetime, on: date, office: Office, once: str = "", **facts: Any
    ) -> "PatientRequest":
        """Take a request in: its clock starts on the day of receipt. `facts` are the model's fields of who asks for what.

        `once` is the token of the form that was sent: the same form sent twice takes one request and returns it twice.
        Raises NotAllowedNow for a receipt later than the day of entry.
        """
        if received_on > on:
            raise NotAllowedNow(_t("The day of receipt can't lie in the future."), "received_on")
        days, source_id = office.promised_days, f"once-{once}"[:64] if once else None
        try:
            with transaction.atomic():
                request = cls.objects.create(
                    received_on=received_on,
                    entered_at=at,
                    entered_by=by,
                    promised_days=days,
                    source_id=source_id,
                    rule_version=rules.CURRENT,
                    due_on=deadlines.due_on(received_on, days),
                    **facts,
                )
                channel, due = request.get_channel_display(), request.due_on
                request.events.record(Verb.RECEIVED, by=by, at=at, on=on, channel=channel, received_on=received_on, due_on=due)
                if request.patient:
                    request.events.record(Verb.MATCHED, by=by, at=at, on=on, chart_number=request.patient.chart_number)
        except IntegrityError:
            if taken := cls.objects.filter(source_id=source_id).exclude(source_id=None).first():
                return taken
            raise
        return request

    # --- acting on it --------------------------------------------------------------------------------------------

    def _locked(self, *, after_denial: bool = False) -> "PatientRequest":
        """This row, fresh and locked. Raises NotAllowedNow when it is closed, unless `after_denial` and it was denied."""
        me = type(self).objects.select_for_update().get(pk=self.pk)
        if not me.is_open and not (after_denial and me.outcome == Outcome.DENIED):
            raise NotAllowedNow(_t("This request is closed."))
        return me

    def _store(self, me: "PatientRequest", *fields: str) -> None:
        me.save(update_fields=list(fields))
        self.refresh_from_db()

    @transaction.atomic
    def match(self, patient: Patient, *, by: User, at: datetime, on: date) -> RequestEvent:
        """Link it to a chart. A wrong link can be put right until the decision; identity is then checked anew.

        One denied without its chart can be linked later too: a statement or a review of the denial needs the chart.

        Raises NotAllowedNow once it is decided for the linked chart, and for the chart that is linked already.
        """
        me = self._locked(after_denial=True)
        if me.patient_id == patient.pk:
            raise NotAllowedNow(_t("It is linked to that chart already."), "patient")
        if me.outcome and me.patient_id:
            raise NotAllowedNow(_t("It was decided for the linked chart; the link stays."))
        me.patient, me.representative = patient, None
        me.identity_checked_on, me.identity_checked_by, me.identity_how = None, None, ""
        self._store(me, "patient", "representative", "identity_checked_on", "identity_checked_by", "identity_how")
        return self.events.record(Verb.MATCHED, by=by, at=at, on=on, chart_number=patient.chart_number)

    @transaction.atomic
    def verify_identity(
        self, how: str, *, by: User, at: datetime, on: date, representative: Representative | None = None
    ) -> RequestEvent:
        """Record that the asker is who they say (164.514(h)): how, by whom, when. Needs the chart to be found first.

        `representative` is the one of the chart's who was found to ask; None is the patient. Raises NotAllowedNow for one
        who may not act on that day.
        """
        me = self._locked(after_denial=True)
        if me.patient_id is None:
            raise NotAllowedNow(_t("Find the chart first: identity is checked against it."))
        if me.identity_checked_on:
            raise NotAllowedNow(_t("Identity was checked on %(day)s.") % {"day": deadlines.spoken(me.identity_checked_on)})
        if representative and representative.patient_id != me.patient_id:
            raise NotAllowedNow(_t("That representative is another chart's."), "who")
        me.representative = representative
        if why := me.representative_refusal(on):
            raise NotAllowedNow(why, "who")
        me.identity_checked_on, me.identity_checked_by, me.identity_how = on, by, how
        self._store(me, "representative", "identity_checked_on", "identity_checked_by", "identity_how")
        return self.events.record(Verb.VERIFIED, by=by, at=at, on=on, how=how)

    @transaction.atomic
    def assign(self, to: User, *, by: User, at: datetime, on: date) -> RequestEvent:
        """Put it on somebody's desk. Raises NotAllowedNow when it lies there already."""
        me = self._locked()
        if me.assignee_id == to.pk:
            raise NotAllowedNow(_t("%(name)s has it already.") % {"name": to.signature}, "to")
        me.assignee = to
        self._store(me, "assignee")
        return self.events.record(Verb.ASSIGNED, by=by, at=at, on=on, to=to.signature)

    @transaction.atomic
    def correct_receipt(self, received_on: date, *, reason: str, by: User, at: datetime, on: date) -> RequestEvent:
        """Put the day of receipt right, with a reason; the clock follows it.

        Raises NotAllowedNow without a reason, for the same day, for a day after the entry, or when the extension that the
        patient was told of would no longer be lawful.
        """
        me = self._locked()
        if not reason.strip():
            raise NotAllowedNow(_t("A correction of the day of receipt needs its reason."), "reason")
        if received_on == me.received_on:
            raise NotAllowedNow(_t("That is the day it has already."), "received_on")
        if received_on > clock.office_day(me.entered_at):
            raise NotAllowedNow(_t("The day of receipt can't be later than the day it was typed in."), "received_on")
        first = deadlines.due_on(received_on, me.promised_days)
        me._check_extension_holds(first)
        before, me.received_on, me.due_on = me.received_on, received_on, me.extended_to or first
        self._store(me, "received_on", "due_on")
        return self.events.record(
            Verb.RECEIPT_CORRECTED, by=by, at=at, on=on, note=reason, before=before, after=received_on, due_on=self.due_on
        )

    def _check_extension_holds(self, first_due_on: date) -> None:
        """Raise NotAllowedNow when the extension already told to the patient is not lawful after this first due date."""
        if self.extended_to is None:
            return
        told_on = date.fromisoformat(self.events.get(verb=Verb.EXTENDED).data["told_on"])
        try:
            deadlines.check_extension(
                first_due_on=first_due_on, extended=False, until=self.extended_to, told_on=told_on, reason="as told"
            )
        except NotAllowedNow as refusal:
            text = _t("With that day the extension already told to the patient would not be lawful.")
            raise NotAllowedNow(text, "received_on") from refusal

    @transaction.atomic
    def extend(self, *, until: date, reason: str, told_on: date, by: User, at: datetime, on: date) -> RequestEvent:
        """Move the due date, once, to the day named to the patient in the letter sent on `told_on`.

        Raises NotAllowedNow with the rule that refuses (deadlines.check_extension).
        """
        me = self._locked()
        if told_on > on:
            raise NotAllowedNow(_t("The letter can't have been sent in the future."), "told_on")
        if told_on < me.received_on:
            raise NotAllowedNow(_t("The letter can't have been sent before the request was received."), "told_on")
        deadlines.check_extension(first_due_on=me.first_due_on, extended=me.extended, until=until, told_on=told_on, reason=reason)
        before, me.extended_to, me.due_on = me.due_on, until, until
        self._store(me, "extended_to", "due_on")
        return self.events.record(Verb.EXTENDED, by=by, at=at, on=on, note=reason, before=before, until=until, told_on=told_on)

    @transaction.atomic
    def decide(
        self,
        outcome: str,
        *,
        by: User,
        at: datetime,
        on: date,
        ground: str = "",
        text: str = "",
        open_balance: Decimal | None = None,
    ) -> RequestEvent:
        """Grant, grant in part, deny, or say that no records were found. The clock runs until the answer is out (law.md §13a).

        Raises NotAllowedNow: decided already; no such answer; a grant before chart and identity are known; a full grant of
        a record of which part is left out by law; a denial, or a grant in part, without a ground of its kind or its reason;
        a denial of what was paid for in full, unless an `open_balance` in dollars shows that it was not.
        """
        me = self._locked()
        if me.outcome and not me.may_be_taken_back(on):
            raise NotAllowedNow(_t("This request has been decided."))
        me._check_outcome(outcome)
        if outcome in (Outcome.GRANTED, Outcome.GRANTED_IN_PART) and (me.patient_id is None or me.identity_checked_on is None):
            raise NotAllowedNow(_t("Before a request is granted its chart must be found and identity checked."))
        if outcome not in NOTHING_GIVEN and (why := me.representative_refusal(on)):
            raise NotAllowedNow(why)
        if outcome == Outcome.GRANTED and me.left_out():
            words = _t("Part of the record is left out by law. Grant it in part with ground U1, so that the letter says so.")
            raise NotAllowedNow(words, "outcome")
        if (
            outcome == Outcome.DENIED
            and me.must_be_granted
            and ground != grounds.PERSON.code
            and not (open_balance and open_balance > 0)
        ):
            words = _t("It was paid for in full: the law makes us agree (45 CFR 164.522(a)(1)(vi)), unless a balance is open.")
            raise NotAllowedNow(words, "open_balance")
        if outcome in (Outcome.GRANTED, Outcome.NO_RECORDS):
            ground = text = ""
        else:
            me._check_ground(outcome, ground, text)
        self.withheld.check_decision(outcome, ground)
        me.outcome, me.ground, me.decision_text, me.decided_on, me.decided_by = outcome, ground, text, on, by
        self._store(me, "outcome", "ground", "decision_text", "decided_on", "decided_by")
        facts = {"outcome": Outcome(outcome).label, "ground": ground} | ({"open_balance": open_balance} if open_balance else {})
        return self.events.record(Verb.DECIDED, by=by, at=at, on=on, note=text, **facts)

    def _check_outcome(self, outcome: str) -> None:
        """Raise NotAllowedNow for an answer that this kind does not know, or that the chart shows to be wrong."""
        if outcome == Outcome.NO_RECORDS and self.kind != Kind.ACCESS:
            raise NotAllowedNow(_t("Only a request to see the record can be answered so."), "outcome")
        if outcome == Outcome.NO_RECORDS and asked.entries(self).exists():
            raise NotAllowedNow(_t("The chart has entries of what is asked for: grant it, or deny it on a ground."), "outcome")
        if outcome not in (Outcome.GRANTED, Outcome.GRANTED_IN_PART, *NOTHING_GIVEN):
            raise NotAllowedNow(_t("Choose whether to grant, to grant in part, or to deny."), "outcome")

    @property
    def must_be_granted(self) -> bool:
        """Whether it asks to keep from a health plan what was paid for in full, which can't be refused (164.522(a)(1)(vi))."""
        return self.kind == Kind.RESTRICTION and self.details.get("paid_in_full") == "yes"

    def left_out(self) -> list[Entry]:
        """The entries among those asked for that the right of access does not reach (164.524(a)(1)(i)-(ii)). One query or two."""
        if self.kind != Kind.ACCESS or self.patient_id is None:
            return []
        return list(asked.entries(self).excluded().prefetch_related("flags").oldest_first())

    def _check_ground(self, outcome: str, ground: str, text: str) -> None:
        try:
            found = grounds.ground(self.kind, ground)
        except LookupError:
            text = _t("Choose one of the grounds that the law knows for this kind of request.")
            raise NotAllowedNow(text, "ground") from None
        if found == grounds.PERSON and not (outcome == Outcome.DENIED and self.is_by_another):
            raise NotAllowedNow(_t("This ground denies all of what somebody asked for the patient, and nothing else."), "ground")
        if found != grounds.PERSON and self.outcome:
            raise NotAllowedNow(_t("It was granted: only that who asks may not act any more takes it back (P1)."), "ground")
        grounds.check_originator(self.kind, ground, self.details.get("originator", ""))
        if not text.strip():
            raise NotAllowedNow(_t("Write the reason in plain words: the patient reads it."), "text")

    @transaction.atomic
    def withdraw(self, *, reason: str, by: User, at: datetime, on: date) -> RequestEvent:
        """The patient takes the request back; it closes on that day. What was granted may be taken back until it is done.

        Raises NotAllowedNow after a denial, whose letter is owed to the patient, and once anything was carried out or told.
        """
        me = self._locked()
        if me.outcome == Outcome.DENIED:
            raise NotAllowedNow(_t("It was denied: the patient must get the letter."))
        if me.carried_out_on or me.letter_sent_on or me.events.days_given(me.decided_on):
            raise NotAllowedNow(_t("The answer has gone out; it can't be withdrawn any more."))
        me.outcome, me.ground, me.decision_text, me.decided_on, me.decided_by = Outcome.WITHDRAWN, "", reason, on, by
        self._store(me, "outcome", "ground", "decision_text", "decided_on", "decided_by")
        self.events.record(Verb.DECIDED, by=by, at=at, on=on, note=reason, outcome=Outcome.WITHDRAWN.label, ground="")
        return self._close(on, by=by, at=at, on=on)

    @transaction.atomic
    def carried_out(
        self, verb: str, done_on: date, *, by: User, at: datetime, on: date, note: str = "", **data: Any
    ) -> RequestEvent:
        """What was granted has been done on `done_on`: copies given, record amended, restriction in force, accounting given.

        Raises NotAllowedNow before it is granted, or for a day that lies in the future or before the decision.
        Closes the request when nothing else is left.
        """
        me = self._locked()
        me.check_may_carry_out(on)
        if not me.decided_on <= done_on <= on:  # type: ignore[operator]
            raise NotAllowedNow(_t("The day must lie between the decision and today."))
        me.carried_out_on = me.carried_out_on or done_on
        self._store(me, "carried_out_on")
        event = self.events.record(verb, by=by, at=at, on=on, note=note, **data)
        self._close_if_done(by=by, at=at, on=on)
        return event

    @transaction.atomic
    def letter_sent(
        self, letter: Letter, *, sent_on: date, how: str, by: User, at: datetime, on: date, address: str = ""
    ) -> RequestEvent:
        """A letter went out on `sent_on`, also after the request was closed. A decision letter may stop the clock.

        `address` is that of the envelope where it is no longer the letter's own.

        Raises NotAllowedNow for another request's letter, for a decision letter before the decision, and for a day before
        the letter was made or in the future.
        """
        me = type(self).objects.select_for_update().get(pk=self.pk)
        if letter.request_id != me.pk:
            raise NotAllowedNow(_t("That letter belongs to another request."))
        if letter.kind == Letter.Kind.DECISION and not me.outcome:
            raise NotAllowedNow(_t("This request has not been decided."))
        if letter.kind == Letter.Kind.DECISION and letter.pk <= me._last_letter_before_reopening():
            raise NotAllowedNow(_t("That letter tells the decision before the request was opened again. Send the new one."))
        if not letter.made_on <= sent_on <= on:
            raise NotAllowedNow(_t("The day must lie between the day the letter was made and today."), "sent_on")
        if letter.kind == Letter.Kind.DECISION:
            me.check_letter_holds(letter, sent_on)
        if letter.kind == Letter.Kind.DECISION and me.letter_sent_on is None:
            me.letter_sent_on = sent_on
            self._store(me, "letter_sent_on")
        address = address or letter.addressed_to
        LetterDelivery.objects.create(letter=letter, what="sent", on=sent_on, how=how, address=address, by=by, at=at)
        event = self.events.record(Verb.LETTER_SENT, by=by, at=at, on=on, sent_on=sent_on, how=how, letter=letter.pk)
        self._close_if_done(by=by, at=at, on=on)
        return event

    @transaction.atomic
    def reopen(self, *, reason: str, by: User, at: datetime, on: date) -> RequestEvent:
        """Open a closed request again, to be decided anew. The law gives no new clock: the due date stays as it was.

        What was answered stays on the timeline; closing again counts its days afresh. Raises NotAllowedNow for an open one,
        and without a reason.
        """
        me = type(self).objects.select_for_update().get(pk=self.pk)
        if me.is_open:
            raise NotAllowedNow(_t("This request is open."))
        if not reason.strip():
            raise NotAllowedNow(_t("Write why: the patient reads it."), "reason")
        before = {"closed_on": me.closed_on, "outcome": me.get_outcome_display(), "due_on": me.due_on}
        last_letter = max(me.letters.values_list("pk", flat=True), default=0)
        me.outcome = me.ground = me.decision_text = ""
        me.decided_on = me.decided_by = me.carried_out_on = me.letter_sent_on = me.closed_on = None
        answer = (
            "outcome",
            "ground",
            "decision_text",
            "decided_on",
            "decided_by",
            "carried_out_on",
            "letter_sent_on",
            "closed_on",
        )
        self._store(me, *answer)
        return self.events.record(Verb.REOPENED, by=by, at=at, on=on, note=reason, **before, last_letter=last_letter)

    def _last_letter_before_reopening(self) -> int:
        """The key of the last letter that was made before the request was last opened again, or 0."""
        reopened = self.events.filter(verb=Verb.REOPENED).last()
        return int(reopened.data["last_letter"]) if reopened else 0

    @transaction.atomic
    def add_note(self, text: str, *, by: User, at: datetime, on: date) -> RequestEvent:
        """A note of the staff on the timeline; also on a closed request."""
        return self.events.record(Verb.NOTE, by=by, at=at, on=on, note=text)

    def _close_if_done(self, *, by: User, at: datetime, on: date) -> None:
        self.refresh_from_db()
        if self.is_open and self.outcome and not self.steps_left():
            acted_on = max(day for day in (self.decided_on, self.carried_out_on, self.letter_sent_on) if day)
            self._close(acted_on, by=by, at=at, on=on)

    def _close(self, acted_on: date, *, by: User, at: datetime, on: date) -> RequestEvent:
        """Stop the clock on the day the office acted. An end that comes late has its overdue event before it."""
        if deadlines.is_late(acted_on, self.due_on):
            type(self).objects.filter(pk=self.pk).note_overdue(on=on, at=at)
        self.closed_on = acted_on
        self.save(update_fields=["closed_on"])
        timeliness = deadlines.timeliness(acted_on, self.due_on)
        return self.events.record(
            Verb.CLOSED, by=by, at=at, on=on, outcome=self.get_outcome_display(), acted_on=acted_on, timeliness=timeliness
        )

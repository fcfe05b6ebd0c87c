"""What happened to a request, row by row, and the letters it was answered with. Nothing here changes."""

from datetime import date, datetime
from typing import Any, ClassVar

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from meso.append_only import AppendOnly, AppendOnlyQuerySet
from meso.documents import DocumentManager, Keeping
from meso.encrypted import EncryptedBinaryField
from meso.models import User
from requests_app import deadlines


class Verb(models.TextChoices):
    """What can happen to a request."""

    RECEIVED = "received", _("Received")
    MATCHED = "matched", _("Chart found")
    VERIFIED = "verified", _("Identity checked")
    ASSIGNED = "assigned", _("Assigned")
    RECEIPT_CORRECTED = "receipt_corrected", _("Day of receipt corrected")
    EXTENDED = "extended", _("Extended")
    DECIDED = "decided", _("Decided")
    LETTER_MADE = "letter_made", _("Letter made")
    LETTER_SENT = "letter_sent", _("Letter sent")
    BILLED = "billed", _("Copies made and billed")
    SETTLED = "settled", _("Bill settled")
    COPIES_GIVEN = "copies_given", _("Copies given")
    APPOINTED = "appointed", _("Appointment to look at the record")
    SUMMARY_AGREED = "summary_agreed", _("Patient agreed to a summary")
    SUMMARY_GIVEN = "summary_given", _("Summary given")
    SET_ASIDE = "set_aside", _("Copies set aside")
    INSPECTED = "inspected", _("Record looked at")
    AMENDED = "amended", _("Record amended")
    RESTRICTED = "restricted", _("Restriction put in force")
    CONTACT_SET = "contact_set", _("Contact preference recorded")
    ACCOUNTING_GIVEN = "accounting_given", _("Accounting given")
    WITHHELD = "withheld", _("Words withheld from the copy")
    WITHHELD_ENDED = "withheld_ended", _("Withheld words released")
    PAPER_FILED = "paper_filed", _("Paper filed")
    PAPER_MOVED = "paper_moved", _("Paper moved")
    LETTER_DELIVERED = "letter_delivered", _("Letter delivered")
    LETTER_RETURNED = "letter_returned", _("Letter came back")
    LETTER_AGAIN = "letter_again", _("Letter sent again")
    TOLD = "told", _("Message to the patient")
    HEARD = "heard", _("Message from the patient")
    WAITING = "waiting", _("Waiting")
    WAITED = "waited", _("No longer waiting")
    REOPENED = "reopened", _("Opened again")
    FEE_TOLD = "fee_told", _("Price told")
    FEE_ANSWERED = "fee_answered", _("Answer to the price")
    DISPUTED = "disputed", _("Disputed entry named")
    ORIGINATOR_GONE = "originator_gone", _("Whoever wrote it can't act")
    DISAGREED = "disagreed", _("Statement of disagreement filed")
    REBUTTED = "rebutted", _("Rebuttal written")
    TRAVEL_ASKED = "travel_asked", _("Patient asks that the denial travels")
    ASKED_WHOM = "asked_whom", _("Patient asked whom to tell")
    TO_TELL = "to_tell", _("Somebody to be told")
    CORRECTION_TOLD = "correction_told", _("Told of the correction")
    NOT_REACHED = "not_reached", _("Could not be told")
    REVIEW_ASKED = "review_asked", _("Review of the denial asked for")
    REVIEW_REFERRED = "review_referred", _("Review given to a reviewer")
    REVIEWED = "reviewed", _("Review decided")
    OVERDUE = "overdue", _("Past its due date")
    CLOSED = "closed", _("Closed")
    NOTE = "note", _("Note")
    IMPORTED = "imported", _("Taken over from the old list")


# One sentence a verb, filled from the event's `data`. A verb without a sentence fails a test.
SENTENCES: dict[str, str | Promise] = {
    Verb.RECEIVED: _("The request came in (%(channel)s). Due %(due_on)s."),
    Verb.MATCHED: _("Linked to chart %(chart_number)s."),
    Verb.VERIFIED: _("Identity checked: %(how)s."),
    Verb.ASSIGNED: _("Assigned to %(to)s."),
    Verb.RECEIPT_CORRECTED: _("Day of receipt corrected from %(before)s to %(after)s. Due %(due_on)s."),
    Verb.EXTENDED: _("Extended once, from %(before)s to %(until)s. The patient was told on %(told_on)s."),
    Verb.DECIDED: _("Decided: %(outcome)s."),
    Verb.LETTER_MADE: _("Letter made: %(letter)s."),
    Verb.LETTER_SENT: _("Letter sent on %(sent_on)s (%(how)s)."),
    Verb.BILLED: ngettext_lazy("Copies made: %(pages)s page, %(total)s.", "Copies made: %(pages)s pages, %(total)s.", "pages"),
    Verb.SETTLED: _("Bill of %(total)s: %(how)s."),
    Verb.COPIES_GIVEN: _("Copies given on %(given_on)s (%(how)s)."),
    Verb.APPOINTED: _("Appointment to look at the record: %(day)s, %(time)s, %(place)s."),
    Verb.SUMMARY_AGREED: _("On %(agreed_on)s the patient agreed to a summary in place of the record, and to its fee of %(fee)s."),
    Verb.SUMMARY_GIVEN: _("Summary given on %(given_on)s (%(how)s)."),
    Verb.SET_ASIDE: _("A copy that was made is set aside and not given."),
    Verb.INSPECTED: _("The patient looked at the record on %(given_on)s."),
    Verb.AMENDED: _("The record was amended: %(what)s."),
    Verb.RESTRICTED: _("The restriction is in force since %(begins_on)s."),
    Verb.CONTACT_SET: _("The contact preference is in force since %(begins_on)s."),
    Verb.ACCOUNTING_GIVEN: ngettext_lazy(
        "Accounting from %(start)s to %(end)s given on %(given_on)s: %(lines)s entry.",
        "Accounting from %(start)s to %(end)s given on %(given_on)s: %(lines)s entries.",
        "lines",
    ),
    Verb.WITHHELD: _("Words of the entry of %(day)s are withheld from the copy (%(ground)s)."),
    Verb.WITHHELD_ENDED: _("Words of the entry of %(day)s are no longer withheld."),
    Verb.PAPER_FILED: _("Paper filed: %(paper)s (%(place)s)."),
    Verb.PAPER_MOVED: _("Paper moved: %(paper)s (%(place)s)."),
    Verb.LETTER_DELIVERED: _("Letter delivered on %(day)s: %(letter)s."),
    Verb.LETTER_RETURNED: _("Letter came back on %(day)s: %(letter)s. It counts as sent, and must go another way."),
    Verb.LETTER_AGAIN: _("Letter sent again on %(day)s (%(how)s): %(letter)s."),
    Verb.TOLD: _("To the patient, %(day)s, %(how)s."),
    Verb.HEARD: _("From the patient, %(day)s, %(how)s."),
    Verb.WAITING: _("Waiting for %(words)s. The clock runs on."),
    Verb.WAITED: _("No longer waiting."),
    Verb.REOPENED: _("Opened again. It was closed on %(closed_on)s (%(outcome)s). The due date stays %(due_on)s."),
    Verb.FEE_TOLD: _("The price was told on %(day)s (%(how)s): %(total)s."),
    Verb.FEE_ANSWERED: _("The price of %(total)s: %(answer)s, on %(day)s."),
    Verb.DISPUTED: _("In dispute: %(what)s. The request and its denial are tied to it."),
    Verb.ORIGINATOR_GONE: _("The patient shows that whoever wrote it can't act on it any more."),
    Verb.DISAGREED: _("The patient's statement of disagreement came in on %(received_on)s."),
    Verb.REBUTTED: _("The office answered the statement. The answer is final once the patient's copy is sent."),
    Verb.TRAVEL_ASKED: _("On %(asked_on)s the patient asked that request and denial go along with the entry."),
    Verb.ASKED_WHOM: _("The patient was asked whom to tell: %(answer)s."),
    Verb.TO_TELL: _("To be told of the correction: %(who)s (%(why)s)."),
    Verb.CORRECTION_TOLD: _("%(who)s was told of the correction on %(day)s (%(how)s)."),
    Verb.NOT_REACHED: _("%(who)s could not be told on %(day)s (%(how)s)."),
    Verb.REVIEW_ASKED: _("On %(asked_on)s the patient asked that the denial be reviewed."),
    Verb.REVIEW_REFERRED: _("Given to %(to)s for the review on %(referred_on)s."),
    Verb.REVIEWED: _("%(who)s reviewed the denial on %(decided_on)s: %(result)s."),
    Verb.OVERDUE: _("The due date, %(due_on)s, has passed and the request is open."),
    Verb.CLOSED: _("Closed: %(outcome)s. %(timeliness)s"),
    Verb.NOTE: _("Note."),
    Verb.IMPORTED: _("Taken over from the office's old list."),
}
_COUNTS = frozenset({"pages", "lines"})  # facts that a sentence counts by


class RequestEventManager(models.Manager.from_queryset(AppendOnlyQuerySet)):  # type: ignore[misc]
    """The timeline. `record` stands on the manager, so that `request.events.record(...)` knows its request."""

    def record(self, verb: str, *, by: User | None, at: datetime, on: date, note: str = "", **data: Any) -> "RequestEvent":
        """Add one event. Called on a request's own `events`. `data` fills the verb's sentence."""
        plain = {name: value.isoformat() if isinstance(value, date) else str(value) for name, value in data.items()}
        return self.create(verb=verb, by=by, signed_as=by.signature if by else "", at=at, on=on, note=note, data=plain)

    def days_given(self, since: date | None) -> list[date]:
        """The days from `since` on, the day of the decision, on which copies were given or the record looked at; [] for None."""
        if since is None:
            return []
        events = self.filter(verb__in=[Verb.COPIES_GIVEN, Verb.INSPECTED, Verb.SUMMARY_GIVEN])
        return [day for event in events if (day := date.fromisoformat(event.data["given_on"])) >= since]


class RequestEvent(AppendOnly):
    """One thing that happened to a request: what, when, by whom, with which facts."""

    request = models.ForeignKey("requests_app.PatientRequest", on_delete=models.PROTECT, related_name="events")
    verb = models.CharField(max_length=20, choices=Verb.choices)
    at = models.DateTimeField()
    on = models.DateField()  # the office day it counts for
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    signed_as = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    data = models.JSONField(default=dict)

    objects: ClassVar = RequestEventManager()

    class Meta:
        verbose_name = _("event")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["request"], condition=models.Q(verb="extended"), name="request_extended_once"),
            models.UniqueConstraint(
                fields=["request", "on"], condition=models.Q(verb="overdue"), name="request_overdue_once_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.on}"

    @property
    def sentence(self) -> str:
        """What happened, in words; days as people read them."""
        facts = {name: int(value) if name in _COUNTS else _spoken(value) for name, value in self.data.items()}
        return str(SENTENCES[self.verb] % facts)  # type: ignore[operator]


def _spoken(value: str) -> str:
    """A fact of an event as a sentence says it: an ISO day becomes "Dec 24, 2026"."""
    try:
        return deadlines.spoken(date.fromisoformat(value)) if len(value) == len("2026-12-24") else value
    except ValueError:
        return value


class Letter(Keeping):
    """A letter to the patient as it was made: its address, its text and its PDF never change."""

    class Kind(models.TextChoices):
        EXTENSION = "extension", _("We need more time")
        DECISION = "decision", _("Our decision")
        WITHDRAWAL = "withdrawal", _("You withdrew your request")
        MESSAGE = "message", _("A message about your request")
        REOPENING = "reopening", _("We opened your request again")
        REBUTTAL = "rebuttal", _("Our answer to your statement")
        CORRECTION = "correction", _("Correction of a record that you may have")
        REVIEW = "review", _("The review of our decision")
        APPOINTMENT = "appointment", _("When you can look at your record")

    request = models.ForeignKey("requests_app.PatientRequest", on_delete=models.PROTECT, related_name="letters")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    addressed_to = models.TextField()
    document = EncryptedBinaryField()  # the PDF
    sha256 = models.CharField(max_length=64)
    made_on = models.DateField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar = DocumentManager()

    class Meta:
        verbose_name = _("letter")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} letter {self.pk}"

"""Complaints about the office's privacy practices, each with what was done about it and its outcome (164.530(d)(2))."""

from datetime import date, datetime
from typing import Any, ClassVar

from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso import waivers
from meso.append_only import AppendOnly, AppendOnlyQuerySet
from meso.encrypted import EncryptedCharField, EncryptedTextField
from meso.models import User
from meso.signed import Signed
from records.models import Patient
from requests_app import complaint_rules
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Channel

FIRST_NUMBER = 100


class ComplaintQuerySet(AppendOnlyQuerySet):
    """Which complaints."""

    def open(self) -> "ComplaintQuerySet":
        """Those without an outcome, and those whose complainant still waits for the answer."""
        return self.filter(~_has("outcome") | (~_has("answered") & ~models.Q(reach="")))

    def between(self, start: date, end: date) -> "ComplaintQuerySet":
        """Received on a day of the period; both ends count."""
        return self.filter(received_on__range=(start, end))


def _has(verb: str) -> models.Exists:
    return models.Exists(ComplaintEvent.objects.filter(complaint=models.OuterRef("pk"), verb=verb))


class Complaint(AppendOnly):
    """What somebody complains of, as it came. It may be nameless, and the rule sets no day for its answer."""

    received_on = models.DateField(_("received on"))
    channel = models.CharField(_("how it came"), max_length=12, choices=Channel.choices)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, related_name="complaints")
    complainant = EncryptedCharField(_("who complains"), max_length=400, blank=True)
    reach = EncryptedTextField(_("how to reach them"), blank=True)
    about = EncryptedTextField(_("what it is about"))
    known_on = models.DateField(_("when they learned of it"), null=True)
    taken_at = models.DateTimeField()
    taken_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")  # None is the public form
    once = models.CharField(max_length=64, null=True, unique=True, editable=False)

    objects: ClassVar = ComplaintQuerySet.as_manager()

    class Meta:
        verbose_name = _("complaint")
        indexes = [models.Index(fields=["-received_on", "-id"], name="complaint_by_day")]
        constraints = [models.CheckConstraint(name="complaint_says_what", condition=~models.Q(about=""))]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        """The complaint's page."""
        return reverse("complaint", args=[self.pk])

    @property
    def number(self) -> str:
        """The number that whoever complains is told, such as C-107."""
        return f"C-{FIRST_NUMBER + self.pk}"

    @property
    def hhs_by(self) -> date:
        """Until when it can be brought to the Secretary, at the latest: whoever complains knows of it by then."""
        return complaint_rules.hhs_by(self.known_on or self.received_on)

    @property
    def state(self) -> str:
        """Where it stands: `open`, `decided` or `answered`. Reads the events, which a list prefetches."""
        return complaint_rules.state({event.verb for event in self.events.all()})

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do: it has its outcome, and its answer where there is somebody to answer."""
        return self.state == complaint_rules.ANSWERED or (self.state == complaint_rules.DECIDED and not self.reach)

    @classmethod
    def take(cls, *, on: date, once: str = "", **facts: Any) -> "Complaint":
        """Keep a complaint. The same form sent twice (`once`) is one complaint.

        Raises NotAllowedNow for a day that lies in the future, or for one on which nobody can have known of it yet.
        """
        if facts["received_on"] > on:
            raise NotAllowedNow(_t("The day of receipt can't lie in the future."), "received_on")
        if facts.get("known_on") and facts["known_on"] > facts["received_on"]:
            raise NotAllowedNow(_t("They knew of it by the day on which they complained."), "known_on")
        try:
            with transaction.atomic():
                return cls.objects.create(once=once or None, **facts)
        except IntegrityError:
            if once and (taken := cls.objects.filter(once=once).first()):
                return taken
            raise

    @transaction.atomic
    def act(self, verb: str, text: str, *, done_on: date, by: User, at: datetime, on: date) -> "ComplaintEvent":
        """Write down what was done about it: investigated, its outcome, the answer, a note.

        Raises NotAllowedNow where the act does not follow from where the complaint stands, without words, for a day before the
        complaint or in the future, and for an answer that asks for a waiver or threatens (164.530(g), 164.530(h)).
        """
        type(self).objects.hold(self.pk)
        me = type(self).objects.get(pk=self.pk)
        if verb not in complaint_rules.POSSIBLE[me.state]:
            raise NotAllowedNow(_t("That can't be done as the complaint stands now."), "verb")
        if verb == complaint_rules.ANSWER and not me.reach:
            raise NotAllowedNow(_t("They left no way to reach them: there is nobody to answer."), "verb")
        if not text.strip():
            raise NotAllowedNow(_t("Write down what was done and found."), "text")
        if verb == complaint_rules.ANSWER and (words := waivers.refusal(text)):
            raise NotAllowedNow(words, "text")
        if not self.received_on <= done_on <= on:
            raise NotAllowedNow(_t("The day must lie between the day it was received and today."), "done_on")
        return ComplaintEvent.objects.create(complaint=self, verb=verb, text=text, on=done_on, by=by, at=at)


class ComplaintEvent(Signed):
    """One thing that was done about a complaint."""

    class Verb(models.TextChoices):
        INVESTIGATED = complaint_rules.INVESTIGATED, _("Looked into")
        OUTCOME = complaint_rules.OUTCOME, _("Outcome")
        ANSWERED = complaint_rules.ANSWER, _("Answered")
        NOTE = complaint_rules.NOTE, _("Note")

    complaint = models.ForeignKey(Complaint, on_delete=models.PROTECT, related_name="events")
    verb = models.CharField(_("what was done"), max_length=12, choices=Verb.choices)
    on = models.DateField(_("on"))
    text = EncryptedTextField(_("in words"))

    class Meta:
        verbose_name = _("step on a complaint")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["complaint"], condition=models.Q(verb="outcome"), name="complaint_has_one_outcome"),
            models.UniqueConstraint(fields=["complaint"], condition=models.Q(verb="answered"), name="complaint_answered_once"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.on}"

"""Breaches: what went wrong, how it was judged, who was told and when. Rows are added, never changed (164.402–164.414)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

from django.db import models, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from disclosures import breach_rules, suspension_rules
from disclosures.breach_rules import Duty
from disclosures.models.log import Disclosure
from meso.append_only import AppendOnlyQuerySet
from meso.documents import DocumentManager, Keeping
from meso.encrypted import EncryptedBinaryField, EncryptedJSONField, EncryptedTextField
from meso.models import User
from meso.seals import Sealed
from meso.signed import Signed
from records.models import Patient

CHAIN = "breaches"


class NotNow(Exception):
    """An act that a breach does not admit now; the text says why. `field` names what is amiss, or is ""."""

    def __init__(self, text: str, field: str = ""):
        self.field = field
        super().__init__(text)


class BreachQuerySet(AppendOnlyQuerySet):
    """Which breaches."""

    def open(self) -> "BreachQuerySet":
        """Those that nobody has closed."""
        return self.filter(~models.Exists(BreachEvent.objects.filter(breach=models.OuterRef("pk"), verb=Verb.CLOSED)))


class Breach(Sealed):
    """Information that was used or went out as the rules do not permit: presumed a breach until it is judged (164.402)."""

    disclosure = models.OneToOneField(Disclosure, on_delete=models.PROTECT, null=True, related_name="breach")
    what = EncryptedTextField(_("what happened"))
    happened_on = models.DateField(_("happened on"), null=True)
    discovered_on = models.DateField(_("discovered on"))
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signed_as = models.CharField(max_length=200)
    opened_at = models.DateTimeField()

    objects: ClassVar = BreachQuerySet.as_manager()

    class Meta:
        verbose_name = _("breach")
        verbose_name_plural = _("breaches")
        indexes = [models.Index(fields=["-discovered_on", "-id"], name="breach_by_discovery")]
        constraints = [
            models.CheckConstraint(
                name="breach_discovered_after_it_happened",
                condition=models.Q(happened_on=None) | models.Q(discovered_on__gte=models.F("happened_on")),
                violation_error_message=_("It can't be discovered before it happened."),
            )
        ]

    def __str__(self) -> str:
        return f"breach {self.pk}"

    def chain_key(self) -> str:
        """One chain for the office's breaches: they concern many patients, or none that is known."""
        return CHAIN

    @classmethod
    def open_one(
        cls,
        *,
        what: str,
        discovered_on: date,
        by: User,
        at: datetime,
        on: date,
        happened_on: date | None = None,
        disclosure: Disclosure | None = None,
    ) -> "Breach":
        """Open an assessment; it concerns the patient of `disclosure` first. Raises NotNow for a day that can't be."""
        if discovered_on > on:
            raise NotNow(_t("The discovery can't lie in the future."), "discovered_on")
        if happened_on and happened_on > discovered_on:
            raise NotNow(_t("It can't be discovered before it happened."), "happened_on")
        with transaction.atomic():
            breach = cls.objects.create(
                disclosure=disclosure, what=what, happened_on=happened_on, discovered_on=discovered_on,
                opened_by=by, signed_as=by.signature, opened_at=at,
            )  # fmt: skip
            if disclosure:
                breach.concern(disclosure.patient, by=by, at=at)
        return breach

    def concern(self, patient: Patient, *, by: User, at: datetime) -> "BreachAffected":
        """Name a patient whom it concerns, to write them the letter. Raises IntegrityError for one who is named already."""
        return BreachAffected.objects.create(patient=patient, breach=self, by=by, at=at)

    # --- acting on it --------------------------------------------------------------------------------------------

    def _add(
        self, verb: str, *, by: User, at: datetime, on: date, check: Callable[["Standing"], None], **data: Any
    ) -> "BreachEvent":
        with transaction.atomic():
            Breach.objects.hold(self.pk)
            standing = Standing.of(self)
            if standing.closed:
                raise NotNow(_t("This breach is closed."))
            check(standing)
            return BreachEvent.objects.create(breach=self, verb=verb, on=on, data=data, by=by, at=at)

    def count(self, people: int, residents: dict[str, int], *, by: User, at: datetime, on: date) -> "BreachEvent":
        """How many people it concerns, and how many of them live in which state. May be put right later."""

        def check(standing: Standing) -> None:
            if people < 0 or sum(residents.values()) > people:
                raise NotNow(_t("The residents of the states can't be more than all the people."), "residents")

        return self._add(Verb.COUNTED, check=check, people=people, residents=residents, by=by, at=at, on=on)

    def assess(self, factors: dict[str, str], *, low: bool, by: User, at: datetime, on: date) -> "BreachEvent":
        """Judge the four factors, each with its reasoning (164.402(2)). Raises NotNow where one has none."""

        def check(standing: Standing) -> None:
            for factor in breach_rules.FACTORS:
                if not factors.get(factor, "").strip():
                    raise NotNow(_t("Each of the four factors needs its reasoning: the burden of proof is the office’s."), factor)

        return self._add(Verb.ASSESSED, check=check, factors=factors, low=int(low), by=by, at=at, on=on)

    def delay(
        self, *, agency: str, official: str, written: bool, stated_on: date, until: date | None, by: User, at: datetime, on: date
    ) -> "BreachEvent":
        """Law enforcement states that telling would impede it: nobody is told for its time, oral for thirty days (164.412).

        Raises suspension_rules.NotSuspendable for a time that can't be, NotNow for a second oral statement.
        """
        suspension_rules.check_days(stated_on=stated_on, until=until, written=written, on=on)
        last = suspension_rules.last_day(stated_on, until, written=written)

        def check(standing: Standing) -> None:
            if standing.delayed_through and not written:
                raise NotNow(
                    _t("Only a written statement delays longer than thirty days: a second oral one adds nothing."), "how"
                )

        facts = {"agency": agency, "official": official, "written": int(written), "stated_on": stated_on.isoformat()}
        return self._add(Verb.DELAYED, check=check, through=last.isoformat(), **facts, by=by, at=at, on=on)

    def describe(self, contents: dict[str, str], *, by: User, at: datetime, on: date) -> "BreachEvent":
        """The five things that each letter says (164.404(c)(1)). Raises NotNow where one is empty."""

        def check(standing: Standing) -> None:
            for item in breach_rules.CONTENTS:
                if not contents.get(item, "").strip():
                    raise NotNow(_t("The letter must say this: 45 CFR 164.404(c)."), item)

        return self._add(Verb.DESCRIBED, check=check, contents=contents, by=by, at=at, on=on)

    def tell(self, whom: str, *, told_on: date, how: str, by: User, at: datetime, on: date) -> "BreachEvent":
        """The people (`individuals`), the `media` or `hhs` were told on that day.

        Raises NotNow during a law-enforcement delay, before the letter has its five parts, for a day that can't be.
        """

        def check(standing: Standing) -> None:
            if not self.discovered_on <= told_on <= on:
                raise NotNow(_t("The day must lie between the discovery and today."), "told_on")
            if standing.delayed_through and told_on <= standing.delayed_through:
                words = _t("Law enforcement has delayed it through %(day)s: 45 CFR 164.412.")
                raise NotNow(words % {"day": standing.delayed_through}, "told_on")
            if whom == "individuals" and not standing.contents:
                raise NotNow(_t("Write what the letter says first: its five parts are 45 CFR 164.404(c)."))

        return self._add(Verb(whom), check=check, told_on=told_on.isoformat(), how=how, by=by, at=at, on=on)

    def close(self, reason: str, *, by: User, at: datetime, on: date) -> "BreachEvent":
        """Close it: judged of low probability, or everybody told. Raises NotNow while somebody is still to be told."""

        def check(standing: Standing) -> None:
            if standing.people is None and not standing.is_low:
                raise NotNow(_t("Say how many people it concerns first: whom to tell depends on it."))
            if waiting := standing.to_tell():
                words = _t("Still to be told: %(whom)s.")
                raise NotNow(words % {"whom": ", ".join(duty.label for duty in waiting)})

        return self._add(Verb.CLOSED, check=check, reason=reason, by=by, at=at, on=on)


class Verb(models.TextChoices):
    """What can happen to a breach."""

    COUNTED = "counted", _("People counted")
    ASSESSED = "assessed", _("Four factors judged")
    DELAYED = "delayed", _("Delayed by law enforcement")
    DESCRIBED = "described", _("Letter written")
    INDIVIDUALS = "individuals", _("Patients told")
    MEDIA = "media", _("Media told")
    HHS = "hhs", _("HHS told")
    CLOSED = "closed", _("Closed")


class BreachEvent(Signed, Sealed):
    """One thing that happened to a breach, with its facts."""

    breach = models.ForeignKey(Breach, on_delete=models.PROTECT, related_name="events")
    verb = models.CharField(max_length=12, choices=Verb.choices)
    on = models.DateField()
    data = EncryptedJSONField()

    class Meta:
        verbose_name = _("event of a breach")
        verbose_name_plural = _("events of breaches")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["breach"], condition=models.Q(verb="closed"), name="breach_closed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.breach_id}"

    def chain_key(self) -> str:
        """The chain of the office's breaches."""
        return CHAIN


@dataclass
class Standing:
    """Where a breach stands, read off its events; the latest of each kind holds."""

    breach: Breach
    people: int | None = None
    residents: dict[str, int] = field(default_factory=dict)
    assessment: BreachEvent | None = None
    delayed_through: date | None = None
    contents: dict[str, str] = field(default_factory=dict)
    told: dict[str, BreachEvent] = field(default_factory=dict)
    closed: BreachEvent | None = None

    @classmethod
    def of(cls, breach: Breach) -> "Standing":
        """Read the events: one query, none where they are prefetched."""
        standing = cls(breach)
        for event in breach.events.all():
            standing._take(event)
        return standing

    def _take(self, event: BreachEvent) -> None:
        data = event.data
        if event.verb == Verb.COUNTED:
            self.people, self.residents = data["people"], data["residents"]
        elif event.verb == Verb.ASSESSED:
            self.assessment = event
        elif event.verb == Verb.DELAYED:
            self.delayed_through = date.fromisoformat(data["through"])
        elif event.verb == Verb.DESCRIBED:
            self.contents = data["contents"]
        elif event.verb == Verb.CLOSED:
            self.closed = event
        else:
            self.told[event.verb] = event

    @property
    def is_low(self) -> bool:
        """Whether the four factors show a low probability that the information was compromised: then nobody need be told."""
        return bool(self.assessment and self.assessment.data["low"])

    def duties(self) -> list[Duty]:
        """Whom to tell by when, told or not; nobody where the probability is low."""
        if self.is_low:
            return []
        return breach_rules.duties(self.breach.discovered_on, self.people, self.residents, self.delayed_through)

    def to_tell(self) -> list[Duty]:
        """Those who are still to be told, the soonest first."""
        return sorted((duty for duty in self.duties() if duty.key not in self.told), key=lambda duty: duty.due_on)


class BreachAffected(Sealed):
    """A patient whom a breach concerns."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="breaches")
    breach = models.ForeignKey(Breach, on_delete=models.PROTECT, related_name="affected")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("patient whom a breach concerns")
        verbose_name_plural = _("patients whom breaches concern")
        constraints = [models.UniqueConstraint(fields=["breach", "patient"], name="breach_concerns_once")]

    def __str__(self) -> str:
        return f"breach {self.breach_id}, patient {self.patient_id}"


class BreachLetter(Keeping, Sealed):
    """The letter that tells a patient of a breach, as it was made, byte for byte (164.404(c), (d))."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    breach = models.ForeignKey(Breach, on_delete=models.PROTECT, related_name="letters")
    addressed_to = models.TextField()
    document = EncryptedBinaryField()  # the PDF
    sha256 = models.CharField(max_length=64)
    made_on = models.DateField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar = DocumentManager()

    class Meta:
        verbose_name = _("letter about a breach")
        verbose_name_plural = _("letters about breaches")

    def __str__(self) -> str:
        return f"letter {self.pk} about breach {self.breach_id}"

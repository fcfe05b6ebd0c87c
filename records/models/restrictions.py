"""Restrictions (164.522(a)): what the office keeps to, about which entries, and what ends it.

The service paid in full behind a mandatory one is in paid_in_full.py, what went out in an emergency in emergencies.py.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso import clock
from meso.append_only import AppendOnlyQuerySet
from meso.encrypted import EncryptedTextField
from meso.models import User
from meso.seals import Sealed
from meso.signed import Signed
from records import restriction_rules as rules
from records.models.chart import Entry
from records.models.patient import Patient


class RestrictionQuerySet(AppendOnlyQuerySet):
    """Which restrictions."""

    def in_force(self, on: date) -> "RestrictionQuerySet":
        """Begun on or before the day and not ended by it. A restriction still binds on the day before its ending."""
        return self.filter(begins_on__lte=on).exclude(ending__ended_on__lte=on)

    def with_terms(self) -> "RestrictionQuerySet":
        """Each with the service paid for, notice, end and entries that make its terms, in two queries."""
        return self.select_related("paid", "notice", "ending").prefetch_related("listed")

    def with_story(self) -> "RestrictionQuerySet":
        """Each with its terms, entries, failed payments and emergency releases, in a fixed number of queries."""
        return self.with_terms().prefetch_related("listed__entry__flags", "bounces__made_good", "emergencies__sent")


class Restriction(Sealed):
    """A limit on use or disclosure that binds the office until it is ended. Mandatory where a service was `paid` in full.

    `covers` holds codes of restriction_rules.Covers and `kept_from` of Recipient; empty means all. Entries listed, the
    restriction is about them alone, else about the whole record.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="restrictions")
    what = EncryptedTextField(_("what is restricted"))
    from_whom = models.CharField(_("from whom it is kept"), max_length=300, blank=True)
    covers = models.JSONField(_("for which purposes"), default=list, blank=True)
    kept_from = models.JSONField(_("from which kinds of recipients"), default=list, blank=True)
    begins_on = models.DateField(_("in force since"))
    agreed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signed_as = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()
    request_number = models.CharField(max_length=20, blank=True)

    objects: ClassVar = RestrictionQuerySet.as_manager()

    class Meta:
        verbose_name = _("restriction")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"restriction {self.pk}"

    @classmethod
    def agree(
        cls,
        patient: Patient,
        *,
        what: str,
        begins_on: date,
        by: User,
        at: datetime,
        from_whom: str = "",
        covers: Iterable[str] = (),
        kept_from: Iterable[str] = (),
        entries: Iterable[Entry] = (),
        request_number: str = "",
    ) -> "Restriction":
        """Record a restriction that the office has agreed to. `by` agreed. Raises ValidationError for another chart's entry."""
        with transaction.atomic():
            made = cls.objects.create(
                patient=patient,
                what=what,
                from_whom=from_whom,
                covers=list(covers),
                kept_from=list(kept_from),
                begins_on=begins_on,
                agreed_by=by,
                signed_as=by.signature,
                recorded_at=at,
                request_number=request_number,
            )
            made._list(entries)
        return made

    def _list(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry.patient_id != self.patient_id or entry.is_misfiled:
                raise ValidationError(_t("That entry is not in this patient's record."))
            RestrictionEntry.objects.create(patient_id=self.patient_id, restriction=self, entry=entry)

    @property
    def is_mandatory(self) -> bool:
        """Whether the law makes the office keep it: the service was paid for in full."""
        return getattr(self, "paid", None) is not None

    def has_ended(self, on: date) -> bool:
        """Whether it was ended by that day. Costs no query for one that comes `with_terms()`."""
        ending = getattr(self, "ending", None)
        return ending is not None and ending.ended_on <= on

    @property
    def waits_for_payment(self) -> bool:
        """Whether a payment that failed is not made good yet. Costs no query for one that comes `with_story()`."""
        return any(getattr(bounce, "made_good", None) is None for bounce in self.bounces.all())

    @property
    def covered(self) -> list[str]:
        """The purposes it covers, in words; all of them where none was named."""
        return [str(code.label) for code in rules.Covers if not self.covers or code in self.covers]

    @property
    def kept_from_words(self) -> list[str]:
        """The kinds of recipients it is kept from, in words; [] for everybody."""
        return [str(kind.label) for kind in rules.Recipient if kind in self.kept_from]

    def terms(self) -> rules.Terms:
        """The restriction as the rules see it. Costs no query for one that comes `with_terms()`."""
        paid, notice, ending = (getattr(self, name, None) for name in ("paid", "notice", "ending"))
        return rules.Terms(
            begins_on=self.begins_on,
            mandatory=paid is not None,
            covers=frozenset(self.covers),
            kept_from=frozenset(self.kept_from),
            entries=frozenset(row.entry_id for row in self.listed.all()),
            service_on=paid.service_on if paid else None,
            told_on=notice.told_on if notice else None,
            ended_on=ending.ended_on if ending else None,
        )

    def verdict(
        self, entries: Iterable[Entry] | None, *, purpose: str, recipient: str, on: date, emergency: bool = False
    ) -> rules.Verdict:
        """What it says of a release of these entries (restriction_rules.verdict)."""
        lines = None if entries is None else [line_of(entry) for entry in entries]
        return rules.verdict(self.terms(), lines, purpose=purpose, recipient=recipient, on=on, emergency=emergency)

    def end(self, kind: str, *, reason: str, evidence: str, by: User, at: datetime, on: date) -> "RestrictionEnding":
        """End it from that day on: asked or agreed to in writing or orally, or its payment not made good.

        Raises ValidationError when it has ended already, and for `not_paid` unless a payment that failed is on record.
        """
        with transaction.atomic():
            self.lock()
            if kind == RestrictionEnding.Kind.NOT_PAID and not self.bounces.exists():
                raise ValidationError({"kind": _t("No failed payment is recorded for this restriction. Record it first.")})
            return RestrictionEnding.objects.create(
                patient_id=self.patient_id,
                restriction=self,
                kind=kind,
                ended_on=on,
                reason=reason,
                evidence=evidence,
                by=by,
                at=at,
            )

    def tell(self, *, told_on: date, how: str, reason: str, by: User, at: datetime) -> "RestrictionNotice":
        """Record the office's notice that it no longer keeps it for what is created or received after `told_on`.

        Raises ValidationError for a mandatory restriction, one that ended, and a second notice (164.522(a)(2)(iii)).
        """
        with transaction.atomic():
            self.lock()
            if self.is_mandatory:
                words = _t("A restriction for what was paid in full can't be ended by a notice of the office.")
                raise ValidationError({"kind": words})
            if RestrictionNotice.objects.filter(restriction=self).exists():
                raise ValidationError({"kind": _t("The patient was told so already.")})
            return RestrictionNotice.objects.create(
                patient_id=self.patient_id,
                restriction=self,
                told_on=told_on,
                how=how,
                reason=reason,
                by=by,
                at=at,
            )

    def lock(self) -> None:
        """Hold it against other writers. Raises ValidationError when it has ended."""
        Restriction.objects.hold(self.pk)
        if RestrictionEnding.objects.filter(restriction=self).exists():
            raise ValidationError(_t("This restriction has ended."))


def line_of(entry: Entry) -> rules.Line:
    """The entry as the rules of restrictions see it."""
    return rules.Line(entry.pk, entry.service_on, clock.office_day(entry.written_at))


class RestrictionEntry(Sealed):
    """One entry that a restriction is about."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    restriction = models.ForeignKey(Restriction, on_delete=models.PROTECT, related_name="listed")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="restricted_by")

    class Meta:
        verbose_name = _("entry of a restriction")
        verbose_name_plural = _("entries of a restriction")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["restriction", "entry"], name="restriction_lists_an_entry_once")]

    def __str__(self) -> str:
        return f"entry {self.entry_id} under restriction {self.restriction_id}"


class RestrictionEnding(Signed, Sealed):
    """The end of a restriction: from that day it no longer binds."""

    class Kind(models.TextChoices):
        IN_WRITING = "in_writing", _("The patient asks for it or agrees, in writing")
        ORALLY = "orally", _("The patient agrees orally")
        NOT_PAID = "not_paid", _("The payment failed and was not made good")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    restriction = models.OneToOneField(Restriction, on_delete=models.PROTECT, related_name="ending")
    kind = models.CharField(_("how it ends"), max_length=12, choices=Kind.choices, blank=True)  # "": of an earlier version
    ended_on = models.DateField(_("ended on"))
    reason = models.CharField(_("reason"), max_length=1000)
    evidence = models.CharField(_("what shows it"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("end of a restriction")

    def __str__(self) -> str:
        return f"restriction {self.restriction_id} ended {self.ended_on}"


class RestrictionNotice(Signed, Sealed):
    """The office told the patient that it no longer keeps a restriction. What was there by that day stays restricted."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    restriction = models.OneToOneField(Restriction, on_delete=models.PROTECT, related_name="notice")
    told_on = models.DateField(_("told on"))
    how = models.CharField(_("how the patient was told"), max_length=500)
    reason = models.CharField(_("reason"), max_length=1000)

    class Meta:
        verbose_name = _("notice about a restriction")
        verbose_name_plural = _("notices about restrictions")

    def __str__(self) -> str:
        return f"notice about restriction {self.restriction_id}"

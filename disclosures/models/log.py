"""The disclosure log: to whom, when, what, why. Rows are added and corrected by new rows, never changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from disclosures import purposes
from disclosures.models.authorizations import Authorization
from disclosures.models.registers import BusinessAssociate, ResearchProtocol
from disclosures.purposes import Scope
from meso.append_only import AppendOnlyQuerySet
from meso.documents import DocumentManager
from meso.encrypted import EncryptedBinaryField, EncryptedCharField
from meso.models import User
from meso.seals import Sealed
from meso.signed import Signed
from records.models import Entry, Patient
from records.uploads import CheckedFile

EARLIEST = date(1950, 1, 1)  # a disclosure of an earlier day is a slip of the pen


_BY_REQUEST = [code for code in purposes.PURPOSES if purposes.copy_may_stand_for_purpose(code)]
_PARTS = [models.Q(purpose_code=code, sub_kind__in=list(parts)) for code, parts in purposes.PARTS.items()]


def _is_corrected() -> models.Exists:
    return models.Exists(Correction.objects.filter(original=models.OuterRef("pk")))


def _is_reviewed() -> models.Exists:
    return models.Exists(DisclosureReview.objects.filter(disclosure=models.OuterRef("pk")))


class DisclosureQuerySet(AppendOnlyQuerySet):
    """Which disclosures.

    What a row lacks is asked by NOT EXISTS: PostgreSQL can't guess how many rows an outer join with nothing leaves, and
    then sorts the whole log for its first page.
    """

    def current(self) -> "DisclosureQuerySet":
        """Those that no correction has taken the place of."""
        return self.filter(~_is_corrected())

    def not_reviewed(self) -> "DisclosureQuerySet":
        """Current rows that the privacy officer has not signed off."""
        return self.current().filter(~_is_reviewed())

    def for_list(self) -> "DisclosureQuerySet":
        """With what a line of a list shows: the patient, who logged it, `is_corrected`, `is_reviewed`. One query."""
        return self.select_related("patient", "logged_by").annotate(is_corrected=_is_corrected(), is_reviewed=_is_reviewed())

    def with_replacements(self) -> "DisclosureQuerySet":
        """Corrected ones too, each with `replaced_by`: the number of the row in its place, or None."""
        correction = Correction.objects.filter(original=models.OuterRef("pk"))
        return self.annotate(replaced_by=models.Subquery(correction.values("replacement")))

    def held(self) -> "DisclosureQuerySet":
        """Current rows that wait for the officer's decision whether an accounting lists them (law.md §8)."""
        undecided = ~models.Exists(HoldDecision.objects.filter(disclosure=models.OuterRef("pk")))
        return self.current().filter(undecided, purpose_code__in=purposes.codes_held(Scope.NOTICE))

    def victims_to_tell(self) -> "DisclosureQuerySet":
        """Current reports of abuse of an adult whose patient is still to be told (164.512(c)(2))."""
        adults = self.current().filter(purpose_code="abuse_neglect", sub_kind="adult")
        return adults.filter(victim_told=None, corrects__original__victim_told=None)

    def between(self, start: date, end: date) -> "DisclosureQuerySet":
        """Made on a day of the window; both ends count."""
        return self.filter(disclosed_on__range=(start, end))

    def accountable(self, scope: Scope) -> "DisclosureQuerySet":
        """Current rows that an accounting of this scope lists (law.md §7–8); a held one only where the officer decided so."""
        listed = models.Q(purpose_code__in=purposes.codes_listed(scope))
        decided = models.Q(purpose_code__in=purposes.codes_held(scope), hold_decision__listed=True)
        return self.current().filter(listed | decided)


class Disclosure(Sealed):
    """One release of information outside treatment, payment and operations (45 CFR 164.528(b)(2); the office's notice)."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="disclosures")
    disclosed_on = models.DateField(_("date"))
    recipient = models.CharField(_("recipient"), max_length=300)
    recipient_address = models.TextField(_("recipient's address"), blank=True)
    information = models.TextField(_("what was given"))
    purpose_code = models.CharField(_("purpose"), max_length=30, choices=purposes.choices())
    purpose = models.TextField(_("purpose in words"))
    authorized_on = models.DateField(_("authorization signed on"), null=True, blank=True)
    authorization = models.ForeignKey(Authorization, on_delete=models.PROTECT, null=True, related_name="disclosures")
    sub_kind = models.CharField(_("part of the rule"), max_length=20, blank=True)
    protocol = models.ForeignKey(ResearchProtocol, on_delete=models.PROTECT, null=True, related_name="disclosures")
    made_by = models.ForeignKey(BusinessAssociate, on_delete=models.PROTECT, null=True, related_name="disclosures")
    written_request = models.ForeignKey("WrittenRequest", on_delete=models.PROTECT, null=True, related_name="disclosures")
    logged_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    logged_at = models.DateTimeField()
    request_number = models.CharField(max_length=20, blank=True)
    source_id = models.CharField(max_length=64, null=True, unique=True, editable=False)  # digest of an imported row

    objects: ClassVar = DisclosureQuerySet.as_manager()

    class Meta:
        verbose_name = _("disclosure")
        indexes = [
            models.Index(fields=["-disclosed_on", "-id"], name="disclosure_by_day"),
            models.Index(fields=["patient", "-disclosed_on", "-id"], name="disclosure_by_patient"),
            models.Index(fields=["purpose_code", "-disclosed_on", "-id"], name="disclosure_by_purpose"),
            models.Index(fields=["logged_by", "-disclosed_on", "-id"], name="disclosure_by_staff"),
        ]
        constraints = [
            models.CheckConstraint(
                name="disclosure_purpose_is_logged",
                condition=models.Q(purpose_code__in=[code for code in purposes.PURPOSES if code not in purposes.EXEMPT]),
                violation_error_message=_("Treatment, payment and operations stay out of the log."),
            ),
            models.CheckConstraint(
                name="disclosure_says_what_to_whom_why",
                condition=~models.Q(recipient="")
                & ~models.Q(information="")
                & (~models.Q(purpose="") | models.Q(written_request__isnull=False, purpose_code__in=_BY_REQUEST)),
                violation_error_message=_("A disclosure says to whom, what and why."),
            ),
            models.CheckConstraint(
                name="disclosure_part_is_of_its_rule",
                condition=models.Q(sub_kind="") | models.Q(*_PARTS, _connector=models.Q.OR),
                violation_error_message=_("That is a part of another rule than its purpose."),
            ),
            models.CheckConstraint(
                name="disclosure_protocol_is_of_research", condition=models.Q(protocol=None) | models.Q(purpose_code="research")
            ),
        ]

    def __str__(self) -> str:
        return f"disclosure {self.pk}"

    @property
    def purpose_label(self) -> str:
        """The purpose in plain words."""
        return str(purposes.purpose(self.purpose_code).label)

    @property
    def part(self) -> purposes.Part | None:
        """Which case of its rule it is, where the row says so."""
        return purposes.PARTS[self.purpose_code][self.sub_kind] if self.sub_kind else None

    @property
    def purpose_citation(self) -> str:
        """Where the rule stands that lets it go out."""
        return self.part.citation if self.part else purposes.purpose(self.purpose_code).citation

    @property
    def is_held(self) -> bool:
        """Whether it waits for the officer's decision whether an accounting lists it."""
        undecided = getattr(self, "hold_decision", None) is None and getattr(self, "correction", None) is None
        return purposes.purpose(self.purpose_code).held and undecided

    @classmethod
    def log(
        cls,
        *,
        patient: Patient,
        disclosed_on: date,
        recipient: str,
        information: str,
        purpose_code: str,
        purpose: str,
        by: User | None,
        at: Any,
        recipient_address: str = "",
        authorized_on: date | None = None,
        authorization: Authorization | None = None,
        entries: list[Entry] | None = None,
        request_number: str = "",
        source_id: str | None = None,
        written_request: "CheckedFile | WrittenRequest | None" = None,
        **details: Any,
    ) -> "Disclosure":
        """Write one row of the log, with the entries that were given. With `authorization` that form must carry the release.

        Raises purposes.UnknownPurpose, ValueError for an exempt purpose, which never enters the log, and NotAuthorized.
        """
        if purposes.purpose(purpose_code).exempt:
            raise ValueError(f"{purpose_code} is exempt and stays out of the log")
        with transaction.atomic():
            if authorization:
                release = {"recipient": recipient, "entries": entries or (), "purpose": purpose}
                authorized_on = authorization.carry(patient, disclosed_on, release)
            if isinstance(written_request, CheckedFile):
                written_request = WrittenRequest.keep(written_request, patient=patient, by=by, at=at)
            row = cls.objects.create(
                patient=patient,
                disclosed_on=disclosed_on,
                recipient=recipient,
                recipient_address=recipient_address,
                information=information,
                purpose_code=purpose_code,
                purpose=purpose,
                authorized_on=authorized_on,
                authorization=authorization,
                logged_by=by,
                logged_at=at,
                request_number=request_number,
                source_id=source_id,
                written_request=written_request,
                **details,
            )
            for entry in entries or []:
                DisclosedEntry.objects.create(patient=patient, disclosure=row, entry=entry)
        return row

    def correct(self, *, by: User, at: Any, reason: str, replacement: dict[str, Any] | None) -> "Correction":
        """Take this row's place with a new one, or with none when it should never have been logged. The old row stays readable.

        `replacement` holds the fields of the new row as `log` takes them. Raises ValidationError when it was corrected already.
        """
        with self._once(Correction, "original", _t("This row has been corrected meanwhile. Open it again to see how.")):
            new = Disclosure.log(patient=self.patient, by=by, at=at, **replacement) if replacement else None
            return Correction.objects.create(patient=self.patient, original=self, replacement=new, reason=reason, by=by, at=at)

    def review(self, *, by: User, at: Any, note: str = "") -> "DisclosureReview":
        """The privacy officer's dated, signed review of this row."""
        return DisclosureReview.objects.create(patient=self.patient, disclosure=self, by=by, at=at, note=note)

    def decide_hold(self, *, by: User, at: Any, listed: bool, reason: str) -> "HoldDecision":
        """The privacy officer's recorded decision whether a held row is listed (164.512(k)(2)).

        Raises ValidationError when it was decided already.
        """
        words = _t("Somebody has decided this meanwhile. Open the disclosure to see how.")
        with self._once(HoldDecision, "disclosure", words):
            return HoldDecision.objects.create(patient=self.patient, disclosure=self, listed=listed, reason=reason, by=by, at=at)

    @contextmanager
    def _once(self, act: type[Sealed], column: str, words: str) -> Iterator[None]:
        """A transaction in which this row takes this act; a second one at the same moment waits, and is refused with `words`."""
        with transaction.atomic():
            Patient.objects.select_for_update().get(pk=self.patient_id)
            if act._default_manager.filter(**{column: self}).exists():
                raise ValidationError(words)
            yield


class WrittenRequest(Sealed):
    """A copy of a recipient's written request. Kept here and not in the chart: an accounting may carry it (164.528(b)(2)(iv))."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    format = models.CharField(max_length=100)
    content = EncryptedBinaryField()
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()

    objects: ClassVar = DocumentManager()

    class Meta:
        verbose_name = _("written request")

    def __str__(self) -> str:
        return f"written request {self.pk}"

    @classmethod
    def keep(cls, scan: CheckedFile, *, patient: Patient, by: User | None, at: Any) -> "WrittenRequest":
        """Store the scan."""
        return cls.objects.create(
            patient=patient, name=scan.name, format=scan.format, content=scan.content, added_by=by, added_at=at
        )


class VictimTold(Signed, Sealed):
    """The patient was told of a report of abuse of an adult, or why not: told promptly unless that risks harm (164.512(c)(2))."""

    class WhyNot(models.TextChoices):
        HARM = "harm", _("A professional judges that telling would put the patient at risk of serious harm")
        REPRESENTATIVE = "representative", _("It would mean telling a representative who is thought responsible")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    disclosure = models.OneToOneField(Disclosure, on_delete=models.PROTECT, related_name="victim_told")
    told_on = models.DateField(_("told on"), null=True)
    why_not = models.CharField(_("why not"), max_length=15, choices=WhyNot.choices, blank=True)
    words = EncryptedCharField(_("how, or the judgment in words"), max_length=1000)

    class Meta:
        verbose_name = _("telling of a victim")
        constraints = [
            models.CheckConstraint(
                name="victim_told_or_why_not",
                condition=models.Q(told_on=None) ^ models.Q(why_not=""),
                violation_error_message=_("Give the day on which the patient was told, or why not."),
            )
        ]

    def __str__(self) -> str:
        return f"telling about disclosure {self.disclosure_id}"


class DisclosedEntry(Sealed):
    """An entry of the record that a disclosure gave out."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    disclosure = models.ForeignKey(Disclosure, on_delete=models.PROTECT, related_name="disclosed_entries")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="disclosed_in")

    class Meta:
        verbose_name = _("entry given out")
        constraints = [models.UniqueConstraint(fields=["disclosure", "entry"], name="disclosed_entry_once")]

    def __str__(self) -> str:
        return f"entry {self.entry_id} in disclosure {self.disclosure_id}"


class Correction(Signed, Sealed):
    """Says that a row of the log was wrong, and which row, if any, stands in its place."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    original = models.OneToOneField(Disclosure, on_delete=models.PROTECT, related_name="correction")
    replacement = models.OneToOneField(Disclosure, on_delete=models.PROTECT, null=True, related_name="corrects")
    reason = models.CharField(_("what was wrong"), max_length=1000)

    class Meta:
        verbose_name = _("correction of the log")
        verbose_name_plural = _("corrections of the log")

    def __str__(self) -> str:
        return f"correction of disclosure {self.original_id}"


class DisclosureReview(Signed, Sealed):
    """The privacy officer has looked at this row: when, who, and what they noted."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    disclosure = models.ForeignKey(Disclosure, on_delete=models.PROTECT, related_name="reviews")
    note = models.CharField(_("note"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("review of a disclosure")

    def __str__(self) -> str:
        return f"review of disclosure {self.disclosure_id}"


class HoldDecision(Signed, Sealed):
    """Whether an accounting lists a national-security disclosure: decided once, with the reason (law.md §8)."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    disclosure = models.OneToOneField(Disclosure, on_delete=models.PROTECT, related_name="hold_decision")
    listed = models.BooleanField(_("list it"))
    reason = models.CharField(_("reason"), max_length=1000)

    class Meta:
        verbose_name = _("decision on a held disclosure")

    def __str__(self) -> str:
        return f"decision on disclosure {self.disclosure_id}"

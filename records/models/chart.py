"""The chart: entries that are never altered, and what may be laid beside them.

An entry is written once. Disputed, it gets a line through it and stays legible (StrikeThrough); the physician may add
an Addendum; a wrong chart is said so by a Misfiling. All are sealed links of the patient's chain.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnlyQuerySet
from meso.documents import Keeping, WithoutBytes
from meso.encrypted import EncryptedBinaryField, EncryptedCharField, EncryptedJSONField, EncryptedTextField
from meso.models import User
from meso.seals import Sealed
from meso.signed import Signed
from records import passages
from records.exclusion import EXCLUSIONS, Kind, is_psychotherapy_notes
from records.models.patient import Patient


class EntryQuerySet(AppendOnlyQuerySet):
    """Which entries."""

    def of_record(self) -> "EntryQuerySet":
        """The entries that are this patient's: those filed in the wrong chart left out."""
        return self.filter(misfiling=None)

    def of_the_minor_alone(self) -> "EntryQuerySet":
        """Those of care that the patient, a minor then, consented to alone (164.502(g)(3))."""
        return self.of_record().filter(minor_consent__isnull=False)

    def excluded(self) -> "EntryQuerySet":
        """Those that a patient's right of access does not reach (164.524(a)(1)(i)-(ii); records/exclusion.py)."""
        return self.filter(self._is_excluded())

    def notes(self) -> "EntryQuerySet":
        """Those that are psychotherapy notes now."""
        return self.filter(flags__kind=Kind.PSYCHOTHERAPY_NOTES, flags__ending=None)

    def releasable(self) -> "EntryQuerySet":
        """Those that go into a copy for the patient: all but the excluded ones."""
        return self.filter(~self._is_excluded())

    def _is_excluded(self) -> models.Exists:
        flagged = {"flags__kind__in": list(EXCLUSIONS), "flags__ending": None}
        return models.Exists(self.model._base_manager.filter(pk=models.OuterRef("pk"), **flagged))

    def with_marks(self) -> "EntryQuerySet":
        """Each with all that was laid beside it, attachments without their bytes, in a fixed number of queries."""
        beside = ("addenda", "strikes", "flags", "attachments", "minor_consent__decisions")
        return self.select_related("misfiling", "minor_consent").prefetch_related(*beside)

    def newest_first(self) -> "EntryQuerySet":
        """As the chart shows them."""
        return self.order_by("-service_on", "-id")

    def oldest_first(self) -> "EntryQuerySet":
        """As a copy of the record gives them."""
        return self.order_by("service_on", "id")


class Entry(Sealed):
    """One entry of the record: what was seen, done or received, on a day of service, signed by its writer."""

    class Kind(models.TextChoices):
        VISIT_NOTE = "visit_note", _("Visit note")
        TREATMENT = "treatment", _("Mesotherapy treatment")
        CONSENT = "consent", _("Consent")
        PRESCRIPTION = "prescription", _("Prescription")
        LAB_RESULT = "lab_result", _("Lab result")
        PHOTOGRAPH = "photograph", _("Photograph")
        CORRESPONDENCE = "correspondence", _("Correspondence")
        BILLING_RECORD = "billing_record", _("Billing record")
        OUTSIDE_RECORD = "outside_record", _("Outside record")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    service_on = models.DateField(_("date of service"))
    title = EncryptedCharField(_("title"), max_length=200)
    body = EncryptedTextField(_("text"), blank=True)
    areas = EncryptedCharField(_("areas treated"), max_length=300, blank=True)
    products = EncryptedJSONField(_("products"), default=list, blank=True)  # [{"name", "lot", "dose"}]
    technique = EncryptedCharField(_("technique"), max_length=300, blank=True)
    reaction = EncryptedCharField(_("reaction"), max_length=500, blank=True)
    on_paper = models.BooleanField(_("the original is on paper"), default=False)
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")  # null: written elsewhere, imported
    signed_as = models.CharField(_("signed"), max_length=200)
    written_at = models.DateTimeField(_("written"))
    source_id = models.CharField(max_length=200, null=True, unique=True, editable=False)  # what wrote it: no second one

    objects: ClassVar = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        indexes = [models.Index(fields=["patient", "-service_on", "-id"], name="entry_by_chart")]
        constraints = [models.CheckConstraint(name="entry_has_a_title", condition=~models.Q(title=""))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.service_on}"

    beside: Sequence[Any] = ()  # what hangs on it from the apps above, once records.beside.lay has looked
    is_shut = False  # whether records.seeing has taken away what it says, for somebody to whom it is closed

    @property
    def is_notes(self) -> bool:
        """Whether it is flagged as psychotherapy notes now. No query where it came with its flags."""
        return is_psychotherapy_notes(self)

    @property
    def called(self) -> str:
        """Its title, as lists, letters and the log name it: of psychotherapy notes only that they are such.

        Costs a query where it came without its flags.
        """
        return str(Kind.PSYCHOTHERAPY_NOTES.label) if self.is_notes else self.title

    def shut(self) -> None:
        """Leave what it is, whose and of when, and take away what it says: for records.seeing, on an entry to be shown."""
        self.title, self.is_shut = self.called, True
        self.body = self.areas = self.technique = self.reaction = ""
        self.products, self.beside = [], ()
        cache = self.__dict__.setdefault("_prefetched_objects_cache", {})
        cache |= {name: getattr(self, name).none() for name in ("addenda", "strikes", "attachments")}

    @property
    def is_misfiled(self) -> bool:
        """Whether it was found to belong to another chart."""
        return getattr(self, "misfiling", None) is not None

    @property
    def is_payable(self) -> bool:
        """Whether it is of a kind that is paid for, so that the patient may keep it from a health plan."""
        return self.kind in PAYABLE

    def passages(self) -> list[tuple[str, bool]]:
        """The body in pieces of (text, struck), for screen, print and PDF alike: the one rule of how a line is drawn."""
        if self.is_struck_whole:
            return [(self.body, True)] if self.body else []
        pieces: list[tuple[str, bool]] = []
        done = 0
        for strike in sorted(self.strikes.all(), key=lambda strike: strike.start):
            begin, end = max(strike.start, done), strike.start + len(strike.passage)
            if end <= done:
                continue
            if pieces and begin == done:
                begin = done - len(pieces.pop()[0])  # two lines that touch are one
            elif begin > done:
                pieces.append((self.body[done:begin], False))
            pieces.append((self.body[begin:end], True))
            done = end
        return pieces + ([(self.body[done:], False)] if done < len(self.body) else [])

    @property
    def is_struck_whole(self) -> bool:
        """Whether a line goes through the whole entry."""
        return any(strike.is_whole for strike in self.strikes.all())

    def strike(self, *, by: User, at: Any, reason: str, passage: str = "", request_number: str = "") -> "StrikeThrough":
        """Draw the line: through `passage`, or through the whole entry when it is "".

        The passage is found by its words; how its lines are broken does not matter. Raises ValidationError when it does not
        stand in the entry, stands there more than once and so is not clear, or has its line already.
        """
        start, words = passages.the_one(passages.places(self.body, passage)) if passage.strip() else (None, "")
        with transaction.atomic():
            Entry.objects.hold(self.pk)
            drawn = self.strikes.filter(models.Q(passage="") | models.Q(start=start))
            if any(one.is_whole or one.passage == words for one in drawn):
                raise ValidationError(_("The line is drawn already."))
            return StrikeThrough.objects.create(
                patient=self.patient,
                entry=self,
                passage=words,
                start=start,
                reason=reason,
                by=by,
                at=at,
                request_number=request_number,
            )

    def add_addendum(self, *, by: User, at: Any, body: str, request_number: str = "") -> "Addendum":
        """Lay a physician's addendum under the entry. The same words by the same hand are not laid there twice."""
        with transaction.atomic():
            Entry.objects.hold(self.pk)
            same_hand = self.addenda.filter(author=by, request_number=request_number)
            return next((one for one in same_hand if one.body == body), None) or Addendum.objects.create(
                patient=self.patient,
                entry=self,
                body=body,
                author=by,
                signed_as=by.signature,
                written_at=at,
                request_number=request_number,
            )

    def mark_misfiled(self, *, by: User, at: Any, reason: str) -> "Misfiling":
        """Say that this entry belongs to another chart. Raises ValidationError when that was said already."""
        with transaction.atomic():
            Entry.objects.hold(self.pk)
            if Misfiling.objects.filter(entry=self).exists():
                raise ValidationError(_("It is marked as filed in the wrong chart already."))
            return Misfiling.objects.create(patient=self.patient, entry=self, reason=reason, by=by, at=at)


PAYABLE = frozenset({Entry.Kind.TREATMENT, Entry.Kind.BILLING_RECORD})


class Addendum(Sealed):
    """What the physician adds to an entry: shown under it, dated and signed."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="addenda")
    body = EncryptedTextField(_("addendum"))
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signed_as = models.CharField(max_length=200)
    written_at = models.DateTimeField()
    request_number = models.CharField(max_length=20, blank=True)  # the amendment request it answers

    class Meta:
        verbose_name = _("addendum")
        verbose_name_plural = _("addenda")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"addendum to entry {self.entry_id}"


class StrikeThrough(Signed, Sealed):
    """A line through an entry or a passage of it: disputed, still legible, with who, when and why."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="strikes")
    passage = EncryptedTextField(_("the words to strike"), blank=True)  # "" is the whole entry
    start = models.PositiveIntegerField(null=True)  # where the passage begins in the body, in characters
    reason = EncryptedCharField(_("reason"), max_length=1000)
    request_number = models.CharField(max_length=20, blank=True)

    class Meta:
        verbose_name = _("line through an entry")
        verbose_name_plural = _("lines through entries")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="strike_passage_has_a_place",
                condition=models.Q(passage="", start=None) | ~models.Q(passage="") & models.Q(start__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"line through entry {self.entry_id}"

    @property
    def is_whole(self) -> bool:
        """Whether the line goes through the whole entry."""
        return not self.passage


class Misfiling(Signed, Sealed):
    """Says that an entry was written in the wrong chart. The entry stays, marked; copies for the patient leave it out."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="misfiling")
    reason = EncryptedCharField(_("what happened"), max_length=1000)

    class Meta:
        verbose_name = _("wrong-chart mark")

    def __str__(self) -> str:
        return f"entry {self.entry_id} is in the wrong chart"


class AttachmentQuerySet(AppendOnlyQuerySet):
    """Attachments come without their bytes; `with_bytes()` brings them."""

    def seen_by(self, user: User, at: datetime) -> "AttachmentQuerySet":
        """Those that this person may open: files of psychotherapy notes are their author's (records.seeing). No query more."""
        flagged = {"flags__kind": Kind.PSYCHOTHERAPY_NOTES, "flags__ending": None}
        opened = {"emergency_accesses__by": user, "emergency_accesses__at__lte": at, "emergency_accesses__until__gt": at}
        entries = Entry._base_manager
        closed = entries.filter(**flagged).exclude(author=user).exclude(pk__in=entries.filter(**opened).values("pk"))
        return self.filter(models.Q(entry=None) | ~models.Exists(closed.filter(pk=models.OuterRef("entry"))))

    def with_bytes(self) -> "AttachmentQuerySet":
        """The bytes too."""
        return self.defer(None)


class AttachmentManager(WithoutBytes, models.Manager.from_queryset(AttachmentQuerySet)):  # type: ignore[misc]
    """Leaves the bytes in the database until they are asked for."""


class Attachment(Keeping, Sealed):
    """A file of the record: its bytes as they came, and their SHA-256."""

    DIGESTS: ClassVar = {"content": "sha256"}

    class Format(models.TextChoices):
        PDF = "application/pdf", "PDF"
        JPEG = "image/jpeg", "JPEG"
        PNG = "image/png", "PNG"
        HEIC = "image/heic", "HEIC"
        DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "DOCX"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="attachments")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, related_name="attachments")
    name = models.CharField(_("file name"), max_length=200)
    format = models.CharField(_("format"), max_length=80, choices=Format.choices)
    size = models.PositiveIntegerField(_("size in bytes"))
    sha256 = models.CharField(max_length=64)
    content = EncryptedBinaryField()
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()

    objects: ClassVar = AttachmentManager()

    class Meta:
        verbose_name = _("attachment")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"attachment {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the bytes with their size and digest, worked out here."""
        if self._state.adding:
            self.size = len(self.content)
        super().save(*args, **kwargs)

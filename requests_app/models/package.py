"""What belongs to a request's package and what stays out of it: words withheld, and the request's own papers."""

from datetime import date, datetime
from typing import Any, ClassVar

from django.db import models, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnlyQuerySet
from meso.documents import DocumentManager, Keeping
from meso.encrypted import EncryptedBinaryField, EncryptedTextField
from meso.models import User
from meso.signed import Signed
from records.models import Addendum, Attachment, Entry
from records.passages import Cover
from requests_app import grounds
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import NOTHING_GIVEN, Kind, Outcome


class WithheldPassageQuerySet(AppendOnlyQuerySet):
    """Which withheld passages. Called on a request's own `withheld`."""

    def in_force(self) -> "WithheldPassageQuerySet":
        """Those that are not released again, the oldest first."""
        return self.filter(ending=None).select_related("entry").prefetch_related("entry__flags").order_by("id")

    def check_decision(self, outcome: str, ground: str) -> None:
        """Raise NotAllowedNow for a full grant while words are withheld, and for a ground that is not theirs (164.524(d)(2))."""
        held = self.in_force().first() if outcome not in NOTHING_GIVEN else None
        if held and outcome == Outcome.GRANTED:
            raise NotAllowedNow(_t("Words are withheld from the copy, so it can be granted in part only."), "outcome")
        if held and ground != held.ground:
            words = _t("The words withheld from the copy rest on ground %(code)s: the letter must name the same.")
            raise NotAllowedNow(words % {"code": held.ground}, "ground")


class WithheldPassage(Signed):
    """Words of an entry, or of an addendum to it, that the copy of a partial grant leaves out, with their ground."""

    request = models.ForeignKey("requests_app.PatientRequest", on_delete=models.PROTECT, related_name="withheld")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+")
    addendum = models.ForeignKey(Addendum, on_delete=models.PROTECT, null=True, related_name="+")  # null: the entry's own text
    passage = EncryptedTextField(_("words withheld"))
    start = models.PositiveIntegerField()  # where the passage begins in the text, in characters
    ground = models.CharField(_("ground"), max_length=4)
    judged_by = models.CharField(max_length=200, blank=True)  # the licensed professional behind a reviewable ground
    on = models.DateField()

    objects: ClassVar = WithheldPassageQuerySet.as_manager()

    class Meta:
        verbose_name = _("withheld passage")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="withheld_has_words_and_ground", condition=~models.Q(passage="") & ~models.Q(ground=""))
        ]

    def __str__(self) -> str:
        return f"passage withheld from entry {self.entry_id}"

    @property
    def why(self) -> grounds.Ground:
        """The ground in words, with its citation."""
        return grounds.ground(Kind.ACCESS, self.ground)

    @property
    def text_key(self) -> tuple[str, int]:
        """The text it is withheld from, as records.record_pdf names it."""
        return ("addendum", self.addendum_id) if self.addendum_id else ("entry", self.entry_id)

    @property
    def cover(self) -> Cover:
        """What the copy shows in its place: the ground and its citation."""
        return Cover(self.start, len(self.passage), f"{self.ground} · {self.why.citation}")


class WithheldEnding(Signed):
    """A withheld passage is released again: from then on copies show it."""

    withheld = models.OneToOneField(WithheldPassage, on_delete=models.PROTECT, related_name="ending")
    reason = models.CharField(_("reason"), max_length=1000)
    on = models.DateField()

    class Meta:
        verbose_name = _("release of a withheld passage")

    def __str__(self) -> str:
        return f"withheld passage {self.withheld_id} released"


class RequestPaper(Keeping):
    """A paper about the request itself, no part of the chart: the written request, a note of the ID seen."""

    DIGESTS: ClassVar = {"content": "sha256"}

    class Kind(models.TextChoices):
        WRITTEN = "written", _("The written request")
        IDENTITY = "identity", _("Note of the ID seen")
        AUTHORITY = "authority", _("Proof that somebody may act for the patient")
        OTHER = "other", _("Another paper")

    request = models.ForeignKey("requests_app.PatientRequest", on_delete=models.PROTECT, related_name="papers")
    kind = models.CharField(_("what it is"), max_length=10, choices=Kind.choices)
    name = models.CharField(_("file name"), max_length=200)
    format = models.CharField(_("format"), max_length=80, choices=Attachment.Format.choices)
    size = models.PositiveIntegerField(_("size in bytes"))
    sha256 = models.CharField(max_length=64)
    content = EncryptedBinaryField()
    in_package = models.BooleanField(_("goes into the package"))  # as it was filed; PaperMove says what holds now
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    objects: ClassVar = DocumentManager()

    class Meta:
        verbose_name = _("paper of a request")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["request", "sha256"], name="request_paper_once")]

    def __str__(self) -> str:
        return f"paper {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the bytes with their size and digest, worked out here."""
        if self._state.adding:
            self.size = len(self.content)
        super().save(*args, **kwargs)

    @property
    def goes_out(self) -> bool:
        """Whether it goes into the package now."""
        moves = list(self.moves.all())
        return moves[-1].in_package if moves else self.in_package

    def move(self, in_package: bool, *, by: User, at: datetime, on: date) -> "PaperMove":
        """Put it into the package, or keep it internal from now on. Raises NotAllowedNow when it is so already."""
        with transaction.atomic():
            self.request.__class__.objects.select_for_update().get(pk=self.request_id)
            if RequestPaper.objects.get(pk=self.pk).goes_out == in_package:
                raise NotAllowedNow(_t("It is so already."))
            return PaperMove.objects.create(paper=self, in_package=in_package, by=by, at=at, on=on)


class PaperMove(Signed):
    """A paper was put into the package, or kept internal from then on."""

    paper = models.ForeignKey(RequestPaper, on_delete=models.PROTECT, related_name="moves")
    in_package = models.BooleanField()
    on = models.DateField()

    class Meta:
        verbose_name = _("move of a paper")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"paper {self.paper_id} moved"

"""What left the office, and how it was let out: the release with its papers, its checks as they stood, and its row of the log."""

from datetime import date, datetime
from typing import Any, ClassVar

from django.db import models, transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from disclosures import on_hand, purposes
from disclosures.guard import Means
from disclosures.models.log import Disclosure
from meso.documents import DocumentManager, Keeping
from meso.encrypted import EncryptedBinaryField
from meso.models import User
from meso.money import MoneyField
from meso.seals import Sealed
from meso.signed import Signed
from records.models import Entry, Patient

_PLANNABLE = [code for code, purpose in purposes.PURPOSES.items() if purpose.plannable]


class Release(Keeping, Signed, Sealed):
    """One thing that left the office: to whom, why, what; copy, cover letter and bill as they went, and the log's row.

    The row is missing only for treatment, payment and operations, which the database holds too (164.528(a)(1)(i)).
    """

    DIGESTS: ClassVar = {"copy": "copy_sha256"}

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="releases")
    released_on = models.DateField(_("date"))
    recipient = models.CharField(_("recipient"), max_length=300)
    address = models.TextField(_("address"), blank=True)
    means = models.CharField(_("how it goes out"), max_length=12, choices=Means.choices)
    purpose_code = models.CharField(_("purpose"), max_length=30, choices=purposes.choices())
    branch = models.CharField(max_length=30, blank=True)
    purpose = models.TextField(_("purpose in words"))
    basis = models.TextField(_("what is on hand"), blank=True)
    information = models.TextField(_("what was given"))
    entry_ids = models.JSONField(default=list)
    confirmed = models.JSONField(default=list)  # [{"code", "words", "citation"}]: what was confirmed to be on hand
    minimum_confirmed = models.BooleanField(default=False)
    emergency = models.BooleanField(default=False)
    verified_how = models.CharField(_("identity checked"), max_length=500)
    verified_on = models.DateField()
    checks = models.JSONField()  # [{"name", "label", "state", "reason", "citation"}]: as they stood
    overrides = models.JSONField(default=list)  # [{"check", "label", "reason"}]: by the privacy officer who released it
    copy = EncryptedBinaryField()  # the PDF that went out; empty where none did
    copy_sha256 = models.CharField(max_length=64, blank=True)
    pages = models.PositiveIntegerField(_("pages of the copy"), default=0)
    paper_pages = models.PositiveIntegerField(_("pages photocopied from the paper chart"), default=0)
    cover_letter = EncryptedBinaryField()
    bill = EncryptedBinaryField()  # empty where nothing is billed
    bill_total = MoneyField(_("billed"), null=True)
    manifest = models.JSONField()  # [{"file", "sha256", "pages"}] and what the copy holds
    disclosure = models.OneToOneField(Disclosure, on_delete=models.PROTECT, null=True, related_name="release")
    request_number = models.CharField(max_length=20, blank=True)
    source_id = models.CharField(max_length=64, null=True, unique=True, editable=False)  # the form that made it: no second one

    objects: ClassVar = DocumentManager()

    class Meta:
        verbose_name = _("release")
        indexes = [
            models.Index(fields=["patient", "-released_on", "-id"], name="release_by_patient"),
            models.Index(fields=["released_on", "id"], name="release_by_day"),
        ]
        constraints = [
            models.CheckConstraint(
                name="release_has_its_row_of_the_log",
                condition=models.Q(purpose_code__in=purposes.EXEMPT, disclosure=None)
                | (~models.Q(purpose_code__in=purposes.EXEMPT) & models.Q(disclosure__isnull=False)),
                violation_error_message=_("Only treatment, payment and operations go without a row of the log."),
            ),
            models.CheckConstraint(name="release_purpose_is_planned", condition=models.Q(purpose_code__in=_PLANNABLE)),
            models.CheckConstraint(
                name="release_says_to_whom_why_what",
                condition=~models.Q(recipient="") & ~models.Q(purpose="") & ~models.Q(information=""),
            ),
            models.CheckConstraint(
                name="release_copy_has_its_digest",
                condition=models.Q(pages=0, copy_sha256="") | (models.Q(pages__gt=0) & ~models.Q(copy_sha256="")),
            ),
        ]

    def __str__(self) -> str:
        return f"release {self.pk}"

    def get_absolute_url(self) -> str:
        """The page of this release."""
        return reverse("release", args=[self.pk])

    @classmethod
    def make(
        cls, *, patient: Patient, by: User, at: datetime, released_on: date, entries: list[Entry],
        authorization: Any = None, **facts: Any,
    ) -> "Release":  # fmt: skip
        """Store a release and its row of the log, both or neither; no row for an exempt purpose.

        `facts` are the columns. Raises NotAuthorized where the authorization does not carry it, IntegrityError for a form
        that was sent before (`source_id`).
        """
        with transaction.atomic():
            row = None
            if not purposes.purpose(facts["purpose_code"]).exempt:
                row = Disclosure.log(
                    patient=patient,
                    disclosed_on=released_on,
                    recipient=facts["recipient"],
                    recipient_address=facts.get("address", ""),
                    information=facts["information"],
                    purpose_code=facts["purpose_code"],
                    sub_kind=purposes.part_of_branch(facts["purpose_code"], facts.get("branch", "")),
                    purpose=facts["purpose"],
                    authorization=authorization,
                    entries=entries,
                    request_number=facts.get("request_number", ""),
                    by=by,
                    at=at,
                )
            keys = [entry.pk for entry in entries]
            return cls.objects.create(
                patient=patient, by=by, at=at, released_on=released_on,
                disclosure=row, entry_ids=keys, **facts,
            )  # fmt: skip

    @property
    def purpose_label(self) -> str:
        """The purpose in plain words."""
        return str(purposes.purpose(self.purpose_code).label)

    @property
    def branch_label(self) -> str:
        """On which ground, in plain words; "" where the purpose has only one."""
        return self.branch and str(on_hand.branch(self.purpose_code, self.branch).label)

    @property
    def citation(self) -> str:
        """Where the rule stands that lets it go out."""
        return on_hand.branch(self.purpose_code, self.branch).rule

"""The review of a denial of access: asked for, given to another professional, decided, followed. Rows are added, never changed.

The request's own row stays as it was answered: a denial that is overturned makes what was withheld givable again, and
`ReviewGiven` says that it was given (164.524(a)(4), (d)(4)).
"""

from datetime import date, datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnly
from meso.encrypted import EncryptedTextField
from meso.models import User
from requests_app.models.timeline import Letter


class DenialReview(AppendOnly):
    """The patient asks that a denial be reviewed. A denial, told by its letter, is reviewed once."""

    request = models.ForeignKey("requests_app.PatientRequest", on_delete=models.PROTECT, related_name="reviews")
    denial = models.OneToOneField(Letter, on_delete=models.PROTECT, related_name="review")
    asked_on = models.DateField(_("asked on"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("review of a denial")
        verbose_name_plural = _("reviews of denials")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"review {self.pk}"


class ReviewReferral(AppendOnly):
    """The professional named by the office to review; the latest one counts."""

    review = models.ForeignKey(DenialReview, on_delete=models.PROTECT, related_name="referrals")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")  # null: from outside
    name = models.CharField(_("name"), max_length=200)
    licence = models.CharField(_("licence number"), max_length=40)
    referred_on = models.DateField(_("given to them on"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("referral to a reviewer")
        verbose_name_plural = _("referrals to reviewers")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="reviewer_is_licensed", condition=~models.Q(licence="") & ~models.Q(name="")),
        ]

    def __str__(self) -> str:
        return f"referral of review {self.review_id}"


class ReviewOutcome(AppendOnly):
    """What the reviewer decided, with the letter to the patient that says so. The office follows it."""

    class Result(models.TextChoices):
        UPHELD = "upheld", _("The denial stands")
        OVERTURNED = "overturned", _("The denial is overturned")

    review = models.OneToOneField(DenialReview, on_delete=models.PROTECT, related_name="outcome")
    referral = models.OneToOneField(ReviewReferral, on_delete=models.PROTECT, related_name="+")
    result = models.CharField(_("decision"), max_length=10, choices=Result.choices)
    reasons = EncryptedTextField(_("reasons"))
    decided_on = models.DateField(_("decided on"))
    letter = models.OneToOneField(Letter, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("outcome of a review")
        verbose_name_plural = _("outcomes of reviews")
        constraints = [
            models.CheckConstraint(name="review_has_reasons", condition=~models.Q(reasons="")),
        ]

    def __str__(self) -> str:
        return f"outcome of review {self.review_id}"


class ReviewGiven(AppendOnly):
    """What the review opened was given on that day: the denial that was overturned is made good."""

    outcome = models.OneToOneField(ReviewOutcome, on_delete=models.PROTECT, related_name="given")
    given_on = models.DateField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("access given after a review")

    def __str__(self) -> str:
        return f"given after review {self.outcome_id}"

    @classmethod
    def owed(cls, request_id: int) -> ReviewOutcome | None:
        """The overturned denial of this request whose access is not given yet, or None."""
        overturned = ReviewOutcome.objects.filter(review__request=request_id, result=ReviewOutcome.Result.OVERTURNED)
        return overturned.filter(given=None).first()

    @classmethod
    def record(cls, outcome: ReviewOutcome, given_on: date, *, by: User, at: datetime) -> "ReviewGiven":
        """Write that it was given."""
        return cls.objects.create(outcome=outcome, given_on=given_on, by=by, at=at)

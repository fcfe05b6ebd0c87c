"""What is stored of a patient's request, and what can be read off it without asking the database again."""

from datetime import date

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.encrypted import EncryptedTextField
from meso.labels import Labelled
from meso.models import User
from records.models import Patient, Representative
from requests_app import deadlines
from requests_app.kinds import ANSWERED_BY_THE_THING_ITSELF, NOTHING_GIVEN, Channel, Kind, Outcome, Step
from requests_app.models.selection import FIRST_NUMBER, PatientRequestQuerySet


class RequestRow(Labelled, models.Model):
    """The columns of a request, and what can be read off them.

    Dates are office days. `promised_days` and `rule_version` are pinned at receipt, so a later change of the office's
    promise leaves this clock alone (law.md §0).
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="requests")
    kind = models.CharField(_("kind"), max_length=30, choices=Kind.choices)
    channel = models.CharField(_("how it came"), max_length=12, choices=Channel.choices)
    received_on = models.DateField(_("received on"))
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    assignee = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="assigned_requests")

    # who asks, in the words of the form
    asker_name = models.CharField(_("name"), max_length=400)
    asker_born = models.DateField(_("date of birth"), null=True, blank=True)
    asker_phone = models.CharField(_("telephone"), max_length=40, blank=True)
    asker_email = models.EmailField(_("e-mail"), blank=True)
    asker_address = models.TextField(_("postal address"), blank=True)
    on_behalf = models.CharField(_("asks for the patient as"), max_length=300, blank=True)  # "" is the patient
    language = models.CharField(_("language of the form"), max_length=10, blank=True)  # "" where the chart's language counts
    description = EncryptedTextField(_("in their words"), blank=True)
    details = models.JSONField(default=dict, blank=True)  # kinds.DETAILS names the keys

    # the clock
    promised_days = models.PositiveSmallIntegerField()
    rule_version = models.CharField(max_length=20)
    extended_to = models.DateField(null=True, blank=True)
    due_on = models.DateField(_("due"))

    # the answer
    identity_checked_on = models.DateField(null=True, blank=True)
    identity_checked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    identity_how = models.CharField(max_length=300, blank=True)
    representative = models.ForeignKey(  # who was verified to ask; None is the patient
        Representative, on_delete=models.PROTECT, null=True, blank=True, related_name="requests"
    )
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices, blank=True)
    ground = models.CharField(max_length=4, blank=True)  # grounds.GROUNDS
    decision_text = EncryptedTextField(_("reason, as the patient reads it"), blank=True)
    decided_on = models.DateField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    carried_out_on = models.DateField(null=True, blank=True)
    letter_sent_on = models.DateField(null=True, blank=True)
    closed_on = models.DateField(_("closed on"), null=True, blank=True)

    code_digest = models.CharField(max_length=64, blank=True, editable=False)  # of the code the web form gave out
    source_id = models.CharField(max_length=64, null=True, unique=True, editable=False)  # digest of an imported row

    objects = PatientRequestQuerySet.as_manager()

    class Meta:
        abstract = True
        verbose_name = _("request")
        indexes = [
            models.Index(fields=["due_on", "id"], condition=models.Q(closed_on=None), name="request_open_by_due"),
            models.Index(fields=["closed_on", "due_on", "id"], name="request_by_due"),
            models.Index(fields=["patient", "-received_on", "-id"], name="request_by_patient"),
            models.Index(fields=["assignee", "closed_on", "due_on"], name="request_by_assignee"),
            models.Index(fields=["asker_born", "kind"], name="request_by_birth_date"),
        ]
        constraints = [
            models.CheckConstraint(
                name="request_due_after_receipt",
                condition=models.Q(due_on__gt=models.F("received_on")),
                violation_error_message=_("The due date must come after the day of receipt."),
            ),
            models.CheckConstraint(name="request_kind_is_known", condition=models.Q(kind__in=Kind.values)),
            models.CheckConstraint(name="request_closed_has_outcome", condition=models.Q(closed_on=None) | ~models.Q(outcome="")),
            models.CheckConstraint(name="request_promise_1_to_30", condition=models.Q(promised_days__range=(1, 30))),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        """The request's page."""
        return reverse("request", args=[self.number])

    @property
    def number(self) -> str:
        """The number on letters and screens, such as R-1042."""
        return f"R-{FIRST_NUMBER + self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether the clock still runs."""
        return self.closed_on is None

    @property
    def extended(self) -> bool:
        """Whether it has had its one extension."""
        return self.extended_to is not None

    @property
    def first_due_on(self) -> date:
        """The due date before any extension."""
        return deadlines.due_on(self.received_on, self.promised_days)

    @property
    def statutory_due_on(self) -> date | None:
        """The federal limit, or None where the law sets none."""
        return deadlines.statutory_due_on(self.kind, self.received_on, extended=self.extended, rule_version=self.rule_version)

    def working(self) -> deadlines.Working:
        """How the due date was worked out."""
        return deadlines.working(
            self.kind, self.received_on, self.promised_days, extended_to=self.extended_to, rule_version=self.rule_version
        )

    def days_left(self, on: date) -> int:
        """Days from that day to the due date; negative when overdue."""
        return deadlines.days_left(self.due_on, on)

    @property
    def needs_letter(self) -> bool:
        """Whether a decision letter must be sent before the clock stops (law.md §13a: a partial grant needs both)."""
        if self.outcome == Outcome.WITHDRAWN:
            return False
        return not (self.outcome in ("", Outcome.GRANTED) and self.kind in ANSWERED_BY_THE_THING_ITSELF)

    def steps_left(self) -> list[Step]:
        """What still has to be done, in order; [] when closed."""
        if not self.is_open or self.outcome == Outcome.WITHDRAWN:
            return []
        left = []
        if self.outcome not in NOTHING_GIVEN:
            left += [Step.MATCH] if self.patient_id is None else []
            left += [Step.VERIFY] if self.identity_checked_on is None else []
        left += [Step.DECIDE] if not self.outcome else []
        if self.outcome not in NOTHING_GIVEN and self.carried_out_on is None:
            left.append(Step.CARRY_OUT)
        if self.needs_letter and self.letter_sent_on is None:
            left.append(Step.SEND)
        return left

    @property
    def status(self) -> str:
        """The next step's code, or "closed": one word for lists and files."""
        left = self.steps_left()
        return left[0].value if left else "closed"

    @property
    def status_label(self) -> str:
        """The same in words for people."""
        left = self.steps_left()
        return str(left[0].label) if left else str(self.get_outcome_display() or _t("Closed"))

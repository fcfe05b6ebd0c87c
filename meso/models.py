"""The ground's own tables: people who work here, the office's profile, the audit trail, kept drafts, the seals."""

import hashlib
import zoneinfo
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from meso.anchors import Anchor
from meso.append_only import AppendOnly, AppendOnlyQuerySet
from meso.encrypted import EncryptedJSONField
from meso.keys import DataKey
from meso.limits import Tally
from meso.money import MoneyField
from meso.office_chain import OfficeSealed
from meso.roles import Role
from meso.seals import ChainHead, Seal
from meso.sessions import Session, end

LONGEST_PATH = 200  # of an address for which a draft is kept

__all__ = ["AccessEvent", "Anchor", "BackupDrill", "ChainHead", "DataKey", "Draft", "Office", "Seal", "Session", "Tally", "User"]


class User(AbstractUser):
    """A member of the staff, with exactly one role."""

    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.FRONT_DESK)
    credentials = models.CharField(_("credentials"), max_length=40, blank=True, help_text=_("After the name, such as MD or RN."))
    licence_number = models.CharField(_("licence number"), max_length=40, blank=True)
    home_street = models.CharField(
        _("street they live in"),
        max_length=200,
        blank=True,
        help_text=_("Used for one thing: the privacy officer is shown looks at charts of the same street."),
    )

    # Set while the password is one that the office admin gave: it is good for a while, to choose one's own with.
    password_given_at = models.DateTimeField(null=True, editable=False)

    REQUIRED_FIELDS = ["email", "role"]  # createsuperuser asks for them: the first office admin is made with it

    ENDS_SESSIONS = ("password", "role", "is_active")  # with one of these changed, whoever is logged in must log in anew

    class Meta(AbstractUser.Meta):  # type: ignore[name-defined]
        constraints = [models.CheckConstraint(name="user_role_is_known", condition=models.Q(role__in=Role.values))]

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and end every session that was begun under another password or role, or before the account was shut.

        Deleted, not only refused: an account that is opened again opens no old browser (164.308(a)(3)(ii)(C)). Whoever changes
        their own password goes on in the session they do it in, which Django gives a new key.
        """
        changes = set(self.ENDS_SESSIONS) & set(kwargs.get("update_fields") or self.ENDS_SESSIONS)
        before = User.objects.filter(pk=self.pk).values(*changes).first() if changes and self.pk else None
        super().save(*args, **kwargs)
        if before and any(before[name] != getattr(self, name) for name in changes):
            end(self)

    @property
    def signature(self) -> str:
        """The name as it stands under an entry or a letter: "Ada Vance, MD"."""
        name = self.get_full_name() or self.username
        return f"{name}, {self.credentials}" if self.credentials else name


def _check_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("%(name)s is not a time zone. One is America/New_York."), params={"name": name})


class Office(models.Model):
    """The office's profile: one row. Every letter, notice, bill and clock reads it; its history is kept.

    Rates are dollars; days are calendar days. A bill and a request keep the rate and the days they were made with.
    """

    name = models.CharField(_("name of the office"), max_length=200, default="Mesotherapy Office")
    address_1 = models.CharField(_("street address"), max_length=200, blank=True)
    address_2 = models.CharField(_("suite or floor"), max_length=200, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    state = models.CharField(_("state"), max_length=2, blank=True)
    zip = models.CharField(_("ZIP code"), max_length=10, blank=True)
    phone = models.CharField(_("telephone"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="America/New_York", validators=[_check_time_zone])
    officer_name = models.CharField(_("privacy officer's name"), max_length=200, blank=True)
    officer_title = models.CharField(_("privacy officer's title"), max_length=100, default="Privacy Officer")
    officer_phone = models.CharField(_("privacy officer's telephone"), max_length=40, blank=True)
    copy_rate = MoneyField(
        _("price of a paper page"),
        default=Decimal("0.15"),
        validators=[MinValueValidator(0), MaxValueValidator(Decimal("0.15"))],
        help_text=_("In dollars, at most 0.15: the office's notice promises fifteen cents."),
    )
    charge_electronic_pages = models.BooleanField(
        _("charge per page for records kept electronically"),
        default=True,
        help_text=_(
            "Federal guidance disfavors a per-page price for records that are kept electronically. "
            "Switched off, prints of them are billed postage only."
        ),
    )
    electronic_copy_fee = MoneyField(
        _("price of an electronic copy"),
        default=Decimal("0.00"),
        validators=[MinValueValidator(0), MaxValueValidator(Decimal("6.50"))],
        help_text=_("A flat price in dollars, all in, at most 6.50. The office's own is 0.00."),
    )
    state_page_cap = MoneyField(
        _("highest price of a page in this state"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_(
            "In dollars. Where it is lower than the price above, bills use it. Leave it empty where the state sets none."
        ),
    )
    cost_worksheet = models.TextField(
        _("how the office worked out what a page costs"),
        blank=True,
        help_text=_(
            "A fee must rest on what copying costs (45 CFR 164.524(c)(4)). Labor for copying, paper, postage; nothing else."
        ),
    )
    charge_scans = models.BooleanField(
        _("charge per page for scanning paper when the copy is electronic"),
        default=False,
        help_text=_("Only with the working above on file, and not together with a flat price."),
    )
    promised_days = models.PositiveSmallIntegerField(
        _("days promised for a request"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(30)],
        help_text=_("Calendar days from the day of receipt. May be lowered, never above 30."),
    )
    longest_statement = models.PositiveIntegerField(
        _("longest statement of disagreement"),
        null=True,
        blank=True,
        validators=[MinValueValidator(500)],
        help_text=_("In characters. Leave it empty to set no limit; one that is set must leave room for a full page or so."),
    )
    opens_at = models.TimeField(_("opens at"), default=time(8), help_text=_("Looks at charts outside the hours are reviewed."))
    closes_at = models.TimeField(_("closes at"), default=time(18))
    working_days = models.CharField(_("working days"), max_length=7, default="012345")  # 0 is Monday
    next_chart_number = models.PositiveBigIntegerField(default=10001, editable=False)
    history = HistoricalRecords(excluded_fields=["next_chart_number"])

    class Meta:
        verbose_name = _("office profile")
        constraints = [
            models.CheckConstraint(name="office_is_one_row", condition=models.Q(pk=1)),
            models.CheckConstraint(name="office_promise_1_to_30_days", condition=models.Q(promised_days__range=(1, 30))),
            models.CheckConstraint(
                name="office_rate_0_to_15_cents", condition=models.Q(copy_rate__gte=0) & models.Q(copy_rate__lte=Decimal("0.15"))
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> "Office":
        """The office. Made with its defaults on first use."""
        return cls.objects.get_or_create(pk=1)[0]

    @classmethod
    def take_chart_number(cls, is_taken: Callable[[str], bool]) -> str:
        """The next free chart number, counted up under a lock. `is_taken(number)` says whether an import used it."""
        with transaction.atomic():
            cls.current()
            office = cls.objects.select_for_update().get(pk=1)
            while is_taken(str(office.next_chart_number)):
                office.next_chart_number += 1
            number = str(office.next_chart_number)
            cls.objects.filter(pk=1).update(next_chart_number=office.next_chart_number + 1)
        return number

    def clean(self) -> None:
        """Scanning is charged only with the cost worked out, and never beside a flat price (164.524(c)(4)); a day has hours."""
        if self.opens_at and self.closes_at and self.closes_at <= self.opens_at:
            raise ValidationError({"closes_at": _("The office closes after it opens.")})
        if self.charge_scans and not self.cost_worksheet.strip():
            raise ValidationError({"charge_scans": _("Write first how the office worked out what a page costs.")})
        if self.charge_scans and self.electronic_copy_fee:
            raise ValidationError({"charge_scans": _("A flat price is all in: charge one or the other.")})

    @property
    def page_rate(self) -> Decimal:
        """The price of a page that bills use: the office's, or the state's cap where that is lower."""
        return self.copy_rate if self.state_page_cap is None else min(self.copy_rate, self.state_page_cap)

    @property
    def scan_rate(self) -> Decimal | None:
        """The price of a page that is scanned for an electronic copy; None where scanning is free."""
        return self.page_rate if self.charge_scans and self.cost_worksheet.strip() and not self.electronic_copy_fee else None

    def hours(self, day: date) -> tuple[datetime, datetime] | None:
        """When the office opens and closes on that day, as instants; None for a day that is no working day."""
        if str(day.weekday()) not in self.working_days:
            return None
        zone = zoneinfo.ZoneInfo(self.time_zone)
        return datetime.combine(day, self.opens_at, zone), datetime.combine(day, self.closes_at, zone)

    def address_lines(self) -> list[str]:
        """The lines of the letterhead under the name; empty ones left out."""
        town = " ".join(part for part in (f"{self.city}," if self.city else "", self.state, self.zip) if part)
        return [line for line in (self.address_1, self.address_2, town) if line]


class BackupDrill(AppendOnly):
    """A backup that was restored into a scratch database and compared with what was saved (164.308(a)(7)(ii)(D))."""

    at = models.DateTimeField(_("when"))
    made_at = models.DateTimeField(_("backup of"))
    file = models.CharField(_("file"), max_length=300)
    sha256 = models.CharField(max_length=64)
    rows = models.PositiveBigIntegerField(_("rows"))
    holds = models.BooleanField(_("everything holds"))
    words = models.TextField(_("what was found"), blank=True)

    class Meta:
        verbose_name = _("backup drill")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"drill {self.pk}"

    @classmethod
    def keep(cls, path: Path, **found: Any) -> "BackupDrill":
        """Store what the drill of this file found."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls.objects.create(file=path.name[:300], sha256=digest, **found)


class AccessEventQuerySet(AppendOnlyQuerySet):
    """Which events."""

    def between(self, since: datetime | None, until: datetime | None) -> "AccessEventQuerySet":
        """At or after `since` and before `until`; None leaves that end open.

        The trail is read by id, which no index of times can serve. But ids follow the times, so the times are bounds on the
        ids too: found with an hour to spare, lest two writers or a clock put right leave an event out.
        """
        spare, every, events = timedelta(hours=1), AccessEvent.objects.order_by("at", "id"), self
        if since:
            before = every.filter(at__lt=since - spare).values_list("pk", flat=True).last()
            events = events.filter(at__gte=since, **({"pk__gt": before} if before else {}))
        if until:
            behind = every.filter(at__gte=until + spare).values_list("pk", flat=True).first()
            events = events.filter(at__lt=until, **({"pk__lt": behind} if behind else {}))
        return events


class AccessEvent(OfficeSealed):
    """The audit trail: who looked at, printed, exported or changed what, when, from where; and who was refused.

    Holds chart numbers, never names, and no free text (45 CFR 164.312(b)). Each is a link of the office's chain.
    """

    class Action(models.TextChoices):
        VIEW = "view", _("Looked at")
        SEARCH = "search", _("Searched")
        CREATE = "create", _("Added")
        CHANGE = "change", _("Changed")
        PRINT = "print", _("Printed")
        DOWNLOAD = "download", _("Downloaded")
        EXPORT = "export", _("Exported")
        CHECK = "check", _("Checked, nothing logged")
        REFUSED = "refused", _("Refused")
        LOGIN = "login", _("Logged in")
        LOGIN_FAILED = "login_failed", _("Failed to log in")
        LOGOUT = "logout", _("Logged out")
        SENT = "sent", _("Sent by e-mail")
        COMMAND = "command", _("Command of the machine")

    at = models.DateTimeField(_("when"))
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("who"))
    action = models.CharField(_("what was done"), max_length=12, choices=Action.choices)
    subject = models.CharField(_("to what"), max_length=60)
    chart_number = models.CharField(_("chart"), max_length=64, blank=True)
    detail = models.CharField(_("detail"), max_length=120, blank=True)
    address = models.GenericIPAddressField(_("from address"), null=True)

    objects: ClassVar = AccessEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("access event")
        indexes = [
            models.Index(fields=["chart_number", "-id"], name="access_by_chart"),
            models.Index(fields=["user", "-id"], name="access_by_user"),
            models.Index(fields=["action", "-id"], name="access_by_action"),
            models.Index(fields=["at"], name="access_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action} {self.subject}"


class Draft(models.Model):
    """What somebody has typed into a form and not yet sent, kept so that an expired login loses nothing."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    path = models.CharField(max_length=LONGEST_PATH)
    fields = EncryptedJSONField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "path"], name="draft_one_per_form")]

    def __str__(self) -> str:
        return f"{self.user} {self.path}"

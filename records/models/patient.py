"""The patient: the few details that may change, with their history, and the keys by which a chart is found."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from meso.append_only import AppendOnlyError
from meso.labels import Labelled
from meso.models import Office
from records import contact_checks, names
from records.fields import KeyField
from records.search import PatientManager


class ResemblesError(Exception):
    """Charts that may be the same person's, which the desk has not yet seen: `charts`."""

    def __init__(self, charts: list["Patient"]):
        super().__init__("charts resemble this person")
        self.charts = charts


class ChangedMeanwhileError(Exception):
    """Somebody else changed the same details since they were read: `fields`, and the patient as stored `now`."""

    def __init__(self, now: "Patient", fields: list[str]):
        super().__init__("changed meanwhile")
        self.now, self.fields = now, fields


class Patient(Labelled, models.Model):
    """One patient, one chart. Contact details may change (history kept); the chart itself only grows."""

    class Sex(models.TextChoices):
        """FHIR's administrative gender."""

        FEMALE = "female", _("Female")
        MALE = "male", _("Male")
        OTHER = "other", _("Other")
        UNKNOWN = "unknown", _("Not stated")

    chart_number = models.CharField(_("chart number"), max_length=64, unique=True)
    first_name = models.CharField(_("first name"), max_length=200, blank=True)
    last_name = models.CharField(_("last name"), max_length=200, blank=True)
    preferred_name = models.CharField(_("preferred name"), max_length=200, blank=True)
    date_of_birth = models.DateField(_("date of birth"))
    sex = models.CharField(_("sex"), max_length=8, choices=Sex.choices, default=Sex.UNKNOWN)
    phone = models.CharField(_("telephone"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True, max_length=254)
    address_1 = models.CharField(_("street address"), max_length=200, blank=True)
    address_2 = models.CharField(_("apartment"), max_length=200, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    state = models.CharField(_("state"), max_length=50, blank=True)
    zip = models.CharField(_("ZIP code"), max_length=20, blank=True)
    language = models.CharField(
        _("language"), max_length=35, blank=True, default="en", help_text=_("A language tag, such as en or es.")
    )
    deceased_on = models.DateField(_("died on"), null=True, blank=True)
    registered_at = models.DateTimeField(auto_now_add=True)

    chart_key = KeyField(max_length=64, editable=False)
    first_key = KeyField(max_length=200, editable=False)
    last_key = KeyField(max_length=200, editable=False)
    phone_digits = KeyField(max_length=40, editable=False)

    history = HistoricalRecords(excluded_fields=["chart_key", "first_key", "last_key", "phone_digits"])
    objects = PatientManager()

    class Meta:
        verbose_name = _("patient")
        indexes = [
            models.Index(fields=["last_key", "first_key", "id"], name="patient_by_last"),
            models.Index(fields=["first_key", "last_key", "id"], name="patient_by_first"),
            models.Index(fields=["date_of_birth", "last_key", "id"], name="patient_by_birth"),
            models.Index(fields=["phone_digits"], name="patient_by_phone"),
            models.Index(fields=["chart_key"], name="patient_by_chart"),
        ]
        constraints = [
            models.CheckConstraint(
                name="patient_has_a_name",
                condition=~models.Q(first_name="", last_name=""),
                violation_error_message=_("A patient needs a name; one word is enough."),
            ),
            models.CheckConstraint(
                name="patient_sex_is_known", condition=models.Q(sex__in=["female", "male", "other", "unknown"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.chart_number})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the patient with their search keys. Names they have had stay findable."""
        self.set_keys()
        with transaction.atomic():
            super().save(*args, **kwargs)
            NameKey.objects.bulk_create(NameKey.of(self), ignore_conflicts=True)

    def get_absolute_url(self) -> str:
        """The chart."""
        return reverse("chart", args=[self.chart_number])

    @property
    def name(self) -> str:
        """First and last name as they are read."""
        return names.full_name(self.first_name, self.last_name)

    @property
    def list_name(self) -> str:
        """The name as a list sorts it: "Vance, Ada"."""
        return ", ".join(part for part in (self.last_name, self.first_name) if part)

    def age(self, on: date) -> int:
        """Whole years on that day, or at death. Born on Feb 29, a person is a year older on Mar 1 of a common year."""
        day = min(on, self.deceased_on) if self.deceased_on else on
        return day.year - self.date_of_birth.year - ((day.month, day.day) < (self.date_of_birth.month, self.date_of_birth.day))

    def address_lines(self) -> list[str]:
        """The postal address, line by line; empty lines left out."""
        town = " ".join(
            part for part in (f"{self.city}," if self.city and self.state else self.city, self.state, self.zip) if part
        )
        return [line for line in (self.address_1, self.address_2, town) if line]

    def set_keys(self) -> None:
        """Work out the search keys from the names, number and telephone."""
        self.chart_key = self.chart_number.casefold()
        self.first_key = names.key(self.first_name)[:200]
        self.last_key = names.key(self.last_name)[:200]
        self.phone_digits = names.digits(self.phone)[:40]

    def register(self, seen: Collection[int] = ()) -> None:
        """Store this new patient, under the office's next chart number unless one was given.

        Raises ResemblesError with the charts that may be the same person's unless the desk has seen them all (`seen`: their
        keys), ValidationError for a chart number that is taken. The office's row is locked meanwhile, so that two desks
        can't register one person at once.
        """
        with transaction.atomic():
            Office.objects.select_for_update().get(pk=Office.current().pk)
            charts = list(Patient.objects.resembling(self.first_name, self.last_name, self.date_of_birth))
            if any(chart.pk not in seen for chart in charts):
                raise ResemblesError(charts)
            if not self.chart_number:
                self.chart_number = Office.take_chart_number(self._is_number_taken)
            elif self._is_number_taken(self.chart_number):
                raise ValidationError({"chart_number": _("Another chart has this number.")})
            self.save()

    @staticmethod
    def _is_number_taken(number: str) -> bool:
        return Patient.objects.filter(chart_key=number.casefold()).exists()

    def change_details(self, wanted: Mapping[str, Any], seen: Mapping[str, str]) -> list[str]:
        """Set what the writer changed, and leave alone what somebody else changed meanwhile. Gives the fields set.

        `seen` holds the details as text (`details()`) as the writer had them before them. Raises ChangedMeanwhileError when
        both changed the same detail and not to the same, ValidationError when no name would be left.
        """
        with transaction.atomic():
            now = Patient.objects.select_for_update().get(pk=self.pk)
            stored = now.details(wanted)
            mine = {name: value for name, value in wanted.items() if _as_text(value) != seen.get(name, stored[name])}
            clash = [name for name, value in mine.items() if stored[name] not in (seen.get(name, stored[name]), _as_text(value))]
            if clash:
                raise ChangedMeanwhileError(now, clash)
            changed = [name for name, value in mine.items() if _as_text(value) != stored[name]]
            for name in changed:
                setattr(now, name, mine[name])
            contact_checks.check_full_name(now.first_name, now.last_name)
            if changed:
                now.save()
        return changed

    def details(self, fields: Collection[str]) -> dict[str, str]:
        """These columns as text: "" for nothing, days in ISO form."""
        return {name: _as_text(getattr(self, name)) for name in fields}

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: a chart is never removed (45 CFR 164.530(j); docs on retention)."""
        raise AppendOnlyError("A patient's chart is never removed.")


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)


class NameKey(models.Model):
    """A further word under which a patient is found: later words of a compound name, the preferred name, names of before."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="name_keys")
    word = KeyField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["patient", "word"], name="name_key_once")]
        indexes = [models.Index(fields=["word", "patient"], name="name_key_by_word")]

    def __str__(self) -> str:
        return self.word

    @classmethod
    def of(cls, patient: Patient) -> list["NameKey"]:
        """The keys to store beside the patient's own columns: what these can't find by their beginning, and what they find."""
        found = {patient.last_key, patient.first_key}
        for text in (patient.first_name, patient.last_name, patient.preferred_name):
            found.update(word[:200] for word in names.words(text))
        found.add(names.key(patient.preferred_name)[:200])
        return [cls(patient=patient, word=word) for word in sorted(found - {""})]

"""The forms that patients sign so that their information may go out (164.508, 164.524(c)(3)(ii)). Recorded as they came.

A defective form is recorded too, for it was received; it can't be used. What becomes of a form is a row of its own in
disclosures.models.authorization_acts: a form is never edited.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.db import models, transaction
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from disclosures import authorization_rules as rules
from disclosures import authorization_scope as scope
from disclosures.authorization_rules import Defect, FormFacts, State
from meso import clock
from meso.append_only import AppendOnlyQuerySet
from meso.documents import Keeping, WithoutBytes
from meso.encrypted import EncryptedBinaryField
from meso.models import User
from meso.seals import Sealed
from records import exclusion
from records.models import Attachment, Entry, Patient

SOON = timedelta(days=30)  # a form that ends within this is shown before it ends
SCAN_FORMATS = [
    (format_.value, format_.label) for format_ in (Attachment.Format.PDF, Attachment.Format.JPEG, Attachment.Format.PNG)
]


class NotAuthorized(Exception):
    """The form does not carry this release: `defects` say why."""

    def __init__(self, defects: list[Defect]):
        super().__init__("; ".join(f"{defect.words} ({defect.citation})" for defect in defects))
        self.defects = defects


@dataclass(frozen=True)
class Standing:
    """How a form stands on a day: one state, every reason, and what whoever releases must know all the same."""

    state: State
    reasons: tuple[Defect, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether it may be used."""
        return self.state == State.VALID

    @property
    def words(self) -> str | Promise:
        """The state in a word."""
        return rules.STATE_WORDS[self.state]

    @property
    def colour(self) -> str:
        """The class of the state's tag; the word beside it says the same."""
        if self.valid:
            return "tag-soon" if self.warnings else "tag-fine"
        return "" if self.state == State.NOT_YET else "tag-late"


class AuthorizationQuerySet(AppendOnlyQuerySet):
    """Which forms. They come without their scan; `defer(None)` brings it."""

    def with_acts(self) -> "AuthorizationQuerySet":
        """Each with all that `standing` asks, in a fixed number of queries."""
        ends = ("revocation", "event", "found_false", "replaced_by", "copy")
        deferred = ("revocation__scan", "replaced_by__scan", "scan")
        return self.select_related("patient", *ends).defer(*deferred).prefetch_related("oral_revocations", "named_entries")

    def not_ended(self) -> "AuthorizationQuerySet":
        """Those that nobody took back in writing, found false, saw ended by their event, or recorded anew."""
        from disclosures.models import authorization_acts as acts

        ends = (acts.AuthorizationRevocation, acts.AuthorizationEventHappened, acts.AuthorizationFoundFalse)
        ended = [model.objects.filter(authorization=models.OuterRef("pk")) for model in ends]
        ended.append(Authorization.objects.filter(replaces=models.OuterRef("pk")))
        return self.filter(*(~models.Exists(rows) for rows in ended))

    def expiring(self, on: date) -> "AuthorizationQuerySet":
        """Whole forms whose last day is that day or one of the thirty after it."""
        return self.not_ended().filter(complete=True, expires_on__range=(on, on + SOON))

    def defective(self) -> "AuthorizationQuerySet":
        """Those whose paper lacks something; one that was recorded anew is no longer among them."""
        return self.not_ended().filter(complete=False)

    def without_letter(self) -> "AuthorizationQuerySet":
        """Those about which the patient was not written to yet."""
        from disclosures.models.authorization_acts import AuthorizationLetter

        return self.filter(~models.Exists(AuthorizationLetter.objects.filter(authorization=models.OuterRef("pk"))))

    def held(self) -> "AuthorizationQuerySet":
        """Those that the patient took back orally, and not in writing yet."""
        from disclosures.models.authorization_acts import OralRevocation

        asked = OralRevocation.objects.filter(authorization=models.OuterRef("pk"))
        return self.not_ended().filter(models.Exists(asked))


class AuthorizationManager(WithoutBytes, models.Manager.from_queryset(AuthorizationQuerySet)):  # type: ignore[misc]
    """Leaves the bytes in the database until they are asked for."""


class Authorization(Keeping, Sealed):
    """A signed form: what may go out, from whom, to whom, what for, until when; and its scan, byte for byte (164.508(b)(6))."""

    DIGESTS: ClassVar = {"scan": "scan_sha256"}

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="authorizations")
    kind = models.CharField(_("what it is"), max_length=14, choices=rules.Kind.choices, default=rules.Kind.AUTHORIZATION)
    received_on = models.DateField(_("received on"))
    information = models.TextField(_("what may be given"), blank=True)
    entry_kinds = models.JSONField(_("kinds of entries"), default=list, blank=True)
    since = models.DateField(_("services from"), null=True, blank=True)
    until = models.DateField(_("services to"), null=True, blank=True)
    discloser = models.CharField(_("who may give it"), max_length=300, blank=True)
    recipient = models.TextField(_("who gets it"), blank=True)  # one name a line
    recipient_is_class = models.BooleanField(_("a group of people, not named one by one"), default=False)
    recipient_address = models.TextField(_("their address"), blank=True)
    purposes = models.JSONField(_("what for"), default=list, blank=True)  # each purpose, as the form words it
    at_request = models.BooleanField(_("at the patient’s request"), default=False)
    expires_on = models.DateField(_("last day"), null=True, blank=True)
    expiry_event = models.CharField(_("ends when this happens"), max_length=300, blank=True)
    research = models.BooleanField(_("for a research study"), default=False)
    signed = models.BooleanField(_("it is signed"), default=True)
    signed_on = models.DateField(_("signed on"), null=True, blank=True)
    signed_by = models.CharField(_("signed by"), max_length=14, choices=rules.SignedBy.choices, default=rules.SignedBy.PATIENT)
    signer_name = models.CharField(_("the representative’s name"), max_length=200, blank=True)
    signer_authority = models.CharField(_("by what right"), max_length=300, blank=True)
    says_revocable = models.BooleanField(_("that it can be taken back in writing, and how"), default=False)
    says_conditions = models.BooleanField(_("whether care depends on signing"), default=False)
    says_redisclosure = models.BooleanField(_("that it may be passed on and lose its protection"), default=False)
    notes = models.CharField(_("psychotherapy notes"), max_length=10, choices=rules.Notes.choices, default=rules.Notes.NONE)
    combined_with = models.CharField(
        _("on the same paper"), max_length=14, choices=rules.Combined.choices, default=rules.Combined.ALONE
    )
    conditions = models.CharField(
        _("what depends on signing"), max_length=16, choices=rules.Conditions.choices, default=rules.Conditions.NONE
    )
    marketing = models.BooleanField(_("for marketing"), default=False)
    sale = models.BooleanField(_("for a sale of information"), default=False)
    advertising_photos = models.BooleanField(_("for photographs in advertising"), default=False)
    remuneration = models.CharField(
        _("what it says of payment"), max_length=10, choices=rules.Remuneration.choices, default=rules.Remuneration.UNSAID
    )
    electronic_only = models.BooleanField(_("an electronic copy of electronic records"), default=False)
    asked_by_office = models.BooleanField(_("our office asked for it"), default=False)
    scan = EncryptedBinaryField()
    scan_format = models.CharField(max_length=80, choices=SCAN_FORMATS)
    scan_sha256 = models.CharField(max_length=64)
    complete = models.BooleanField(editable=False)  # as judged when it was recorded, for lists; `standing` judges anew
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()
    source_id = models.CharField(max_length=64, null=True, unique=True, editable=False)  # the form that wrote it: no second one

    objects: ClassVar = AuthorizationManager()

    class Meta:
        verbose_name = _("authorization")
        indexes = [
            models.Index(fields=["patient", "-id"], name="authorization_by_patient"),
            models.Index(fields=["expires_on", "id"], name="authorization_by_end"),
            models.Index(fields=["id"], condition=models.Q(complete=False), name="authorization_defective"),
        ]
        constraints = [
            models.CheckConstraint(
                name="authorization_service_days_in_order",
                condition=models.Q(since=None) | models.Q(until=None) | models.Q(since__lte=models.F("until")),
                violation_error_message=_("The first day of service comes after the last one."),
            ),
            models.CheckConstraint(name="authorization_keeps_its_scan", condition=~models.Q(scan_sha256="")),
        ]

    def __str__(self) -> str:
        return f"authorization {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the scan with its digest, and whether the paper is whole."""
        if self._state.adding:
            self.complete = not self.lacking()
        super().save(*args, **kwargs)

    @classmethod
    def record(cls, *, patient: Patient, entries: Iterable[Entry] = (), **facts: Any) -> "Authorization":
        """Keep a form as it came, defective or not, with the entries that it names one by one.

        `facts` are the columns: at least received_on, scan, scan_format, recorded_by, recorded_at. Raises IntegrityError when
        `replaces` has been replaced already, or `source_id` was used.
        """
        with transaction.atomic():
            named = list(entries)
            form = cls(patient=patient, **facts)
            form.keys_named = frozenset(entry.pk for entry in named)
            form.save()
            for entry in named:
                AuthorizedEntry.objects.create(patient=patient, authorization=form, entry=entry)
        return form

    @cached_property
    def keys_named(self) -> frozenset[int]:
        """The keys of the entries that the form names one by one."""
        return frozenset(named.entry_id for named in self.named_entries.all()) if self.pk else frozenset()

    @property
    def ticked(self) -> scope.Ticked:
        """What its ticks reach."""
        return scope.Ticked(frozenset(self.entry_kinds), self.keys_named, self.since, self.until)

    def _paper(self) -> FormFacts:
        """What stands on the paper itself."""
        same = (
            "kind", "received_on", "discloser", "recipient", "recipient_is_class", "recipient_address", "at_request",
            "expires_on", "expiry_event", "research", "signed", "signed_on", "signed_by", "signer_authority",
            "says_revocable", "says_conditions", "says_redisclosure", "notes", "combined_with", "conditions", "marketing",
            "sale", "advertising_photos", "remuneration", "electronic_only",
        )  # fmt: skip
        says_what = bool(self.information.strip()) or bool(self.entry_kinds or self.keys_named)
        return FormFacts(says_what=says_what, purposes=tuple(self.purposes), **{name: getattr(self, name) for name in same})

    def lacking(self) -> list[Defect]:
        """What the paper itself lacks or does wrong, whatever the day."""
        return rules.lacking(self._paper())

    def facts(self) -> FormFacts:
        """What stands on it, and what has become of it. No query for one that comes `with_acts()`."""
        acts = ("revocation", "event", "found_false", "replaced_by")
        revocation, event, false, anew = (getattr(self, name, None) for name in acts)
        return replace(
            self._paper(),
            revoked_on=revocation.received_on if revocation else None,
            event_known_on=event.known_on if event else None,
            found_false_on=false.found_on if false else None,
            replaced_on=clock.office_day(anew.recorded_at) if anew else None,
        )

    def standing(self, on: date) -> Standing:
        """How it stands on that day, with every reason and warning."""
        found = rules.defects(self.facts(), on)
        return Standing(rules.state_of(found), tuple(found), tuple(self._warnings(on)))

    def _warnings(self, on: date) -> list[str]:
        if getattr(self, "revocation", None):
            return []
        asked = [row.asked_on for row in self.oral_revocations.all() if row.asked_on <= on]
        words = _t("Taken back orally on %(day)s, in writing not yet: an oral revocation has no effect (45 CFR 164.508(b)(5)).")
        return [words % {"day": date_format(max(asked), "M j, Y")}] if asked else []

    def refusals(
        self, on: date, *, recipient: str | None = None, entries: Iterable[Entry] = (), purpose: str = "",
        use: str = rules.Use.ORDINARY, paid: bool = False, electronic: bool = True,
    ) -> list[Defect]:  # fmt: skip
        """Why it does not carry this release on that day; [] when it does. `recipient=None` leaves the recipient out of it.

        `purpose` is the words of one purpose, or all of them as `purpose_words` has them, or "" to leave it out of it.
        `use` is one that the form must name by itself, `paid` that the office is paid for it (164.508(a)(3), (4)).
        """
        facts, given = self.facts(), list(entries)
        purpose = "" if purpose == self.purpose_words else purpose
        models.prefetch_related_objects(given, "flags")
        notes = frozenset(entry.pk for entry in given if exclusion.is_psychotherapy_notes(entry))
        found = rules.defects(facts, on) + scope.entries_refusals(facts, self.ticked, given, notes)
        others = [
            scope.recipient_refusal(facts, recipient) if recipient is not None else None,
            scope.purpose_refusal(facts, purpose, use, paid=paid),
            scope.copy_refusal(facts, electronic=electronic),
        ]
        return found + [defect for defect in others if defect]

    def carry(self, patient: Patient, on: date, release: dict[str, Any]) -> date:
        """Let a release pass that `refusals` knows nothing against, and give the day of the signature. Call in a transaction.

        A revocation that comes at the same moment waits, or is seen. Raises NotAuthorized with the reasons.
        """
        Patient.objects.select_for_update().get(pk=self.patient_id)
        now = Authorization.objects.with_acts().get(pk=self.pk)
        refusals = now.refusals(on, **release)
        if refusals or patient.pk != self.patient_id:
            raise NotAuthorized(refusals)
        return self.signed_on or self.received_on

    def to_confirm(self, on: date) -> list[str]:
        """What a person must judge before releasing on it: an oral revocation, words and groups that no program can read."""
        found = self._warnings(on)
        if self.ticked.nothing:
            found.append(_t("The form says in its own words what may be given: “%(words)s”. Does all of it fall under that?")
                         % {"words": self.information})  # fmt: skip
        if self.recipient_is_class:
            found.append(_t("The form names a group: “%(words)s”. Does the recipient belong to it?") % {"words": self.recipient})
        if self.signed_by == rules.SignedBy.REPRESENTATIVE:
            signer = {"name": self.signer_name or "–", "right": self.signer_authority}
            found.append(_t("%(name)s signed for the patient, as: %(right)s. Was that right checked?") % signer)
        return found

    def last_in_effect_on(self, on: date) -> date | None:
        """The last day on which it was in effect, as known on that day; None while it still may be used (164.530(j)(2))."""
        return rules.last_in_effect(self.facts(), on)

    @property
    def purpose_words(self) -> str:
        """What it is for, as a line."""
        said = [*self.purposes, *([_t("At the patient’s request")] if self.at_request else [])]
        return "; ".join(said)

    @property
    def kind_words(self) -> list[str]:
        """The kinds of entries that it limits itself to, in words."""
        return [str(label) for kind, label in Entry.Kind.choices if kind in self.entry_kinds]

    @property
    def recipient_line(self) -> str:
        """Who gets it, as a line."""
        return "; ".join(line.strip() for line in self.recipient.splitlines() if line.strip())


class AuthorizedEntry(Sealed):
    """An entry of the chart that a form names by itself."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    authorization = models.ForeignKey(Authorization, on_delete=models.PROTECT, related_name="named_entries")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("entry named in an authorization")
        constraints = [models.UniqueConstraint(fields=["authorization", "entry"], name="authorized_entry_once")]

    def __str__(self) -> str:
        return f"entry {self.entry_id} in authorization {self.authorization_id}"

"""The release desk's form: to whom and why, what is on hand, what goes; then the guard's checks and the one act."""

import secrets
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disclosures import desk, guard, guard_checks, on_hand, purposes
from disclosures.authorization_rules import Use
from disclosures.branches import Asker, Branch, Pages
from disclosures.desk import ReleaseRefused
from disclosures.guard import Check, Means, Plan
from disclosures.models import Authorization, NotAuthorized, Release
from meso.forms import DateField, Form
from meso.models import Office, User
from meso.roles import may
from records import copying, exclusion, verification
from records.forms.picker import NamesPatient, PatientField
from records.models import Attachment, Entry, Patient, Representative


def why_choices() -> list[tuple[str, Any]]:
    """Every ground on which something may go out, in the purposes' groups; the value is "code:branch"."""
    found: list[tuple[str, Any]] = [("", _("Choose…"))]
    for code, purpose in purposes.PURPOSES.items():
        if purpose.plannable:
            ways = [(f"{code}:{way.code}", f"{way.label} · {way.citation}") for way in on_hand.branches(code)]
            found.append((str(purpose.label), ways))
    return found


class AuthorizationField(forms.ModelChoiceField):
    """The signed forms of the chart, each with whom it names and how it stands today."""

    def __init__(self, **kwargs: Any):
        super().__init__(Authorization.objects.none(), **kwargs)
        self.on: date | None = None

    def label_from_instance(self, form: Any) -> str:
        state = form.standing(self.on).state if self.on else ""
        signed = date_format(form.signed_on, "M j, Y") if form.signed_on else "–"
        return f"{signed} · {form.recipient_line or '–'} · {form.purpose_words or '–'} · {state}"


class RepresentativeField(forms.ModelChoiceField):
    """The representatives on file of the chart, each with what gives the right."""

    def __init__(self, **kwargs: Any):
        super().__init__(Representative.objects.none(), **kwargs)

    def label_from_instance(self, one: Any) -> str:
        return f"{one.name}, {one.relation} · {one.get_basis_display()}"


# What an authorization must name by itself, asked as one question: code -> its words, the use, whether the office is paid.
USES: dict[str, tuple[Any, Use, bool]] = {
    "neither": (gettext_lazy("Neither"), Use.ORDINARY, False),
    "marketing": (gettext_lazy("It is marketing, and nobody pays the office for it"), Use.MARKETING, False),
    "marketing_paid": (gettext_lazy("It is marketing, and somebody pays the office for it"), Use.MARKETING, True),
    "sale": (gettext_lazy("Somebody pays the office for the information"), Use.SALE, True),
    "advertising": (gettext_lazy("Photographs in advertising, and nobody pays the office for it"), Use.ADVERTISING, False),
    "advertising_paid": (gettext_lazy("Photographs in advertising, and somebody pays the office for it"), Use.ADVERTISING, True),
}


class DeskForm(NamesPatient, Form):
    """One release, on one page. `on` is the office's day, `by` who sits at the desk.

    What is chosen as `why` decides which papers and which ways of checking identity are asked for; `checks` holds what the
    guard said of a plan that was complete enough to be judged.
    """

    asks_first = True  # the checks wait until the plan is filled in
    use_required_attribute = False  # the page is first sent half filled, to learn what must be on hand

    patient = PatientField(label=gettext_lazy("Patient’s chart number"))
    why = forms.ChoiceField(label=gettext_lazy("Why it may go out"), choices=why_choices)
    recipient = forms.CharField(
        label=gettext_lazy("To whom"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("Left empty: the patient, or whom the authorization names."),
    )
    address = forms.CharField(
        label=gettext_lazy("Their address"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    purpose = forms.CharField(
        label=gettext_lazy("Purpose in a few words"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    means = forms.ChoiceField(label=gettext_lazy("How it goes out"), choices=Means.choices, initial=Means.PICK_UP)
    emergency = forms.BooleanField(label=gettext_lazy("The patient needs emergency treatment"), required=False)
    authorization = AuthorizationField(
        label=gettext_lazy("On which signed form"), required=False, empty_label=gettext_lazy("Choose…")
    )
    use = forms.ChoiceField(
        label=gettext_lazy("Is the office paid for this, or is it marketing?"),
        choices=[(code, words) for code, (words, _use, _paid) in USES.items()],
        required=False,
        widget=forms.RadioSelect,
    )
    representative = RepresentativeField(
        label=gettext_lazy("Who acts for the patient"), required=False, empty_label=gettext_lazy("Choose…")
    )
    needs = forms.MultipleChoiceField(label=gettext_lazy("On hand"), required=False, widget=forms.CheckboxSelectMultiple)
    basis = forms.CharField(
        label=gettext_lazy("Which paper, of which day, signed by whom"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    verified = forms.MultipleChoiceField(
        label=gettext_lazy("How identity was checked"), required=False, widget=forms.CheckboxSelectMultiple
    )
    identifiers = forms.MultipleChoiceField(
        label=gettext_lazy("Facts that matched the chart"),
        required=False,
        choices=verification.Identifier.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    verified_on = DateField(label=gettext_lazy("Checked on"), required=False)
    entries = forms.MultipleChoiceField(label=gettext_lazy("Entries"), required=False, widget=forms.CheckboxSelectMultiple)
    loose = forms.MultipleChoiceField(
        label=gettext_lazy("Files under no entry"), required=False, widget=forms.CheckboxSelectMultiple
    )
    items = forms.MultipleChoiceField(
        label=gettext_lazy("The eight facts"),
        required=False,
        choices=list(on_hand.LOCATE_ITEMS.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    said = forms.CharField(
        label=gettext_lazy("In words"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What goes besides the entries, or in their place: the facts themselves, a film, a data set."),
    )
    minimum = forms.BooleanField(label=gettext_lazy("I have looked: no more is chosen than the purpose needs"), required=False)
    charge = forms.BooleanField(label=gettext_lazy("Bill the recipient for the copy"), required=False)
    postage = forms.CharField(
        label=gettext_lazy("Postage paid, dollars"),
        required=False,
        max_length=12,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    once = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, on: date, by: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.on, self.by = on, by
        self.checks: list[Check] = []
        self.may_override = may(by, "release.override")
        self.initial.setdefault("verified_on", on)
        self.initial.setdefault("once", secrets.token_hex(16))
        self.chosen = self.chosen_patient()
        self.way = self.chosen_way()
        self._offer_of(self.chosen)
        self._ask_for(self.way)
        for name in set(self.fields) - {"said", "loose", "emergency", "postage"}:
            self.fields[name].needed_at_times = True  # type: ignore[attr-defined]  # so it is not called optional
        for name in guard.names() if self.may_override else ():
            label = _("Let it go all the same, because")
            self.fields[f"override_{name}"] = forms.CharField(
                label=label, required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
            )

    # --- what is offered ---

    def _now(self, name: str) -> str:
        """What stands in a field so far, sent or kept."""
        return str((self.data.get(name) if self.is_bound else self.initial.get(name)) or "").strip()

    def chosen_way(self) -> Branch | None:
        """The ground that is chosen so far, or None."""
        code, _colon, way = self._now("why").partition(":")
        try:
            return on_hand.branch(code, way)
        except LookupError:
            return None

    @property
    def code(self) -> str:
        """The purpose code that is chosen so far, or ""."""
        return self._now("why").partition(":")[0] if self.way else ""

    def _offer_of(self, patient: Patient | None) -> None:
        """Entries, files and authorizations of this chart; without a chart the fields go."""
        self.entries_there: dict[str, Entry] = {}
        self.loose_there: dict[str, Attachment] = {}
        if patient is None:
            for name in ("entries", "loose", "authorization", "use", "representative"):
                del self.fields[name]
            return
        entries, loose = copying.orderable(patient)
        if self.may_override and self.code not in ("", "individual"):  # unread: the list and the papers call them what they are
            entries += Entry.objects.of_record().notes().filter(patient=patient).with_marks().oldest_first()
        self.entries_there = {str(entry.pk): entry for entry in entries}
        self.loose_there = {str(file.pk): file for file in loose}
        self.fields["entries"].choices = [(key, _named(entry)) for key, entry in self.entries_there.items()]  # type: ignore[attr-defined]
        self.fields["loose"].choices = [(key, file.name) for key, file in self.loose_there.items()]  # type: ignore[attr-defined]
        if not loose:
            del self.fields["loose"]
        acting: Any = self.fields["representative"]
        acting.queryset = Representative.objects.with_state().filter(patient=patient)
        signed: Any = self.fields["authorization"]
        signed.on, signed.queryset = self.on, Authorization.objects.with_acts().filter(patient=patient).order_by("-id")

    def _ask_for(self, way: Branch | None) -> None:
        """What this ground asks for, and nothing else; before one is chosen, only that."""
        code = self.code
        fields: dict[str, Any] = self.fields
        asked = {
            "authorization": code == "authorization",
            "use": code == "authorization",
            "representative": bool(way and way.asker == Asker.REPRESENTATIVE),
            "emergency": code == "treatment",
            "needs": bool(way and way.needs),
            "basis": bool(way and way.needs),
            "verified": way is not None,
            "verified_on": way is not None,
            "identifiers": bool(way) and verification.Way.MATCH in guard_checks.ways_of(way, code),  # type: ignore[arg-type]
            "minimum": bool(way and way.minimum.applies),
            "items": bool(way and way.pages == Pages.EIGHT_ITEMS),
            "entries": bool(way and way.pages == Pages.ANY),
            "loose": bool(way and way.pages == Pages.ANY),
            "said": way is not None,
            "charge": bool(way and way.pages == Pages.ANY and code != "individual" and desk.can_bill()),
        }
        asked["postage"] = asked["charge"]
        for name, wanted in asked.items():
            if not wanted:
                fields.pop(name, None)
        if way:
            fields["verified"].choices = [(one.value, one.label) for one in guard_checks.ways_of(way, code)]
        if "needs" in fields and way:
            fields["needs"].choices = [(need.code, f"{need.words} · {need.citation}") for need in way.needs]

    # --- what is planned ---

    def clean(self) -> dict[str, Any]:
        """What is left empty and can be known is filled in: the patient's name, what the authorization says."""
        data = super().clean() or {}
        signed = data.get("authorization")
        if "use" in self.fields and not data.get("use") and "use" not in self.errors:
            self.add_error("use", _("Say which: marketing and a sale need a form that names them (45 CFR 164.508(a)(3), (4))."))
        known = {}
        if signed:
            known = {"recipient": signed.recipient_line, "address": signed.recipient_address, "purpose": signed.purpose_words}
        elif acting := data.get("representative"):
            known = {"recipient": acting.name, "address": acting.address, "purpose": _("At the representative’s request")}
        elif data.get("why") == "individual:patient" and data.get("patient"):
            known = {"recipient": data["patient"].name, "purpose": _("At the patient’s request")}
        for name, value in known.items():
            data[name] = (data.get(name) or "").strip() or value
        return data

    def plan(self) -> Plan:
        """The release as it stands in the form, once that is valid."""
        data = self.cleaned_data
        code, _colon, way = data["why"].partition(":")
        _words, use, paid = USES[data.get("use") or "neither"]
        return Plan(
            patient=data["patient"],
            on=self.on,
            purpose_code=code,
            branch=way,
            purpose=data["purpose"],
            recipient=data["recipient"],
            address=data["address"],
            means=data["means"],
            entries=_picked(self.entries_there, data.get("entries")),
            loose=_picked(self.loose_there, data.get("loose")),
            items=tuple(data.get("items") or ()),
            said=data.get("said") or "",
            confirmed=frozenset(data.get("needs") or ()),
            basis=data.get("basis") or "",
            minimum_confirmed=bool(data.get("minimum")),
            verified_ways=tuple(data.get("verified") or ()),
            identifiers=tuple(data.get("identifiers") or ()),
            verified_on=data.get("verified_on"),
            emergency=bool(data.get("emergency")),
            authorization=data.get("authorization"),
            use=use,
            paid=paid,
            representative=data.get("representative"),
        )

    @property
    def overrides(self) -> dict[str, str]:
        """The officer's reasons by the name of the check; {} for anybody else."""
        if not self.may_override or not self.is_bound:
            return {}
        return {name: words for name in guard.names() if (words := self.cleaned_data.get(f"override_{name}", "").strip())}

    def judge(self) -> bool:
        """Run the guard over the plan, into `checks`; whether it is clear. The form must be valid."""
        self.checks = guard.checks(self.plan())
        return self.is_clear

    @property
    def is_clear(self) -> bool:
        """Whether nothing stands in the way."""
        return guard.is_clear(self.checks, self.overrides)

    def lines(self) -> list[tuple[Check, Any]]:
        """Each check with the field for the officer's reason, where there is room for one, else None."""
        return [
            (one, self[f"override_{one.name}"] if self.may_override and one.is_refused and one.overridable else None)
            for one in self.checks
        ]

    def release(self, *, at: datetime, office: Office) -> Release | None:
        """Let it out; None, with the checks as they stand, when something is in the way. The form must be valid."""
        try:
            return self.act(at=at, office=office)
        except ReleaseRefused as refusal:
            self.checks = refusal.checks
        except NotAuthorized as refusal:  # revoked since it was checked
            self.add_error(None, str(refusal))
        except desk.BillRefused as refusal:
            self.add_error("postage", str(refusal))
        return None

    def act(self, *, at: datetime, office: Office) -> Release:
        """The release itself. Raises ReleaseRefused, BillRefused."""
        data = self.cleaned_data
        postage = (data.get("postage") or "0").strip().removeprefix("$") if data.get("charge") else None
        once = data["once"] or secrets.token_hex(16)
        return desk.release(self.plan(), self.overrides, by=self.by, at=at, office=office, once=once, postage=postage)


def _named(entry: Entry) -> str:
    flags = [str(found.words)] if (found := exclusion.excluded(entry)) else []
    flags += ["42 CFR Part 2"] if exclusion.is_part2(entry) else []
    words = f"{date_format(entry.service_on, 'M j, Y')} · {entry.get_kind_display()} · {entry.called}"
    return " · ".join([words, *flags])


def _picked(there: dict[str, Any], keys: Iterable[str] | None) -> tuple[Any, ...]:
    """What was ticked, in the chart's order."""
    ticked = set(keys or ())
    return tuple(thing for key, thing in there.items() if key in ticked)

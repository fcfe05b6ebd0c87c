"""Forms about guarded charts: the glass, the guard, its end, the review of an emergency access."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from meso.forms import Form
from meso.models import User
from meso.roles import PERMISSIONS, Role
from records.forms.acting import PatientActForm
from records.models import ChartGuard, EmergencyAccess, EmergencyReview, Entry, Patient
from records.models.guards import REASON


def _words(label: Any, *, required: bool = True, help_text: Any = "", rows: int = 3) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, max_length=REASON, required=required, help_text=help_text, widget=widget)


class GlassForm(Form):
    """Breaking the glass: what for, and what happened. `next` is the page that was asked for."""

    kind = forms.ChoiceField(label=_("What it is for"), choices=EmergencyAccess.Kind.choices, widget=forms.RadioSelect)
    reason = _words(_("What happened"), help_text=_("One sentence is enough. The privacy officer reads it."), rows=2)
    next = forms.CharField(widget=forms.HiddenInput, required=False, max_length=1000)


class NoteGlassForm(Form):
    """The same for another physician’s psychotherapy note: an emergency, in words."""

    reason = _words(_("What is the emergency"), help_text=_("The privacy officer reads it."), rows=2)


def staff_who_open_charts() -> list[User]:
    """Those whom a guard may name: everybody whose role opens charts, but the privacy officers, whom no guard binds."""
    roles = PERMISSIONS["patient.view"] - {Role.PRIVACY_OFFICER}
    return list(User.objects.filter(is_active=True, role__in=roles).order_by("last_name", "first_name", "username"))


class GuardForm(PatientActForm):
    """Lays a guard on a chart. Who is named now is ticked, else the physicians who have written in it."""

    heading, button, done = _("Guard this chart"), _("Guard the chart"), _("The chart is guarded.")
    lead = _(
        "Only those you tick, and the privacy officers, open a guarded chart as any other. Everybody else must say that it is an "
        "emergency and why; you are told at once."
    )
    audited, detail = "guard", "laid"

    kind = forms.ChoiceField(label=_("Why it is guarded"), choices=ChartGuard.Kind.choices, widget=forms.RadioSelect)
    reason = _words(_("In words"), required=False, help_text=_("Needed for another reason. Only privacy officers read it."))
    team = forms.MultipleChoiceField(label=_("Who treats or looks after this patient"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, patient: Patient, standing: ChartGuard | None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.patient = patient
        self.known = {str(person.pk): person for person in staff_who_open_charts()}
        named = [(key, f"{person.signature} · {person.get_role_display()}") for key, person in self.known.items()]
        self.fields["team"].choices = named  # type: ignore[attr-defined]
        if standing:
            now = {"kind": standing.kind, "reason": standing.reason, "team": [str(one.user_id) for one in standing.team.all()]}
        else:
            writers = Entry.objects.filter(patient=patient, author__role=Role.PHYSICIAN).values_list("author", flat=True)
            now = {"team": [str(key) for key in set(writers)]}
        for name, value in now.items():
            self.initial.setdefault(name, value)

    def act(self, *, by: User, at: datetime) -> None:
        """Lay it."""
        data = self.cleaned_data
        team = [self.known[key] for key in data["team"]]
        ChartGuard.lay(self.patient, kind=data["kind"], reason=data["reason"], team=team, by=by, at=at)


class GuardAnewForm(GuardForm):
    """Says anew who may open a chart that is guarded."""

    heading, button = _("Change who may open this chart"), _("Guard it anew")


class LiftForm(PatientActForm):
    """Takes the guard off."""

    heading, button, done = _("Lift the guard"), _("Lift the guard"), _("The guard is lifted: the chart opens as any other.")
    audited, detail = "guard", "lifted"

    reason = _words(_("Why it is lifted"))

    def __init__(self, *args: Any, standing: ChartGuard | None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.standing = standing

    def act(self, *, by: User, at: datetime) -> None:
        """Lift it. Raises ValidationError where none is in force."""
        if self.standing is None:
            raise ValidationError(_("This chart is not guarded."))
        self.standing.lift(reason=self.cleaned_data["reason"], by=by, at=at)


class ReviewForm(Form):
    """Signs an emergency access off."""

    finding = forms.ChoiceField(label=_("Finding"), choices=EmergencyReview.Finding.choices, widget=forms.RadioSelect)
    words = _words(
        _("What was found, and what follows"),
        required=False,
        help_text=_("Needed where it was not justified: what was wrong, and what is done about it."),
    )

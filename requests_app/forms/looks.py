"""Signing off lines of the queue of unusual looks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from meso.forms import Form
from meso.models import User
from meso.roles import Role
from requests_app.models import AccessReview
from requests_app.unusual import Finding


class SignOffForm(Form):
    """One outcome for the lines that were ticked. `found` are those that stand in the queue now."""

    outcome = forms.ChoiceField(label=_("What was found"), choices=AccessReview.Outcome.choices, widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("In a few words"),
        max_length=500,
        required=False,
        help_text=_("Such as: covered for a colleague. Needed where it is to be followed up. No patient's name."),
    )

    def __init__(self, *args: Any, found: Sequence[Finding], by: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.by = by
        ticked = set(self.data.getlist("line")) if self.is_bound else set()  # type: ignore[attr-defined]
        self.ticked = [one for one in found if one.key in ticked]

    def clean(self) -> dict[str, Any]:
        """Something is ticked, nobody signs off themselves while another could, and what is followed up says how."""
        data = super().clean() or {}
        if not self.ticked:
            raise forms.ValidationError(_("Tick at least one line. Lines that somebody has signed off meanwhile are gone."))
        if any(one.about.pk == self.by.pk for one in self.ticked) and another_officer(self.by):
            raise forms.ValidationError(_("Another privacy officer must sign off your own looks."))
        if data.get("outcome") == AccessReview.Outcome.FOLLOW_UP and not data.get("note", "").strip():
            self.add_error("note", _("Say what is to be done, and by whom."))
        return data

    def sign(self, at: datetime) -> list[AccessReview]:
        """Store a review of each line that was ticked, all or none. Raises IntegrityError when somebody else was quicker."""
        with transaction.atomic():
            return [
                AccessReview.objects.create(
                    rule=one.rule,
                    about=one.about,
                    chart_number=one.chart,
                    day=one.day,
                    looks=one.looks,
                    outcome=self.cleaned_data["outcome"],
                    note=self.cleaned_data["note"].strip(),
                    by=self.by,
                    at=at,
                )
                for one in self.ticked
            ]


def another_officer(by: User) -> bool:
    """Whether somebody else could sign off this person's own looks. Where nobody can, they do, and the list says who did."""
    return User.objects.filter(role=Role.PRIVACY_OFFICER, is_active=True).exclude(pk=by.pk).exists()

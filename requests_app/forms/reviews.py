"""The review of a denial: asked for, given to a reviewer, decided."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from meso.forms import DateField
from meso.models import Office, User
from requests_app import reviews
from requests_app.forms.acts import ActForm, long_text
from requests_app.forms.decide import professionals
from requests_app.models import DenialReview, ReviewOutcome


class AskReviewForm(ActForm):
    """The patient asks that the denial be reviewed."""

    heading, button, audited = _("The patient asks for a review"), _("Record that a review is asked for"), "review asked"
    done = _("The review is asked for. Give it to a reviewer promptly.")
    lead = _("No reason is needed and there is no deadline (45 CFR 164.524(a)(4)).")
    asked_on = DateField(label=_("Asked on"))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["asked_on"].initial = self.on

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it."""
        reviews.ask(self.asked, **self.cleaned_data, by=by, at=at, on=self.on)


class ReferForm(ActForm):
    """Names the reviewer: a licensed professional who took no part in the denial, of the staff or from outside."""

    heading, button, audited = _("Name the reviewer"), _("Give it to this reviewer"), "review referred"
    done = _("The review is with the reviewer.")
    lead = _("A licensed professional who took no part in the denial (45 CFR 164.524(a)(4)); given to them promptly.")
    reviewer = forms.ModelChoiceField(
        User.objects.none(), label=_("Of the staff"), required=False, empty_label=_("Somebody from outside, named below")
    )
    name = forms.CharField(
        label=_("From outside: name"), required=False, max_length=200, help_text=_("With credentials, such as MD.")
    )
    licence = forms.CharField(label=_("From outside: licence number"), required=False, max_length=40)
    referred_on = DateField(label=_("Given to them on"))

    def __init__(self, *args: Any, review: DenialReview, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.review = review
        self.fields["reviewer"].queryset = professionals()  # type: ignore[attr-defined]
        self.fields["reviewer"].label_from_instance = lambda user: f"{user.signature}, {user.licence_number}"  # type: ignore[attr-defined]
        self.fields["referred_on"].initial = self.on

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("reviewer") and (data.get("name") or data.get("licence")):
            self.add_error("name", _("Choose one of the staff, or name somebody from outside: not both."))
        elif not data.get("reviewer"):
            if not data.get("name"):
                self.add_error("name", _("Choose one of the staff above, or write who it is."))
            if not data.get("licence"):
                self.add_error("licence", _("A reviewer is licensed: write the number."))
        return data

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Give it to them."""
        reviews.refer(self.review, **self.cleaned_data, by=by, at=at, on=self.on)


class ReviewedForm(ActForm):
    """What the reviewer decided."""

    heading, button, audited = _("The reviewer's decision"), _("Record it and make the letter"), "review decided"
    done = _("The decision is recorded and its letter is made: print it below and send it promptly.")
    lead = _("The office does what the reviewer decides, and writes it to the patient (45 CFR 164.524(d)(4)).")
    result = forms.ChoiceField(label=_("Decision"), widget=forms.RadioSelect, choices=ReviewOutcome.Result.choices)
    reasons = long_text(_("Reasons, as the patient reads them"), 5000)
    decided_on = DateField(label=_("Decided on"))

    def __init__(self, *args: Any, review: DenialReview, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.review = review
        self.fields["decided_on"].initial = self.on

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Record it."""
        reviews.decide(self.review, **self.cleaned_data, by=by, at=at, on=self.on, office=office)

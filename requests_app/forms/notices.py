"""The forms of the notice: a new version block by block, where it was posted, and who was given it (164.520)."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from meso.forms import DateField, Form
from meso.models import Office, User
from records import notice_rules
from records.models import NoticeAcknowledgment, NoticePosting, NoticeVersion, Patient
from requests_app import notice
from requests_app.forms.desk import EARLIEST_RECEIPT

_LONGEST = 6000
_LIST_HINT = _("An empty line parts paragraphs; a line that begins with “- ” is an item of a list.")


def _box(block: notice_rules.Block) -> forms.CharField:
    """The box for one block: its heading, and where the rule stands that wants it."""
    heading = block.heading or notice_rules.SECTIONS[block.section]
    label = f"{heading} (45 CFR {block.citation})" if block.citation else str(heading)
    box = forms.CharField(label=label, required=False, max_length=_LONGEST, widget=forms.Textarea(attrs={"rows": 5}))
    box.needed_at_times = block.required  # type: ignore[attr-defined]  # the checklist says what is wanting
    return box


class NoticeForm(Form):
    """A version of the notice, block by block, with the day from which it holds."""

    effective_on = DateField(label=_("In force from"), help_text=_("Today or later: a notice can't bind before it is published."))
    change = forms.CharField(label=_("What is new in it"), required=False, max_length=1000)
    is_material = forms.BooleanField(
        label=_("A material change of uses, rights, duties or practices: it is posted, and handed out on request, from that day"),
        required=False,
    )

    def __init__(self, *args: Any, on: date, office: Office, language: str, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.on, self.office, self.language = on, office, language
        self.fields |= {block.key: _box(block) for block in notice_rules.BLOCKS}
        self.fields["without_permission"].help_text = _LIST_HINT
        self.fields["effective_on"].initial = on

    def texts(self) -> dict[str, str]:
        """The blocks as typed."""
        return {block.key: self.cleaned_data.get(block.key, "").strip() for block in notice_rules.BLOCKS}

    def clean(self) -> dict[str, Any]:
        super().clean()
        for key, words in notice_rules.lacks(self.texts(), self.language).items():
            self.add_error(key, words)
        return self.cleaned_data

    def issue(self, *, by: User, at: datetime) -> NoticeVersion | None:
        """Put it in force; None when the rule refuses, which is then said at its field."""
        data = self.cleaned_data
        facts = {name: data[name] for name in ("effective_on", "change", "is_material")}
        try:
            return notice.issue(self.texts(), **facts, by=by, at=at, on=self.on, office=self.office, language=self.language)
        except ValidationError as refusal:
            self.add_error(None, refusal)
            return None


class PostingForm(Form):
    """Where and when a version was put up."""

    place = forms.ChoiceField(label=_("Where"), choices=NoticePosting.Place.choices)
    posted_on = DateField(label=_("On"))

    def save(self, version: NoticeVersion, *, by: User, at: datetime, on: date) -> bool:
        """Record it, or say at its field why not."""
        try:
            version.post(**self.cleaned_data, by=by, at=at, on=on)
        except ValidationError as refusal:
            self.add_error(None, refusal)
            return False
        return True


class GivenForm(Form):
    """That a patient was given the notice, and signed for it or why not (164.520(c)(2)(ii))."""

    given_on = DateField(label=_("Given on"))
    signed = forms.ChoiceField(
        label=_("Acknowledgment"), choices=NoticeAcknowledgment.Signed.choices, widget=forms.RadioSelect, initial="yes"
    )
    why_not = forms.CharField(
        label=_("What was tried, and why there is no signature"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed only without a signature. A good-faith effort is enough; care never depends on it."),
    )

    def __init__(self, *args: Any, on: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.on = on
        self.fields["given_on"].initial = on

    def clean_given_on(self) -> date:
        """Not a slip of the pen."""
        day = self.cleaned_data["given_on"]
        if day < EARLIEST_RECEIPT:
            raise forms.ValidationError(_("Please check the year."))
        return day

    def save(self, patient: Patient, *, by: User, at: datetime) -> NoticeAcknowledgment | None:
        """Keep it, or say at its field why not and give None."""
        try:
            return NoticeAcknowledgment.record(patient, **self.cleaned_data, by=by, at=at, on=self.on)
        except ValidationError as refusal:
            self.add_error(None, refusal)
            return None

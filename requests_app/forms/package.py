"""What stays out of a copy and what goes beside it: words withheld, released again, and the request's own papers."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from meso.models import Office, User
from records.forms.entries import FilesField
from records.models import Entry
from requests_app import grounds, package
from requests_app.deadlines import spoken
from requests_app.forms.acts import ActForm, long_text
from requests_app.forms.choosing import ChoosingForm
from requests_app.forms.decide import professionals, told
from requests_app.kinds import Kind
from requests_app.models import RequestPaper, WithheldPassage


class WithholdForm(ChoosingForm):
    """Words of one entry to black out in the copy, with their ground. Once one ground is taken, it is the only one."""

    heading, button, audited = _("Withhold words from the copy"), _("Withhold these words"), "words withheld"
    done = _("The words are withheld: every copy made for this request shows a black box with the ground in their place.")
    lead = _("Only the words that must be held back; everything else is given (45 CFR 164.524(d)(1)).")
    passage = long_text(
        _("Words to withhold"), 20_000, rows=3, help_text=_("Select them in the entry, or copy them as they stand.")
    )
    ground = forms.ChoiceField(
        label=_("Ground"),
        widget=forms.RadioSelect,
        help_text=_("The same ground for all words, and for the letter."),
        error_messages={"required": _("Choose one of the grounds.")},
    )
    judged_by = forms.ModelChoiceField(
        professionals(),
        label=_("Licensed professional who judged"),
        empty_label=_("Choose a person"),
        help_text=_("Grounds R1 to R3 rest on this person's judgment."),
    )

    conditional = ("judged_by",)

    def __init__(self, *args: Any, entry: Entry, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.entry = entry
        bound = package.ground_bound(self.asked)
        known = [ground for ground in grounds.GROUNDS[Kind.ACCESS] if bound in ("", ground.code)]
        fields = self.fields
        fields["ground"].choices = [(ground.code, told(ground)) for ground in known]  # type: ignore[attr-defined]
        fields["ground"].initial = bound or None
        fields["judged_by"].queryset = professionals()  # type: ignore[attr-defined]
        fields["judged_by"].label_from_instance = lambda user: f"{user.signature}, {user.licence_number}"  # type: ignore[attr-defined]

    @property
    def reviewable(self) -> str:
        """The codes of the grounds that rest on a professional's judgment, for the page to ask who judged."""
        return ",".join(ground.code for ground in grounds.GROUNDS[Kind.ACCESS] if ground.reviewable)

    def needed(self) -> set[str]:
        """Who judged is asked for where the ground rests on it."""
        return {"judged_by"} if self.chosen("ground") in self.reviewable.split(",") else set()

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Withhold them."""
        package.withhold(self.asked, self.entry, **self.cleaned_data, by=by, at=at, on=self.on)


class ReleaseWordsForm(ActForm):
    """Withheld words are shown again."""

    heading, button, audited = _("Withhold these words no longer"), _("Show them in copies"), "words released"
    done = _("Copies made from now on show these words.")
    reason = long_text(_("Reason"), 1000, rows=3)

    def __init__(self, *args: Any, held: WithheldPassage, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.held = held
        self.lead = _("Withheld on %(day)s: “%(words)s”") % {"day": spoken(held.on), "words": held.passage}

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Release them."""
        package.release(self.held, **self.cleaned_data, by=by, at=at, on=self.on)


INTERNAL, IN_PACKAGE = "internal", "package"
PLACES = [
    (INTERNAL, _("Internal: it stays with the request")),
    (IN_PACKAGE, _("In the package: copies for the patient have it behind the record")),
]


class PapersForm(ActForm):
    """Papers of the request itself: the scanned letter, a note of the ID."""

    heading, button, audited = _("File papers of the request"), _("File papers"), "papers filed"
    done = _("The papers are with the request.")
    lead = _("The written request, a note of the ID seen. Papers of the treatment belong into the chart.")
    attached = FilesField(label=_("Files"))
    kind = forms.ChoiceField(label=_("What they are"), choices=RequestPaper.Kind.choices, widget=forms.RadioSelect)
    place = forms.ChoiceField(label=_("Where they go"), choices=PLACES, initial=INTERNAL, widget=forms.RadioSelect)

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Keep them."""
        data = self.cleaned_data
        facts = {"kind": data["kind"], "in_package": data["place"] == IN_PACKAGE}
        package.file_papers(self.asked, data["attached"], **facts, by=by, at=at, on=self.on)


class MovePaperForm(ActForm):
    """A paper changes its place."""

    heading, button, audited = _("Where this paper goes"), _("Record it"), "paper moved"
    done = _("It is recorded where the paper goes.")
    place = forms.ChoiceField(label=_("Where it goes"), choices=PLACES, widget=forms.RadioSelect)

    def __init__(self, *args: Any, paper: RequestPaper, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.paper = paper
        self.lead = f"{paper.get_kind_display()}: {paper.name}"
        self.fields["place"].initial = IN_PACKAGE if paper.goes_out else INTERNAL

    def act(self, *, by: User, at: datetime, office: Office) -> None:
        """Move it."""
        package.move_paper(self.paper, self.cleaned_data["place"] == IN_PACKAGE, by=by, at=at, on=self.on)

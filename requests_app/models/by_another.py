"""Whether whoever asks may still act for the patient: asked before the check, the grant, the letter and the release."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _t

from records import representation
from records.models import Entry, Representative
from records.representation import Basis
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Outcome
from requests_app.models.code import WithCode
from requests_app.models.timeline import Letter


class ByAnother(WithCode):
    """A request that somebody may make for the patient (164.502(g))."""

    class Meta(WithCode.Meta):
        abstract = True

    @property
    def is_by_another(self) -> bool:
        """Whether somebody acts for the patient: who was verified says so, and before that the request itself."""
        return bool(self.representative_id or (self.on_behalf and not self.identity_checked_on))

    def representative_refusal(self, on: date, *, what: Iterable[Entry] = ()) -> str | None:
        """Why the representative who asks may not act on that day (164.502(g)); None when they may, or for the patient.

        `what` are entries about to be released, each `with_marks()`.
        """
        if self.representative_id is None:
            return None
        found = Representative.objects.with_state().get(pk=self.representative_id)
        return representation.refusal(found, on, what=what)

    def hidden_entries(self) -> list[Entry]:
        """The entries that a parent who asks does not see: care the minor consented to alone (164.502(g)(3)). [] for others."""
        if self.representative is None or self.representative.basis != Basis.PARENT:
            return []
        marked = Entry.objects.of_the_minor_alone().filter(patient=self.patient_id).with_marks()
        return [entry for entry in marked if representation.is_hidden(entry, self.representative)]

    def check_may_carry_out(self, on: date) -> None:
        """Raise NotAllowedNow unless it is granted, its chart found and identity checked, and who asks may still act on that day.

        Nothing is released before that (164.514(h)).
        """
        if self.patient_id is None or self.identity_checked_on is None:
            raise NotAllowedNow(_t("Nothing is released before the chart is found and identity checked."))
        if self.outcome not in (Outcome.GRANTED, Outcome.GRANTED_IN_PART):
            raise NotAllowedNow(_t("This request has not been granted."))
        if why := self.representative_refusal(on):
            raise NotAllowedNow(why)

    def may_be_taken_back(self, on: date) -> bool:
        """Whether a grant may still become a denial: who asks may not act any more, and nothing has gone out (164.502(g))."""
        is_granted = self.outcome in (Outcome.GRANTED, Outcome.GRANTED_IN_PART)
        nothing_out = self.is_open and self.carried_out_on is None and self.letter_sent_on is None
        return is_granted and nothing_out and self.representative_refusal(on) is not None

    def check_letter_holds(self, letter: Letter, sent_on: date) -> None:
        """Raise NotAllowedNow for a decision that another has replaced, and for a grant to whom may not act any more."""
        if Letter.objects.filter(request_id=self.pk, kind=Letter.Kind.DECISION, pk__gt=letter.pk).exists():
            raise NotAllowedNow(_t("A later letter has taken the place of this one."))
        if self.outcome != Outcome.DENIED and (why := self.representative_refusal(sent_on)):
            raise NotAllowedNow(why)

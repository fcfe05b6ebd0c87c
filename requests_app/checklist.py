"""What has been done to a request and what is left, step by step, with the one thing to do next."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.roles import PERMISSIONS, Role, may
from requests_app.deadlines import spoken
from requests_app.kinds import Kind, Outcome, Step
from requests_app.models import PatientRequest

# step -> (permission, the page where it is done; "" is a part of the request's own page)
PAGES: dict[Step, tuple[str, str]] = {
    Step.MATCH: ("request.match", "request_match"),
    Step.VERIFY: ("request.verify", "request_verify"),
    Step.DECIDE: ("request.decide", "request_decide"),
    Step.CARRY_OUT: ("request.carry_out", "request_carry_out"),
    Step.SEND: ("request.send", ""),
}

# The same of an amendment, which the physician decides and carries out.
AMENDMENT_PAGES: dict[Step, tuple[str, str]] = {
    Step.DECIDE: ("request.decide_amendment", "request_decide_amendment"),
    Step.CARRY_OUT: ("entry.addendum", "request_amend"),
}

CARRY_OUT: dict[str, Any] = {
    Kind.ACCESS: _("Give access"),
    Kind.AMENDMENT: _("Amend the record"),
    Kind.RESTRICTION: _("Put the restriction in force"),
    Kind.CONFIDENTIAL_COMMUNICATION: _("Record how to reach the patient"),
    Kind.ACCOUNTING: _("Give the accounting"),
}


@dataclass(frozen=True)
class Item:
    """One step: its words, whether it is done and what came of it, who may do it, and where."""

    step: Step
    label: Any
    is_done: bool
    is_next: bool
    told: str
    url_name: str
    is_yours: bool
    whose: str


def page_of(step: Step, kind: str) -> tuple[str, str]:
    """The permission a step needs, and the page where it is done."""
    return (AMENDMENT_PAGES if kind == Kind.AMENDMENT else PAGES).get(step, PAGES[step])


def of(asked: PatientRequest, user: Any) -> list[Item]:
    """The steps of this request, in order: what is done, what is next for this person, what comes later."""
    left = asked.steps_left()
    return [
        _item(asked, step, step in left, bool(left) and step == left[0], user)
        for step in Step
        if step in left or _told(asked, step)
    ]


def _item(asked: PatientRequest, step: Step, is_left: bool, is_next: bool, user: Any) -> Item:
    permission, url_name = page_of(step, asked.kind)
    label = CARRY_OUT[asked.kind] if step == Step.CARRY_OUT else step.label
    whose = " / ".join(str(role.label) for role in Role if role in PERMISSIONS[permission])
    told = "" if is_left else _told(asked, step)
    return Item(step, label, not is_left, is_next, told, url_name, may(user, permission), whose)


def _told(asked: PatientRequest, step: Step) -> str:
    """What came of a step, or "" when nothing has."""
    if step == Step.MATCH:
        return _t("chart %(number)s") % {"number": asked.patient.chart_number} if asked.patient else ""
    if step == Step.VERIFY:
        return f"{spoken(asked.identity_checked_on)}: {asked.identity_how}" if asked.identity_checked_on else ""
    if step == Step.DECIDE:
        return f"{asked.get_outcome_display()}, {spoken(asked.decided_on)}" if asked.outcome and asked.decided_on else ""
    day = asked.carried_out_on if step == Step.CARRY_OUT else asked.letter_sent_on
    return spoken(day) if day and asked.outcome != Outcome.WITHDRAWN else ""

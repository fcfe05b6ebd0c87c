"""Who may do what: the one table of permission × role, read by the wall in meso/middleware.py.

A view names the permission it needs with `needs("patient.view")`; a view that names none is refused. The names are
checked against the table when the view is imported, so a typing error can't become an open door.
"""

from collections.abc import Callable
from typing import Any

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """The four kinds of staff (design.md)."""

    FRONT_DESK = "front_desk", _("Front desk")
    PHYSICIAN = "physician", _("Physician")
    PRIVACY_OFFICER = "privacy_officer", _("Privacy officer")
    OFFICE_ADMIN = "office_admin", _("Office admin")


PUBLIC = "public"  # anybody: the patients' pages, the login, /healthz/
STAFF = "logged_in"  # anybody who has logged in
OWN = "own_sign_in"  # the same, and whoever has given a password and nothing else yet
ENROLL = "own_enrolment"  # the same, once the password is their own
FACTORS = "own_factors"  # whoever has logged in, about what they log in with

_DESK, _DOCTOR, _OFFICER, _ADMIN = Role.FRONT_DESK, Role.PHYSICIAN, Role.PRIVACY_OFFICER, Role.OFFICE_ADMIN
_CLINIC = frozenset({_DESK, _DOCTOR, _OFFICER})

PERMISSIONS: dict[str, frozenset[Role]] = {
    STAFF: frozenset(Role),
    OWN: frozenset(Role),
    ENROLL: frozenset(Role),
    FACTORS: frozenset(Role),
    # records
    "patient.find": _CLINIC,
    "patient.view": _CLINIC,
    "patient.register": _CLINIC,
    "patient.update": _CLINIC,
    "entry.write": frozenset({_DOCTOR}),
    "entry.file": _CLINIC,  # put outside papers and attachments into the chart
    "entry.strike": frozenset({_DOCTOR}),
    "entry.addendum": frozenset({_DOCTOR}),
    "entry.misfiled": frozenset({_DOCTOR, _OFFICER}),
    "entry.flag": frozenset({_DOCTOR, _OFFICER}),  # leave it out of the patient's copies, or bind it to 42 CFR Part 2
    "restriction.paid": _CLINIC,  # keep what was paid in full from the health plan; say that the payment failed
    "restriction.agree": frozenset({_OFFICER}),
    "restriction.end": frozenset({_OFFICER}),
    "restriction.emergency": frozenset({_DOCTOR, _OFFICER}),
    "entry.minor_consent": frozenset({_DOCTOR}),
    "record.print": _CLINIC,
    "guard.keep": frozenset({_OFFICER}),  # say who opens a guarded chart
    "lookers.give": frozenset({_OFFICER}),  # tell the patient who has looked at the chart
    "glass.break": frozenset({_DESK, _DOCTOR}),  # open a guarded chart in an emergency; no guard binds the privacy officer
    "glass.break_note": frozenset({_DOCTOR}),  # another physician's psychotherapy note
    "glass.review": frozenset({_DOCTOR, _OFFICER}),  # a physician only what the office's one officer did (records.models.guards)
    "representative.record": _CLINIC,
    "representative.refuse": frozenset({_DOCTOR}),  # a licensed professional's judgment
    "representative.refusal": frozenset({_DOCTOR, _OFFICER}),  # read why; nobody else may so much as guess it
    # disclosures
    "disclosure.view": _CLINIC,
    "disclosure.log": _CLINIC,
    "disclosure.correct": frozenset({_OFFICER}),
    "disclosure.review": frozenset({_OFFICER}),
    "disclosure.export": frozenset({_OFFICER}),
    "authorization.view": _CLINIC,
    "authorization.record": frozenset({_DESK, _OFFICER}),  # keep a signed form, its revocation, and write what it lacks
    "authorization.false": frozenset({_OFFICER}),
    "release.make": frozenset({_DESK, _OFFICER}),
    "release.override": frozenset({_OFFICER}),  # where the law leaves room, with a reason that is kept
    "suspension.keep": frozenset({_OFFICER}),  # nobody else may even see that there is one
    "register.keep": frozenset({_OFFICER}),
    "breach.keep": frozenset({_OFFICER}),
    "accounting.view": _CLINIC,
    "accounting.give": frozenset({_DESK, _OFFICER}),
    "accounting.scope": frozenset({_OFFICER}),  # choose the narrower federal list
    # requests
    "request.view": _CLINIC,
    "request.take": _CLINIC,
    "request.match": frozenset({_DESK, _OFFICER}),
    "request.verify": frozenset({_DESK, _OFFICER}),
    "request.assign": frozenset({_DESK, _OFFICER}),
    "request.receipt_date": frozenset({_OFFICER}),
    "request.extend": frozenset({_OFFICER}),
    "request.note": _CLINIC,
    "request.withdraw": frozenset({_DESK, _OFFICER}),
    "request.decide": frozenset({_OFFICER}),
    "request.decide_amendment": frozenset({_DOCTOR}),
    "request.carry_out": frozenset({_DESK, _OFFICER}),
    "request.send": frozenset({_DESK, _OFFICER}),
    "request.bill": frozenset({_DESK, _OFFICER}),
    "request.withhold": frozenset({_OFFICER}),
    "request.paper": frozenset({_DESK, _OFFICER}),
    "request.reopen": frozenset({_OFFICER}),
    "request.proof": frozenset({_OFFICER}),
    # the privacy program
    "complaint.take": _CLINIC,  # whoever takes one in sees no other, and this one no more
    "complaint.handle": frozenset({_OFFICER}),
    "notice.record": _CLINIC,
    "notice.manage": frozenset({_OFFICER}),
    "retention.manage": frozenset({_OFFICER}),
    "retention.export": frozenset({_OFFICER}),
    "program.keep": frozenset({_OFFICER, _ADMIN}),
    "auditor.export": frozenset({_OFFICER}),
    # the house
    "audit.view": frozenset({_OFFICER}),
    "backup.watch": frozenset({_OFFICER, _ADMIN}),
    "office.edit": frozenset({_ADMIN}),
    "staff.view": frozenset({_ADMIN}),
    "staff.manage": frozenset({_ADMIN}),
}

# What wants the password, or the second factor, shown within the last ten minutes besides (meso/signin.py): files that carry
# much out of the office, changes of who may do what. Overrides at the release desk ask in their view.
FRESH = frozenset({ENROLL, FACTORS, "staff.manage", "release.override"}) | frozenset(
    {"disclosure.export", "auditor.export", "retention.export", "request.proof"}
)


# The same in words, for the page of the staff. A permission without words fails a test.
WORDS: dict[str, str | Promise] = {
    "patient.find": _("Find patients"),
    "patient.view": _("Open a chart"),
    "patient.register": _("Register a patient"),
    "patient.update": _("Change contact details"),
    "entry.write": _("Write an entry"),
    "entry.file": _("File papers and attachments"),
    "entry.strike": _("Draw the line through an entry"),
    "entry.addendum": _("Write an addendum"),
    "entry.misfiled": _("Mark an entry as filed in the wrong chart"),
    "entry.flag": _("Flag an entry that copies leave out"),
    "restriction.paid": _("Keep what was paid in full from the health plan"),
    "restriction.agree": _("Agree to a restriction"),
    "restriction.end": _("End a restriction"),
    "restriction.emergency": _("Record a release in an emergency"),
    "entry.minor_consent": _("Decide what a parent sees of care the minor consented to alone"),
    "record.print": _("Print a record"),
    "guard.keep": _("Guard a chart and say who opens it"),
    "lookers.give": _("Give a patient the list of who has looked"),
    "glass.break": _("Open a guarded chart in an emergency, with a reason"),
    "glass.break_note": _("Open another’s psychotherapy note in an emergency, with a reason"),
    "glass.review": _("Review emergency accesses"),
    "representative.record": _("Put a representative on file, or end one"),
    "representative.refuse": _("No longer treat somebody as the representative"),
    "representative.refusal": _("Read why a representative is not accepted"),
    "disclosure.view": _("Read the disclosure log"),
    "disclosure.log": _("Log a disclosure"),
    "disclosure.correct": _("Correct the disclosure log"),
    "disclosure.review": _("Review the disclosure log"),
    "disclosure.export": _("Download the disclosure log"),
    "authorization.view": _("See signed authorizations"),
    "authorization.record": _("Record an authorization or its revocation"),
    "authorization.false": _("Find that an authorization is false"),
    "release.make": _("Release a record"),
    "release.override": _("Release past a check, with a reason"),
    "suspension.keep": _("See and record suspensions of an agency’s disclosures"),
    "register.keep": _("Keep research protocols and business associates"),
    "breach.keep": _("Judge breaches and record who was told"),
    "accounting.view": _("See an accounting of disclosures"),
    "accounting.give": _("Give an accounting of disclosures"),
    "accounting.scope": _("Choose the narrower federal accounting"),
    "request.view": _("See requests and their clocks"),
    "request.take": _("Take a request in"),
    "request.match": _("Link a request to a chart"),
    "request.verify": _("Check who is asking"),
    "request.assign": _("Give a request to somebody"),
    "request.receipt_date": _("Correct the day of receipt"),
    "request.extend": _("Extend a request"),
    "request.note": _("Write a note on a request"),
    "request.withdraw": _("Take a withdrawal in"),
    "request.decide": _("Decide a request"),
    "request.decide_amendment": _("Decide an amendment"),
    "request.carry_out": _("Carry out what was granted"),
    "request.send": _("Send a letter"),
    "request.bill": _("Make and settle bills for copies"),
    "request.withhold": _("Withhold words from a copy"),
    "request.paper": _("File papers of a request"),
    "request.reopen": _("Open a closed request again"),
    "request.proof": _("Download the proof of a request"),
    "complaint.take": _("Take a complaint in"),
    "complaint.handle": _("Read and answer complaints"),
    "notice.record": _("Record that the notice was given"),
    "notice.manage": _("Put a version of the notice in force"),
    "program.keep": _("Keep the registers of the privacy program"),
    "auditor.export": _("Make the auditor’s export"),
    "retention.manage": _("Place legal holds and see what may be purged"),
    "retention.export": _("Download the list of what may be purged"),
    "audit.view": _("Read the audit"),
    "backup.watch": _("See the age of the last backup drill"),
    "office.edit": _("Edit the office profile"),
    "staff.view": _("See the staff and what each role may do"),
    "staff.manage": _("Add and change staff, and give them a new way in"),
}


# What the roles above may do is narrower still for certain things: (what, to whom it is open). Shown beneath the table, and in
# docs/security.md with the test of each. Kept by records/guarding.py, records/seeing.py and the modules named there.
NARROWER: tuple[tuple[str | Promise, str | Promise], ...] = (
    (
        _("A guarded chart"),
        _("Those named on its guard and the privacy officer; for an hour, whoever opens charts and says what the emergency is"),
    ),
    (_("What was typed into a form and not sent"), _("Whoever typed it")),
    (
        _("What psychotherapy notes say, and their files"),
        _("Whoever wrote them; for an hour, a physician who averts a serious and imminent threat"),
    ),
    (_("A finished copy that holds psychotherapy notes"), _("The privacy officer, who sends it, and whoever wrote them")),
    (_("Complaints, once they are taken in"), _("The privacy officer")),
    (_("That an agency asked for silence, and the rows it covers"), _("The privacy officer")),
    (_("A legal hold"), _("The privacy officer")),
    (_("Why a representative is not accepted"), _("Physicians and the privacy officer")),
)


def needs(permission: str) -> Callable:
    """Mark a view with the permission it needs (or PUBLIC). Raises LookupError, at import, for a name not in the table."""
    if permission != PUBLIC and permission not in PERMISSIONS:
        raise LookupError(f"{permission!r} is not in meso/roles.py")

    def mark(view: Callable) -> Callable:
        view.needs = permission  # type: ignore[attr-defined]
        return view

    return mark


def may(user: Any, permission: str) -> bool:
    """Whether this person may do this. Raises KeyError for a permission that is not in the table."""
    allowed = PERMISSIONS[permission]
    return user.is_authenticated and user.is_active and user.role in allowed

"""The release desk's one act: the plan checked, its papers drawn, the release and its row of the log stored, all or nothing."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disclosures import guard, guard_checks, on_hand
from disclosures.branches import Pages
from disclosures.guard import Check, Means, Plan
from disclosures.models.release import Release
from meso import languages
from meso.models import Office, User
from meso.pdf import Pdf, render_pdf
from records import copying, wishes
from records.models import Attachment, EmergencyRelease, Entry
from records.restriction_rules import Outcome


class Companion(Protocol):
    """What must go along with an entry: its title and words, its PDF (b"" where words are all), and the rule."""

    title: str
    summary: str
    content: bytes
    citation: str


Companions = Callable[[Iterable[Entry], date], list[Any]]
_companions: list[Companions] = []


def goes_along(source: Companions) -> Companions:
    """Register what must go along with entries that are given to others; called from an app's ready()."""
    if source not in _companions:
        _companions.append(source)
    return source


def companions(plan: Plan) -> list[Any]:
    """What goes along with the entries of this plan to anybody but the patient (164.526(d)(5)); [] for a plan without any."""
    if plan.purpose_code == "individual" or not plan.entries:
        return []
    return [one for source in _companions for one in source(plan.entries, plan.on)]


@guard.check("amendments", gettext_lazy("Disputed entries"), order=95)
def _amendments(plan: Plan) -> Check:
    """What must go along with a disputed entry goes along by itself: nobody can leave it out (164.526(d)(5))."""
    along = companions(plan)
    if not along:
        return guard.not_concerned(_("Nothing must go along."), "45 CFR 164.526(d)(5)")
    titles = "; ".join(dict.fromkeys(str(one.title) for one in along))
    cited = ", ".join(dict.fromkeys(str(one.citation) for one in along))
    return guard.ok(_("Goes along, behind the copy or in the letter: %(what)s.") % {"what": titles}, cited)


@dataclass(frozen=True)
class Papers:
    """What a release consists of: the copy as drawn, files that can't be pages of it, and what goes along."""

    copy: Pdf
    beside: tuple[Attachment, ...] = ()
    along: tuple[Any, ...] = ()


class ReleaseRefused(Exception):
    """Something stands in the way: `checks` are all of them, as they stood."""

    def __init__(self, checks: list[Check]):
        super().__init__(_("Not released: a check stands in the way."))
        self.checks = checks


@dataclass(frozen=True)
class Bill:
    """What the copy costs its recipient: the PDF, and dollars."""

    document: bytes
    total: Any


class BillRefused(ValueError):
    """The figures of a bill are amiss; the text says why."""


Biller = Callable[[Plan, Papers, str, Office, User], Bill]
_billers: list[Biller] = []


def bills(biller: Biller) -> Biller:
    """Register what works out the bill of a copy: the office's tariff lives above. It raises BillRefused."""
    _billers[:] = [biller]
    return biller


def can_bill() -> bool:
    """Whether somebody works out bills."""
    return bool(_billers)


def draw(plan: Plan, *, by: User, office: Office) -> Papers:
    """Draw what this plan gives out. Stores nothing."""
    if plan.means == Means.INSPECT:
        return Papers(Pdf(b"", 0))
    if plan.way and plan.way.pages == Pages.EIGHT_ITEMS:
        items = [on_hand.LOCATE_ITEMS[item] for item in plan.items]
        context = {"plan": plan, "patient": plan.patient, "items": items, "office": office, "on": plan.on, "by": by}
        return Papers(render_pdf("disclosures/pdf/facts.html", context))
    to_others = plan.purpose_code != "individual"  # under a disputed entry stands only what goes along (164.526(d)(5))
    made = copying.copy_of(plan.patient, plan.entries, plan.loose, by=by, on=plan.on, office=office, to_others=to_others)
    return with_companions(plan, made.pdf, made.beside)


def with_companions(plan: Plan, copy: Pdf, beside: tuple[Attachment, ...] = ()) -> Papers:
    """A copy that is drawn, with what must go along behind it (164.526(d)(5))."""
    along = tuple(companions(plan))
    parts = [(str(one.title), bytes(one.content)) for one in along if one.content]
    return Papers(copying.with_parts(copy, parts), beside, along)


def release(
    plan: Plan,
    overrides: Mapping[str, str],
    *,
    by: User,
    at: datetime,
    office: Office,
    once: str = "",
    made: Papers | None = None,
    bill: Bill | None = None,
    postage: str | None = None,
) -> Release:
    """Check the plan and let it out: copy, cover letter, bill, release and row of the log in one transaction.

    `made` and `bill` were drawn and kept before, as a request has them; else `postage` (dollars, None for no bill) makes the
    bill. `once` is the form's token: sent twice it gives the release that it made the first time. `overrides` are the privacy
    officer's reasons by the name of the check; the caller has asked whether this person may give them. Raises ReleaseRefused
    with the checks, and BillRefused.
    """
    if once and (before := Release.objects.filter(source_id=once).first()):
        return before
    with transaction.atomic():
        found = guard.checks(plan)
        if not guard.is_clear(found, overrides):
            raise ReleaseRefused(found)
        papers = made or draw(plan, by=by, office=office)
        if postage is not None and not bill:
            bill = _billers[0](plan, papers, postage, office, by)
        letter = cover_letter(plan, papers, by=by, office=office)
        try:
            with transaction.atomic():
                _note_emergency(plan, by=by, at=at, office=office)
                return Release.make(
                    **_facts(plan, papers, found, overrides),
                    **_billed(bill),
                    cover_letter=letter.content,
                    manifest=_manifest(plan, papers, letter, bill),
                    by=by,
                    at=at,
                    source_id=once or None,
                )
        except IntegrityError:
            if once and (before := Release.objects.filter(source_id=once).first()):
                return before
            raise


def _note_emergency(plan: Plan, *, by: User, at: datetime, office: Office) -> None:
    """Record at each restriction that gave way that it did, with its letter of the same day (164.522(a)(1)(iv))."""
    for restriction, verdict in guard_checks.restricted(plan):
        if verdict.outcome == Outcome.EMERGENCY:
            EmergencyRelease.record(
                restriction,
                released_on=plan.on,
                provider=plan.recipient,
                provider_address=plan.address,
                information=information(plan),
                reason=plan.basis[:1000],
                by=by,
                at=at,
                on=plan.on,
                office=office,
            )


def _billed(bill: Bill | None) -> dict[str, Any]:
    return {"bill": bill.document, "bill_total": bill.total} if bill else {"bill": b""}


def _facts(plan: Plan, papers: Papers, found: list[Check], overrides: Mapping[str, str]) -> dict[str, Any]:
    way = on_hand.branch(plan.purpose_code, plan.branch)
    used = [one for one in found if one.is_refused]
    return {
        "patient": plan.patient,
        "released_on": plan.on,
        "recipient": plan.recipient,
        "address": plan.address,
        "means": plan.means,
        "purpose_code": plan.purpose_code,
        "branch": plan.branch,
        "purpose": plan.purpose,
        "basis": plan.basis,
        "information": information(plan),
        "entries": list(plan.entries),
        "authorization": plan.authorization,
        "confirmed": [
            {"code": need.code, "words": str(need.words), "citation": need.citation}
            for need in way.needs
            if need.code in plan.confirmed
        ],
        "minimum_confirmed": plan.minimum_confirmed and way.minimum.applies,
        "emergency": plan.emergency,
        "verified_how": guard_checks.identity_told(plan)[:500],
        "verified_on": plan.verified_on,
        "checks": [
            {
                "name": one.name,
                "label": str(one.label),
                "state": one.state.value,
                "reason": str(one.reason),
                "citation": one.citation,
            }
            for one in found
        ],
        "overrides": [{"check": one.name, "label": str(one.label), "reason": overrides[one.name].strip()} for one in used],
        "copy": papers.copy.content,
        "pages": papers.copy.pages,
        "paper_pages": plan.paper_pages,
        "request_number": plan.request_number,
    }


def information(plan: Plan) -> str:
    """What goes, in words, for the log: the entries by title and day, other files, and what the desk wrote."""
    parts = [f"{entry.called} ({date_format(entry.service_on, 'M j, Y')})" for entry in plan.entries]
    parts += [file.name for file in plan.loose]
    parts += [str(on_hand.LOCATE_ITEMS[item]) for item in plan.items]
    if plan.paper_pages:
        parts.append(_("%(count)d pages of the paper chart") % {"count": plan.paper_pages})
    return "; ".join(part for part in (*parts, plan.said.strip()) if part)


def _manifest(plan: Plan, papers: Papers, letter: Pdf, bill: Bill | None) -> list[dict[str, Any]]:
    """Each paper with its digest, and each part of the copy with the digest of its file where it has one."""
    made = {"copy.pdf": papers.copy.content, "cover-letter.pdf": letter.content, "bill.pdf": bill.document if bill else b""}
    pages = {"copy.pdf": papers.copy.pages, "cover-letter.pdf": letter.pages}
    found: list[dict[str, Any]] = [
        {"file": name, "sha256": hashlib.sha256(content).hexdigest(), "pages": pages.get(name, 0)}
        for name, content in made.items()
        if content
    ]
    files = [file for entry in plan.entries for file in entry.attachments.all()] + list(plan.loose)
    found += [{"entry": entry.pk} for entry in plan.entries]
    found += [{"attachment": file.pk, "sha256": file.sha256} for file in files]
    return found + [{"along": str(one.title), "citation": one.citation} for one in papers.along]


# --- the cover letter -------------------------------------------------------------------------------------------------


def cover_letter(plan: Plan, papers: Papers, *, by: User, office: Office) -> Pdf:
    """The letter on top: to whom, what is enclosed, and what the recipient must know. The patient's goes where they wish."""
    language = languages.written(plan.patient.language) if plan.to_patient else settings.LANGUAGE_CODE
    with translation.override(language):
        context = cover_context(plan, papers, by=by, office=office)
    return render_pdf("disclosures/pdf/cover.html", context, language)


def cover_context(plan: Plan, papers: Papers, *, by: User, office: Office) -> dict[str, Any]:
    """What the cover letter says, without drawing it."""
    return {
        "plan": plan,
        "patient": plan.patient,
        "papers": papers,
        "items": [on_hand.LOCATE_ITEMS[item] for item in plan.items],
        "to": addressed_to(plan),
        "office": office,
        "by": by,
        "notices": guard.notices(plan),
        "to_patient": plan.to_patient,
    }


def addressed_to(plan: Plan) -> list[str]:
    """The lines of the address: the patient as they wish (164.522(b)), anybody else as the desk wrote."""
    if plan.to_patient:
        return wishes.mailing_lines(plan.patient, plan.on)
    return [plan.recipient, *plan.address.splitlines()]

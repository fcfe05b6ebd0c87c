"""The checks of the guard, each a few lines over the rule that it asks: what is on hand, who asks, what may go.

law.md §5, §6, §8, §9 and §11. Those that need the database ask one function of another module.
"""

from collections.abc import Collection

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from disclosures import authorization_scope, on_hand, purposes
from disclosures.authorization_rules import Use
from disclosures.branches import Asker, Branch, Pages
from disclosures.guard import Check, Means, Plan, check, not_concerned, notice, ok, refused, warning
from records import exclusion, representation, verification, wishes
from records.models import Entry, Restriction
from records.restriction_rules import Outcome, Recipient, Verdict

_OFFICIALS = ("official_in_person", "official_in_writing", "official_agent")
_PATIENTS = ("patient_in_person", "patient_by_post", "patient_by_web", "patient_by_phone")

# Which kinds of requester of records/verification.py may stand at the other end.
REQUESTERS: dict[Asker, tuple[str, ...]] = {
    Asker.PATIENT: _PATIENTS,
    Asker.REPRESENTATIVE: ("representative",),
    Asker.FAMILY: ("family",),
    Asker.OFFICIAL: _OFFICIALS,
    Asker.COURT: (*_OFFICIALS, "other"),
    Asker.PROVIDER: ("other",),
    Asker.PLAN: ("other",),
    Asker.ASSOCIATE: ("other",),
    Asker.OTHER: ("other",),
}


def requesters(way: Branch, purpose_code: str) -> tuple[str, ...]:
    """The kinds of requester that this branch may have; for a serious threat also whoever can avert it (164.514(h)(2)(iv))."""
    return (*REQUESTERS[way.asker], "threat") if purpose_code == "serious_threat" else REQUESTERS[way.asker]


def ways_of(way: Branch, purpose_code: str) -> list[verification.Way]:
    """The ways of checking identity that do for this branch, each once."""
    found = [one for kind in requesters(way, purpose_code) for one in verification.REQUESTERS[kind].ways]
    return list(dict.fromkeys(found))


def _named(entries: Collection[Entry]) -> str:
    return "; ".join(f"{entry.called} ({date_format(entry.service_on, 'M j, Y')})" for entry in entries)


@check("purpose", gettext_lazy("Purpose"), order=10)
def _purpose(plan: Plan) -> Check:
    """The purpose is one that can be planned, said in words, to somebody (164.528(b)(2))."""
    known = purposes.PURPOSES.get(plan.purpose_code)
    if known is None:
        return refused(_("Choose why it goes out."))
    if not known.plannable:
        return refused(_("What went out by mistake can’t be planned; it is written down in the log."), known.citation)
    if plan.way is None:
        return refused(_("Choose on which ground it goes out."), known.citation)
    if not (plan.recipient.strip() and plan.purpose.strip()):
        return refused(_("Say to whom it goes, and why in a few words."), "45 CFR 164.528(b)(2)")
    return ok(f"{known.label}: {plan.way.label}" if plan.branch else str(known.label), plan.way.rule)


@check("documents", gettext_lazy("On hand"), order=20)
def _documents(plan: Plan) -> Check:
    """What the purpose needs is on hand, and what it is stands in words."""
    way = _way(plan)
    if not way.needs:
        return not_concerned(_("This purpose needs no paper."), way.rule)
    if missing := on_hand.missing(way, plan.confirmed):
        cited = ", ".join(dict.fromkeys(need.citation for need in missing))
        words = _("Not on hand: %(what)s.") % {"what": "; ".join(str(need.words) for need in missing)}
        return refused(words, f"45 CFR {cited}", overridable=all(need.overridable for need in missing))
    if not plan.basis.strip():
        return refused(_("Say in a few words what is on hand: which paper, of which day, signed by whom."), "45 CFR 164.530(j)")
    return ok(plan.basis.strip(), way.rule)


@check("identity", gettext_lazy("Who asks"), order=30)
def _identity(plan: Plan) -> Check:
    """Identity was checked in a way that does for this asker, on a day that has been, by somebody (164.514(h))."""
    kinds = requesters(_way(plan), plan.purpose_code)
    ticked = set(plan.verified_ways)
    kind = next((one for one in kinds if ticked and ticked <= set(verification.REQUESTERS[one].ways)), kinds[0])
    rule = verification.REQUESTERS[kind].citation
    found = verification.problems(kind, plan.verified_ways, plan.identifiers)
    if not plan.verified_words and (
        words := found.get("ways") or found.get("identifiers")
    ):  # the right to ask is shown by what is on hand
        return refused(words, rule)
    if plan.verified_on is None:
        return refused(_("Give the day on which it was checked."), rule)
    day = {"day": date_format(plan.verified_on, "M j, Y")}
    if plan.verified_on > plan.on:
        return refused(_("It was checked on %(day)s, after the day of this release.") % day, rule)
    told = identity_told(plan)
    return ok(_("%(how)s, on %(day)s.") % {"how": told, **day}, rule)


def identity_told(plan: Plan) -> str:
    """How identity was checked, in words."""
    return plan.verified_words or verification.told(plan.verified_ways, plan.identifiers)


@check("representative", gettext_lazy("Right to act for the patient"), order=35)
def _representative(plan: Plan) -> Check:
    """Whoever acts for the patient has the authority for it on that day, and for what is chosen (164.502(g))."""
    if _way(plan).asker != Asker.REPRESENTATIVE:
        return not_concerned(_("Nobody acts for the patient here."))
    if plan.representative is None:
        return refused(_("Choose the representative; one who is not on file is put on file first."), "45 CFR 164.502(g)")
    if plan.representative.patient_id != plan.patient.pk:
        return refused(_("That representative is another chart’s."), "45 CFR 164.502(g)")
    rule = representation.RULES[plan.representative.basis].citation
    if words := representation.refusal(plan.representative, plan.on, what=plan.entries):
        return refused(words, rule)
    return ok(f"{plan.representative.name}: {plan.representative.get_basis_display()}", rule)


@check("authorization", gettext_lazy("Authorization"), order=40)
def _authorization(plan: Plan) -> Check:
    """The form is valid that day and reaches this recipient, these entries and this purpose (164.508)."""
    if plan.purpose_code != "authorization":
        return not_concerned(_("It does not go out on an authorization."))
    if plan.authorization is None:
        return refused(
            _("Choose the signed authorization it goes out on; one that is not recorded yet is recorded first."),
            "45 CFR 164.508(a)(1)",
        )
    facts = {"recipient": plan.recipient, "entries": plan.entries, "purpose": plan.purpose, "use": plan.use, "paid": plan.paid}
    found = plan.authorization.refusals(plan.on, **facts, electronic=plan.means == Means.ELECTRONIC)
    if found:
        cited = ", ".join(dict.fromkeys(defect.citation for defect in found))
        return refused(" ".join(str(defect.words) for defect in found), cited)
    if judge := plan.authorization.to_confirm(plan.on):
        return warning(" ".join(judge), "45 CFR 164.508(c)(1)")
    if plan.use:
        words = _("The form is valid and names this use: %(use)s.") % {"use": Use(plan.use).label}
        return ok(words, "45 CFR 164.508(a)(4)" if plan.use == Use.SALE else "45 CFR 164.508(a)(3)")
    return ok(_("The form is valid and reaches this release."), "45 CFR 164.508(b)(1)")


# --- material of its own kind -----------------------------------------------------------------------------------------

# Where the purpose itself says what the table of 164.508(a)(2) demands, nobody has to judge it.
_NOTES_BY_PURPOSE = frozenset(
    {("required_by_law", "statute"), ("required_by_law", "hhs"), ("serious_threat", "prevent"), ("decedent", "coroner")}
)
_NOTES_JUDGED = frozenset({("treatment", ""), ("operations", "associate"), ("health_oversight", "")})


@check("notes", gettext_lazy("Psychotherapy notes"), order=50)
def _notes(plan: Plan) -> Check:
    """Psychotherapy notes go only on an authorization of their own, and for the few purposes of the list (164.508(a)(2))."""
    notes = [one for one in plan.entries if _flagged(one) == exclusion.Kind.PSYCHOTHERAPY_NOTES]
    if not notes:
        return not_concerned(_("None are chosen."))
    if plan.purpose_code == "authorization":
        return not_concerned(_("The authorization says whether they may go; see there."), "45 CFR 164.508(a)(2)")
    by_purpose = (plan.purpose_code, plan.branch) in _NOTES_BY_PURPOSE
    judged = (plan.purpose_code, plan.branch) in _NOTES_JUDGED
    code = plan.purpose_code if by_purpose or judged else ""
    defect = authorization_scope.notes_need(code, holds=by_purpose)
    if defect is None:
        return ok(_("They may go for this purpose."), "45 CFR 164.508(a)(2)(ii)")
    return refused(f"{defect.words} {_named(notes)}", defect.citation, overridable=judged)


def _flagged(entry: Entry) -> str:
    found = exclusion.excluded(entry)
    return found.kind if found else ""


@check("excluded", gettext_lazy("Excluded material"), order=52)
def _excluded(plan: Plan) -> Check:
    """What was put together for a proceeding is outside of the right of access; the officer may give it (164.524(a)(1)(ii))."""
    chosen = [one for one in plan.entries if _flagged(one) == exclusion.Kind.LITIGATION]
    if not chosen:
        return not_concerned(_("None is chosen."))
    words = _("Put together for a court or agency case: %(what)s. Take it out, or say why it goes.") % {"what": _named(chosen)}
    return refused(words, "45 CFR 164.524(a)(1)(ii)", overridable=True)


# For these a Part 2 consent or order can be on hand; for every other purpose it can't, and nothing is guessed.
_PART2_CAN = frozenset({"treatment", "payment", "operations", "authorization", "court_order"})


@check("part2", gettext_lazy("42 CFR Part 2"), order=54)
def _part2(plan: Plan) -> Check:
    """Records under 42 CFR Part 2 go to others only with that rule's consent or order (law.md §11)."""
    chosen = [one for one in plan.entries if exclusion.is_part2(one)]
    if not chosen:
        return not_concerned(_("No such record is chosen."))
    if plan.purpose_code == "individual":
        return ok(_("The patient may have it."), "42 CFR 2.23")
    if plan.purpose_code == "treatment" and plan.emergency:
        return ok(_("A medical emergency; the officer notes it for the program."), "42 CFR 2.51")
    words = _("Needs the consent or the court order that 42 CFR Part 2 asks for: %(what)s.") % {"what": _named(chosen)}
    return refused(words, "42 CFR 2.31, 42 CFR 2.61", overridable=plan.purpose_code in _PART2_CAN)


@notice
def _part2_notice(plan: Plan) -> str:
    """The notice that goes with such records (42 CFR 2.32)."""
    if plan.purpose_code == "individual" or not any(exclusion.is_part2(one) for one in plan.entries):
        return ""
    return _("42 CFR part 2 prohibits unauthorized use or disclosure of these records.")


# --- the patient's wishes ---------------------------------------------------------------------------------------------

# What kind of recipient of records/restriction_rules.py stands at the other end. A plan is taken for granted where it may be one.
_RECIPIENTS: dict[Asker, Recipient] = {
    Asker.PROVIDER: Recipient.PROVIDER,
    Asker.PLAN: Recipient.HEALTH_PLAN,
    Asker.FAMILY: Recipient.INVOLVED,
}


def restricted(plan: Plan) -> list[tuple[Restriction, Verdict]]:
    """What each restriction in force says of this plan; those that are not concerned left out. Two queries."""
    way = _way(plan)
    whom = _RECIPIENTS.get(way.asker, Recipient.HEALTH_PLAN if way.code == "other_entity" else Recipient.OTHER)
    entries = None if plan.loose or plan.paper_pages or not plan.entries else plan.entries
    facts = {"purpose": plan.purpose_code, "recipient": whom, "on": plan.on, "emergency": plan.emergency}
    return wishes.verdicts(plan.patient, entries, **facts)  # type: ignore[arg-type]


@check("restrictions", gettext_lazy("Restrictions"), order=60)
def _restrictions(plan: Plan) -> Check:
    """What the office has agreed to binds treatment, payment, operations and family; a law, a court, a threat it does not.

    Where a restriction stands in its words alone, the officer may judge that it is about something else; a mandatory one, or
    one told by entries, recipients and purposes, leaves no room.
    """
    told = restricted(plan)
    if not told:
        return not_concerned(_("None in force touches this release."), "45 CFR 164.522(a)(1)(iii)")
    words = "; ".join(f"{one.what}: {verdict.words}" for one, verdict in told)
    cited = ", ".join(dict.fromkeys(verdict.citation for _one, verdict in told))
    blocking = [one for one, verdict in told if verdict.blocks]
    if blocking:
        in_words = all(not (one.is_mandatory or one.covers or one.kept_from or one.listed.all()) for one in blocking)
        return refused(words, cited, overridable=in_words)
    return warning(words, cited)


@notice
def _emergency_notice(plan: Plan) -> str:
    """A restriction was set aside for emergency treatment: the provider is asked not to pass it on (164.522(a)(1)(iv))."""
    if not plan.emergency or not any(verdict.outcome == Outcome.EMERGENCY for _one, verdict in restricted(plan)):
        return ""
    return _(
        "The patient has asked us to restrict this information. We give it to you for emergency treatment. "
        "Please do not further use or disclose it."
    )


@check("contact", gettext_lazy("How the patient is reached"), order=70)
def _contact(plan: Plan) -> Check:
    """What goes to the patient goes where and as they wish; nobody asks why (164.522(b)(1)(i))."""
    rule = "45 CFR 164.522(b)(1)(i)"
    means = Means(plan.means).way_out.means
    if plan.representative and (words := wishes.allows_another(plan.patient, means, plan.address, plan.on)):
        return refused(words, rule, overridable=not plan.request_number)
    if not plan.to_patient:
        return not_concerned(_("It does not go to the patient."))
    if plan.way_asked:
        return ok(_("The patient asks for this way in the request."), rule)
    if words := wishes.allows(plan.patient, means, "", plan.on):
        return refused(words, rule, overridable=not plan.request_number)
    return ok(_("As the patient wishes, or no wish is recorded."), rule)


# --- how much ---------------------------------------------------------------------------------------------------------


@check("minimum", gettext_lazy("Minimum necessary"), order=80)
def _minimum(plan: Plan) -> Check:
    """Somebody has confirmed that no more goes than the purpose needs, where that rule applies (164.502(b), 164.514(d))."""
    rule = _way(plan).minimum
    if not rule.applies:
        return not_concerned(rule.words, rule.rule)
    if not plan.minimum_confirmed:
        return refused(_("Confirm that no more is chosen than the purpose needs."), rule.rule)
    return ok(rule.words, rule.rule)


@check("pages", gettext_lazy("What goes"), order=90)
def _pages(plan: Plan) -> Check:
    """Something goes, all of it this patient's, and no more than the branch allows."""
    way = _way(plan)
    owners = {entry.patient_id for entry in plan.entries} | {file.patient_id for file in plan.loose}
    if owners - {plan.patient.pk} or any(entry.is_misfiled for entry in plan.entries):
        return refused(_("An entry is chosen that is not in this patient’s record."))
    if words := _too_much(plan, way):
        return refused(words, way.rule)
    if way.pages == Pages.EIGHT_ITEMS:
        words = on_hand.locate_refusal(plan.items, plan.said)
        return refused(words, "45 CFR 164.512(f)(2)") if words else ok(_("Eight facts at most."), "45 CFR 164.512(f)(2)(i)")
    if not (_has_pages(plan) or plan.said.strip()):
        return refused(_("Nothing is chosen: tick what goes, or say in words what goes instead."))
    return ok(_counted(plan))


def _has_pages(plan: Plan) -> bool:
    return bool(plan.entries or plan.loose or plan.paper_pages)


def _too_much(plan: Plan, way: Branch) -> str:
    """Why more is chosen than this branch lets go; "" when it is not."""
    if way.pages == Pages.EIGHT_ITEMS and _has_pages(plan):
        return _("No page of the record may go for this: only the eight facts. Take the ticks out.")
    if way.pages == Pages.NONE and _has_pages(plan):
        return _("No page of the record may go for this, for each names the patient. Take the ticks out.")
    if plan.items and way.pages != Pages.EIGHT_ITEMS:
        return _("The eight facts are for finding somebody; take the ticks out.")
    if plan.means == Means.INSPECT and plan.purpose_code != "individual":
        return _("Only the patient, or who acts for them, looks at the record here.")
    return ""


def _counted(plan: Plan) -> str:
    """What goes, counted."""
    parts = [ngettext("%(n)d entry", "%(n)d entries", len(plan.entries)) % {"n": len(plan.entries)}] if plan.entries else []
    if files := len(plan.loose):
        parts.append(ngettext("%(n)d file", "%(n)d files", files) % {"n": files})
    if pages := plan.paper_pages:
        parts.append(ngettext("%(n)d page of the paper chart", "%(n)d pages of the paper chart", pages) % {"n": pages})
    return ", ".join([*parts, *([_("what stands in words")] if plan.said.strip() else [])]) + "."


def _way(plan: Plan) -> Branch:
    """The branch; the check of the purpose stands before all others, and none follows where there is no branch."""
    return on_hand.branch(plan.purpose_code, plan.branch)

"""How the office makes sure who asks and by what right, by kind of requester (164.514(h)): one table of plain data.

A notary is no way here, and coming in person never the only one where another does: checking must not become a barrier.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

LEAST_IDENTIFIERS = 2  # facts that must match the chart where the check rests on them


class Way(models.TextChoices):
    """How identity was checked."""

    PHOTO_ID = "photo_id", _("Photo ID seen")
    KNOWN = "known", _("Known to the staff in person")
    CALLED_BACK = "called_back", _("Called back at the number in the chart")
    MATCH = "match", _("Two facts or more matched the chart")
    SIGNATURE = "signature", _("Signature matched the chart")
    WROTE_BACK = "wrote_back", _("Answered from the e-mail or postal address in the chart")
    BADGE = "badge", _("Badge or other official credentials seen")
    LETTERHEAD = "letterhead", _("Letter on the agency's letterhead")
    OFFICIAL_EMAIL = "official_email", _("Message from a government address")
    AGENT_LETTER = "agent_letter", _("The agency's letter that this person acts for it")
    AGENT_CONTRACT = "agent_contract", _("Contract or purchase order with the agency")
    PATIENT_AGREED = "patient_agreed", _("The patient agreed, or did not object when asked")
    JUDGMENT = "judgment", _("Professional judgment, in the circumstances")
    GOOD_FAITH = "good_faith", _("Good faith that a serious threat can be averted so")
    LISTED_NUMBER = "listed_number", _("Called back at a number that is publicly listed")


class Identifier(models.TextChoices):
    """A fact that the asker gives and the chart holds."""

    NAME = "name", _("Full name")
    BORN = "born", _("Date of birth")
    ADDRESS = "address", _("Address")
    PHONE = "phone", _("Telephone")
    EMAIL = "email", _("E-mail")
    CHART = "chart", _("Chart number")
    LAST_VISIT = "last_visit", _("Day of the last visit")


class Authority(models.TextChoices):
    """What shows the right to ask, where being oneself is not enough."""

    ON_FILE = "on_file", _("Representative on file, whose authority holds")
    WRITTEN = "written", _("Written statement of the legal authority")
    ORAL = "oral", _("Oral statement of the legal authority, as a written one was impracticable")
    PROCESS = "process", _("Warrant, subpoena, order or other legal process")
    AUTHORIZATION = "authorization", _("The patient's signed authorization")


@dataclass(frozen=True)
class Requester:
    """One kind of requester: the ways that do, what shows the authority (any one; () where none is needed), the citation."""

    label: str | Promise
    citation: str
    ways: tuple[Way, ...]
    authority: tuple[Authority, ...] = ()


_OFFICIAL = (Authority.WRITTEN, Authority.ORAL, Authority.PROCESS)

REQUESTERS: dict[str, Requester] = {
    "patient_in_person": Requester(
        _("The patient, in person"), "45 CFR 164.514(h)(1)", (Way.PHOTO_ID, Way.KNOWN, Way.MATCH, Way.SIGNATURE)
    ),
    "patient_by_post": Requester(
        _("The patient, by post or fax"), "45 CFR 164.514(h)(1)", (Way.SIGNATURE, Way.MATCH, Way.CALLED_BACK, Way.WROTE_BACK)
    ),
    "patient_by_web": Requester(
        _("The patient, by the web form or e-mail"), "45 CFR 164.514(h)(1)", (Way.MATCH, Way.CALLED_BACK, Way.WROTE_BACK)
    ),
    "patient_by_phone": Requester(
        _("The patient, by telephone"), "45 CFR 164.514(h)(1)", (Way.CALLED_BACK, Way.MATCH, Way.KNOWN)
    ),
    "representative": Requester(
        _("A representative"),
        "45 CFR 164.514(h)(1), 164.502(g)",
        (Way.PHOTO_ID, Way.KNOWN, Way.CALLED_BACK, Way.MATCH, Way.SIGNATURE, Way.WROTE_BACK),
        (Authority.ON_FILE,),
    ),
    "official_in_person": Requester(
        _("A public official, in person"), "45 CFR 164.514(h)(2)(ii)(A), 164.514(h)(2)(iii)", (Way.BADGE,), _OFFICIAL
    ),
    "official_in_writing": Requester(
        _("A public official, in writing"),
        "45 CFR 164.514(h)(2)(ii)(B), 164.514(h)(2)(iii)",
        (Way.LETTERHEAD, Way.OFFICIAL_EMAIL),
        _OFFICIAL,
    ),
    "official_agent": Requester(
        _("Somebody who acts for a public official"),
        "45 CFR 164.514(h)(2)(ii)(C), 164.514(h)(2)(iii)",
        (Way.AGENT_LETTER, Way.AGENT_CONTRACT),
        _OFFICIAL,
    ),
    "family": Requester(
        _("Family, or somebody involved in the care"),
        "45 CFR 164.514(h)(2)(iv), 164.510",
        (Way.PATIENT_AGREED, Way.KNOWN, Way.JUDGMENT),
    ),
    "threat": Requester(
        _("Somebody who can avert a serious threat"), "45 CFR 164.514(h)(2)(iv), 164.512(j)", (Way.GOOD_FAITH, Way.JUDGMENT)
    ),
    "other": Requester(
        _("Anybody else"),
        "45 CFR 164.514(h)(1)",
        (Way.PHOTO_ID, Way.KNOWN, Way.LETTERHEAD, Way.LISTED_NUMBER),
        (Authority.AUTHORIZATION, Authority.WRITTEN, Authority.PROCESS),
    ),
}


def problems(
    requester: str, ways: Collection[str], identifiers: Collection[str] = (), authority: Collection[str] = ()
) -> dict[str, str]:
    """What a check of this requester lacks: field ("ways", "identifiers", "authority") -> words. {} when it is enough."""
    kind, found = REQUESTERS[requester], {}
    fits = ", ".join(f"“{way.label}”" for way in kind.ways)
    if not ways:
        found["ways"] = _t("Tick at least one way.")
    elif foreign := [way for way in ways if way not in kind.ways]:
        found["ways"] = _t("“%(way)s” does not do for this asker. What does: %(fits)s.") % {
            "way": Way(foreign[0]).label,
            "fits": fits,
        }
    if Way.MATCH in ways and len(set(identifiers)) < LEAST_IDENTIFIERS:
        found["identifiers"] = _t("Tick at least two facts that match the chart.")
    if kind.authority and not set(authority) & set(kind.authority):
        known = ", ".join(str(one.label) for one in kind.authority)
        found["authority"] = _t("What shows the right to ask? One of: %(known)s.") % {"known": known}
    return found


def told(ways: Collection[str], identifiers: Collection[str] = ()) -> str:
    """The check in words, for a timeline: the ways, and the facts that matched."""
    parts = [_t("facts matched the chart") if way == Way.MATCH else str(Way(way).label) for way in ways]
    facts = ", ".join(str(Identifier(fact).label).lower() for fact in identifiers) if Way.MATCH in ways else ""
    return "; ".join(parts) + (f" ({facts})" if facts else "")

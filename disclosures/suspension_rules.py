"""When an agency may have an accounting leave its disclosures out, and for how long (164.528(a)(2); law.md §4). No database.

The clock of an official's statement serves a breach's notification too, which the same two kinds of statement delay (164.412).
"""

from datetime import date, timedelta

from django.utils.translation import gettext as _

from disclosures import purposes

ORAL_DAYS = 30

# The codes that may be suspended, each with the rule its disclosures go out under (164.528(a)(2)(i)).
SUSPENDABLE: dict[str, str] = {"health_oversight": "45 CFR 164.512(d)", "law_enforcement": "45 CFR 164.512(f)"}


class NotSuspendable(ValueError):
    """A suspension that the rule does not know; the text says why. `field` names what is amiss, or is ""."""

    def __init__(self, text: str, field: str = ""):
        self.field = field
        super().__init__(text)


def check_codes(codes: list[str]) -> None:
    """Raises NotSuspendable for a code whose rows can't be withheld, such as a court's order, and for no code at all."""
    if not codes:
        raise NotSuspendable(_("Tick which disclosures it covers."), "codes")
    for code in codes:
        if code not in SUSPENDABLE:
            words = _(
                "“%(what)s” (%(citation)s) can't be suspended: 45 CFR 164.528(a)(2) covers only disclosures to a health "
                "oversight agency (164.512(d)) or to law enforcement (164.512(f)). The accounting goes on listing it."
            )
            known = purposes.purpose(code)
            raise NotSuspendable(words % {"what": known.label, "citation": known.citation}, "codes")


def check_days(*, stated_on: date, until: date | None, written: bool, on: date) -> None:
    """Raises NotSuspendable for a statement of the future, one whose time is over, and an oral one that names its own end."""
    if stated_on > on:
        raise NotSuspendable(_("The statement can't lie in the future."), "stated_on")
    if until and not written:
        words = _("An oral statement holds for %(days)d days at most, whatever it says: ask for a written one to hold longer.")
        raise NotSuspendable(words % {"days": ORAL_DAYS}, "until")
    if until and until < stated_on:
        raise NotSuspendable(_("The time it names ends before the statement was made."), "until")
    if last_day(stated_on, until, written=written) < on:
        raise NotSuspendable(_("The time of this statement is over: nothing is withheld on it any more."), "stated_on")


def last_day(stated_on: date, until: date | None, *, written: bool) -> date:
    """The last day, inclusive, on which the statement holds.

    Written with a time: to that day. Oral: thirty days from the statement (164.528(a)(2)(ii)(C)). Written without a time does
    not specify one, as the rule demands of it, and holds as an oral one does (law.md §4).
    """
    return until if written and until else stated_on + timedelta(days=ORAL_DAYS)


def same_agency(one: str, other: str) -> bool:
    """Whether two names are one agency's: letters' case and blanks do not count."""
    return _key(one) == _key(other)


def _key(name: str) -> str:
    return " ".join(name.casefold().split())

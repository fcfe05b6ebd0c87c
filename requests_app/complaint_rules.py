"""Complaints about privacy: what may follow what, and until when the government takes one (164.530(d); 45 CFR 160.306(b)(3)).

The rule sets the office no day by which to answer. Days are dates of the office.
"""

from datetime import date, timedelta

HHS_DAYS = 180

OPEN, DECIDED, ANSWERED = "open", "decided", "answered"
INVESTIGATED, OUTCOME, ANSWER, NOTE = "investigated", "outcome", "answered", "note"

# state -> the acts that are possible in it
POSSIBLE: dict[str, tuple[str, ...]] = {
    OPEN: (INVESTIGATED, OUTCOME, NOTE),
    DECIDED: (ANSWER, NOTE),
    ANSWERED: (NOTE,),
}


def hhs_by(known_on: date) -> date:
    """The last day to complain to the Secretary: 180 days from when the person knew of it (45 CFR 160.306(b)(3))."""
    return known_on + timedelta(days=HHS_DAYS)


def state(verbs: set[str]) -> str:
    """Where a complaint stands after these acts."""
    if ANSWER in verbs:
        return ANSWERED
    return DECIDED if OUTCOME in verbs else OPEN

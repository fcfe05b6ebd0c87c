"""How days are told: how many are left, and how near that is."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

SOON_DAYS = 7  # from here on a clock is shown as running out


def in_words(days: int) -> str:
    """Days left as a desk says it: "3 days left", "due today", "2 days late"."""
    if days == 0:
        return _("due today")
    if days > 0:
        return ngettext("%(days)s day left", "%(days)s days left", days) % {"days": days}
    return ngettext("%(days)s day late", "%(days)s days late", -days) % {"days": -days}


def urgency(days: int) -> str:
    """How near a clock is to its end: "late", "soon" (a week or less) or "fine"."""
    if days < 0:
        return "late"
    return "soon" if days <= SOON_DAYS else "fine"

"""The mail that tells somebody that the way into their account was changed, by themselves or by another.

Whoever did not do it learns of it in another place than the one that was broken into (ASVS V6.3.7).
"""

from django.core.mail import EmailMessage
from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from meso import audit, clock, mailing
from meso.models import Office, User


def tell(person: User, what: str) -> None:
    """Mail this person `what` happened, once it is stored; nothing where they have no address. An event says whether it went."""
    if person.email:
        transaction.on_commit(lambda: _send(person, what), robust=True)


def _send(person: User, what: str) -> None:
    office = Office.current()
    when = date_format(localtime(clock.now()), "M j, Y, g:i A")
    lines = [
        _("%(when)s: %(what)s") % {"when": when, "what": what},
        _("If neither you nor the office admin at your wish did this, tell the office admin and the privacy officer at once."),
        "",
        office.name,
    ]
    mail = EmailMessage(_("Your login to Meso was changed"), "\n".join(lines) + "\n", to=[person.email])
    went = mailing.send_now([mail])
    told = (audit.Action.SENT, "told of their login by mail") if went else (audit.Action.CHECK, "no mail went out")
    audit.record(told[0], f"staff {person.pk}", detail=told[1])

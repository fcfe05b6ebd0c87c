"""The mail that tells the privacy officers at once that somebody broke the glass, and nothing of whose chart it was or why."""

from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from meso import mailing
from meso.models import Office, User
from meso.roles import Role


def tell_officers(office: Office) -> bool:
    """Mail every privacy officer who has an address. Returns whether all of it went; nothing is raised, as care goes on.

    The task on the dashboard is there whether the mail arrives or not.
    """
    officers = User.objects.filter(role=Role.PRIVACY_OFFICER, is_active=True).exclude(email="")
    subject = _("An emergency access was made")
    body = _("Somebody opened a guarded record in Meso for an emergency. Log in and open Emergency access to see who and why.")
    lines = [body, _("No patient information stands in this mail."), "", office.name]
    return mailing.send_now([EmailMessage(subject, "\n".join(lines) + "\n", to=[officer.email]) for officer in officers])

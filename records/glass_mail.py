"""The mail that tells the privacy officers at once that somebody broke the glass, and nothing of whose chart it was or why."""

from smtplib import SMTPException

from django.core.mail import EmailMessage, get_connection
from django.utils.translation import gettext as _

from meso.models import Office, User
from meso.roles import Role

_PATIENCE = 5  # seconds for the mail server: whoever treats a patient does not wait for it longer


def tell_officers(office: Office) -> bool:
    """Mail every privacy officer who has an address. Returns whether all of it went; nothing is raised, as care goes on.

    The task on the dashboard is there whether the mail arrives or not.
    """
    officers = User.objects.filter(role=Role.PRIVACY_OFFICER, is_active=True).exclude(email="")
    subject = _("An emergency access was made")
    body = _("Somebody opened a guarded record in Meso for an emergency. Log in and open Emergency access to see who and why.")
    lines = [body, _("No patient information stands in this mail."), "", office.name]
    mails = [EmailMessage(subject, "\n".join(lines) + "\n", to=[officer.email]) for officer in officers]
    try:
        connection = get_connection()
        if hasattr(connection, "timeout"):
            connection.timeout = _PATIENCE
        for mail in mails:
            mail.connection = connection
            mail.send()
    except (OSError, SMTPException):
        return False
    return bool(mails)

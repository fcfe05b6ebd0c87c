"""Mails to the staff that go out while somebody waits for a page: soon or not at all, and nobody's work hangs on them."""

from collections.abc import Sequence
from smtplib import SMTPException

from django.core.mail import EmailMessage, get_connection

_PATIENCE = 5  # seconds for the mail server: whoever treats a patient does not wait for it longer


def send_now(mails: Sequence[EmailMessage]) -> bool:
    """Send them. Returns whether there were any and all of them went; nothing is raised."""
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

"""`send_reminders`: mails staff about clocks that run out."""

from datetime import date
from smtplib import SMTPException
from typing import Any

from django.core.mail import get_connection
from django.core.management.base import CommandParser

from meso import audit, clock
from meso.commands import Command as MesoCommand
from meso.commands import Failed, a_day
from meso.models import Office
from requests_app import reminders
from requests_app.models import PatientRequest


class Command(MesoCommand):
    """E-mails staff about clocks that run out, one mail a person, with no patient information in it. Run it once a day."""

    help = (
        "E-mails staff about requests that are overdue, due today, or due within 3 and 7 days: the person each is assigned "
        "to, else the privacy officers. No patient information is in the mail. Run it once a day."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--on", type=a_day, metavar="D", help="as if it were this day (today)")

    def work(self, *, on: date | None, **options: Any) -> str:
        """Send, and say what was sent. Raises Failed when a mail can't be sent or a clock has nobody to tell."""
        today = clock.today()
        on = on or today
        PatientRequest.objects.note_overdue(on=min(on, today), at=clock.now())
        found = reminders.due(on)
        if not found:
            return f"Nothing to send: no open request is overdue or due within a week of {on}."
        mails, untold = reminders.share_out(found)
        lines = self._send(mails, on)
        if untold:
            self.stdout.write("\n".join(lines), ending="\n" if lines else "")
            numbers = ", ".join(request.number for request in untold)
            raise Failed(f"Nobody was told of {numbers}: give a privacy officer an e-mail address, or assign them.")
        return "\n".join(lines)

    def _send(self, mails: list[reminders.Reminder], on: date) -> list[str]:
        """One mail each. Returns a line for each mail sent."""
        lines: list[str] = []
        office = Office.current()
        try:
            with get_connection() as connection:
                for reminder in mails:
                    message = reminders.mail(reminder, on=on, office=office)
                    message.connection = connection
                    message.send()
                    numbers = ", ".join(request.number for request in reminder.requests)
                    audit.record(audit.Action.SENT, f"reminder to staff {reminder.to.pk}", detail=numbers)
                    lines.append(f"{reminder.to.email}: {numbers}")
        except (OSError, SMTPException) as error:
            raise Failed(f"{len(lines)} of {len(mails)} reminders were sent, then: {error}") from error
        return lines

"""anchor: make the day's digest over every seal, and mail it to the privacy officers."""

from smtplib import SMTPException
from typing import Any

from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from meso import anchors, audit, clock
from meso.anchors import Anchor
from meso.commands import Command as MesoCommand
from meso.commands import Failed
from meso.models import Office, User
from meso.roles import Role


class Command(MesoCommand):
    """Makes today's anchor, once; --mail sends it to every privacy officer who has an address. Exit 1 when none got it."""

    help = "Makes the day's digest over every seal; --mail sends it to the privacy officers, to be kept outside."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--mail", action="store_true", help="send it to the privacy officers")

    def work(self, *, mail: bool, **options: Any) -> str:
        try:
            made = anchors.make(clock.today(), clock.now())
        except ValueError as error:  # the machine's clock was set back
            raise Failed(f"No anchor was made: {error}. Set this machine's clock right.") from error
        if mail:
            self._send(made)
        return made.text

    def _send(self, made: Anchor) -> None:
        officers = User.objects.filter(role=Role.PRIVACY_OFFICER, is_active=True).exclude(email="")
        addresses = sorted(officers.values_list("email", flat=True))
        if not addresses:
            raise Failed("Nobody was told: give a privacy officer an e-mail address.")
        subject = _("Anchor of %(day)s") % {"day": made.day.isoformat()}
        lines = (
            _("The records of %(office)s, sealed up to this day, have this digest:") % {"office": Office.current().name},
            made.text,
            _("Keep this mail, or print it. With it anybody can prove that nothing before it was rewritten:"),
            f"manage.py verify_records --anchor {made.text}",
        )
        try:
            EmailMessage(subject, "\n\n".join(lines), to=addresses).send()
        except (OSError, SMTPException) as error:
            raise Failed(f"The anchor was made and not mailed: {error}") from error
        audit.record(audit.Action.SENT, f"anchor of {made.day}", detail=f"{len(addresses)} privacy officers")

"""Who is mailed about which clock: the person a request is assigned to, else the privacy officers. No patient's data goes out."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from meso.days import SOON_DAYS
from meso.models import Office, User
from meso.roles import Role
from requests_app.models import PatientRequest

# The clocks a mail tells of, by how many days are left at most: heading by heading, the worst first.
SECTIONS: tuple[tuple[int, str], ...] = (
    (-1, "overdue"),
    (0, "today"),
    (3, "three"),
    (SOON_DAYS, "week"),
)


@dataclass(frozen=True)
class Reminder:
    """One person's mail: whom it goes to, and the requests in it, soonest first."""

    to: User
    requests: list[PatientRequest]


def due(on: date) -> list[PatientRequest]:
    """The open requests that are overdue, due on the day, or due within the week, soonest first."""
    last = on + timedelta(days=SOON_DAYS)
    return list(PatientRequest.objects.due_soonest().filter(due_on__lte=last).select_related("assignee"))


def share_out(requests: list[PatientRequest]) -> tuple[list[Reminder], list[PatientRequest]]:
    """Each person's reminder, and the requests that nobody with an e-mail address can be told of."""
    reachable = User.objects.filter(is_active=True).exclude(email="")
    officers = list(reachable.filter(role=Role.PRIVACY_OFFICER).order_by("pk"))
    mine: dict[User, list[PatientRequest]] = defaultdict(list)
    untold = []
    for request in requests:
        assignee = request.assignee
        told = [assignee] if assignee and assignee.is_active and assignee.email else officers
        for person in told:
            mine[person].append(request)
        if not told:
            untold.append(request)
    return [Reminder(person, found) for person, found in mine.items()], untold


def mail(reminder: Reminder, *, on: date, office: Office) -> EmailMessage:
    """The mail: request numbers, kinds and dates; no name, no chart number, no word that a patient wrote."""
    count = len(reminder.requests)
    subject = ngettext("%(count)s request has a clock that runs out", "%(count)s requests have clocks that run out", count) % {
        "count": count
    }
    context = {"office": office, "on": on, "sections": _sections(reminder.requests, on), "person": reminder.to}
    body = render_to_string("requests_app/emails/reminder.txt", context).strip() + "\n"
    return EmailMessage(subject, body, to=[reminder.to.email])


def _sections(requests: list[PatientRequest], on: date) -> list[tuple[str, list[PatientRequest]]]:
    """The requests under their headings; headings without a request are left out."""
    headings = {"overdue": _("Overdue"), "today": _("Due today"), "three": _("Due within 3 days"), "week": _("Due within 7 days")}
    found: dict[str, list[PatientRequest]] = {name: [] for _most, name in SECTIONS}
    for request in requests:
        left = request.days_left(on)
        name = next(name for most, name in SECTIONS if left <= most)
        found[name].append(request)
    return [(headings[name], rows) for name, rows in found.items() if rows]

"""The dashboard's word on backups: when one was last restored as a drill, and the task of making one anew."""

from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from meso import clock, dashboard, today
from meso.http import HttpRequest
from meso.models import BackupDrill
from meso.today import Task

OLD_DAYS = 8  # a weekly drill that was missed


@dashboard.register(permission="backup.watch", template="meso/_backup_card.html", order=90)
def last_drill(request: HttpRequest, on: date) -> dict[str, Any]:
    """The last drill, the last that held, and its age in days. Two queries."""
    good = BackupDrill.objects.filter(holds=True).first()
    return {"last": BackupDrill.objects.first(), "good": good, "age": _age(good, on) if good else None}


def _age(drill: BackupDrill, on: date) -> int:
    return (on - clock.office_day(drill.at)).days


@today.source("backup.watch")
def drill_to_make(request: HttpRequest, on: date) -> list[Task]:
    """A drill, where the last one is missing, failed or old. One query."""
    last = BackupDrill.objects.first()
    if last and last.holds and _age(last, on) <= OLD_DAYS:
        return []
    if last is None:
        why = _("No backup has ever been restored as a drill")
    else:
        why = _("It should be made every week") if last.holds else _("The last one did not restore whole")
    return [Task(_("Have a backup made and restored as a drill"), why, reverse("dashboard") + "#backup-drill")]

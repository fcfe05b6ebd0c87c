"""The dashboard's word on backups: when one was last restored as a drill, and whether everything held."""

from datetime import date
from typing import Any

from django.http import HttpRequest

from meso import clock, dashboard
from meso.models import BackupDrill

OLD_DAYS = 8  # a weekly drill that was missed


@dashboard.register(permission="backup.watch", template="meso/_backup_card.html", order=90)
def last_drill(request: HttpRequest, on: date) -> dict[str, Any]:
    """The last drill, the last that held, its age in days, and whether somebody must look. Two queries."""
    last, good = BackupDrill.objects.first(), BackupDrill.objects.filter(holds=True).first()
    age = (on - clock.office_day(good.at)).days if good else None
    return {"last": last, "good": good, "age": age, "alarm": age is None or age > OLD_DAYS or not (last and last.holds)}

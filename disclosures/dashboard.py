"""The cards on the dashboard: what the privacy officer has still to review, and the signed forms that need somebody."""

from datetime import date
from typing import Any

from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from disclosures.models import Authorization, Disclosure
from meso import dashboard

_SHOWN = 5


@dashboard.register(permission="disclosure.review", template="disclosures/_dashboard.html", order=60, wide=True)
def to_review(request: HttpRequest, on: date) -> dict[str, Any]:
    """The latest rows that nobody has signed off, newest first; never counts the log."""
    rows = list(Disclosure.objects.not_reviewed().select_related("patient").order_by("-disclosed_on", "-id")[: _SHOWN + 1])
    return {"rows": rows[:_SHOWN], "more": len(rows) > _SHOWN}


@dashboard.register(permission="authorization.record", template="disclosures/_dashboard_authorizations.html", order=65, wide=True)
def authorizations_that_need_somebody(request: HttpRequest, on: date) -> dict[str, Any]:
    """Signed forms near their end, then those taken back orally, then defective ones that no letter has gone out about."""
    forms = Authorization.objects.select_related("patient")
    asked = (
        (forms.expiring(on).order_by("expires_on", "id"), lambda form: _ends(form.expires_on, on)),
        (forms.held().order_by("-id"), lambda form: _("Taken back orally")),
        (forms.defective().without_letter().order_by("-id"), lambda form: _("Defective: write what is missing")),
    )
    lines = [{"form": form, "why": why(form)} for found, why in asked for form in found[:_SHOWN]]
    return {"lines": lines[: 2 * _SHOWN]}


def _ends(day: date, on: date) -> str:
    return _("Last day is today") if day == on else _("Last day %(day)s") % {"day": date_format(day, "M j, Y")}

"""The cards on the dashboard: what the privacy officer has still to review, and the signed forms that need somebody."""

from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from disclosures.models import Authorization, Disclosure
from meso import dashboard, today
from meso.http import HttpRequest
from meso.today import Task

_SHOWN = 5


@dashboard.register(permission="disclosure.review", template="disclosures/_dashboard.html", order=60, wide=True)
def to_review(request: HttpRequest, on: date) -> dict[str, Any]:
    """The latest rows that nobody has signed off, newest first; never counts the log."""
    rows = list(Disclosure.objects.not_reviewed().select_related("patient").order_by("-disclosed_on", "-id")[: _SHOWN + 1])
    return {"rows": rows[:_SHOWN], "more": len(rows) > _SHOWN}


@today.source("disclosure.review")
def holds_to_decide(request: HttpRequest, on: date) -> list[Task]:
    """Rows that wait for the decision whether an accounting lists them (law.md §8). One query."""
    why = _("National security: does an accounting list it?")
    held = Disclosure.objects.held().order_by("disclosed_on", "id")[: today.MOST]
    return [Task(_("Decide on disclosure %(row)s") % {"row": row.pk}, why, reverse("disclosure", args=[row.pk])) for row in held]


@today.source("authorization.record")
def authorizations_that_need_somebody(request: HttpRequest, on: date) -> list[Task]:
    """Signed forms near their end, those taken back orally, defective ones without a letter. Three queries."""
    forms = Authorization.objects.select_related("patient")
    asked = (
        (forms.expiring(on).order_by("expires_on", "id"), _("Authorization ends: ask for a new one where it is needed")),
        (forms.held().order_by("-id"), _("Authorization taken back orally: ask for it in writing")),
        (forms.defective().without_letter().order_by("-id"), _("Authorization lacks a part: write what is missing")),
    )
    return [_form_task(form, why) for found, why in asked for form in found[: today.SHOWN]]


def _form_task(form: Authorization, why: str) -> Task:
    chart = form.patient.chart_number
    what = _("Chart %(chart)s, authorization %(form)s") % {"chart": chart, "form": form.pk}
    return Task(what, why, reverse("authorization", args=[chart, form.pk]), form.expires_on if form.complete else None)

"""The dashboard: rows of the log to review, and what the order of the day says of forms, suspensions, breaches and reports."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from disclosures import breach_rules, withholding
from disclosures.models import Authorization, Breach, Disclosure, Suspension
from disclosures.models.breaches import Standing
from meso import clock, dashboard, today
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


@today.source("suspension.keep")
def suspensions_that_lapse(request: HttpRequest, on: date) -> list[Task]:
    """Those that hold today, the first to lapse first. One query."""
    running = Suspension.objects.active(on).order_by("last_day", "id")[: today.SHOWN]
    why = _("Its rows are listed again from the day after: 45 CFR 164.528(a)(2)")
    return [
        Task(_("Suspension %(number)s lapses") % {"number": one.pk}, why, reverse("suspension", args=[one.pk]), one.last_day)
        for one in running
    ]


@today.source("suspension.keep")
def accountings_to_reissue(request: HttpRequest, on: date) -> list[Task]:
    """Accountings that left out, for a suspension that has lapsed, rows that are listed now."""
    why = _("It left rows out for a suspension that has lapsed: give it anew, or say why not")
    return [
        Task(
            _("Re-issue accounting %(number)s?") % {"number": task.accounting.pk},
            why,
            reverse("suspension", args=[task.suspension.pk]) + "#reissue",
        )
        for task in withholding.to_reissue(on)[: today.MOST]
    ]


@today.source("breach.keep")
def breaches_to_act_on(request: HttpRequest, on: date) -> list[Task]:
    """Open breaches: judge them, tell those whom they concern in time, close them. Two queries."""
    running = Breach.objects.open().prefetch_related("events").order_by("discovered_on", "id")[: today.MOST]
    return [task for one in running for task in _of(Standing.of(one))]


def _of(standing: Standing) -> Iterator[Task]:
    url, number = reverse("breach", args=[standing.breach.pk]), {"number": standing.breach.pk}
    if standing.assessment is None:
        by = breach_rules.individuals_by(standing.breach.discovered_on, standing.delayed_through)
        yield Task(_("Judge breach %(number)s") % number, _("The four factors: 45 CFR 164.402(2)"), url, by)
    elif duties := standing.to_tell():
        for duty in duties:
            yield Task(_("Tell of breach %(number)s") % number, f"{duty.label}: {duty.citation}", url, duty.due_on)
    else:
        yield Task(_("Close breach %(number)s") % number, _("Nobody is left to be told"), url)


@today.source("breach.keep")
def slips_to_assess(request: HttpRequest, on: date) -> list[Task]:
    """What went out by mistake and has no assessment yet. One query."""
    rows = Disclosure.objects.current().filter(purpose_code="impermissible", breach=None, corrects__original__breach=None)
    why = _("It went out by mistake: presumed a breach until it is judged, 45 CFR 164.402")
    return [
        Task(
            _("Assess disclosure %(number)s") % {"number": row.pk},
            why,
            f"{reverse('breach_new')}?row={row.pk}",
            breach_rules.individuals_by(clock.office_day(row.logged_at)),
        )
        for row in rows.order_by("disclosed_on", "id")[: today.SHOWN]
    ]


@today.source("disclosure.review")
def victims_to_tell(request: HttpRequest, on: date) -> list[Task]:
    """Reports of abuse of an adult whose patient is still to be told, the oldest first. One query."""
    why = _("Promptly, or the judgment why not: 45 CFR 164.512(c)(2)")
    return [
        Task(_("Tell the patient of report %(number)s") % {"number": row.pk}, why, reverse("victim_tell", args=[row.pk]))
        for row in Disclosure.objects.victims_to_tell().order_by("disclosed_on", "id")[: today.SHOWN]
    ]

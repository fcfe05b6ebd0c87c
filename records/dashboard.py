"""The record's part of the order of the day: who turns 18, or has and did not sign anew; what restrictions leave to do;
emergency accesses to review.
"""

from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from meso import clock, today
from meso.http import HttpRequest
from meso.today import Task
from records import representation
from records.models import EmergencyAccess, EmergencyRelease, Patient, PaymentBounce, Representative, SignedAnew
from records.representation import Basis

AHEAD = 30  # days
SHOWN = 10


def turning_adult(on: date) -> list[Patient]:
    """Those who turn 18 within 30 days, today's included, the first first. By the index of birth dates."""
    born = (representation.born_by(on - timedelta(days=1)), representation.born_by(on + timedelta(days=AHEAD)))
    living = Patient.objects.filter(date_of_birth__gt=born[0], date_of_birth__lte=born[1], deceased_on=None)
    return list(living.filter(_not_signed(OuterRef("pk"))).order_by("date_of_birth", "id")[: SHOWN + 1])


def still_with_a_parent(on: date) -> list[Patient]:
    """Those who are 18 and have a parent on file as representative, and signed nothing anew; the longest first."""
    parents = Representative.objects.filter(basis=Basis.PARENT, ending=None).filter(_not_signed(OuterRef("patient")))
    grown = parents.filter(patient__date_of_birth__lte=representation.born_by(on - timedelta(days=1)), patient__deceased_on=None)
    keys = grown.order_by("patient__date_of_birth", "patient").values_list("patient", flat=True)[: 3 * SHOWN]
    return list(Patient.objects.filter(pk__in=list(dict.fromkeys(keys))[: SHOWN + 1]).order_by("date_of_birth", "id"))


def _not_signed(patient: OuterRef) -> Q:
    return ~Q(Exists(SignedAnew.objects.filter(patient=patient)))


@today.source("representative.record")
def minors_to_sign_anew(request: HttpRequest, on: date) -> list[Task]:
    """Those who are 18 with a parent still on file, then those who soon will be. Three queries, however many patients."""
    return [_sign_anew(patient, on) for patient in still_with_a_parent(on)[:SHOWN] + turning_adult(on)[:SHOWN]]


@today.source("glass.review")
def emergency_accesses_to_review(request: HttpRequest, on: date) -> list[Task]:
    """Each time the glass was broken and nobody has signed it off, the oldest first; due on its own day. Two queries at most."""
    waiting = EmergencyAccess.objects.for_reviewer(request.user).unreviewed().order_by("id")[: today.MOST]
    what, why = _("Review emergency access %(number)s"), _("%(who)s opened what is guarded: %(kind)s")
    return [
        Task(
            what % {"number": access.pk},
            why % {"who": access.signed_as, "kind": access.get_kind_display()},
            reverse("emergency_access", args=[access.pk]),
            clock.office_day(access.at),
        )
        for access in waiting
    ]


def _sign_anew(patient: Patient, on: date) -> Task:
    """From the birthday on the patient acts alone (164.502(g)(3)); before it there is only something to make ready."""
    day, chart = representation.adulthood(patient.date_of_birth), patient.chart_number
    if day <= on:
        url, why = reverse("signed_anew", args=[chart]), _("Is 18 and acts alone: notice, consents and authorizations anew")
    else:
        url, why = reverse("representatives", args=[chart]), _("Turns 18 and then acts alone: have the forms ready")
    return Task(_("Chart %(chart)s: sign anew at 18") % {"chart": chart}, why, url, day)


@today.source("restriction.paid")
def patients_to_call(request: HttpRequest, on: date) -> list[Task]:
    """The failed payments that wait, oldest first: the patient is called before anything is lifted. One query."""
    waiting = PaymentBounce.objects.waiting().select_related("patient").order_by("id")[: today.MOST]
    why = _("The payment failed for what is kept from the health plan; it stays kept until then")
    return [_limits(_("Chart %(chart)s: call the patient"), bounce.patient.chart_number, why) for bounce in waiting]


@today.source("request.send")
def emergency_letters_to_send(request: HttpRequest, on: date) -> list[Task]:
    """The letters that ask a provider not to use or disclose further what an emergency gave them. One query."""
    unsent = EmergencyRelease.objects.unsent().select_related("patient").order_by("id")[: today.MOST]
    what, why = _("Chart %(chart)s: send the letter to the provider"), _("Given in an emergency in spite of a restriction")
    return [_limits(what, release.patient.chart_number, why, release.made_on) for release in unsent]


def _limits(what: str, chart: str, why: str, due: date | None = None) -> Task:
    return Task(what % {"chart": chart}, why, reverse("chart_limits", args=[chart]), due)

"""What the invented office has none of, put there before the attack, so that every page and form is to be had."""

import sys
from collections import Counter, deque
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import transaction
from factory.django import DjangoModelFactory

from disclosures import accounting, issuing
from disclosures.issuing import Terms
from disclosures.models import WrittenRequest
from meso import clock
from meso.models import Office, Tally, User
from records import lookers
from records.models import ChartGuard, EmergencyAccess
from records.uploads import CheckedFile
from requests_app import answers, package, reviews
from requests_app.demo import people
from requests_app.kinds import Outcome
from requests_app.models import DenialReview
from tests import factories, signing_in
from tests.fuzz.attack import as_sent, in_words
from tests.fuzz.forms import kind_of, paper, read, walk
from tests.fuzz.visitors import Visitor
from tests.requests_app import answering

# Views whose forms are sent, for what they leave has pages and forms of its own that the invented office lacks; and how they are
# filled in each time: with what it takes, or with everything.
SPARSE, FULL = True, False
BOTH = (SPARSE, FULL)
ACTS = {
    "accounting_give": BOTH, "authorization_letter_make": (SPARSE,), "authorization_revoke": (FULL,), "breach_describe": (FULL,),
    "breach_affected": (FULL,), "breach_letter": (SPARSE,), "entry_flag": (SPARSE,), "limit_emergency": BOTH,
    "privacy_complaint": BOTH, "privacy_request": (FULL,) * 4, "representative_new": BOTH, "request_papers": (FULL,),
    "request_price": BOTH, "request_statement": BOTH,
}  # fmt: skip


def by_factories() -> None:
    """One of everything that the tests can make, on a chart of its own."""
    patient = factories.PatientFactory()
    for factory in vars(factories).values():
        if isinstance(factory, type) and issubclass(factory, DjangoModelFactory) and factory is not DjangoModelFactory:
            names = {field.name for field in factory._meta.model._meta.fields} if factory._meta.model else set()
            try:
                with transaction.atomic():
                    factory(**({"patient": patient} if "patient" in names else {}))
            except Exception as error:  # noqa: BLE001  (one that needs more than it can make up is told and left out)
                sys.stderr.write(f"not made: {factory.__name__} ({type(error).__name__})\n")


def by_hand(at: datetime) -> None:
    """What takes more than one form to make, or what few offices have."""
    doctor, officer = User.objects.get(username="doctor"), User.objects.get(username="privacy")
    acting: dict[str, Any] = {"by": officer, "at": at, "on": clock.office_day(at)}
    for username, *_ in people.STAFF:
        user = User.objects.get(username=username)
        signing_in.give_passkey(user)
        RecoveryCodes.activate(user)
    guarded = factories.PatientFactory()
    ChartGuard.lay(guarded, kind="vip", reason="", team=[factories.UserFactory()], by=officer, at=at)
    EmergencyAccess.begin(guarded, kind="treatment", reason="She could not speak.", by=doctor, at=at)
    under_review(doctor, acting)
    reviewer = answering.a_doctor(licence_number="NY 311902")
    reviews.refer(under_review(doctor, acting), reviewer=reviewer, referred_on=acting["on"], **acting)
    asked = answering.verified("access", officer)
    package.withhold(asked, factories.EntryFactory(patient=asked.patient), "first visit", ground="U5", **acting)
    in_the_log(acting)


def in_the_log(acting: dict[str, Any]) -> None:
    """Rows that wait for a decision, a report whose victim is to be told, papers of others, a price told for a second list."""
    factories.DisclosureFactory(purpose_code="national_security")
    factories.DisclosureFactory(purpose_code="abuse_neglect", sub_kind="adult")
    patient, day, who = factories.PatientFactory(), acting["on"], {"by": acting["by"], "at": acting["at"]}
    scan = CheckedFile("a.pdf", "application/pdf", paper()[0])
    asked_for = WrittenRequest.keep(scan, patient=patient, **who)
    factories.DisclosureFactory(patient=patient, purpose="", purpose_code="subpoena", written_request=asked_for)
    document = {"document": scan.content, "document_name": scan.name, "document_format": scan.format}
    factories.SuspensionFactory(patient=patient, stated_on=day, written=True, until=day + timedelta(days=60), **document)
    every = {**acting, "office": Office.current()}
    lookers.give(patient, day - timedelta(days=365), day, **every)
    accounting.give(patient, day - timedelta(days=365), day, how="handed over", **every)
    terms = Terms("pick_up", told_on=day)
    issuing.issue(patient, day - timedelta(days=300), day, terms=terms, how=terms.how, **every)


def under_review(doctor: User, acting: dict[str, Any]) -> DenialReview:
    """A request for access that was denied on a doctor's judgment, and whose patient asks for a review."""
    on, office = acting["on"], Office.current()
    asked = answering.verified("access", acting["by"])
    factories.EntryFactory(patient=asked.patient)
    facts = {"ground": "R1", "text": "A licensed professional has judged this.", "judged_by": doctor, "office": office}
    letter = answers.decide_with_letter(asked, Outcome.DENIED, **facts, **acting)
    answers.send_letter(letter, sent_on=on, how="by mail", **acting)
    asked.refresh_from_db()
    return reviews.ask(asked, asked_on=on, **acting)


def by_work(visitors: list[Visitor], beginning: list[str]) -> set[str]:
    """The forms of ACTS, sent for good, and what stands on the pages that then follow. Returns the views that took something."""
    taken: Counter = Counter()
    for visitor in visitors:
        visitor.client.keeps_cookies = True
        todo = deque(walk(visitor.client, visitor.name, beginning if visitor.user else []).forms.values())
        while todo:
            form = todo.popleft()
            view = kind_of(form.action)
            for sparse in ACTS.get(view, ())[taken[view] :]:
                answer = visitor.client.send(form, as_sent(form.plain(sparse)))
                if in_words(answer) in ("200", "302"):
                    taken[view] += 1
                    page = answer.headers.get("Location", form.action)
                    shown = answer if answer.status_code == 200 else visitor.client.get(page)
                    todo += read(visitor.name, page, shown.text)[1]
        visitor.client.keeps_cookies = False
    Tally.objects.all().delete()
    return set(taken)

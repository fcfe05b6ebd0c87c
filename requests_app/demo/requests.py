"""Requests in every state, their clocks spread around the day the demo is loaded.

Each goes through the same acts that the pages use, on the days on which they would have been done.
"""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from disclosures.accounting_rules import look_back_start
from disclosures.guard import Means, Plan
from disclosures.models import AccountingGiven, Disclosure
from disclosures.purposes import Scope
from meso.models import Office, User
from records import copying
from records.models import Entry, Patient, WayOut
from requests_app import amendments, answers, carrying_out, copies, giving, inbound, quoting, reviews, telling
from requests_app.kinds import Channel, Delivery, Kind, Outcome
from requests_app.models import BillSettlement, Letter, PatientRequest, Recipient, ReviewOutcome, Telling

ASKED: dict[str, tuple[str, dict[str, str]]] = {
    Kind.ACCESS: ("I would like a copy of my whole record.", {"which": "Everything", "form": "mail"}),
    Kind.AMENDMENT: (
        "The note of my visit says that I smoke. I never have.",
        {"entry": "Follow-up visit", "change": "Take out that I smoke", "reason": "It is not true"},
    ),
    Kind.RESTRICTION: (
        "Please tell my health plan nothing about the sessions I paid for myself.",
        {"what": "The sessions that I paid for in full", "from_whom": "My health plan", "paid_in_full": "yes"},
    ),
    Kind.CONFIDENTIAL_COMMUNICATION: (
        "Please write to my post office box.",
        {"means": "mail", "where": "PO Box 12\nAlbany, NY 12201", "avoid": "Home telephone"},
    ),
    Kind.ACCOUNTING: ("To whom did you give my information?", {}),
}


# A restriction that the office need not agree to.
MAY_BE_DENIED: tuple[str, dict[str, str]] = (
    "Please tell the pharmacy nothing about my treatment.",
    {"what": "My treatment", "from_whom": "The pharmacy on Lark Street"},
)


INSURER = "New York State Insurance Fund"


@dataclass(frozen=True)
class Case:
    """One request of the demo: what, how it came, how many days ago, and the acts done since, each so many days ago."""

    kind: str
    channel: str
    received: int
    acts: tuple[tuple[str, int], ...] = ()


CASES = (
    Case(Kind.ACCESS, Channel.WEB, 0),
    Case(Kind.AMENDMENT, Channel.WEB, 2),
    Case(Kind.CONFIDENTIAL_COMMUNICATION, Channel.WEB, 1),
    Case(Kind.ACCESS, Channel.EMAIL, 5, (("match", 4),)),
    Case(Kind.ACCESS, Channel.IN_PERSON, 12, (("match", 12), ("verify", 12))),
    Case(Kind.ACCESS, Channel.TELEPHONE, 26, (("match", 26), ("verify", 24), ("grant", 20))),
    Case(Kind.ACCESS, Channel.LETTER, 28, (("match", 27), ("verify", 27), ("grant", 12), ("copies", 3))),
    Case(Kind.ACCESS, Channel.IN_PERSON, 55, (("match", 55), ("verify", 55), ("grant", 50), ("copies", 42), ("give", 40))),
    Case(Kind.ACCESS, Channel.FAX, 80, (("match", 79), ("verify", 79), ("part", 60), ("copies", 55), ("give", 54), ("send", 54))),
    Case(Kind.ACCESS, Channel.LETTER, 95, (("match", 94), ("verify", 94), ("grant", 66), ("copies", 64), ("give", 62))),
    Case(Kind.ACCESS, Channel.EMAIL, 48, (("match", 47), ("verify", 47), ("extend", 20))),
    Case(Kind.AMENDMENT, Channel.LETTER, 33, (("match", 32), ("verify", 32))),
    Case(Kind.AMENDMENT, Channel.IN_PERSON, 28, (("match", 28), ("verify", 28), ("deny", 1))),
    Case(
        Kind.AMENDMENT,
        Channel.LETTER,
        90,
        (("match", 89), ("verify", 89), ("deny", 70), ("send", 70), ("disagree", 50), ("rebut", 45), ("send_answer", 44)),
    ),
    Case(
        Kind.AMENDMENT,
        Channel.LETTER,
        60,
        (("match", 59), ("verify", 59), ("pass_on", 50), ("grant", 45), ("amend", 44), ("send", 43), ("name", 43), ("tell", 38)),
    ),
    Case(
        Kind.ACCESS,
        Channel.IN_PERSON,
        85,
        (("match", 85), ("verify", 85), ("deny", 70), ("send", 69), ("ask_review", 60), ("review", 50), ("send_answer", 49)),
    ),
    Case(Kind.RESTRICTION, Channel.IN_PERSON, 30, (("match", 30), ("verify", 30))),
    Case(Kind.RESTRICTION, Channel.WEB, 70, (("match", 69), ("verify", 68), ("grant", 61), ("restrict", 61), ("send", 60))),
    Case(Kind.RESTRICTION, Channel.LETTER, 75, (("match", 74), ("verify", 74), ("deny", 66), ("send", 65))),
    Case(Kind.CONFIDENTIAL_COMMUNICATION, Channel.IN_PERSON, 3, (("match", 3), ("verify", 3), ("grant", 2))),
    Case(
        Kind.CONFIDENTIAL_COMMUNICATION,
        Channel.TELEPHONE,
        40,
        (("match", 40), ("verify", 39), ("grant", 38), ("contact", 38), ("send", 37)),
    ),
    Case(Kind.ACCOUNTING, Channel.LETTER, 9, (("match", 8), ("verify", 8))),
    Case(Kind.ACCOUNTING, Channel.IN_PERSON, 50, (("match", 50), ("verify", 50), ("grant", 44), ("account", 44))),
    Case(Kind.ACCESS, Channel.WEB, 20, (("match", 19), ("withdraw", 15))),
    Case(Kind.ACCOUNTING, Channel.WEB, 16, (("match", 15),)),
    Case(Kind.RESTRICTION, Channel.FAX, 7, (("match", 6), ("verify", 6))),
    Case(Kind.AMENDMENT, Channel.EMAIL, 18, (("match", 17), ("verify", 16))),
    Case(Kind.ACCESS, Channel.IN_PERSON, 23, (("match", 23), ("verify", 23))),
)


def take_in_every_state(
    dice: random.Random,
    charts: list[tuple[Patient, list[Entry]]],
    staff: dict[str, User],
    office: Office,
    *,
    on: date,
    at: datetime,
) -> None:
    """Take every case in, do its acts, and note what has become overdue."""
    asking = dice.sample(charts, len(CASES))
    for case, (patient, entries) in zip(CASES, asking, strict=True):
        _Desk(case, patient, entries, staff, office, on, at).work()
    _told_by_others([patient for patient, _ in charts[4:6]], staff, on, at)
    PatientRequest.objects.note_overdue(on=on, at=at)


def _told_by_others(patients: list[Patient], staff: dict[str, User], on: date, at: datetime) -> None:
    """Another provider tells of an amendment of its own: one notice waits for the physician, one is answered."""
    what = "They had written that the patient is allergic to lidocaine. A test has shown that it is not so."
    for patient, days_ago in zip(patients, (3, 30), strict=True):
        when: dict[str, Any] = {"at": at - timedelta(days=days_ago), "on": on - timedelta(days=days_ago)}
        facts: dict[str, Any] = {"told_by": "Albany Medical Center, Records", "told_on": when["on"], "what": what}
        notice = inbound.take(patient, **facts, by=staff["frontdesk"], **when)
    inbound.leave(notice, "Our record says nothing of an allergy to lidocaine.", by=staff["doctor"], **when)


class _Desk:
    """Carries one case through its acts."""

    def __init__(
        self, case: Case, patient: Patient, entries: list[Entry], staff: dict[str, User], office: Office, on: date, at: datetime
    ):
        self.case, self.patient, self.entries, self.staff, self.office, self.on, self.at = (
            case,
            patient,
            entries,
            staff,
            office,
            on,
            at,
        )

    def when(self, days_ago: int, by: str) -> dict[str, Any]:
        """Who and when, for an act so many days ago."""
        return {"by": self.staff[by], "at": self.at - timedelta(days=days_ago), "on": self.on - timedelta(days=days_ago)}

    def work(self) -> None:
        """Take it in, then each act in turn."""
        case, patient = self.case, self.patient
        text, details = ASKED[case.kind]
        if case.kind == Kind.RESTRICTION and "deny" in dict(case.acts):
            text, details = MAY_BE_DENIED
        facts = self.when(case.received, "frontdesk")
        if case.channel == Channel.WEB:
            facts["by"] = None
        self.request = PatientRequest.take(
            received_on=facts["on"],
            **facts,
            office=self.office,
            kind=case.kind,
            channel=case.channel,
            asker_name=patient.name,
            asker_born=patient.date_of_birth,
            asker_phone=patient.phone,
            asker_address="\n".join(patient.address_lines()),
            description=text,
            details=details,
        )
        for act, days_ago in case.acts:
            getattr(self, act)(days_ago)

    def match(self, days_ago: int) -> None:
        """The chart is found, and the request put on somebody's desk."""
        self.request.match(self.patient, **self.when(days_ago, "frontdesk"))
        desk = "doctor" if self.case.kind == Kind.AMENDMENT else "privacy"
        self.request.assign(self.staff[desk], **self.when(days_ago, "frontdesk"))

    def verify(self, days_ago: int) -> None:
        """Identity is checked."""
        self.request.verify_identity("Photo ID seen", **self.when(days_ago, "frontdesk"))

    def _decide(self, outcome: str, days_ago: int, ground: str = "", text: str = "") -> None:
        by = "doctor" if self.case.kind == Kind.AMENDMENT else "privacy"
        facts = {"ground": ground, "text": text, "office": self.office, **self.when(days_ago, by)}
        if ground.startswith("R"):
            facts["judged_by"] = self.staff["doctor"]
        disputed = [self._entry()] if self.case.kind == Kind.AMENDMENT and ground else []
        answers.decide_with_letter(self.request, outcome, disputed=disputed, **facts)

    def _entry(self) -> Entry:
        """The entry that an amendment is about: the patient's first."""
        return Entry.objects.of_record().filter(pk__in=[entry.pk for entry in self.entries]).earliest("pk")

    def grant(self, days_ago: int) -> None:
        """Granted."""
        self._decide(Outcome.GRANTED, days_ago)

    def part(self, days_ago: int) -> None:
        """Granted in part."""
        self._decide(
            Outcome.GRANTED_IN_PART, days_ago, "U5", "One letter was given to us in confidence. You get everything else."
        )

    def deny(self, days_ago: int) -> None:
        """Denied."""
        ground, text = {
            Kind.ACCESS: ("R1", "We judged this with care. Please come and see us, and we talk it over with you."),
            Kind.AMENDMENT: ("A4", "We looked at the note again with the physician who wrote it. It is right as it stands."),
            Kind.RESTRICTION: ("N1", "The office must be able to tell the pharmacy what was given, for your safety."),
        }[Kind(self.case.kind)]
        self._decide(Outcome.DENIED, days_ago, ground, text)

    def extend(self, days_ago: int) -> None:
        """The one extension."""
        answers.extend_with_letter(
            self.request,
            until=self.on + timedelta(days=6),
            reason="Part of your record is on paper in our archive and is on its way to us.",
            told_on=self.on - timedelta(days=days_ago),
            how=WayOut.MAIL,
            office=self.office,
            **self.when(days_ago, "privacy"),
        )

    def withdraw(self, days_ago: int) -> None:
        """The patient takes it back."""
        answers.withdraw_with_letter(
            self.request, reason="The patient called: no longer needed.", office=self.office, **self.when(days_ago, "privacy")
        )

    def send(self, days_ago: int) -> None:
        """The decision letter goes out."""
        letter = self.request.letters.filter(kind=Letter.Kind.DECISION).latest("pk")
        answers.send_letter(
            letter, sent_on=self.on - timedelta(days=days_ago), how=WayOut.MAIL, **self.when(days_ago, "frontdesk")
        )

    def copies(self, days_ago: int) -> None:
        """The whole record is copied and billed."""
        entries, loose = copying.orderable(self.patient)
        order = copies.Order(tuple(entries), tuple(loose), Delivery.MAIL, paper_pages=0, postage=Decimal("1.69"))
        facts = self.when(days_ago, "frontdesk")
        price = quoting.tell(
            self.request, delivery=Delivery.MAIL, pages=30, postage="1.69", told_on=facts["on"], how="by telephone",
            office=self.office, **facts,
        )  # fmt: skip
        quoting.answer(price, "accepted", said_on=facts["on"], how="by telephone", **facts)
        quote = copies.quote(self.patient, order, by=facts["by"], on=facts["on"], office=self.office)
        copies.make(self.request, order, seen=quote.seen, office=self.office, **facts)

    def give(self, days_ago: int) -> None:
        """The copies go out, and the bill is paid."""
        bill = self.request.bills.latest("pk")
        facts = self.when(days_ago, "frontdesk")
        plan = Plan(**giving.facts_of(self.request, facts["on"]), **giving.what_of(bill), means=Means.MAIL)
        giving.give(bill, plan, {}, how=WayOut.MAIL, office=self.office, **facts)
        bill.settle(BillSettlement.How.PAID, **facts)

    def amend(self, days_ago: int) -> None:
        """The physician draws the line and writes the addendum."""
        reason = "Disputed by the patient; the facts were checked and the patient is right."
        addendum = "The patient's account was checked and is right. See the line above."
        facts = {"passage": "", "reason": reason, "addendum": addendum, **self.when(days_ago, "doctor")}
        carrying_out.amend(self.request, self._entry(), **facts)

    def pass_on(self, days_ago: int) -> None:
        """The entry goes to somebody, before it is found to be wrong."""
        facts = self.when(days_ago, "frontdesk")
        Disclosure.log(
            patient=self.patient, disclosed_on=facts["on"], recipient=INSURER,
            recipient_address="1 Watervliet Avenue, Albany, NY 12206", information="The note of the visit, with the history",
            purpose_code="workers_compensation", purpose="Claim for an injury at work", entries=[self._entry()],
            by=facts["by"], at=facts["at"],
        )  # fmt: skip

    def name(self, days_ago: int) -> None:
        """Whom to tell of the correction: one who has the entry from the office, and whom the patient names."""
        facts = {**self.when(days_ago, "frontdesk"), "office": self.office}
        proposed = telling.proposals(self.request, facts["by"], facts["on"])
        got = next(one for one in proposed if one.name == INSURER)
        about: dict[str, Any] = {"name": got.name, "address": got.address, "disclosure": got.disclosure}
        telling.add(self.request, Recipient.Why.HOLDS, **about, **facts)
        named: dict[str, Any] = {
            "name": "Dr. Irene Castellan",
            "address": "40 Quail Street\nAlbany, NY 12206",
            "agreed_on": facts["on"],
        }
        telling.add(self.request, Recipient.Why.NAMED, **named, **facts)
        telling.asked_whom(self.request, "Dr. Irene Castellan", **self.when(days_ago, "frontdesk"))

    def tell(self, days_ago: int) -> None:
        """The first of them is told; the other still is to be."""
        facts = self.when(days_ago, "frontdesk")
        telling.tell(self.request.recipients.earliest("pk"), Telling.How.TOLD, day=facts["on"], way=WayOut.MAIL, **facts)

    def ask_review(self, days_ago: int) -> None:
        """The patient asks that the denial be reviewed, and somebody from outside is named to do it."""
        facts = self.when(days_ago, "privacy")
        review = reviews.ask(self.request, asked_on=facts["on"], **facts)
        reviews.refer(review, name="Irene Castellan, MD", licence="NY 188205", referred_on=facts["on"], **facts)

    def review(self, days_ago: int) -> None:
        """The reviewer finds that the denial stands."""
        facts = self.when(days_ago, "privacy")
        reasons = "I read the whole record and agree with the judgment: another person could be put in danger."
        reviews.decide(
            self.request.reviews.get(), ReviewOutcome.Result.UPHELD, reasons=reasons, decided_on=facts["on"], office=self.office,
            **facts,
        )  # fmt: skip

    def disagree(self, days_ago: int) -> None:
        """The patient files a statement of disagreement."""
        facts = self.when(days_ago, "frontdesk")
        text = "I still say that I never smoked. I told the doctor so at the first visit, and my sister was there."
        amendments.file_statement(self.request, received_on=facts["on"], text=text, office=self.office, **facts)

    def rebut(self, days_ago: int) -> None:
        """The physician answers it."""
        text = "The answer was written down as it was given at the visit, and was read back to the patient."
        amendments.rebut(self.request.disagreements.get(), text, office=self.office, **self.when(days_ago, "doctor"))

    def send_answer(self, days_ago: int) -> None:
        """The latest letter, which answers a statement or tells of a review, goes out."""
        facts = self.when(days_ago, "frontdesk")
        answers.send_letter(self.request.letters.latest("pk"), sent_on=facts["on"], how=WayOut.MAIL, **facts)

    def restrict(self, days_ago: int) -> None:
        """The restriction is put in force."""
        facts = self.when(days_ago, "privacy")
        session = next(entry for entry in self.entries if entry.kind == Entry.Kind.TREATMENT)
        paid: dict[str, Any] = {"service": session.title, "service_on": session.service_on, "plan": "Empire Health"}
        paid["entries"] = [session]
        price: dict[str, Any] = {"charged": Decimal("280"), "amount": Decimal("280"), "paid_on": session.service_on}
        carrying_out.restrict(self.request, **paid, **price, begins_on=facts["on"], **facts)

    def contact(self, days_ago: int) -> None:
        """How to reach the patient is recorded."""
        facts = self.when(days_ago, "privacy")
        means, where, avoid = ASKED[Kind.CONFIDENTIAL_COMMUNICATION][1].values()
        carrying_out.set_contact(self.request, means=means, where=where, avoid=avoid, begins_on=facts["on"], **facts)

    def account(self, days_ago: int) -> None:
        """The accounting is issued and given."""
        facts = self.when(days_ago, "privacy")
        given = carrying_out.issue_accounting(
            self.request, start=look_back_start(facts["on"]), end=facts["on"], scope=Scope.NOTICE, office=self.office, **facts
        )
        assert isinstance(given, AccountingGiven)  # noqa: S101  (the first of its year is free)
        carrying_out.give_accounting(self.request, given, given_on=facts["on"], how=WayOut.HANDED_OVER, **facts)

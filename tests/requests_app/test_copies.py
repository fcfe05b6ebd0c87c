"""Copies: what goes in, the pages the PDF really has, the bill before anything is made, then given and settled."""

import io
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from pypdf import PdfReader

from disclosures.models import Release
from meso.append_only import AppendOnlyError
from meso.models import AccessEvent, Office
from meso.roles import Role
from records import copying
from requests_app import answers, carrying_out, copies
from requests_app.copies import ChangedSinceShown, Order
from requests_app.deadlines import NotAllowedNow
from requests_app.fees import FeeRefused
from requests_app.kinds import Delivery, Step
from requests_app.models import BillSettlement, CopyBill, PatientRequest
from requests_app.models.timeline import Verb
from tests.factories import AttachmentFactory, ContactPreferenceFactory, EntryFactory, RequestFactory, UserFactory
from tests.requests_app.answering import (
    AT,
    DUE,
    ON,
    RECEIVED,
    a_pdf,
    an_office,
    granted,
    now,
    pages_of,
    priced,
    verified,
    words_of,
)

pytestmark = [pytest.mark.django_db]
D = Decimal
GIVE = {"released_on": "2026-11-24", "step": "release", "once": "c" * 32}


@pytest.fixture(autouse=True)
def _office(nov_24):
    an_office()


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer", first_name="Nora", last_name="Lindqvist")


def charted(by, entries: int = 2, **fields) -> PatientRequest:
    """A granted request for access to a chart of so many entries, a month apart."""
    request = granted("access", by, **fields)
    priced(request, by)
    for number in range(entries):
        day = date(2026 + number // 12, number % 12 + 1, 10)
        EntryFactory(patient=request.patient, service_on=day, title=f"Visit of month {number + 1}")
    return request


def order_of(request, delivery=Delivery.MAIL, paper_pages=0, postage="0", loose=(), **chosen) -> Order:
    entries = request.patient.entries.of_record().with_marks().oldest_first().filter(**chosen)
    agreed = {"other_form": "Agreed by telephone", "other_form_agreed_on": ON}  # wherever it is not what was asked for
    return Order(tuple(entries), tuple(loose), delivery, paper_pages, D(postage), **agreed)


def made(request, by, on=ON, **order) -> CopyBill:
    """The copy and bill as first shown."""
    wanted = order_of(request, **order)
    office = Office.current()
    if request.kind == "access" and not request.fee_quotes.exists():
        priced(request, by, on)
    shown = copies.quote(request.patient, wanted, by=by, on=on, office=office)
    return copies.make(request, wanted, seen=shown.seen, office=office, **now(by, on))


def stored(bill: CopyBill) -> CopyBill:
    return CopyBill.objects.defer(None).get(pk=bill.pk)


# --- what goes in ----------------------------------------------------------------------------------------------------


def test_the_pages_billed_are_the_pages_of_the_stored_copy(officer):
    request = charted(officer, entries=30)
    bill = stored(made(request, officer, postage="1.85"))
    assert bill.pages == pages_of(bill.copy) > 3
    assert bill.charged_pages == bill.pages
    assert bill.copies == bill.pages * D("0.15")
    assert bill.total == bill.copies + D("1.85")
    assert bill.entry_ids == list(request.patient.entries.oldest_first().values_list("pk", flat=True))


def test_the_copy_holds_the_lines_and_addenda_of_what_was_chosen_and_nothing_else(officer):
    request = charted(officer)
    first, second = request.patient.entries.oldest_first()
    first.strike(by=officer, at=AT, reason="Not so", passage="No known allergies.")
    first.add_addendum(by=officer, at=AT, body="Allergic to latex.")
    said = words_of(stored(made(request, officer, pk=first.pk)).copy)
    for words in (first.title, "Disputed: line through “No known allergies.”", "Not so", "Allergic to latex."):
        assert words in said, words
    assert second.title not in said


def test_what_is_filed_in_the_wrong_chart_is_not_offered(officer):
    request = charted(officer)
    wrong = request.patient.entries.first()
    wrong.mark_misfiled(by=officer, at=AT, reason="Another patient's")
    entries, _loose = copying.orderable(request.patient)
    assert wrong not in entries
    assert len(entries) == 1


def test_the_pages_of_pdf_files_become_pages_of_the_copy(officer):
    request = charted(officer, entries=1)
    entry = request.patient.entries.get()
    alone = made(request, officer).pages
    AttachmentFactory(patient=request.patient, entry=entry, name="letter.pdf", format="application/pdf", content=a_pdf(3))
    loose = AttachmentFactory(patient=request.patient, name="old chart.pdf", format="application/pdf", content=a_pdf(4))
    bill = stored(made(request, officer, loose=[loose]))
    assert bill.pages == pages_of(bill.copy) == alone + 7
    said = words_of(bill.copy)
    assert said.count("File, its pages stand behind these") == 2
    names = [item.title for item in PdfReader(io.BytesIO(bytes(bill.copy))).outline if not isinstance(item, list)]
    assert names[-2:] == ["letter.pdf", "old chart.pdf"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.pdf", b"%PDF-1.7 and then nothing"),
        ("cut.pdf", a_pdf(3)[:200]),
        ("locked.pdf", a_pdf(3, password="secret")),
        ("empty.pdf", a_pdf(0)),
        ("lies.pdf", b"<html>not a PDF</html>"),
    ],
)
def test_a_broken_or_locked_pdf_is_listed_and_named_and_not_appended(officer, name, content):
    request = charted(officer, entries=1)
    plain = made(request, officer).pages
    file = AttachmentFactory(
        patient=request.patient, entry=request.patient.entries.get(), name=name, format="application/pdf", content=content
    )
    order = order_of(request)
    quote = copies.quote(request.patient, order, by=officer, on=ON, office=Office.current())
    assert quote.pdf.pages == pages_of(quote.pdf.content) == plain
    assert (quote.beside, quote.unreadable) == ((file,), (file,))
    assert f"File, handed over beside these pages: {name}" in words_of(quote.pdf.content)


def test_files_that_are_no_pages_are_listed_as_given_besides_and_pictures_are_drawn(officer):
    request = charted(officer, entries=1)
    entry = request.patient.entries.get()
    AttachmentFactory(patient=request.patient, entry=entry)
    heic = AttachmentFactory(patient=request.patient, entry=entry, name="photo.heic", format="image/heic", content=b"heic")
    quote = copies.quote(request.patient, order_of(request), by=officer, on=ON, office=Office.current())
    assert (quote.beside, quote.unreadable) == ((heic,), ())
    said = words_of(quote.pdf.content)
    assert "Picture: photo.png" in said
    assert "handed over beside these pages: photo.heic" in said


def test_a_chart_that_is_all_on_paper_is_billed_by_its_paper_pages_alone(officer):
    """law.md §12: 37 pages and $1.85 are $7.40."""
    request = charted(officer, entries=0)
    bill = stored(made(request, officer, paper_pages=37, postage="1.85"))
    assert (bill.pages, bill.paper_pages, bill.charged_pages, bill.total) == (0, 37, 37, D("7.40"))
    assert bytes(bill.copy) == b""


# --- the bill --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("office", "order", "copied", "total"),
    [
        ({}, {"paper_pages": 30, "delivery": Delivery.PICK_UP}, "4.65", "4.65"),
        ({}, {"paper_pages": 30, "postage": "4.20"}, "4.65", "8.85"),
        ({"charge_electronic_pages": False}, {"paper_pages": 30, "delivery": Delivery.PICK_UP}, "4.50", "4.50"),
        ({"charge_electronic_pages": False}, {"postage": "4.20"}, "0.00", "4.20"),
        ({}, {"delivery": Delivery.ELECTRONIC}, "0.00", "0.00"),
        ({"electronic_copy_fee": D("6.50")}, {"delivery": Delivery.ELECTRONIC, "paper_pages": 20}, "6.50", "6.50"),
    ],
)
def test_a_one_page_copy_is_billed_by_the_offices_rules(officer, office, order, copied, total):
    an_office(**office)
    bill = made(charted(officer, entries=1), officer, **order)
    assert (bill.pages, bill.copies, bill.total) == (1, D(copied), D(total))


def test_a_bill_keeps_its_rate_when_the_offices_changes(officer):
    request = charted(officer, entries=1)
    before = made(request, officer, paper_pages=36, postage="1.85")
    an_office(copy_rate=D("0.10"), name="Another Name")
    kept = stored(before)
    assert (kept.rate, kept.total) == (D("0.15"), D("7.40"))
    said = words_of(kept.document)
    for words in (
        "Lark Street Mesotherapy",
        f"Bill {request.number}-1",
        "1 page at $0.15 $0.15",
        "36 pages at $0.15 $5.40",
        "$7.40",
    ):
        assert words in said, words
    after = stored(made(request, officer, paper_pages=36, postage="1.85"))
    assert (after.rate, after.total) == (D("0.10"), D("5.55"))
    assert f"Bill {request.number}-2" in words_of(after.document)


def test_the_bill_says_what_is_never_charged_and_that_it_holds_nothing(officer):
    bill = stored(made(charted(officer, entries=1), officer, postage="1.85"))
    said = words_of(bill.document)
    assert "We charge nothing for searching, for handling, or for looking at your record here." in said
    assert "Your copies do not wait for this bill to be paid." in said
    assert f"{bill.patient.name} 12 Elm Street" in said


def test_a_stored_bill_can_not_be_changed(officer):
    bill = made(charted(officer, entries=1), officer)
    bill.total = D("99.00")
    with pytest.raises(AppendOnlyError):
        bill.save()


@pytest.mark.parametrize("delivery", [Delivery.PICK_UP, Delivery.ELECTRONIC])
def test_what_is_not_mailed_has_no_postage(officer, delivery):
    with pytest.raises(FeeRefused, match="goes by mail"):
        made(charted(officer, entries=1), officer, delivery=delivery, postage="4.20")
    assert not CopyBill.objects.exists()


# --- made as shown ---------------------------------------------------------------------------------------------------


def test_what_has_changed_since_it_was_shown_is_shown_again_and_not_billed(officer):
    request = charted(officer, entries=1)
    office = Office.current()
    order = order_of(request)
    shown = copies.quote(request.patient, order, by=officer, on=ON, office=office)
    entry = request.patient.entries.get()
    for number in range(40):
        entry.add_addendum(by=officer, at=AT, body=f"Addition {number} to what was written. " * 5)
    with pytest.raises(ChangedSinceShown) as changed:
        copies.make(request, order_of(request), seen=shown.seen, office=office, **now(officer))
    assert changed.value.quote.pdf.pages > shown.pdf.pages
    assert not CopyBill.objects.exists()
    copies.make(request, order_of(request), seen=changed.value.quote.seen, office=office, **now(officer))


def test_a_second_click_makes_no_second_copy(officer):
    request = charted(officer)
    assert made(request, officer, postage="1.85") == made(request, officer, postage="1.85")
    assert (CopyBill.objects.count(), request.events.filter(verb=Verb.BILLED).count()) == (1, 1)
    request.patient.entries.first().add_addendum(by=officer, at=AT, body="Allergic to latex.")
    assert "Allergic to latex." in words_of(stored(made(request, officer, postage="1.85")).copy)
    made(request, officer, postage="1.86")
    assert CopyBill.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_copy_and_settle_one_bill(at_once):
    officer = UserFactory(role="privacy_officer")
    request = charted(officer, entries=1)
    order = order_of(request, postage="1.85")
    seen = copies.quote(request.patient, order, by=officer, on=ON, office=Office.current()).seen

    def make(_number):
        mine = PatientRequest.objects.get(pk=request.pk)
        return copies.make(mine, order, seen=seen, office=Office.current(), **now(officer))

    bills = at_once(make, range(2))
    assert bills[0] == bills[1]
    settled = at_once(lambda how: CopyBill.objects.get().settle(how, **now(officer)), ["paid", "waived"])
    assert sorted(type(one).__name__ for one in settled) == ["BillSettlement", "NotAllowedNow"]


@pytest.mark.parametrize(
    "change",
    [{"postage": "4.21"}, {"paper_pages": 1}, {"delivery": Delivery.ELECTRONIC, "postage": "0"}, {"service_on__month": 1}],
)
def test_another_order_than_the_one_shown_is_not_made(officer, change):
    request = charted(officer)
    shown = copies.quote(request.patient, order_of(request, postage="4.20"), by=officer, on=ON, office=Office.current())
    wanted = order_of(request, **{"postage": "4.20"} | change)
    with pytest.raises(ChangedSinceShown):
        copies.make(request, wanted, seen=shown.seen, office=Office.current(), **now(officer))


def test_nothing_is_copied_before_chart_identity_and_grant_nor_for_another_kind(officer):
    unchecked = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    cases = [
        (unchecked, "Nothing is released"),
        (verified("access", officer), "has not been granted"),
        (granted("accounting", officer), "something else"),
    ]
    for request, words in cases:
        EntryFactory(patient=request.patient)
        with pytest.raises(NotAllowedNow, match=words):
            made(request, officer)
    assert not CopyBill.objects.exists()


def test_nothing_more_is_copied_once_the_request_is_closed(officer):
    request = charted(officer, entries=1)
    carrying_out.looked_at(request, seen_on=ON, **now(officer))
    with pytest.raises(NotAllowedNow, match="closed"):
        made(request, officer)


# --- given and settled -----------------------------------------------------------------------------------------------


def test_giving_the_copies_stops_the_clock_and_an_open_bill_does_not_hold_it(officer):
    request = charted(officer)
    bill = made(request, officer, postage="1.85")
    assert request.is_open
    carrying_out.give_copies(bill, given_on=ON, how="by mail", **now(officer))
    request.refresh_from_db()
    assert (request.carried_out_on, request.closed_on) == (ON, ON)
    assert not BillSettlement.objects.exists()
    assert request.events.get(verb=Verb.COPIES_GIVEN).sentence == "Copies given on Nov 24, 2026 (by mail)."
    with pytest.raises(NotAllowedNow, match="closed"):
        carrying_out.give_copies(bill, given_on=ON, how="by mail", **now(officer))


def test_copies_are_given_once_between_the_day_they_were_made_and_today(officer):
    request = charted(officer)
    request.decided_on = RECEIVED
    request.save(update_fields=["decided_on"])
    bill = made(request, officer)
    for day in (ON - timedelta(days=1), ON + timedelta(days=1)):
        with pytest.raises(NotAllowedNow, match="between the day the copies were made and today"):
            carrying_out.give_copies(bill, given_on=day, how="by mail", **now(officer))
    assert request.is_open


def test_copies_given_in_part_are_not_given_again(officer):
    request = verified("access", officer)
    EntryFactory(patient=request.patient)
    request.decide("granted_in_part", ground="U1", text="Two pages are psychotherapy notes", **now(officer))
    bill = made(request, officer)
    carrying_out.give_copies(bill, given_on=ON, how="by mail", **now(officer))
    with pytest.raises(NotAllowedNow, match=r"They were given on Nov 24, 2026\."):
        carrying_out.give_copies(bill, given_on=ON, how="by mail", **now(officer))


def test_a_partial_grant_needs_the_copies_and_the_letter(officer):
    """law.md §13a: the copies on the due date without the letter are late the next day."""
    request = verified("access", officer, on=DUE)
    EntryFactory(patient=request.patient)
    letter = answers.decide_with_letter(
        request, "granted_in_part", ground="U1", text="Two pages are psychotherapy notes", office=an_office(), **now(officer, DUE)
    )
    carrying_out.give_copies(made(request, officer, on=DUE), given_on=DUE, how="by mail", **now(officer, DUE))
    request.refresh_from_db()
    assert request.steps_left() == [Step.SEND]
    next_day = DUE + timedelta(days=1)
    answers.send_letter(letter, sent_on=next_day, how="by mail", **now(officer, next_day))
    assert request.events.get(verb=Verb.CLOSED).sentence == "Closed: Granted in part. 1 day late."


def test_a_partial_grant_is_not_closed_by_its_letter_alone(officer):
    request = verified("access", officer)
    letter = answers.decide_with_letter(
        request, "granted_in_part", ground="U1", text="Two pages", office=an_office(), **now(officer)
    )
    answers.send_letter(letter, sent_on=ON, how="by mail", **now(officer))
    request.refresh_from_db()
    assert request.steps_left() == [Step.CARRY_OUT]


def test_approved_on_march_1_and_mailed_on_march_3_is_one_day_late(officer):
    """law.md §13a: due 03-02."""
    request = verified("access", officer, on=date(2026, 2, 1), received_on=date(2026, 1, 31))
    EntryFactory(patient=request.patient)
    request.decide("granted", **now(officer, date(2026, 3, 1)))
    bill = made(request, officer, on=date(2026, 3, 1))
    assert request.is_open
    third = date(2026, 3, 3)
    carrying_out.give_copies(bill, given_on=third, how="by mail", **now(officer, third))
    assert request.events.get(verb=Verb.CLOSED).sentence == "Closed: Granted. 1 day late."


@pytest.mark.parametrize(("how", "words"), [("paid", "Bill of $2.00: Paid."), ("waived", "Bill of $2.00: Waived.")])
def test_a_bill_is_settled_once_also_after_the_request_is_closed(officer, how, words):
    request = charted(officer, entries=1)
    bill = made(request, officer, postage="1.85")
    carrying_out.give_copies(bill, given_on=ON, how="by mail", **now(officer))
    bill.settle(how, **now(officer))
    assert request.events.get(verb=Verb.SETTLED).sentence == words
    with pytest.raises(NotAllowedNow, match="settled already"):
        bill.settle("waived", **now(officer))


def test_a_bill_of_nothing_is_not_settled(officer):
    bill = made(charted(officer, entries=1), officer, delivery=Delivery.ELECTRONIC)
    with pytest.raises(NotAllowedNow, match="nothing to pay"):
        bill.settle("paid", **now(officer))


# --- the pages -------------------------------------------------------------------------------------------------------


def url(request, rest="") -> str:
    return f"/requests/{request.number}/copies/{rest}"


def filled(request, **change) -> dict:
    """The form as it stands when it is opened, by mail."""
    entries = [str(pk) for pk in request.patient.entries.values_list("pk", flat=True)]
    agreed = {"other_form": "Agreed by telephone", "other_form_agreed_on": "2026-11-24"}
    return {"entry": entries, "delivery": "mail", "paper_pages": "", "postage": "1.85", "step": "bill"} | agreed | change


def shown(client, request, **change):
    response = client.post(url(request), filled(request, **change))
    assert response.status_code == 200
    assert not CopyBill.objects.exists()
    return response


def test_the_form_opens_with_everything_ticked_and_the_wishes_of_the_request(client, signed_in, officer):
    signed_in("front_desk")
    request = charted(officer, entries=3, details={"form": "pick_up", "since": "2026-01-01"})
    text = client.get(url(request)).content.decode()
    assert text.count('name="entry"') == text.count("checked") - 1 == 3
    assert re.search(r'value="pick_up"[^>]*checked', text)
    assert 'value="2026-01-01"' in text
    none = client.get(f"{url(request)}?tick=none").content.decode()
    assert none.count("checked") == 1


def test_working_out_the_bill_stores_nothing_and_shows_pages_and_total(client, signed_in, officer):
    signed_in("front_desk")
    request = charted(officer)
    response = shown(client, request, paper_pages="36")
    quote = response.context["quote"]
    assert (quote.pdf.pages, quote.bill.total) == (1, D("7.40"))
    text = response.content.decode()
    for words in ("1 page at $0.15", "36 pages at $0.15", "as paid", "$7.40", "Make the copy and the bill"):
        assert words in text, words
    assert not request.events.filter(verb=Verb.BILLED).exists()


def test_the_copy_is_made_as_shown(client, signed_in, officer):
    signed_in("front_desk")
    request = charted(officer)
    seen = shown(client, request).context["quote"].seen
    response = client.post(url(request), filled(request, step="make", seen=seen))
    assert (response.status_code, response["Location"]) == (302, f"/requests/{request.number}/")
    bill = CopyBill.objects.get()
    assert (bill.total, bill.pages) == (D("2.00"), 1)
    assert request.events.get(verb=Verb.BILLED).sentence == "Copies made: 1 page, $2.00."
    event = AccessEvent.objects.latest("pk")
    assert (event.action, event.detail, event.chart_number) == ("change", "copies made", request.patient.chart_number)


@pytest.mark.parametrize("seen", ["", "made up"])
def test_what_was_not_shown_is_shown_first(client, signed_in, officer, seen):
    signed_in("front_desk")
    request = charted(officer)
    response = shown(client, request, step="make", seen=seen)
    assert "Something has changed since the bill was worked out." in response.content.decode()
    again = client.post(url(request), filled(request, step="make", seen=response.context["quote"].seen))
    assert again.status_code == 302


def test_days_narrow_what_is_ticked(client, signed_in, officer):
    signed_in("front_desk")
    request = charted(officer, entries=4)
    quote = shown(client, request, since="2026-02-10", until="2026-03-10").context["quote"]
    assert [entry.service_on.month for entry in quote.order.entries] == [2, 3]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"postage": ""}, "postage", "Write the postage, as paid."),
        ({"postage": "1.855"}, "postage", "a fraction of a cent"),
        ({"postage": "-1"}, "postage", "zero or more"),
        ({"postage": "4.20", "delivery": "pick_up"}, "postage", "goes by mail"),
        ({"postage": "4.20", "delivery": "electronic"}, "postage", "goes by mail"),
        ({"paper_pages": "1.5"}, "paper_pages", "whole number"),
        ({"paper_pages": "-2"}, "paper_pages", "below zero"),
        ({"entry": []}, "entry", "Nothing is chosen"),
        ({"since": "2027-01-01"}, "entry", "Nothing is chosen"),
        ({"since": "2026-03-01", "until": "2026-02-01"}, "until", "comes before the first one"),
        ({"delivery": ""}, "delivery", "required"),
        ({"entry": ["999999"]}, "entry", "not one of the available choices"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(client, signed_in, officer, change, field, words):
    signed_in("front_desk")
    request = charted(officer)
    response = shown(client, request, **change)
    assert words in str(response.context["form"].errors[field])
    assert "quote" not in response.context
    typed = filled(request, **change)
    assert response.context["form"]["postage"].value() == typed["postage"]
    assert response.context["form"]["entry"].value() == typed["entry"]


def test_a_dollar_sign_is_forgiven(client, signed_in, officer):
    signed_in("front_desk")
    assert shown(client, charted(officer), postage="$1.85").context["quote"].bill.postage == D("1.85")


def test_the_screen_says_why_electronically_kept_pages_cost_nothing(client, signed_in, officer):
    signed_in("front_desk")
    an_office(charge_electronic_pages=False)
    text = shown(client, charted(officer), postage="4.20").content.decode()
    assert "no price per page: we keep them electronically" in text
    assert "federal guidance disfavors it" in text
    assert "$4.20" in text


def test_an_electronic_copy_shows_no_price_per_page(client, signed_in, officer):
    signed_in("front_desk")
    text = shown(client, charted(officer), postage="", delivery="electronic").content.decode()
    assert "An electronic copy is never charged by the page and has no postage." in text
    assert "$0.15" not in text


def test_files_that_can_not_be_pages_are_named_on_the_page(client, signed_in, officer):
    signed_in("front_desk")
    request = charted(officer)
    file = AttachmentFactory(patient=request.patient, name="scan.pdf", format="application/pdf", content=b"%PDF-1.4 broken")
    text = shown(client, request, file=[str(file.pk)]).content.decode()
    assert "scan.pdf (PDF): this PDF is damaged or locked" in text


def test_before_the_grant_the_price_can_be_told_and_nothing_made(client, signed_in, officer):
    signed_in("front_desk")
    request = verified("access", officer)
    EntryFactory(patient=request.patient)
    response = shown(client, request)
    text = response.content.decode()
    assert "has not been granted" in text
    assert "$2.00" in text
    assert "Make the copy and the bill" not in text
    refused = shown(client, request, step="make", seen=response.context["quote"].seen)
    assert "has not been granted" in str(refused.context["form"].errors)


def test_without_a_chart_or_for_another_kind_there_is_nothing_to_copy(client, signed_in, officer):
    signed_in("front_desk")
    for request in (RequestFactory(patient=None), granted("accounting", officer)):
        assert client.get(url(request))["Location"] == f"/requests/{request.number}/"


@pytest.mark.parametrize("role", Role.values)
def test_who_may_copy_and_bill(client, signed_in, officer, role):
    request = charted(officer, entries=1)
    bill = made(request, officer, postage="1.85")
    signed_in(role)
    desk = {"front_desk", "privacy_officer"}
    clinic = desk | {"physician"}
    for rest, allowed in (
        ("", desk),
        (f"{bill.pk}/given/", desk),
        (f"{bill.pk}/settle/", desk),
        (f"{bill.pk}/copy/", clinic),
        (f"{bill.pk}/bill/", clinic),
    ):
        assert (client.get(url(request, rest)).status_code == 200) == (role in allowed), rest


def test_copy_and_bill_open_byte_for_byte_and_are_audited(client, signed_in, officer):
    signed_in("front_desk")
    request = charted(officer, entries=1)
    bill = stored(made(request, officer, postage="1.85"))
    unreleased = client.get(url(request, f"{bill.pk}/copy/")).content
    assert "Office use, not released" in words_of(unreleased)
    assert pages_of(unreleased) == bill.pages
    client.post(url(request, f"{bill.pk}/given/"), GIVE | {"how": "by mail"})
    for rest, content in (("copy", bill.copy), ("bill", bill.document)):
        response = client.get(url(request, f"{bill.pk}/{rest}/"))
        assert response.content == bytes(content)
        assert response["Content-Disposition"] == f'inline; filename="{request.number}-{rest}-{bill.pk}.pdf"'
        event = AccessEvent.objects.latest("pk")
        assert (event.action, event.subject) == ("download", f"{rest} {bill.pk} of {request.number}")
        assert event.chart_number == request.patient.chart_number
    other = charted(officer, entries=1)
    assert client.get(url(other, f"{bill.pk}/copy/")).status_code == 404


def test_given_and_settled_on_the_pages(client, signed_in, officer):
    signed_in("front_desk")
    request = charted(officer, entries=1)
    bill = made(request, officer, postage="1.85")
    detail = f"/requests/{request.number}/"
    text = client.get(detail).content.decode()
    for words in (
        "Copies: 1 page, $2.00",
        "Not given yet",
        "Bill open; it holds nothing",
        "Give at the release desk",
        "Settle bill",
    ):
        assert words in text, words
    assert client.post(url(request, f"{bill.pk}/given/"), GIVE | {"how": "by mail"}).status_code == 302
    assert client.post(url(request, f"{bill.pk}/settle/"), {"how": "waived"}).status_code == 302
    text = client.get(detail).content.decode()
    for words in ("Copies given on Nov 24, 2026 (by mail).", "Waived, Nov 24, 2026", "Closed Nov 24, 2026"):
        assert words in text, words
    for words in ("Not given yet", "Give at the release desk", "Settle bill", "Make other copies"):
        assert words not in text, words


def test_the_copies_of_a_request_go_out_as_a_release_with_its_checks_and_its_row(client, signed_in, officer):
    signed_in("front_desk")
    request = charted(officer)
    bill = stored(made(request, officer, postage="1.85"))
    page = client.get(url(request, f"{bill.pk}/given/")).content.decode()
    assert "Release, and make the papers" in page
    assert "photo ID seen" in page
    client.post(url(request, f"{bill.pk}/given/"), GIVE | {"how": "by mail"})
    row = Release.objects.defer(None).get()
    assert (bytes(row.copy), bytes(row.bill), row.bill_total) == (bytes(bill.copy), bytes(bill.document), bill.total)
    assert (row.purpose_code, row.branch, row.request_number) == ("individual", "patient", request.number)
    assert (row.disclosure.purpose_code, row.entry_ids) == ("individual", bill.entry_ids)
    assert request.events.get(verb=Verb.COPIES_GIVEN).data["release"] == str(row.pk)
    assert f"/release/{row.pk}/" in client.get(f"/requests/{request.number}/").content.decode()
    again = client.post(url(request, f"{bill.pk}/given/"), GIVE | {"how": "by mail"})
    assert (again.status_code, Release.objects.count()) == (302, 1)


def test_copies_that_a_check_refuses_stay_and_so_does_the_clock(client, signed_in, officer):
    signed_in("front_desk")
    request = charted(officer)
    ContactPreferenceFactory(patient=request.patient, means="mail", where="PO Box 12")
    bill = made(request, officer, delivery=Delivery.ELECTRONIC)
    page = client.post(url(request, f"{bill.pk}/given/"), GIVE | {"how": "by encrypted e-mail"}).content.decode()
    assert "PO Box 12" in page
    request.refresh_from_db()
    assert request.is_open
    assert not Release.objects.exists()
    assert not request.events.filter(verb=Verb.COPIES_GIVEN).exists()


def test_only_the_release_desk_gives_copies_or_the_record_to_look_at():
    """There is no other way: whatever else calls these in the house is a second one."""
    callers = {
        path.name
        for room in ("disclosures", "requests_app")
        for path in (Path(settings.BASE_DIR) / room).rglob("*.py")
        if re.search(r"carrying_out\.(give_copies|looked_at)\(", path.read_text())
    }
    assert callers == {"giving.py"}


def test_plain_email_needs_the_warning_that_the_patient_accepted(client, signed_in, officer):
    signed_in("front_desk")
    request = charted(officer, entries=1)
    bill = made(request, officer, delivery=Delivery.ELECTRONIC)
    data = GIVE | {"how": "by e-mail"}
    refused = client.post(url(request, f"{bill.pk}/given/"), data)
    assert "Warn the patient that others might read an e-mail" in str(refused.context["form"].errors["warned_on"])
    assert client.post(url(request, f"{bill.pk}/given/"), data | {"warned_on": "2026-11-24"}).status_code == 302
    assert "warned that e-mail is not private" in request.events.get(verb=Verb.COPIES_GIVEN).note


def test_the_cost_of_the_pages_does_not_grow_with_the_chart(client, signed_in, officer, queries_for):
    signed_in("front_desk")
    request = charted(officer, entries=2)
    few = len(queries_for(url(request)))
    few_bill = len(queries_for(url(request), filled(request)))
    bill = made(request, officer)
    detail = len(queries_for(f"/requests/{request.number}/"))
    for day in range(1, 20):
        entry = EntryFactory(patient=request.patient, service_on=date(2026, 9, day))
        AttachmentFactory(patient=request.patient, entry=entry)
    made(request, officer).settle("paid", **now(officer))
    assert bill.pk
    assert len(queries_for(url(request))) == few
    assert len(queries_for(url(request), filled(request))) == few_bill + 1  # the pictures, all at once
    assert len(queries_for(f"/requests/{request.number}/")) == detail

"""The price of copies is told and accepted before they are made; it holds nothing back and touches no clock."""

from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest

from meso.append_only import AppendOnlyError
from meso.models import Office
from requests_app import carrying_out, copies, quoting
from requests_app.copies import Order, PriceFirst
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Delivery
from requests_app.models import BillSettlement, FeeAnswer, PatientRequest
from tests.factories import ContactPreferenceFactory, EntryFactory, UserFactory
from tests.requests_app.answering import DUE, ON, RECEIVED, an_office, granted, now, verified

pytestmark = [pytest.mark.django_db]
D, DAY = Decimal, timedelta(days=1)


@pytest.fixture(autouse=True)
def _office(nov_24):
    an_office()


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer")


@pytest.fixture
def asked(officer) -> PatientRequest:
    """A granted request for a chart of one page."""
    request = granted("access", officer)
    EntryFactory(patient=request.patient)
    return request


def tell(request, by, pages="37", postage="1.85", delivery=Delivery.MAIL, on=ON, **facts):
    facts = {"told_on": on, "how": "by telephone", "office": Office.current()} | facts
    return quoting.tell(request, delivery=delivery, pages=pages, postage=postage, **facts, **now(by, on))


def say(quote, what, by, said_on=ON):
    return quoting.answer(quote, what, said_on=said_on, how="by telephone", **now(by))


def make(request, by, paper_pages=36, postage="1.85", delivery=Delivery.MAIL, **facts):
    entries = tuple(request.patient.entries.with_marks())
    order, office = Order(entries, (), delivery, paper_pages, D(postage)), Office.current()
    shown = copies.quote(request.patient, order, by=by, on=ON, office=office)
    return copies.make(request, order, seen=shown.seen, office=office, **facts, **now(by))


@pytest.mark.parametrize(
    ("delivery", "pages", "postage", "total"),
    [
        ("mail", "37", "1.85", "7.40"),
        ("mail", "212", "9.85", "41.65"),
        ("pick_up", "37", "0", "5.55"),
        ("electronic", "212", "0", "0.00"),
    ],
)
def test_a_price_is_worked_out_by_the_tariff(asked, officer, delivery, pages, postage, total):
    assert tell(asked, officer, pages, postage, delivery).total == D(total)


@pytest.mark.parametrize(
    ("pages", "postage", "delivery", "field"),
    [
        ("-1", "0", "mail", "pages"),
        ("1.5", "0", "mail", "pages"),
        ("1", "0.005", "mail", "postage"),
        ("1", "1", "pick_up", "postage"),
    ],
)
def test_what_the_tariff_refuses_is_no_price(asked, officer, pages, postage, delivery, field):
    with pytest.raises(NotAllowedNow) as refusal:
        tell(asked, officer, pages, postage, delivery)
    assert refusal.value.field == field
    assert not asked.fee_quotes.exists()


def test_a_bill_needs_a_price_that_was_told_before_and_accepted(asked, officer):
    with pytest.raises(PriceFirst, match=r"has not been told the price, \$7\.40"):
        make(asked, officer)
    quote = tell(asked, officer)
    with pytest.raises(PriceFirst, match=r"has not accepted the price, \$7\.40"):
        make(asked, officer)
    say(quote, "accepted", officer)
    bill = make(asked, officer)
    assert bill.total == quote.total == D("7.40")
    verbs = list(asked.events.values_list("verb", flat=True))
    assert verbs.index("fee_told") < verbs.index("fee_answered") < verbs.index("billed")


@pytest.mark.parametrize("what", ["changed", "withdrawn"])
def test_another_answer_than_yes_is_no_acceptance(asked, officer, what):
    say(tell(asked, officer), what, officer)
    with pytest.raises(PriceFirst, match="not accepted"):
        make(asked, officer)
    asked.refresh_from_db()
    assert (asked.is_open, asked.due_on) == (True, DUE)


def test_a_bill_over_the_price_is_refused_until_it_is_told_anew(asked, officer):
    say(tell(asked, officer, pages="36"), "accepted", officer)
    with pytest.raises(PriceFirst, match=r"\$7\.40 is more than the price that was told, \$7\.25"):
        make(asked, officer)
    say(tell(asked, officer), "accepted", officer)
    assert make(asked, officer).total == D("7.40")


def test_a_bill_under_the_price_is_made(asked, officer):
    say(tell(asked, officer, pages="50"), "accepted", officer)
    assert make(asked, officer).total == D("7.40")


def test_a_later_price_takes_the_place_of_one_that_was_accepted(asked, officer):
    say(tell(asked, officer), "accepted", officer)
    tell(asked, officer)
    with pytest.raises(PriceFirst, match="not accepted"):
        make(asked, officer)


def test_what_costs_nothing_needs_no_price(asked, officer):
    assert make(asked, officer, paper_pages=0, postage="0", delivery=Delivery.ELECTRONIC).total == 0


def test_a_waived_bill_needs_no_price_and_is_settled_as_it_is_made(asked, officer):
    bill = make(asked, officer, waive=True)
    assert (bill.total, bill.settlement.how) == (D("7.40"), BillSettlement.How.WAIVED)
    free = make(asked, officer, paper_pages=0, postage="0", delivery=Delivery.ELECTRONIC, waive=True)
    assert not BillSettlement.objects.filter(bill=free).exists()


def test_an_unpaid_bill_holds_nothing(asked, officer):
    say(tell(asked, officer), "accepted", officer)
    bill = make(asked, officer)
    carrying_out.give_copies(bill, given_on=ON, how="by mail", **now(officer))
    asked.refresh_from_db()
    assert (asked.closed_on, BillSettlement.objects.exists()) == (ON, False)


def test_an_answer_is_given_once_and_on_a_day_that_can_be(asked, officer):
    quote = tell(asked, officer, told_on=ON - DAY)
    for day in (ON - 2 * DAY, ON + DAY):
        with pytest.raises(NotAllowedNow) as refusal:
            say(quote, "accepted", officer, day)
        assert refusal.value.field == "said_on"
    say(quote, "accepted", officer)
    with pytest.raises(NotAllowedNow, match="is recorded"):
        say(quote, "withdrawn", officer)
    assert FeeAnswer.objects.get().what == "accepted"


@pytest.mark.parametrize("told_on", [RECEIVED - DAY, ON + DAY])
def test_a_price_is_told_between_receipt_and_today(asked, officer, told_on):
    with pytest.raises(NotAllowedNow) as refusal:
        tell(asked, officer, told_on=told_on)
    assert refusal.value.field == "told_on"


def test_only_an_open_request_for_access_has_a_price(officer, asked):
    with pytest.raises(NotAllowedNow, match="request for access"):
        tell(verified("restriction", officer), officer)
    asked.withdraw(reason="Called", **now(officer))
    with pytest.raises(NotAllowedNow, match="request for access"):
        tell(asked, officer)


def test_the_price_is_told_in_the_way_the_patient_wishes(asked, officer):
    ContactPreferenceFactory(patient=asked.patient)
    with pytest.raises(NotAllowedNow, match="reached only so") as refusal:
        tell(asked, officer)
    assert refusal.value.field == "how"
    tell(asked, officer, how="in person")


def test_prices_and_answers_take_no_change(asked, officer):
    quote = tell(asked, officer)
    given = say(quote, "accepted", officer)
    for act in (quote.save, quote.delete, given.save, given.delete, asked.fee_quotes.all().delete):
        with pytest.raises(AppendOnlyError):
            act()


def test_the_desk_is_led_from_the_bill_to_the_price_and_back(client, signed_in, asked):
    signed_in("front_desk")
    where = f"/requests/{asked.number}/"
    entry = asked.patient.entries.get()
    data = {"entry": [entry.pk], "delivery": "mail", "paper_pages": "36", "postage": "1.85", "step": "bill"}
    page = client.post(where + "copies/", data)
    text = unescape(page.text)
    assert "The patient has not been told the price, $7.40." in text
    assert f"{where}price/?delivery=mail&pages=37&postage=1.85" in text
    make_it = data | {"step": "make", "seen": page.context["quote"].seen}
    refused = client.post(where + "copies/", make_it)
    assert "Tell it first, or waive it." in refused.text
    assert "Make the copy and the bill" in refused.text
    shown = client.get(where + "price/?delivery=mail&pages=37&postage=1.85").text
    assert 'value="37"' in shown
    told = {"delivery": "mail", "pages": "37", "postage": "1.85", "told_on": ON.isoformat(), "how": "by telephone"}
    assert client.post(where + "price/", told).status_code == 302
    quote = asked.fee_quotes.get()
    assert "No answer yet; the clock runs on" in client.get(where).text
    answer = {"what": "accepted", "said_on": ON.isoformat(), "how": "by telephone"}
    assert client.post(where + f"price/{quote.pk}/", answer).status_code == 302
    assert client.post(where + "copies/", make_it).status_code == 302
    assert asked.bills.get().total == D("7.40")


def test_a_price_can_be_told_and_accepted_at_once_and_a_bill_waived(client, signed_in, asked):
    signed_in("front_desk")
    where = f"/requests/{asked.number}/"
    told = {"delivery": "pick_up", "pages": "37", "postage": "", "told_on": ON.isoformat(), "how": "in person", "accepted": "on"}
    assert client.post(where + "price/", told).status_code == 302
    assert asked.fee_quotes.standing().is_accepted
    data = {
        "entry": [asked.patient.entries.get().pk],
        "delivery": "mail",
        "paper_pages": "900",
        "postage": "9.85",
        "step": "bill",
    }
    seen = client.post(where + "copies/", data).context["quote"].seen
    assert client.post(where + "copies/", data | {"step": "make", "seen": seen, "waive": "on"}).status_code == 302
    assert asked.bills.get().settlement.how == "waived"

"""The bill for copies: every money example of law.md §0 and §12, and that money never has a fraction."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app import fees
from requests_app.fees import Bill, FeeRefused
from requests_app.kinds import Delivery

D = Decimal


@pytest.mark.parametrize(
    ("pages", "postage", "copies", "total"),
    [
        (37, "1.85", "5.55", "7.40"),
        (212, "9.85", "31.80", "41.65"),
        (37, "0", "5.55", "5.55"),  # picked up
        (0, "0", "0.00", "0.00"),
        (1, "0.01", "0.15", "0.16"),
        (40, "0", "6.00", "6.00"),  # printed sides, on 20 sheets
        (6, "0.73", "0.90", "1.63"),  # a second accounting
    ],
)
def test_paper_pages_at_fifteen_cents_and_the_postage_paid(pages, postage, copies, total):
    assert fees.paper_copy(pages, postage) == Bill(pages, D("0.15"), D(copies), D(postage).quantize(D("0.01")), D(total))


@pytest.mark.parametrize(
    ("paper", "electronic", "postage", "on", "off"),
    [
        (0, 48, "4.20", "11.40", "4.20"),
        (30, 48, "0", "11.70", "4.50"),
        (37, 0, "1.85", "7.40", "7.40"),
    ],
)
def test_pages_kept_electronically_are_charged_only_where_the_office_says_so(paper, electronic, postage, on, off):
    totals = [
        fees.paper_copy(paper, postage, electronic_pages=electronic, charge_electronic=charged).total for charged in (True, False)
    ]
    assert totals == [D(on), D(off)]


def test_a_lower_rate_is_used():
    assert fees.paper_copy(37, "0", rate=D("0.10")).total == D("3.70")


@pytest.mark.parametrize(("flat", "total"), [("0", "0.00"), ("0.01", "0.01"), ("6.50", "6.50")])
def test_an_electronic_copy_costs_the_flat_fee_and_nothing_by_the_page(flat, total):
    assert fees.electronic_copy(flat) == Bill(0, D("0.00"), D(total), D("0.00"), D(total))


@pytest.mark.parametrize("flat", ["6.51", "31.80", "-0.01", "1.005", "free"])
def test_a_flat_fee_above_six_fifty_or_that_is_no_money_is_refused(flat):
    with pytest.raises(FeeRefused):
        fees.electronic_copy(flat)


OFFICE = {"rate": D("0.15"), "charge_electronic": True, "flat_fee": D("0.00")}


@pytest.mark.parametrize(
    ("delivery", "pages", "paper_pages", "postage", "office", "total"),
    [
        (Delivery.MAIL, 0, 37, "1.85", {}, "7.40"),
        (Delivery.PICK_UP, 0, 37, "0", {}, "5.55"),
        (Delivery.MAIL, 48, 0, "4.20", {}, "11.40"),
        (Delivery.MAIL, 48, 0, "4.20", {"charge_electronic": False}, "4.20"),
        (Delivery.PICK_UP, 48, 30, "0", {"charge_electronic": False}, "4.50"),
        (Delivery.ELECTRONIC, 212, 0, "0", {}, "0.00"),
        (Delivery.ELECTRONIC, 212, 20, "0", {}, "0.00"),  # scans are not charged
        (Delivery.ELECTRONIC, 212, 0, "0", {"flat_fee": D("6.50")}, "6.50"),
    ],
)
def test_each_way_of_delivery_has_its_bill(delivery, pages, paper_pages, postage, office, total):
    bill = fees.for_delivery(delivery, pages=pages, paper_pages=paper_pages, postage=D(postage), **OFFICE | office)
    assert bill.total == D(total)


@pytest.mark.parametrize("delivery", [Delivery.PICK_UP, Delivery.ELECTRONIC])
def test_only_what_is_mailed_has_postage(delivery):
    with pytest.raises(FeeRefused, match="goes by mail") as refusal:
        fees.for_delivery(delivery, pages=1, paper_pages=0, postage=D("4.20"), **OFFICE)
    assert refusal.value.field == "postage"


@pytest.mark.parametrize("pages", [-1, "-1", "1.5", 1.0, True, None, "", "ten", "1e3", "10000000", "\u0663", [3]])
def test_a_number_of_pages_that_is_none_is_refused(pages):
    with pytest.raises(FeeRefused, match="pages"):
        fees.check_pages(pages)


@pytest.mark.parametrize("pages", [0, 37, "37", " 37 ", "0037", 9_999_999])
def test_a_whole_number_of_pages_is_taken(pages):
    assert fees.check_pages(pages) == int(pages)


@pytest.mark.parametrize("amount", ["-0.01", "1.855", "0.001", "1,50", "$1", "", "1e2", "NaN", 1.85, True, "1234567890"])
def test_money_that_is_none_is_refused_by_name(amount):
    with pytest.raises(FeeRefused, match="Postage"):
        fees.check_money(amount, "Postage")


@pytest.mark.parametrize(
    ("amount", "value"), [("1.85", "1.85"), ("2", "2.00"), ("1.850", "1.85"), (3, "3.00"), (D("0.1"), "0.10")]
)
def test_money_has_two_places(amount, value):
    assert str(fees.check_money(amount, "Postage")) == value


@pytest.mark.parametrize("rate", ["0.155", "-0.15", "fifteen"])
def test_a_rate_with_a_fraction_of_a_cent_is_refused(rate):
    with pytest.raises(FeeRefused):
        fees.paper_copy(1, rate=rate)


CENTS = st.integers(0, 100_000).map(lambda cents: D(cents) / 100)
RATES = st.integers(0, 15).map(lambda cents: D(cents) / 100)


@given(paper=st.integers(0, 5000), electronic=st.integers(0, 5000), postage=CENTS, rate=RATES, charged=st.booleans())
def test_a_bill_adds_up_and_never_has_a_fraction_of_a_cent(paper, electronic, postage, rate, charged):
    bill = fees.paper_copy(paper, postage, rate=rate, electronic_pages=electronic, charge_electronic=charged)
    assert bill.total == bill.copies + bill.postage
    assert bill.copies == bill.pages * rate
    assert bill.pages == paper + (electronic if charged else 0)
    assert all(str(money)[-3] == "." for money in (bill.per_page, bill.copies, bill.postage, bill.total))


@given(pages=st.integers(0, 5000), more=st.integers(0, 500), postage=CENTS, dearer=CENTS)
def test_more_pages_or_postage_never_cost_less(pages, more, postage, dearer):
    before = fees.paper_copy(pages, postage)
    assert fees.paper_copy(pages + more, postage).total >= before.total
    assert fees.paper_copy(pages, postage + dearer).total == before.total + dearer


@given(pages=st.integers(0, 5000), paper=st.integers(0, 5000), flat=st.integers(0, 650))
def test_an_electronic_copy_costs_the_same_however_many_pages(pages, paper, flat):
    office = OFFICE | {"flat_fee": D(flat) / 100}
    bill = fees.for_delivery(Delivery.ELECTRONIC, pages=pages, paper_pages=paper, postage=D(0), **office)
    assert bill.total == D(flat) / 100
    assert bill.pages == 0

"""The fee table of law.md §12, row by row, and the postage that is only estimated."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from meso.models import Office
from requests_app import copies, fees, postage, quoting, tariff
from requests_app.fees import FeeRefused
from requests_app.kinds import Delivery
from requests_app.models import PostagePrice
from requests_app.postage import Band, Shape
from tests.factories import UserFactory
from tests.requests_app.answering import an_office
from tests.requests_app.test_copies import charted, filled, shown

D = Decimal
ON = date(2026, 11, 24)


def bill(delivery=Delivery.MAIL, pages=0, paper_pages=0, paid="0", **office):
    facts = {"rate": D("0.15"), "charge_electronic": True, "flat_fee": D(0), "scan_rate": None} | office
    return fees.for_delivery(delivery, pages=pages, paper_pages=paper_pages, postage=D(paid), **facts)


@pytest.mark.parametrize(
    ("what", "total"),
    [
        ({"paper_pages": 37, "paid": "1.85"}, "7.40"),
        ({"paper_pages": 212, "paid": "9.85"}, "41.65"),
        ({"paper_pages": 37, "delivery": Delivery.PICK_UP}, "5.55"),
        ({"pages": 48, "paid": "4.20"}, "11.40"),
        ({"pages": 48, "paid": "4.20", "charge_electronic": False}, "4.20"),
        ({"pages": 48, "paper_pages": 30}, "11.70"),
        ({"pages": 48, "paper_pages": 30, "charge_electronic": False}, "4.50"),
        ({"pages": 212, "delivery": Delivery.ELECTRONIC}, "0.00"),
        ({"pages": 212, "delivery": Delivery.ELECTRONIC, "flat_fee": D("6.50")}, "6.50"),
        ({"paper_pages": 20, "delivery": Delivery.ELECTRONIC}, "0.00"),
        ({"paper_pages": 20, "delivery": Delivery.ELECTRONIC, "scan_rate": D("0.15")}, "3.00"),
        ({"paper_pages": 37, "paid": "1.85", "rate": D("0.10")}, "5.55"),
        ({"paper_pages": 6, "paid": "0.73"}, "1.63"),
        ({"paper_pages": 40, "delivery": Delivery.PICK_UP}, "6.00"),
    ],
)
def test_each_row_of_the_fee_table(what, total):
    assert bill(**what).total == D(total)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"pages": 212, "delivery": Delivery.ELECTRONIC, "flat_fee": D("6.51")}, "6.50 at most"),
        ({"pages": 212, "delivery": Delivery.ELECTRONIC, "flat_fee": D("6.50"), "paid": "4.20"}, "goes by mail"),
        ({"paper_pages": 2, "delivery": Delivery.ELECTRONIC, "flat_fee": D("6.50"), "scan_rate": D("0.15")}, "all in"),
        ({"paper_pages": 20, "delivery": Delivery.ELECTRONIC, "scan_rate": D("0.15"), "paid": "0.73"}, "goes by mail"),
    ],
)
def test_what_the_table_forbids_is_refused(what, words):
    with pytest.raises(FeeRefused, match=words):
        bill(**what)


def test_looking_is_free_and_five_dollars_for_it_are_refused():
    assert fees.looking().total == 0
    with pytest.raises(FeeRefused, match="never costs anything"):
        fees.looking("5.00")


@pytest.mark.parametrize(("cap", "rate"), [(None, "0.15"), ("0.10", "0.10"), ("0.25", "0.15"), ("0.00", "0.00")])
def test_a_lower_cap_of_the_state_is_the_price(cap, rate):
    assert Office(state_page_cap=None if cap is None else D(cap)).page_rate == D(rate)


@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        ({"charge_scans": True}, True),
        ({"charge_scans": True, "cost_worksheet": "2 minutes at $4.50 an hour"}, False),
        ({"charge_scans": True, "cost_worksheet": "As above", "electronic_copy_fee": D("6.50")}, True),
        ({"cost_worksheet": "As above"}, False),
    ],
)
def test_scanning_is_charged_only_with_its_cost_on_file_and_beside_no_flat_price(facts, refused):
    office = Office(**facts)
    if refused:
        with pytest.raises(ValidationError):
            office.clean()
    else:
        office.clean()
    assert (office.scan_rate is None) == (refused or not facts.get("charge_scans", False))


@pytest.mark.parametrize(
    ("sides", "both", "sheets"), [(40, True, 20), (41, True, 21), (40, False, 40), (0, True, 0), (1, True, 1)]
)
def test_money_counts_sides_and_postage_weighs_sheets(sides, both, sheets):
    assert fees.sheets(sides, both_sides=both) == sheets
    assert bill(paper_pages=sides, delivery=Delivery.PICK_UP).copies == sides * D("0.15")


# --- the estimate ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sheets", "price"),
    [(0, None), (1, "0.82"), (6, "0.82"), (7, "1.11"), (12, "1.11"), (13, "1.40"), (18, "1.40"), (19, None), (21, None),
     (22, "2.56"), (25, "2.56"), (26, None), (81, None), (82, None)],
)  # fmt: skip
def test_the_estimate_rounds_the_weight_up_and_knows_no_unknown_band(sheets, price):
    """20-lb sheets of 0.16 oz: 6 are 0.96, 18 are 2.88; 19 are 3.04 of a letter, whose 4th ounce is unknown; 22 a large one."""
    band = postage.estimate(sheets, postage.KNOWN, ON)
    assert (band and band.price) == (D(price) if price else None)


def test_a_large_envelope_of_one_ounce_is_1_69_and_nothing_is_known_before_july_12():
    assert postage.estimate(5, postage.KNOWN, ON, shape=Shape.FLAT).price == D("1.69")
    assert postage.estimate(5, postage.KNOWN, date(2026, 7, 12)).price == D("0.82")
    assert postage.estimate(5, postage.KNOWN, date(2026, 7, 11)) is None


def test_a_later_row_takes_the_place_of_an_earlier_one_from_its_day():
    rows = [
        *postage.KNOWN,
        Band(Shape.LETTER, 1, D("0.86"), date(2027, 1, 10), "USPS"),
        Band(Shape.LETTER, 4, D("1.70"), ON, "USPS"),
    ]
    assert postage.estimate(3, rows, date(2027, 1, 9)).price == D("0.82")
    assert postage.estimate(3, rows, date(2027, 1, 10)).price == D("0.86")
    assert postage.estimate(20, rows, ON).price == D("1.70")


def test_the_admin_adds_a_price_and_the_bill_shows_the_estimate(client, signed_in, db):
    an_office()
    admin = signed_in("office_admin")
    assert "USPS Notice 123" in client.get("/office/postage/").text
    row = {"shape": "letter", "ounces": "1", "price": "0.90", "effective_on": "2026-11-01", "source": "Post office, Lark Street"}
    assert client.post("/office/postage/", row | {"ounces": "14"}).context["form"].errors
    assert client.post("/office/postage/", row).status_code == 302
    assert PostagePrice.objects.get().by == admin
    assert PostagePrice.objects.estimate(3, ON).price == D("0.90")


@pytest.mark.usefixtures("nov_24")
def test_the_desk_sees_sheets_and_the_estimate(client, signed_in):
    an_office()
    signed_in("front_desk")
    request = charted(UserFactory(role="privacy_officer"), entries=1)
    text = shown(client, request, paper_pages="9", both_sides="on").content.decode()
    assert "5 sheets of paper." in text
    assert "Postage is estimated at $0.82, up to 1 oz" in text
    assert "No postage price is known" in shown(client, request, paper_pages="200").content.decode()
    assert filled(request)["delivery"] == "mail"


def test_the_state_cap_is_what_the_bill_takes(db):
    office = an_office(state_page_cap=D("0.10"))
    order = copies.Order((), (), Delivery.MAIL, 37, D("1.85"))
    assert fees.for_delivery(**copies.figures(order, 0, office)).total == D("5.55")
    assert quoting.estimate(Delivery.MAIL, 37, "1.85", office).total == D("5.55")
    assert tariff.price_of_a_list(Delivery.MAIL, 37, D("1.85"), office).total == D("5.55")

"""What the office charges, as every price takes it, and the tariff of lists for the room below (disclosures/tariff.py)."""

from decimal import Decimal
from typing import Any

from disclosures.tariff import Price, PriceRefused, Tariff
from meso.models import Office
from requests_app import fees
from requests_app.kinds import Delivery


def rates(office: Office) -> dict[str, Any]:
    """What the office charges today, as fees.for_delivery takes it: its rate, capped where its state caps it."""
    return {
        "rate": office.page_rate,
        "charge_electronic": office.charge_electronic_pages,
        "flat_fee": office.electronic_copy_fee,
        "scan_rate": office.scan_rate,
    }


def price_of_a_list(delivery: str, pages: int, postage: Decimal, office: Office) -> Price:
    """What so many pages cost in this way at the office's rates of today. Raises PriceRefused."""
    try:
        bill = fees.for_delivery(delivery, pages=pages, paper_pages=0, postage=postage, **rates(office))
    except fees.FeeRefused as refusal:
        raise PriceRefused(str(refusal), refusal.field) from refusal
    return Price(bill.pages, bill.per_page, bill.postage, bill.total)


LISTS = Tariff(ways=Delivery.choices, price=price_of_a_list)

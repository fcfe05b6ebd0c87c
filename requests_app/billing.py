"""The bill of a copy that goes to others than the patient: the office's tariff, as for the patient (law.md §12)."""

from decimal import Decimal

from django.utils.translation import gettext as _

from disclosures import desk
from disclosures.desk import Bill, BillRefused, Papers
from disclosures.guard import Means, Plan
from disclosures.models import Release
from meso.models import Office, User
from meso.pdf import render_pdf
from requests_app import copies, fees
from requests_app.copies import Order, Quote
from requests_app.fees import FeeRefused
from requests_app.kinds import Delivery

_DELIVERY = {Means.MAIL: Delivery.MAIL, Means.PICK_UP: Delivery.PICK_UP}  # all else is sent electronically


@desk.bills
def bill_of(plan: Plan, papers: Papers, postage: str, office: Office, by: User) -> Bill:
    """The bill of a release, on paper and in dollars. Raises BillRefused for a figure that the tariff does not know."""
    delivery = _DELIVERY.get(Means(plan.means), Delivery.ELECTRONIC)
    try:
        paid = fees.check_money(postage, str(_("Postage")))
        order = Order(plan.entries, plan.loose, delivery, plan.paper_pages, paid)
        owed = fees.for_delivery(**copies.figures(order, papers.copy.pages, office))
    except FeeRefused as refusal:
        raise BillRefused(str(refusal)) from refusal
    made = Quote(order, papers.copy, owed, papers.beside, ())
    context = {
        "patient": plan.patient,
        "number": _number(plan),
        "office": office,
        "to": desk.addressed_to(plan),
        "dated": plan.on,
        "by": by,
        "quote": made,
        "rows": copies.rows_of(made, office),
    }
    return Bill(render_pdf("requests_app/letters/bill.html", context).content, Decimal(owed.total))


def _number(plan: Plan) -> str:
    """The chart, the day, and which release of that day it is."""
    before = Release.objects.filter(patient=plan.patient, released_on=plan.on).count()
    return f"{plan.patient.chart_number}-{plan.on:%Y%m%d}-{before + 1}"

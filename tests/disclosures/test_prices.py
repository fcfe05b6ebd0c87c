"""The first list in twelve months is free; a later one is charged for once its price was told and chosen (164.528(c)(2))."""

from datetime import date
from decimal import Decimal

import pytest

from disclosures import accounting, issuing, pricing
from disclosures.issuing import Terms
from disclosures.models import AccountingGiven, PriceAnswer, PriceTold
from disclosures.tariff import PriceRefused
from meso.models import Office
from tests.factories import AT, ContactPreferenceFactory, DisclosureFactory, PatientFactory, UserFactory

NOV_24 = date(2026, 11, 24)
PERIOD = (date(2026, 1, 1), date(2026, 11, 24))
MAILED = Terms("mail", Decimal("0.73"))


def now(on=NOV_24):
    return {"by": UserFactory(), "at": AT, "on": on, "office": Office.current()}


def issue(patient, terms=None, on=NOV_24, **more):
    return issuing.issue(patient, *PERIOD, terms=terms, how=terms.how if terms else "handed over", **now(on), **more)


@pytest.fixture
def later(patient):
    """A patient whose free list of these twelve months was asked for on March 15, 2026."""
    accounting.give(patient, *PERIOD, how="handed over", **now(date(2026, 3, 15)))
    return patient


@pytest.mark.parametrize(("asked_on", "free"), [(date(2027, 3, 14), False), (date(2027, 3, 15), True)])
def test_one_asked_for_on_march_15_makes_the_next_free_on_march_15(later, asked_on, free):
    assert pricing.standing(later, asked_on).is_free is free
    assert pricing.standing(PatientFactory(), asked_on).is_free


def test_only_a_free_one_counts_and_only_from_the_day_it_was_asked_for(later):
    """One given for nothing in between, or issued anew, moves the anniversary no further."""
    issue(later, Terms("electronic"), on=date(2026, 9, 1))
    assert AccountingGiven.objects.latest("id").later_one
    standing = pricing.standing(later, date(2027, 3, 14))
    assert (standing.last_free_on, standing.free_again_on) == (date(2026, 3, 15), date(2027, 3, 15))
    assert pricing.standing(later, date(2027, 3, 15)).is_free


def test_a_list_made_anew_for_its_request_is_that_requests(patient):
    facts = {"request_number": "R-1001", "requested_on": date(2026, 11, 2)}
    accounting.give(patient, *PERIOD, **now(), **facts)
    assert pricing.standing(patient, date(2026, 11, 2), "R-1001").is_free
    assert not pricing.standing(patient, date(2026, 11, 2), "R-1002").is_free
    assert not pricing.standing(patient, NOV_24).is_free


def six_pages(patient):
    for count in range(140):
        DisclosureFactory(patient=patient, recipient=f"Insurer number {count}", purpose_code="authorization")
    made = accounting.for_patient(patient, *PERIOD, on=NOV_24)
    return made.as_pdf(Office.current(), NOV_24).pages


def test_a_paper_list_costs_its_pages_and_the_stamp(later, monkeypatch):
    """Six pages mailed for 73 cents: $1.63."""
    real = accounting.Accounting.as_pdf
    monkeypatch.setattr(accounting.Accounting, "as_pdf", lambda self, *args: type(pdf := real(self, *args))(pdf.content, 6))
    with pytest.raises(PriceRefused, match=r"costs \$1\.63: 6 pages at \$0\.15, postage \$0\.73") as refusal:
        issue(later, MAILED)
    assert refusal.value.field == "told_on"
    told = issue(later, Terms("mail", Decimal("0.73"), told_on=NOV_24))
    assert isinstance(told, PriceTold)
    assert (told.pages, told.rate, told.postage, told.total) == (6, Decimal("0.15"), Decimal("0.73"), Decimal("1.63"))


def test_the_pages_are_those_of_the_list_as_it_is_drawn(later):
    pages = six_pages(later)
    assert pages > 3
    told = issue(later, Terms("pick_up", told_on=NOV_24))
    assert told.total == pages * Decimal("0.15")


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (None, "Say how it goes out"),
        (Terms("pick_up", Decimal("0.73"), NOV_24), "Only a copy that goes by mail has postage"),
        (Terms("mail", told_on=date(2026, 11, 25)), "between"),
        (Terms("mail", told_on=date(2026, 11, 23)), "between"),
    ],
)
def test_what_can_not_be_told(later, terms, words):
    with pytest.raises(PriceRefused, match=words):
        issue(later, terms)
    assert AccountingGiven.objects.count() == 1


@pytest.mark.parametrize("terms", [Terms("electronic"), Terms("mail", Decimal("0.73"), waived=True)])
def test_an_electronic_list_costs_nothing_and_the_office_may_waive(later, terms):
    given = issue(later, terms)
    assert (given.fee, given.later_one) == (0, True)
    assert not PriceTold.objects.exists()


def test_the_tariff_of_the_day_is_pinned(later):
    office = Office.current()
    office.copy_rate = Decimal("0.10")
    office.save()
    told = issue(later, Terms("pick_up", told_on=NOV_24))
    office.copy_rate = Decimal("0.15")
    office.save()
    given = issuing.answer_price(told, "accept", answered_on=NOV_24, **now())
    assert (given.fee, told.rate) == (Decimal("0.10") * told.pages, Decimal("0.10"))


@pytest.mark.parametrize(("choice", "made"), [("accept", 1), ("narrow", 0), ("withdraw", 0)])
def test_only_who_chooses_to_pay_is_charged(later, choice, made):
    told = issue(later, Terms("pick_up", told_on=NOV_24))
    assert pricing.open_price(later) == told
    given = issuing.answer_price(told, choice, answered_on=NOV_24, **now())
    assert AccountingGiven.objects.count() == 1 + made
    assert pricing.open_price(later) is None
    if made:
        assert (given.fee, given.price_told, given.later_one) == (told.total, told, True)
    with pytest.raises(PriceRefused, match="recorded already"):
        issuing.answer_price(told, "accept", answered_on=NOV_24, **now())


@pytest.mark.parametrize("answered_on", [date(2026, 11, 23), date(2026, 11, 25)])
def test_an_answer_comes_between_the_telling_and_today(later, answered_on):
    told = issue(later, Terms("pick_up", told_on=NOV_24))
    with pytest.raises(PriceRefused, match="between"):
        issuing.answer_price(told, "accept", answered_on=answered_on, **now())
    assert not PriceAnswer.objects.exists()


@pytest.mark.parametrize("choice", [None, "narrow", "withdraw"])
def test_no_way_round_charges_without_the_choice_to_pay(later, choice):
    told = issue(later, Terms("pick_up", told_on=NOV_24))
    if choice:
        told.answer(choice, answered_on=NOV_24, by=UserFactory(), at=AT)
    with pytest.raises(PriceRefused, match="chose to pay"):
        accounting.give(later, *PERIOD, told=told, how="handed over", **now())
    with pytest.raises(PriceRefused, match="after the patient was told"):
        accounting.give(PatientFactory(), *PERIOD, told=told, how="handed over", **now())


def test_a_price_pays_for_one_list_and_no_second(later):
    """The log has grown since, so it would be another list: it needs a price of its own."""
    told = issue(later, Terms("pick_up", told_on=NOV_24))
    issuing.answer_price(told, "accept", answered_on=NOV_24, **now())
    DisclosureFactory(patient=later, recipient="Somebody since")
    with pytest.raises(PriceRefused, match="The list of this price was made already"):
        accounting.give(later, *PERIOD, told=told, how="handed over", **now())
    assert AccountingGiven.objects.count() == 2


# --- the desk's page --------------------------------------------------------------------------------------------------

PAGE = "/patients/10023/accounting/"
SENT = {"start": "2026-01-01", "end": "2026-11-24"}
FREE = SENT | {"how": "handed over"}


@pytest.mark.usefixtures("nov_24")
def test_the_desk_sees_the_price_tells_it_and_records_the_answer(client, signed_in, later):
    signed_in("front_desk")
    page = client.get(PAGE).content.decode()
    assert "was asked for on Mar 15, 2026; the next one is free from Mar 15, 2027" in page
    asked = {**SENT, "delivery": "mail", "postage": "0.73", "told_on": ""}
    page = client.post(f"{PAGE}give/", asked).content.decode()
    assert "It costs $0.88: 1 page at $0.15, postage $0.73." in page
    assert not PriceTold.objects.exists()
    client.post(f"{PAGE}give/", asked | {"told_on": "2026-11-24"})
    told = PriceTold.objects.get()
    assert "costs <strong>$0.88</strong>" in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}price/{told.pk}/", {"choice": "", "answered_on": ""}).context["answer_form"].errors
    client.post(f"{PAGE}price/{told.pk}/", {"choice": "accept", "answered_on": "2026-11-24"})
    assert AccountingGiven.objects.latest("id").fee == Decimal("0.88")
    assert "$0.88" in client.get(PAGE).content.decode()


@pytest.mark.usefixtures("nov_24")
def test_a_second_click_on_a_free_list_asks_for_no_money(client, signed_in, patient):
    signed_in("front_desk")
    for _ in range(2):
        assert client.post(f"{PAGE}give/", FREE).status_code == 302
    assert AccountingGiven.objects.count() == 1


@pytest.mark.usefixtures("nov_24")
def test_a_wrong_figure_is_said_at_its_field(client, signed_in, later):
    signed_in("front_desk")
    form = client.post(f"{PAGE}give/", {**SENT, "delivery": "pick_up", "postage": "0.73"}).context["give_form"]
    assert "Only a copy that goes by mail has postage" in str(form.errors["postage"])
    form = client.post(f"{PAGE}give/", {**SENT, "delivery": "mail", "postage": "-1"}).context["give_form"]
    assert list(form.errors) == ["postage"]


@pytest.mark.usefixtures("nov_24")
def test_a_priced_list_goes_out_as_the_patient_wishes_when_it_is_told_and_when_it_is_paid(client, signed_in, later):
    ContactPreferenceFactory(patient=later, means="phone", where="555-010-9999")
    signed_in("front_desk")
    mailed = {**SENT, "delivery": "mail", "postage": "0.73", "told_on": "2026-11-24"}
    form = client.post(f"{PAGE}give/", mailed).context["give_form"]
    assert "reached only so: By telephone, 555-010-9999" in str(form.errors["delivery"])
    assert not PriceTold.objects.exists()
    ContactPreferenceFactory(patient=later, begins_on=date(2026, 11, 1))
    client.post(f"{PAGE}give/", mailed)
    told = PriceTold.objects.get()
    ContactPreferenceFactory(patient=later, means="phone", where="555-010-9999", begins_on=date(2026, 11, 24))
    paid = f"{PAGE}price/{told.pk}/"
    answer = client.post(paid, {"choice": "accept", "answered_on": "2026-11-24"})
    assert "reached only so" in str(answer.context["answer_form"].non_field_errors())
    assert not PriceAnswer.objects.exists()
    ContactPreferenceFactory(patient=later, begins_on=date(2026, 11, 24))
    client.post(paid, {"choice": "accept", "answered_on": "2026-11-24"})
    assert AccountingGiven.objects.latest("id").how == "by mail"


@pytest.mark.usefixtures("nov_24")
@pytest.mark.parametrize(
    ("delivery", "how"), [("mail", "by mail"), ("pick_up", "handed over"), ("electronic", "by encrypted e-mail")]
)
def test_a_later_list_that_costs_nothing_keeps_the_way_of_its_delivery(client, signed_in, later, delivery, how):
    signed_in("front_desk")
    client.post(f"{PAGE}give/", {**SENT, "delivery": delivery, "waived": "on"})
    assert AccountingGiven.objects.latest("id").how == how


@pytest.mark.usefixtures("nov_24")
def test_a_form_for_a_free_list_that_was_given_meanwhile_asks_for_the_price(client, signed_in, patient):
    signed_in("front_desk")
    client.post(f"{PAGE}give/", FREE)
    DisclosureFactory(patient=patient, recipient="Somebody since", purpose_code="authorization")
    form = client.post(f"{PAGE}give/", FREE).context["give_form"]
    assert "This list is not free" in str(form.errors["delivery"])

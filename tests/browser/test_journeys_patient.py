"""The patient at home, on a telephone without scripts: the notice, each of the five forms, the receipt, how far it is."""

import io
import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from requests_app.kinds import Kind
from requests_app.models import PatientRequest
from tests.browser.conftest import PHONE, WITHOUT_SCRIPTS
from tests.conftest import NOV_24
from tests.factories import UserFactory
from tests.requests_app.answering import an_office

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nov_24")]
NAME, BORN, PHONE_NUMBER = "María-José Carreño Quiñones", "7/2/1984", "(518) 555-0199"
# kind -> (its name on the page, what is chosen in its form, what is written into it)
FORMS: dict[str, tuple[str, list[str], dict[str, str]]] = {
    Kind.ACCESS: (
        "See or copy your record", ["Electronic copy"], {"Which records": "The visits of 2026", "E-mail": "majo@example.org"},
    ),
    Kind.AMENDMENT: ("Correct your record", [], {"What should change": "I do not smoke", "Why it should change": "Never did"}),
    Kind.RESTRICTION: ("Limit who sees your record", [], {"What to keep private": "The May visit", "From whom": "My plan"}),
    Kind.CONFIDENTIAL_COMMUNICATION: (
        "Choose how we reach you", ["By mail"], {"Where": "PO Box 12\nAlbany, NY 12201", "What not to use": "Home telephone"},
    ),
    Kind.ACCOUNTING: ("Get the list of whom we told", [], {"List from": "2024-01-01"}),
}  # fmt: skip


def test_the_patients_way(opened, seen, addresses):
    an_office()
    page = opened(PHONE, **WITHOUT_SCRIPTS)
    page.goto("/privacy/")
    expect(page.get_by_text("Nora Lindqvist").first).to_be_visible()
    seen(page)
    receipts = {kind: send(page, seen, kind) for kind in FORMS}
    taken = {request.kind: request for request in PatientRequest.objects.all()}
    assert {kind: (request.number, request.asker_name) for kind, request in taken.items()} == {
        kind: (number, NAME) for kind, (number, code) in receipts.items()
    }
    assert taken[Kind.CONFIDENTIAL_COMMUNICATION].details == {
        "means": "mail", "where": "PO Box 12\nAlbany, NY 12201", "avoid": "Home telephone",
    }  # fmt: skip
    keeps_an_error(page, seen)
    look_how_far_it_is(page, seen, *receipts[Kind.AMENDMENT])
    hear_of_a_change(page, seen, taken[Kind.ACCESS], *receipts[Kind.ACCESS])
    assert not [address for address in addresses if re.search("quin|carre|smoke|1984", address, re.IGNORECASE)]


def choose(page: Page, kind: str) -> None:
    page.get_by_role("link", name="Send a request").first.click()
    page.get_by_label(FORMS[kind][0]).check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(FORMS[kind][0])


def send(page: Page, seen, kind: str) -> tuple[str, str]:
    """Fill in the form of one kind and send it. Gives the number and the code of its receipt."""
    _title, chosen, words = FORMS[kind]
    choose(page, kind)
    seen(page)
    for label in chosen:
        page.get_by_label(label).check()
    for label, text in {**words, "Patient's name": NAME, "Patient's date of birth": BORN, "Telephone": PHONE_NUMBER}.items():
        page.get_by_label(re.compile(f"^{label}")).fill(text)
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("We have your request")
    number, code = (cell.inner_text() for cell in page.locator(".receipt-code").all())
    if kind == Kind.ACCESS:
        seen(page)
        printed = page.request.get(page.get_by_role("link", name="Print or save the receipt").get_attribute("href") or "").body()
        words_on_paper = " ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(printed)).pages)
        assert printed.startswith(b"%PDF")
        assert number in words_on_paper
        assert code in words_on_paper
    return number, code


def keeps_an_error(page: Page, seen) -> None:
    choose(page, Kind.RESTRICTION)
    page.get_by_label("From whom").fill("My health plan")
    page.get_by_label("Patient's name").fill(NAME)
    page.get_by_label("Patient's date of birth").fill("2 July")
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_role("alert")).to_contain_text("It is not sent yet")
    expect(page.get_by_label("Patient's date of birth")).to_have_value("2 July")
    expect(page.get_by_label("From whom")).to_have_value("My health plan")
    expect(page.get_by_label("Patient's name")).to_have_value(NAME)
    seen(page)
    assert PatientRequest.objects.count() == len(FORMS)


def ask_for(page: Page, number: str, code: str) -> None:
    page.get_by_role("link", name="Check a request").first.click()
    page.get_by_label("Number of the request").fill(number)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Show how far it is").click()


def tells_nothing_of_the_person(page: Page) -> None:
    shown = page.content()
    for secret in ("Carreño", "José", "1984", "555-0199", "smoke", "visit", "chart"):
        assert secret not in shown, f"the status tells {secret}"


def look_how_far_it_is(page: Page, seen, number: str, code: str) -> None:
    ask_for(page, number, "2222-2222-2222")
    expect(page.get_by_role("alert")).to_contain_text("No request has this number with this code")
    seen(page)
    ask_for(page, number, code.lower())
    expect(page.get_by_role("heading", level=2)).to_have_text(f"{number}: We are working on it")
    expect(page.get_by_role("main")).to_contain_text("Thursday, December 24, 2026")
    tells_nothing_of_the_person(page)
    seen(page)


def hear_of_a_change(page: Page, seen, request: PatientRequest, number: str, code: str) -> None:
    """The office extends the request by letter; the patient sees the new day."""
    officer = UserFactory(role="privacy_officer")
    now = {"by": officer, "at": timezone.now(), "on": NOV_24}
    request.extend(until=NOV_24.replace(month=12, day=31), reason="The paper chart is away.", told_on=NOV_24, **now)
    ask_for(page, number, code)
    expect(page.get_by_role("main")).to_contain_text("Thursday, December 31, 2026")
    tells_nothing_of_the_person(page)
    seen(page)

"""The patient at home: a telephone's narrow screen, no scripts, and a screen reader's eye on every page."""

import re

import pytest
from playwright.sync_api import Page, expect

from meso import clock
from meso.models import Office
from requests_app import work
from requests_app.models import PatientRequest
from tests.browser.conftest import DESK, PHONE, WITHOUT_SCRIPTS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=[(PHONE, WITHOUT_SCRIPTS), (DESK, {})], ids=["phone without scripts", "desk"])
def visitor(opened, request) -> Page:
    """A page of a stranger's browser."""
    size, options = request.param
    return opened(size, **options)


def choose(page: Page, what: str) -> None:
    page.get_by_label(what).check()
    page.get_by_role("button", name="Continue").click()


def test_a_patient_reads_asks_and_looks_how_far_it_is(visitor: Page, seen):
    Office.current()
    visitor.goto("/privacy/")
    seen(visitor)
    visitor.get_by_role("link", name="Send a request").last.click()
    visitor.get_by_role("button", name="Continue").click()
    expect(visitor.get_by_role("alert")).to_contain_text("Choose one of the five")
    seen(visitor)
    choose(visitor, "Correct your record")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Correct your record")
    seen(visitor)

    visitor.get_by_label("What should change").fill("I do not smoke")
    visitor.get_by_label("Patient's name").fill("Nguyễn Thị Minh Khai")
    visitor.get_by_label("Patient's date of birth").fill("2 July")
    visitor.get_by_role("button", name="Send request").click()
    expect(visitor.get_by_role("alert")).to_contain_text("It is not sent yet")
    expect(visitor.get_by_label("What should change")).to_have_value("I do not smoke")
    expect(visitor.get_by_label("Patient's date of birth")).to_have_value("2 July")
    seen(visitor)

    visitor.get_by_label("Patient's date of birth").fill("7/2/1984")
    visitor.get_by_label("Telephone").fill("555-010-2233")
    visitor.get_by_role("button", name="Send request").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("We have your request")
    seen(visitor)
    number, code = (cell.inner_text() for cell in visitor.locator(".receipt-code").all())
    taken = PatientRequest.objects.get()
    assert (taken.number, taken.asker_name, taken.details) == (number, "Nguyễn Thị Minh Khai", {"change": "I do not smoke"})

    visitor.get_by_role("link", name="Check a request").first.click()
    visitor.get_by_label("Number of the request").fill(number)
    visitor.get_by_label("Code").fill("2222-2222-2222")
    visitor.get_by_role("button", name="Show how far it is").click()
    expect(visitor.get_by_role("alert")).to_contain_text("No request has this number with this code")
    seen(visitor)
    visitor.get_by_label("Code").fill(code.lower())
    visitor.get_by_role("button", name="Show how far it is").click()
    expect(visitor.get_by_role("heading", level=2)).to_contain_text("We are working on it")
    seen(visitor)


def test_the_other_forms_are_sound_too(visitor: Page, seen):
    for kind in ("See or copy", "Limit who sees", "Choose how we reach", "Get the list"):
        visitor.goto("/privacy/request/")
        choose(visitor, kind)
        expect(visitor.get_by_role("heading", level=1)).to_contain_text(kind)
        seen(visitor)


def test_a_change_of_mind_loses_nothing(visitor: Page):
    visitor.goto("/privacy/request/?kind=restriction")
    visitor.get_by_label("What to keep private").fill("The May visit")
    visitor.get_by_label("I act for the patient").check()
    visitor.get_by_label("Your name").fill("Rosa")
    visitor.get_by_label("Patient's name").fill("Isa")
    visitor.get_by_role("button", name="Ask for something else").click()
    choose(visitor, "Get the list")
    expect(visitor.get_by_label("Patient's name")).to_have_value("Isa")
    expect(visitor.get_by_label("Your name")).to_have_value("Rosa")
    visitor.get_by_role("button", name="Ask for something else").click()
    choose(visitor, "Limit who sees")
    expect(visitor.get_by_label("What to keep private")).to_have_value("The May visit")
    expect(visitor.get_by_label("I act for the patient")).to_be_checked()


def test_enter_sends_the_form_and_does_not_change_the_choice(phone):
    visitor = phone(**WITHOUT_SCRIPTS)
    visitor.goto("/privacy/request/?kind=access")
    visitor.get_by_label("Electronic copy").check()
    visitor.get_by_label("Patient's name").fill("Isa")
    visitor.get_by_label(re.compile("^E-mail")).fill("isa@example.org")
    visitor.get_by_label(re.compile("^E-mail")).press("Enter")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("We have your request")


@pytest.fixture
def busy(db):
    """Twenty requests have come in within the hour."""
    Office.objects.update_or_create(pk=1, defaults={"phone": "555-010-4400"})
    for _ in range(work.IN_ALL.most):
        work.IN_ALL.add(clock.now(), "")


def fill_in(page: Page) -> None:
    page.goto("/privacy/request/?kind=accounting")
    page.get_by_label("Patient's name").fill("Nguyễn Thị Minh Khai")
    page.get_by_label("Telephone").fill("555-010-2233")


def test_when_many_come_in_the_browser_does_its_sum_while_the_patient_writes(opened, seen, busy):
    page = opened(PHONE)
    fill_in(page)
    expect(page.get_by_role("status")).to_contain_text("small sum")
    seen(page)
    page.get_by_role("button", name="Send request").press("Enter")  # before or after it is done
    expect(page.get_by_role("heading", level=1)).to_have_text("We have your request", timeout=60_000)
    assert PatientRequest.objects.count() == 1


def test_without_scripts_it_says_how_long_to_wait_and_whom_to_call(opened, seen, busy):
    page = opened(PHONE, **WITHOUT_SCRIPTS)
    fill_in(page)
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_text("open for two minutes")).to_be_visible()
    expect(page.get_by_text("555-010-4400").first).to_be_visible()
    expect(page.get_by_label("Patient's name")).to_have_value("Nguyễn Thị Minh Khai")
    seen(page)
    assert PatientRequest.objects.count() == 0

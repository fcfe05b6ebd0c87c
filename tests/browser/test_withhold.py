"""The officer withholds words, sees the black box told before the copy is made, and opens a closed request again."""

import pytest
from playwright.sync_api import expect

from meso.models import Office
from requests_app import answers
from requests_app.kinds import Outcome
from tests.browser.conftest import DESK, PHONE
from tests.conftest import NOV_24
from tests.factories import EntryFactory, UserFactory
from tests.requests_app.answering import an_office, now, verified
from tests.requests_app.test_package import BODY, SECRET

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nov_24")]

SELECT = """([from, to]) => {
  const node = document.querySelector('[data-entry-text] .body-text').firstChild;
  getSelection().setBaseAndExtent(node, from, node, to);
}"""


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_words_are_selected_withheld_and_told_on_the_bill(opened, assert_accessible, size):
    an_office()
    officer = UserFactory(role="privacy_officer", first_name="Nora", last_name="Lindqvist")
    request = verified("access", officer, NOV_24)
    EntryFactory(patient=request.patient, body=BODY)
    page = opened(size, user=officer)
    page.goto(request.get_absolute_url())
    page.get_by_role("link", name="Withhold words from the copy").click()
    assert_accessible(page)
    page.get_by_role("link", name="Choose words").click()
    expect(page.locator("[data-entry-text] .body-text")).to_be_visible()
    page.wait_for_load_state()
    start = BODY.index(SECRET)
    page.evaluate(SELECT, [start, start + len(SECRET)])
    expect(page.get_by_label("Words to withhold")).to_have_value(SECRET)
    page.get_by_label("Someone other than a health care provider gave it to us").check()
    assert_accessible(page)
    page.get_by_role("button", name="Withhold these words").click()
    expect(page.get_by_text(f"“{SECRET}”")).to_be_visible()
    assert_accessible(page)
    answers.decide_with_letter(
        request, Outcome.GRANTED_IN_PART, ground="U5", text="One line.", office=Office.current(), **now(officer, NOV_24)
    )
    page.goto(f"/requests/{request.number}/copies/")
    page.get_by_label("Electronic copy", exact=True).check()
    page.get_by_role("button", name="Work out the bill").click()
    expect(page.get_by_text("1 passage is blacked out")).to_be_visible()
    assert_accessible(page)


def test_a_closed_request_is_opened_again_and_its_letter_followed(desk, assert_accessible):
    an_office()
    officer = UserFactory(role="privacy_officer")
    request = verified("restriction", officer, NOV_24)
    facts = {"office": Office.current(), **now(officer, NOV_24)}
    letter = answers.decide_with_letter(request, Outcome.DENIED, ground="N1", text="No", **facts)
    answers.send_letter(letter, sent_on=NOV_24, how="by mail", **now(officer, NOV_24))
    page = desk("privacy_officer")
    page.goto(request.get_absolute_url())
    page.get_by_role("link", name="What became of it").click()
    page.get_by_label("It came back").check()
    page.get_by_label("What is known of it").fill("No such number")
    assert_accessible(page)
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_text("It counts as sent; the patient has not got it.")).to_be_visible()
    page.goto("/")
    expect(page.get_by_text("send the letter another way")).to_be_visible()
    assert_accessible(page)
    page.goto(request.get_absolute_url())
    page.get_by_role("link", name="Open the request again").click()
    page.get_by_label("Reason").fill("The physician looked at it again")
    page.get_by_role("button", name="Open again and make the letter").click()
    expect(page.get_by_role("link", name="Decide", exact=True)).to_be_visible()
    assert_accessible(page)

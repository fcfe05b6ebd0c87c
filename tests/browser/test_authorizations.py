"""A signed form's way across the desk: recorded with what it lacks, written about, recorded anew, used, taken back."""

import pytest
from playwright.sync_api import expect

from disclosures.models import Authorization, AuthorizationLetterSent, Disclosure
from tests.browser.conftest import DESK, PHONE
from tests.factories import AttachmentFactory, PatientFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SCAN = {"name": "scan.png", "mimeType": "image/png", "buffer": AttachmentFactory.content}


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_form_that_lacks_a_part_is_written_about_replaced_used_and_taken_back(opened, assert_accessible, size):
    PatientFactory(chart_number="10023", first_name="Maria", last_name="Quispe")
    page = opened(size, role="front_desk")
    page.goto("/patients/10023/authorizations/")
    assert_accessible(page)
    page.get_by_role("link", name="Record a signed form").click()
    expect(page.get_by_label("By what right")).to_be_hidden()
    page.get_by_label("A representative").check()
    expect(page.get_by_label("By what right")).to_be_visible()
    page.get_by_label("The patient", exact=True).check()
    page.get_by_label("Scan of the signed paper").set_input_files(SCAN)
    page.get_by_label("What may be given").fill("My whole record")
    page.get_by_label("Who gets it").fill("Beacon Life")
    page.get_by_label("What for").fill("Life insurance")
    page.get_by_label("Last day").fill("2099-12-31")
    page.get_by_label("Signed on").fill("2026-01-02")
    page.get_by_label("Whether care depends on signing").check()
    page.get_by_label("That it may be passed on").check()
    assert_accessible(page)
    page.get_by_role("button", name="Record the form").click()
    expect(page.get_by_text("The form does not say that it can be taken back in writing")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Make the letter of what is missing").click()
    page.get_by_role("link", name="It went out").click()
    assert_accessible(page)
    page.get_by_role("button", name="Record the sending").click()
    expect(page.get_by_role("link", name="Record it anew")).to_be_visible()
    assert AuthorizationLetterSent.objects.get().way == "mail"
    page.get_by_role("link", name="Record it anew").click()
    page.get_by_label("That it can be taken back in writing").check()
    page.get_by_role("button", name="Record the form").click()
    expect(page.get_by_text("It may be used through the end of December 31, 2099.")).to_be_visible()
    page.get_by_role("link", name="Log disclosure").click()
    page.get_by_label("Why", exact=True).select_option("authorization")
    page.get_by_label("On which authorization").select_option(label="Jan 2, 2026 · Beacon Life · Valid")
    page.get_by_label("What was given").fill("Visit notes")
    page.get_by_role("button", name="Log disclosure").click()
    expect(page.get_by_text("The disclosure is in the log.")).to_be_visible()
    new = Authorization.objects.get(complete=True)
    row = Disclosure.objects.get()
    assert (row.authorization, row.recipient, row.purpose) == (new, "Beacon Life", "Life insurance")
    page.get_by_role("link", name=f"authorization {new.pk}").click()
    page.get_by_role("link", name="The patient takes it back").click()
    page.get_by_label("In writing").check()
    assert_accessible(page)
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("Revoked.")).to_be_visible()
    assert_accessible(page)
    page.goto("/authorizations/")
    assert_accessible(page)

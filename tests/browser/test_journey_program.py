"""The privacy program: a notice put in force and handed out, a complaint from its sender to its answer, the auditor's ZIP."""

import io
import zipfile

import pytest
from playwright.sync_api import Page, expect

from records.models import NoticeVersion
from requests_app.models import Complaint
from tests.browser.conftest import DESK, PHONE
from tests.factories import PatientFactory
from tests.requests_app.answering import an_office

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nov_24")]


def complain(page: Page, assert_accessible) -> None:
    page.goto("/privacy/")
    page.get_by_role("link", name="Complain about privacy").click()
    assert_accessible(page)
    page.get_by_label("What happened").fill("My name was called out loud.")
    page.get_by_label("How we can reach you").fill("555-010-2233")
    page.get_by_role("button", name="Send complaint").click()
    expect(page.get_by_text(Complaint.objects.get().number)).to_be_visible()
    assert_accessible(page)


def put_in_force(page: Page, assert_accessible) -> None:
    page.goto("/")
    page.get_by_role("link", name="Privacy", exact=True).click()
    assert_accessible(page)
    page.get_by_role("link", name="Notice versions").click()
    expect(page.get_by_text("No notice is in force.")).to_be_visible()
    page.get_by_role("link", name="New version").click()
    breach = page.get_by_label("If it gets into wrong hands")
    said = breach.input_value()
    breach.fill("We tell you.")
    page.get_by_role("button", name="Put this version in force").click()
    expect(page.get_by_text("It must speak of “breach”")).to_be_visible()
    assert_accessible(page)
    breach.fill(said)
    page.get_by_role("button", name="Put this version in force").click()
    expect(page.get_by_text("In force now")).to_be_visible()
    page.get_by_role("button", name="Record posting").click()
    expect(page.get_by_text("In the office, where patients see it, Nov 24, 2026")).to_be_visible()
    assert_accessible(page)


def answer(page: Page, assert_accessible) -> None:
    page.goto("/complaints/")
    page.get_by_role("link", name=Complaint.objects.get().number).click()
    for verb, words in (("outcome", "Patients are called by first name now."), ("answered", "We called and said we are sorry.")):
        page.get_by_label("What was done").select_option(verb)
        page.get_by_label("In words").fill(words)
        page.get_by_role("button", name="Write it down").click()
        expect(page.get_by_text(words)).to_be_visible()
    assert_accessible(page)


def export(page: Page, assert_accessible) -> None:
    page.goto("/auditor/")
    assert_accessible(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Make the export").click()
    with zipfile.ZipFile(io.BytesIO(waiting.value.path().read_bytes())) as archive:
        assert b"Patients are called by first name now." in archive.read("complaints.csv")
        assert any(name.startswith("notices/notice-") for name in archive.namelist())


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_privacy_program_from_the_notice_to_the_auditor(opened, assert_accessible, size):
    an_office()
    PatientFactory(chart_number="10023")
    complain(opened(size), assert_accessible)
    officer = opened(size, role="privacy_officer")
    put_in_force(officer, assert_accessible)
    answer(officer, assert_accessible)
    officer.goto("/retention/")
    assert_accessible(officer)
    export(officer, assert_accessible)
    desk = opened(size, role="front_desk")
    desk.goto("/patients/10023/")
    expect(desk.get_by_text("Notice not given yet.")).to_be_visible()
    desk.get_by_role("link", name="Record it").click()
    assert_accessible(desk)
    desk.get_by_role("button", name="Record that it was given").click()
    expect(desk.get_by_text("Notice not given yet.")).to_have_count(0)
    assert NoticeVersion.objects.get().postings.count() == 1

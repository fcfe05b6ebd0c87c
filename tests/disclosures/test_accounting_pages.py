"""The page of an accounting: its period and scope, its files, and what is given and kept."""

import io
import json
from datetime import date

import pytest
from django.core.management import call_command
from pypdf import PdfReader

from disclosures import accounting
from disclosures.accounting_rules import ListRefused
from disclosures.models import AccountingGiven
from meso.models import Office
from records.models import MinorConsent
from tests.disclosures.log_pages import last_event
from tests.factories import AT, ContactPreferenceFactory, DisclosureFactory, EntryFactory, UserFactory
from tests.requests_app.answering import a_doctor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]
PAGE = "/patients/10023/accounting/"
GIVE = {"start": "2026-01-01", "end": "2026-11-24", "how": "handed over"}


@pytest.mark.parametrize(("scope", "shown_"), [("notice", True), ("hipaa", False)])
def test_only_the_officer_may_give_the_shorter_list(client, signed_in, patient, scope, shown_):
    DisclosureFactory(patient=patient, purpose_code="authorization", recipient="Beacon Life")
    address = f"/patients/10023/accounting/?start=2026-01-01&end=2026-11-24&scope={scope}&reason=asked"
    signed_in("privacy_officer")
    assert ("Beacon Life" in client.get(address).content.decode()) is shown_
    signed_in("front_desk")
    assert "Beacon Life" in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("start=2020-11-23&end=2026-11-24", "reaches back six years: Nov 24, 2020"),
        ("start=2026-01-01&end=2026-11-25", "last day can&#x27;t lie in the future"),
        ("start=2026-02-01&end=2026-01-01", "comes before the first one"),
        ("start=2026-01-01&end=2026-11-24&scope=hipaa", "Say why the patient gets the shorter list"),
        ("start=x&end=", "This is not a day"),
    ],
)
def test_a_period_that_is_not_right_is_named(client, signed_in, patient, query, words):
    signed_in("privacy_officer")
    assert words in client.get(f"/patients/10023/accounting/?{query}").content.decode()


def test_an_accounting_given_is_downloaded_as_issued(client, signed_in, patient):
    signed_in("front_desk")
    DisclosureFactory(patient=patient)
    client.post("/patients/10023/accounting/give/", GIVE)
    kept = patient.accountings.defer(None).get()
    assert (kept.start, kept.end, kept.lines) == (date(2026, 1, 1), date(2026, 11, 24), 1)
    response = client.get(f"/patients/10023/accounting/given/{kept.pk}/")
    assert response.content == bytes(kept.document)
    assert patient.last_name not in response["Content-Disposition"]
    assert last_event().action == "download"


@pytest.mark.parametrize(("format_", "kind"), [("json", "application/json"), ("csv", "text/csv"), ("pdf", "application/pdf")])
def test_an_accounting_as_a_file(client, signed_in, patient, format_, kind):
    signed_in("front_desk")
    response = client.get(f"/patients/10023/accounting/file/{format_}/")
    assert response["Content-Type"].startswith(kind)
    assert last_event().action == "export"


def test_one_click_gives_six_years_up_to_today(client, signed_in, patient):
    signed_in("front_desk")
    for day in (date(2020, 11, 23), date(2020, 11, 24), date(2026, 11, 24)):
        DisclosureFactory(patient=patient, disclosed_on=day, purpose_code="authorization")
    accounting = client.get(PAGE).context["accounting"]
    assert (accounting.start, accounting.end) == (date(2020, 11, 24), date(2026, 11, 24))
    assert [line.disclosed_on for line in accounting.lines] == [date(2020, 11, 24), date(2026, 11, 24)]


def test_the_file_is_what_the_command_prints(client, signed_in, patient, capsys):
    signed_in("front_desk")
    DisclosureFactory(patient=patient)
    call_command("accounting", "10023", "--from", "2020-11-24", "--to", "2026-11-24")
    assert client.get(f"{PAGE}file/json/").json() == json.loads(capsys.readouterr().out)


def test_a_file_of_a_wrong_period_is_not_made(client, signed_in, patient):
    signed_in("front_desk")
    response = client.get(f"{PAGE}file/pdf/?start=2010-01-01&end=2026-11-24", follow=True)
    assert response.redirect_chain == [(f"{PAGE}?start=2010-01-01&end=2026-11-24", 302)]
    assert "reaches back six years" in response.content.decode()
    assert client.get(f"{PAGE}file/docx/").status_code == 404


@pytest.mark.parametrize("path", ["", "file/json/"])
def test_why_the_shorter_list_was_given_is_in_the_audit(client, signed_in, patient, path):
    signed_in("privacy_officer")
    client.get(f"{PAGE}{path}?start=2026-01-01&end=2026-11-24&scope=hipaa&reason=court")
    assert last_event().detail.endswith("hipaa, court")


def test_the_officer_gives_the_shorter_list_with_a_reason_and_not_without(client, signed_in, patient):
    signed_in("privacy_officer")
    period = GIVE | {"scope": "hipaa"}
    page = client.post(f"{PAGE}give/", period).content.decode()
    assert "Say why the patient gets the shorter list" in page
    assert not AccountingGiven.objects.exists()
    client.post(f"{PAGE}give/", period | {"reason": "asked"})
    assert AccountingGiven.objects.get().scope == "hipaa"
    assert last_event().detail == "hipaa, asked"


def test_the_front_desk_can_give_no_shorter_list(client, signed_in, patient):
    signed_in("front_desk")
    client.post(f"{PAGE}give/", GIVE | {"scope": "hipaa", "reason": "asked"})
    assert AccountingGiven.objects.get().scope == "notice"


@pytest.mark.parametrize(
    ("role", "allowed"), [("front_desk", True), ("privacy_officer", True), ("physician", False), ("office_admin", False)]
)
def test_who_may_give_an_accounting(client, signed_in, patient, role, allowed):
    signed_in(role)
    answer = client.post(f"{PAGE}give/", GIVE)
    assert answer.status_code == (302 if allowed else 403)
    assert AccountingGiven.objects.count() == allowed


def test_an_earlier_accounting_stays_as_issued_when_the_log_grows(client, signed_in, patient):
    signed_in("front_desk")
    client.post(f"{PAGE}give/", GIVE)
    given = AccountingGiven.objects.get()
    DisclosureFactory(patient=patient, recipient="Logged later")
    kept = client.get(f"{PAGE}given/{given.pk}/").content
    text = PdfReader(io.BytesIO(kept)).pages[0].extract_text()
    assert "no accountable disclosures in this period" in text
    assert "Logged later" not in text
    assert "Logged later" in client.get(PAGE).content.decode()


def test_an_accounting_is_found_under_its_own_chart_alone(client, signed_in, patient):
    signed_in("front_desk")
    other = DisclosureFactory().patient
    client.post(f"{PAGE}give/", GIVE)
    given = AccountingGiven.objects.get()
    assert client.get(f"/patients/{other.chart_number}/accounting/given/{given.pk}/").status_code == 404


# --- how it goes out: 164.522(b) --------------------------------------------------------------------------------------


@pytest.fixture
def wish(patient):
    return ContactPreferenceFactory(patient=patient, means="mail", where="PO Box 12\nAlbany, NY 12201", avoid="Home telephone")


def test_the_page_asks_how_it_goes_out_and_shows_the_envelope_that_is_wished(client, signed_in, patient, wish):
    signed_in("front_desk")
    page = client.get(PAGE)
    assert page.context["give_form"]["how"].initial == "handed over"
    assert "<strong>" + ", ".join([patient.name, "PO Box 12", "Albany, NY 12201"]) in page.content.decode()


@pytest.mark.parametrize(
    ("how", "given_"), [("handed over", True), ("by mail", True), ("by encrypted e-mail", False), ("by fax", False)]
)
def test_it_goes_out_as_the_patient_wishes_and_in_no_other_way(client, signed_in, patient, wish, how, given_):
    signed_in("front_desk")
    answer = client.post(f"{PAGE}give/", GIVE | {"how": how})
    assert list(AccountingGiven.objects.values_list("how", flat=True)) == [how] * given_
    if not given_:
        said = "The patient asked to be reached only so: By mail, PO Box 12, Albany, NY 12201. Do not use: Home telephone."
        assert answer.context["give_form"].errors == {"how": [said]}


@pytest.mark.parametrize("how", ["", "by e-mail", "by pigeon"])
def test_a_list_goes_out_in_a_way_there_is_and_not_by_plain_e_mail(client, signed_in, patient, how):
    signed_in("front_desk")
    assert list(client.post(f"{PAGE}give/", GIVE | {"how": how}).context["give_form"].errors) == ["how"]
    assert not AccountingGiven.objects.exists()


def test_how_it_went_out_stands_beside_each_that_was_given(client, signed_in, patient):
    signed_in("front_desk")
    client.post(f"{PAGE}give/", GIVE | {"how": "by fax"})
    now = {"by": UserFactory(), "at": AT, "on": date(2026, 11, 24), "office": Office.current()}
    accounting.give(patient, date(2026, 1, 1), date(2026, 11, 24), request_number="R-1001", **now)
    page = client.get(PAGE).content.decode()
    assert ">By fax</td>" in page
    assert ">see request R-1001</td>" in page


def test_a_list_at_the_desk_is_not_given_without_saying_how(patient):
    now = {"by": UserFactory(), "at": AT, "on": date(2026, 11, 24), "office": Office.current()}
    with pytest.raises(ListRefused, match="Say how it goes out") as refusal:
        accounting.give(patient, date(2026, 1, 1), date(2026, 11, 24), **now)
    assert refusal.value.field == "how"


@pytest.mark.parametrize(("born", "alone", "said"), [(2010, True, True), (2010, False, False), (1984, True, False)])
def test_of_a_minor_who_consented_alone_the_page_says_that_no_parent_gets_the_list(client, signed_in, patient, born, alone, said):
    patient.date_of_birth = date(born, 3, 1)
    patient.save()
    entry = EntryFactory(patient=patient)
    if alone:
        MinorConsent.objects.create(patient=patient, entry=entry, ground="consented", by=a_doctor(), at=AT)
    signed_in("front_desk")
    assert ("Give it to the patient and to nobody else" in client.get(PAGE).content.decode()) is said

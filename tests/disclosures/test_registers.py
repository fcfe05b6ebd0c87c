"""Research protocols, business associates, the parts of a rule, written requests, and victims who are to be told."""

import io
import json
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from pypdf import PdfReader, PdfWriter

from disclosures import accounting, accounting_rules, purposes
from disclosures.models import BusinessAssociate, Disclosure, ResearchProtocol, VictimTold, WrittenRequest
from disclosures.purposes import PARTS, PURPOSES, Scope
from meso.models import Office
from records.uploads import CheckedFile
from tests.disclosures.log_pages import facts
from tests.factories import AT, AttachmentFactory, DisclosureFactory, UserFactory

NOV_24 = date(2026, 11, 24)
WINDOW = (date(2026, 1, 1), NOV_24)
PROTOCOL = {
    "name": "Scar study", "description": "How scars heal.", "purpose": "To find better care.",
    "selection": "Adults seen in 2025.",
    "kinds": "Visit notes and photographs", "begins_on": date(2025, 6, 1), "ends_on": date(2026, 10, 31), "people": 50,
    "waiver": "irb", "sponsor": "State University", "sponsor_address": "1 College Road", "sponsor_phone": "(518) 555-0170",
    "researcher": "Dr. Ilse Brandt", "researcher_address": "2 College Road", "researcher_phone": "(518) 555-0171",
}  # fmt: skip


def made(patient, scope=Scope.NOTICE):
    return accounting.for_patient(patient, *WINDOW, scope, on=NOV_24)


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def a_pdf(words="") -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(200, 200)
    writer.write(out)
    return out.getvalue()


# --- research ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("people", "short"), [(0, False), (49, False), (50, True), (51, True)])
def test_research_on_50_people_may_be_told_by_its_protocol(people, short):
    assert accounting_rules.may_be_short(people) is short


def research(patient, people):
    protocol = ResearchProtocol.objects.create(**PROTOCOL | {"people": people})
    for day in (date(2026, 2, 1), date(2026, 3, 9)):
        DisclosureFactory(patient=patient, purpose_code="research", protocol=protocol, disclosed_on=day, recipient="Dr. Brandt")
    return protocol


def test_of_50_people_the_list_says_all_that_the_rule_wants_of_the_protocol(patient):
    research(patient, 50)
    (line,) = made(patient, Scope.HIPAA).lines
    assert (line.disclosed_on, line.last_disclosed_on, line.count) == (WINDOW[0], date(2026, 10, 31), 1)
    text = text_of(made(patient).as_pdf(Office.current(), NOV_24).content)
    for name in ("name", "description", "purpose", "selection", "kinds", "sponsor", "sponsor_address", "sponsor_phone",
                 "researcher", "researcher_address", "researcher_phone"):  # fmt: skip
        assert PROTOCOL[name] in text
    for words in ("may or may not have been given out", "October 31, 2026, the last day", "we will help you reach"):
        assert words in text
    (entry,) = made(patient).as_dict()["entries"]
    assert list(entry) == list(accounting.CSV_COLUMNS)
    assert "may or may not" in entry["purpose"]
    assert "State University" in made(patient).as_csv()


def test_of_49_people_each_disclosure_is_listed(patient):
    research(patient, 49)
    assert sum(line.count for line in made(patient).lines) == 2
    assert made(patient).protocols == []
    assert "may or may not" not in text_of(made(patient).as_pdf(Office.current(), NOV_24).content)


def test_a_protocol_is_of_research_alone(patient):
    with pytest.raises(IntegrityError), transaction.atomic():
        DisclosureFactory(patient=patient, purpose_code="court_order", protocol=ResearchProtocol.objects.create(**PROTOCOL))


# --- series -----------------------------------------------------------------------------------------------------------


def test_forty_reports_are_one_line_and_stay_forty_rows(patient):
    for day in range(40):
        DisclosureFactory(patient=patient, purpose_code="public_health", disclosed_on=date(2026, 3, 2) + timedelta(days=day))
    (line,) = made(patient).lines
    assert (line.count, line.frequency, line.last_disclosed_on) == (40, "daily", date(2026, 4, 10))
    assert Disclosure.objects.count() == 40


@pytest.mark.parametrize("code", [code for code, purpose in PURPOSES.items() if not purpose.exempt and purpose.notice])
def test_only_what_went_out_for_hhs_or_under_512_is_summarised(patient, code):
    officer = UserFactory(role="privacy_officer")
    for _ in range(3):
        row = DisclosureFactory(patient=patient, purpose_code=code)
        if PURPOSES[code].held:
            row.decide_hold(by=officer, at=AT, listed=True, reason="No order forbids it")
    lines = made(patient).lines
    under_512 = PURPOSES[code].citation.startswith("45 CFR 164.512(") and not PURPOSES[code].held
    assert len(lines) == (1 if under_512 else 3)


def test_another_part_of_the_rule_is_another_purpose(patient):
    DisclosureFactory(patient=patient, purpose_code="required_by_law", sub_kind="hhs")
    DisclosureFactory(patient=patient, purpose_code="required_by_law", sub_kind="hhs")
    DisclosureFactory(patient=patient, purpose_code="required_by_law", sub_kind="law")
    assert sorted(line.count for line in made(patient).lines) == [1, 2]


# --- parts of a rule --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "name"), [(code, name) for code, parts in PARTS.items() for name in parts])
def test_a_row_may_say_under_which_part_of_its_rule_it_went_out(patient, code, name):
    row = DisclosureFactory(patient=patient, purpose_code=code, sub_kind=name)
    assert row.purpose_citation == PARTS[code][name].citation
    with pytest.raises(IntegrityError), transaction.atomic():
        DisclosureFactory(patient=patient, purpose_code="decedent", sub_kind=name)


@pytest.mark.usefixtures("nov_24")
def test_an_adverse_event_is_logged_with_its_part_and_maker(client, signed_in, patient):
    signed_in("front_desk")
    associate = BusinessAssociate.objects.create(name="Billing Partners", does="Bills", contract_on=date(2026, 1, 1))
    sent = facts(purpose_code="public_health", sub_kind="fda", made_by=associate.pk, purpose="Filler recall")
    client.post("/disclosures/new/", sent)
    row = Disclosure.objects.get()
    assert (row.sub_kind, row.made_by, row.purpose_citation) == ("fda", associate, "45 CFR 164.512(b)(1)(iii)")
    page = client.get(f"/disclosures/{row.pk}/").content.decode()
    assert "Billing Partners" in page
    assert "Adverse event or recall" in page


@pytest.mark.usefixtures("nov_24")
def test_a_part_chosen_for_another_purpose_is_left_out(client, signed_in, patient):
    signed_in("front_desk")
    protocol = ResearchProtocol.objects.create(**PROTOCOL)
    client.post("/disclosures/new/", facts(purpose_code="court_order", sub_kind="fda", protocol=protocol.pk))
    row = Disclosure.objects.get()
    assert (row.sub_kind, row.protocol) == ("", None)


# --- the written request ----------------------------------------------------------------------------------------------


def scanned(kind="pdf"):
    if kind == "pdf":
        return SimpleUploadedFile("request.pdf", a_pdf())
    return SimpleUploadedFile("request.png", AttachmentFactory.build(patient=None, added_by=None).content)


@pytest.mark.usefixtures("nov_24")
@pytest.mark.parametrize("kind", ["pdf", "png"])
def test_a_copy_of_the_request_may_stand_for_the_purpose_and_goes_along(client, signed_in, patient, kind):
    signed_in("front_desk")
    client.post("/disclosures/new/", facts(purpose_code="law_enforcement", purpose="", written_request=scanned(kind)))
    row = Disclosure.objects.get()
    scan = WrittenRequest.objects.defer(None).get()
    assert (row.purpose, row.written_request_id) == ("", scan.pk)
    assert client.get(f"/disclosures/{row.pk}/request/").content == bytes(scan.content)
    accounted = accounting.for_patient(patient, *WINDOW, on=NOV_24)
    pdf = accounted.as_pdf(Office.current(), NOV_24)
    assert pdf.pages == len(PdfReader(io.BytesIO(pdf.content)).pages) == 2
    assert "See the copy of the written request behind this list." in text_of(pdf.content)
    assert accounted.as_dict()["entries"][0]["purpose"] == "See the copy of the written request."
    assert not patient.attachments.exists()


@pytest.mark.usefixtures("nov_24")
@pytest.mark.parametrize("code", [code for code, purpose in PURPOSES.items() if not purpose.exempt])
def test_the_purpose_may_be_empty_only_with_a_copy_and_only_for_hhs_and_512(client, signed_in, patient, code):
    signed_in("front_desk")
    sent = facts(purpose_code=code, purpose="", authorized_on="2026-11-01")
    assert "purpose" in client.post("/disclosures/new/", sent).context["form"].errors
    may = PURPOSES[code].citation.startswith("45 CFR 164.512(")
    assert purposes.copy_may_stand_for_purpose(code) is may
    answer = client.post("/disclosures/new/", sent | {"written_request": scanned()})
    assert (answer.status_code == 302) is may
    assert Disclosure.objects.count() == may


def test_the_database_keeps_to_it(patient):
    scan = WrittenRequest.keep(CheckedFile("a.pdf", "application/pdf", a_pdf()), patient=patient, by=UserFactory(), at=AT)
    assert DisclosureFactory(patient=patient, purpose="", purpose_code="subpoena", written_request=scan)
    for change in ({"purpose_code": "authorization", "written_request": scan}, {"purpose_code": "subpoena"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            DisclosureFactory(patient=patient, purpose="", **change)


@pytest.mark.usefixtures("nov_24")
@pytest.mark.parametrize(
    ("content", "words"), [(b"%PDF-1.4 broken", "broken or locked"), (b"MZ nonsense", "is not a PDF"), (b"", "empty")]
)
def test_a_scan_that_can_not_go_along_is_refused(client, signed_in, patient, content, words):
    signed_in("front_desk")
    sent = facts(purpose_code="subpoena", written_request=SimpleUploadedFile("request.pdf", content))
    assert words in str(client.post("/disclosures/new/", sent).context["form"].errors["written_request"])
    assert not Disclosure.objects.exists()


# --- business associates ----------------------------------------------------------------------------------------------

HEAD = "chart_number,disclosed_on,recipient,recipient_address,information,purpose_code,purpose,authorized_on\n"


def test_a_business_associates_list_is_taken_in_as_theirs(patient, tmp_path, capsys):
    path = tmp_path / "list.csv"
    path.write_text(HEAD + "10023,2026-05-04,County Court,,Bills,court_order,Order of May 1,\n")
    with pytest.raises(CommandError, match="no business associate 'Billing Partners'"):
        call_command("import_disclosures", str(path), "--made-by", "Billing Partners")
    associate = BusinessAssociate.objects.create(name="Billing Partners", does="Bills", contract_on=date(2026, 1, 1))
    for _ in range(2):
        call_command("import_disclosures", str(path), "--made-by", "billing partners")
    assert Disclosure.objects.get().made_by == associate
    assert [line.recipient for line in made(patient).lines] == ["County Court"]


# --- victims ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def report(patient):
    facts_ = {"purpose_code": "abuse_neglect", "sub_kind": "adult", "recipient": "Adult Protective Services"}
    return DisclosureFactory(patient=patient, disclosed_on=date(2026, 11, 20), **facts_)


@pytest.mark.usefixtures("nov_24")
@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"what": "told", "told_on": "2026-11-21", "words": "By letter"}, ""),
        ({"what": "harm", "told_on": "", "words": "Dr. Vance judges so"}, ""),
        ({"what": "representative", "told_on": "", "words": "The son acts for her"}, ""),
        ({"what": "told", "told_on": "", "words": "By letter"}, "told_on"),
        ({"what": "told", "told_on": "2026-11-19", "words": "By letter"}, "told_on"),
        ({"what": "told", "told_on": "2026-11-25", "words": "By letter"}, "told_on"),
        ({"what": "harm", "told_on": "", "words": ""}, "words"),
    ],
)
def test_the_patient_of_a_report_is_told_or_it_is_said_why_not(client, signed_in, report, sent, field):
    signed_in("privacy_officer")
    assert f"/disclosures/{report.pk}/tell/" in client.get("/").content.decode()
    answer = client.post(f"/disclosures/{report.pk}/tell/", sent)
    assert (list(answer.context["form"].errors) if answer.context else []) == ([field] if field else [])
    assert VictimTold.objects.count() == (0 if field else 1)
    assert (f"/disclosures/{report.pk}/tell/" in client.get("/").content.decode()) is bool(field)
    if not field:
        assert client.get(f"/disclosures/{report.pk}/tell/").status_code == 404


def test_only_a_report_about_an_adult_makes_the_task_and_a_correction_keeps_its_answer(patient, report):
    for name in ("child", ""):
        DisclosureFactory(patient=patient, purpose_code="abuse_neglect", sub_kind=name)
    assert list(Disclosure.objects.victims_to_tell()) == [report]
    officer = UserFactory()
    told = {"told_on": NOV_24, "words": "By letter", "by": officer, "signed_as": "N", "at": AT}
    VictimTold.objects.create(patient=patient, disclosure=report, **told)
    right = {
        name: getattr(report, name)
        for name in ("disclosed_on", "recipient", "information", "purpose_code", "purpose", "sub_kind")
    }
    report.correct(by=officer, at=AT, reason="Name", replacement=right)
    assert not Disclosure.objects.victims_to_tell().exists()


# --- the officer's pages ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nov_24")
def test_the_officer_keeps_both_registers_with_their_history(client, signed_in):
    officer = signed_in("privacy_officer")
    sent = {name: value.isoformat() if isinstance(value, date) else value for name, value in PROTOCOL.items()}
    client.post("/registers/research/new/", sent)
    one = ResearchProtocol.objects.get()
    client.post(f"/registers/research/{one.pk}/", sent | {"people": "49"})
    assert [(version.people, version.history_user) for version in one.history.all()] == [(49, officer), (50, officer)]
    page = client.get("/registers/").content.decode()
    assert "fewer than 50 people" in page
    wrong = client.post("/registers/research/new/", sent | {"name": "Other", "ends_on": "2025-01-01"})
    assert "comes before the first one" in wrong.content.decode()
    client.post("/registers/associates/new/", {"name": "Billing Partners", "does": "Bills", "contract_on": "2026-01-01"})
    assert client.get(f"/registers/associates/{BusinessAssociate.objects.get().pk}/").status_code == 200
    assert json.dumps(sorted(BusinessAssociate.objects.values_list("name", flat=True))) == '["Billing Partners"]'

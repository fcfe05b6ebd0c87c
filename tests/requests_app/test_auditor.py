"""The auditor's export: every section, digests that hold without a database, nothing that tells whom a refusal is about."""

import csv
import hashlib
import io
import zipfile
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from disclosures import accounting, desk
from disclosures.breach_rules import FACTORS
from disclosures.models import Breach
from meso import auditor
from meso.models import AccessEvent, Office
from records.models import Representative, RepresentativeRefusal
from requests_app import notice
from requests_app.models import Complaint, Policy, Sanction, Statement, Training
from tests.disclosures.test_guard import plan_for
from tests.factories import (
    AT,
    AuthorizationFactory,
    DisclosureFactory,
    PatientFactory,
    RequestFactory,
    RestrictionFactory,
    UserFactory,
)
from tests.requests_app import test_reviews as review_cases
from tests.requests_app import test_telling as telling_cases
from tests.requests_app.answering import a_doctor, an_office

ON = date(2026, 11, 24)
START, END = date(2026, 1, 1), ON
PDF = b"%PDF-1.7\n%%EOF"


@pytest.fixture(autouse=True)
def noon(db):
    with time_machine.travel(datetime(2026, 11, 24, 17, 0, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer", first_name="Nora", last_name="Lindqvist")


def exported(start: date = START, end: date = END) -> zipfile.ZipFile:
    file = io.BytesIO()
    auditor.build(file, start, end, office=Office.current(), by="Nora", at=AT, on=ON)
    return zipfile.ZipFile(file)


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode())))


def checked(archive: zipfile.ZipFile) -> set[str]:
    """The names whose digest holds, as `sha256sum -c` finds it."""
    lines = archive.read("SHA256SUMS").decode().splitlines()
    sums = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    return {name for name, digest in sums.items() if hashlib.sha256(archive.read(name)).hexdigest() == digest}


def test_a_period_without_anything_gives_every_file_with_its_header():
    archive = exported(date(2001, 1, 1), date(2001, 12, 31))
    names = {f"{section.name}.csv" for section in auditor.sections()} | {"summary.pdf"}
    assert checked(archive) == names
    assert set(archive.namelist()) == names | {"SHA256SUMS"}
    assert rows(archive, "requests") == []
    assert archive.read("requests.csv").startswith(b"number,chart_number,kind,")


def test_what_auditors_look_at_is_there():
    """law.md §13a: the last row of its table."""
    assert {section.name for section in auditor.sections()} >= {
        "requests", "denials", "extensions", "copies", "disclosures", "accountings", "authorizations", "complaints",
        "restrictions", "releases", "breaches", "reviews", "amendments_told",
        "representatives", "representatives_refused", "notices", "notice_postings", "notices_given", "policies", "training",
        "sanctions", "statements", "legal_holds",
    }  # fmt: skip


def test_each_request_has_its_proof_of_timeliness(officer):
    late = RequestFactory(received_on=date(2026, 1, 2), on=date(2026, 1, 2))
    late.withdraw(reason="", by=officer, at=AT, on=date(2026, 2, 3))
    held = RequestFactory(received_on=date(2026, 1, 2), on=date(2026, 1, 2))
    held.withdraw(reason="", by=officer, at=AT, on=date(2026, 2, 1))
    RequestFactory(received_on=ON)
    RequestFactory(received_on=date(2026, 10, 1), on=date(2026, 10, 1))
    before = RequestFactory(received_on=date(2025, 1, 2), on=date(2025, 1, 2))
    before.withdraw(reason="", by=officer, at=AT, on=date(2025, 1, 5))
    found = {row["number"]: row for row in rows(exported(), "requests")}
    told = [(row["due_on"], row["days_taken"], row["on_time"]) for row in found.values()]
    assert told == [
        ("2026-02-01", "32", "no"),
        ("2026-02-01", "30", "yes"),
        ("2026-10-31", "", "overdue"),
        ("2026-12-24", "", "open"),
    ]
    assert before.number not in found


def test_a_denial_stands_with_its_ground_and_the_letter_as_issued(officer):
    from requests_app import answers

    office, doctor = an_office(), a_doctor()
    request = RequestFactory(received_on=date(2026, 11, 1), on=date(2026, 11, 1))
    request.verify_identity("known", by=officer, at=AT, on=date(2026, 11, 2))
    letter = answers.decide_with_letter(
        request,
        "denied",
        ground="R1",
        text="It would endanger her life.",
        judged_by=doctor,
        by=officer,
        at=AT,
        on=ON,
        office=office,
    )
    archive = exported()
    row = rows(archive, "denials")[0]
    assert (row["number"], row["ground"], row["reviewable"]) == (request.number, "R1", "yes")
    assert row["citation"].startswith("164.524(a)(3)") or "164.524(a)(3)" in row["citation"]
    assert archive.read(f"denials/{row['letters']}") == bytes(type(letter).objects.defer(None).get(pk=letter.pk).document)
    assert f"denials/{row['letters']}" in checked(archive)


def test_an_extension_stands_with_its_letter(officer):
    from requests_app import answers

    office = an_office()
    request = RequestFactory(received_on=date(2026, 11, 1), on=date(2026, 11, 1))
    answers.extend_with_letter(
        request,
        until=date(2026, 12, 20),
        reason="The chart is at the copier.",
        told_on=ON,
        how="by mail",
        by=officer,
        at=AT,
        on=ON,
        office=office,
    )
    archive = exported()
    row = rows(archive, "extensions")[0]
    assert (row["first_due_on"], row["told_on"], row["named_day"]) == ("2026-12-01", "2026-11-24", "2026-12-20")
    assert len([name for name in archive.namelist() if name.startswith("extensions/")]) == 1


def test_the_log_and_the_accountings_are_there_as_they_were_given(officer):
    row = DisclosureFactory(disclosed_on=date(2026, 6, 15), recipient="=HYPERLINK(1)")
    DisclosureFactory(disclosed_on=date(2025, 12, 31))
    given = accounting.give(row.patient, START, END, how="by mail", by=officer, at=AT, on=ON, office=Office.current())
    archive = exported()
    assert [one["how"] for one in rows(archive, "accountings")] == ["by mail"]
    assert [one["recipient"] for one in rows(archive, "disclosures")] == ["'=HYPERLINK(1)"]
    assert archive.read(f"accountings/accounting-{given.pk}-2026-11-24.pdf") == bytes(given.document)


def test_signed_forms_of_the_period_stand_as_they_were_at_its_end(db):
    AuthorizationFactory(received_on=date(2026, 5, 1), signed_on=date(2026, 5, 1), expires_on=date(2026, 6, 30))
    AuthorizationFactory(received_on=date(2024, 5, 1), signed_on=date(2024, 5, 1), expires_on=date(2024, 6, 30))
    assert [row["ends"] for row in rows(exported(), "authorizations")] == ["2026-06-30"]
    states = [rows(exported(START, end), "authorizations")[0]["state"] for end in (date(2026, 6, 30), date(2026, 7, 1))]
    assert states[0] != states[1]


def test_a_breach_stands_with_its_judgment_and_who_is_to_be_told(officer):
    now = {"by": officer, "at": AT, "on": ON}
    breach = Breach.open_one(what="Fax to the wrong office", discovered_on=date(2026, 11, 20), **now)
    Breach.open_one(what="Of another year", discovered_on=date(2025, 11, 20), **now)
    breach.assess(dict.fromkeys(FACTORS, "Read by a stranger"), low=False, **now)
    breach.count(3, {"NY": 3}, **now)
    row = rows(exported(), "breaches")[0]
    assert (row["what_happened"], row["people"], row["probability"]) == ("Fax to the wrong office", "3", "not low")
    assert "individuals by 2027-01-19" in row["due"]
    assert row["closed_on"] == ""


def test_a_review_stands_with_its_reviewer_outcome_and_letter(officer):
    office, dr_b = an_office(), a_doctor(first_name="Ben", last_name="Okafor", licence_number="NY 311902")
    assert office
    outcome = review_cases.decided(review_cases.asked(review_cases.denied(officer, a_doctor()), officer), officer, dr_b)
    archive = exported(date(2026, 1, 1), date(2026, 12, 31))
    row = rows(archive, "reviews")[0]
    assert (row["licence"], row["result"]) == ("NY 311902", "The denial is overturned")
    assert [name for name in archive.namelist() if name.startswith("reviews/") and f"-{outcome.letter_id}.pdf" in name]


def test_who_was_told_of_an_amendment_stands_with_what_came_of_it(officer):
    an_office()
    request, _entry = telling_cases.accepted(a_doctor())
    telling_cases.add(request, officer)
    row = rows(exported(date(2026, 1, 1), date(2026, 12, 31)), "amendments_told")[0]
    assert row["who"] == "Dr. Specialist"


def test_a_release_stands_with_its_checks_and_its_override(officer):
    patient = PatientFactory()
    RestrictionFactory(patient=patient)
    reason = {"restrictions": "It is about another visit."}
    desk.release(plan_for(patient, "treatment"), reason, by=officer, at=AT, office=Office.current())
    row = rows(exported(START, date(2026, 12, 31)), "releases")[0]
    assert row["purpose_code"] == "treatment"
    assert "It is about another visit." in row["set_aside_because"]
    assert row["checks"].count(": ok") >= 1
    assert row["log_row"] == "exempt"


def test_a_refused_representative_is_counted_and_told_of_nowhere_else(officer):
    patient, doctor = PatientFactory(), UserFactory(role="physician", licence_number="NY 1")
    one = Representative.objects.create(
        patient=patient, name="Harold Finch", relation="brother", basis="health_care_proxy", paper="proxy", scope="all",
        begins_on=date(2026, 1, 2), verified_how="seen", verified_on=date(2026, 1, 2), verified_by=officer, signed_as="N",
        recorded_at=AT,
    )  # fmt: skip
    RepresentativeRefusal.objects.create(
        patient=patient, representative=one, ground="harmed", reasoning="She fears him", begins_on=date(2026, 9, 1), by=doctor,
        signed_as="D", licence="NY 1", at=AT,
    )  # fmt: skip
    archive = exported()
    assert [row["count"] for row in rows(archive, "representatives_refused")] == ["1", "0"]
    whole = b"".join(archive.read(name) for name in archive.namelist() if name.endswith(".csv")).decode()
    assert "fears" not in whole
    assert "Finch" not in whole
    assert patient.chart_number not in archive.read("representatives_refused.csv").decode()


def test_restrictions_complaints_and_notices_of_the_period_are_there(officer):
    RestrictionFactory(begins_on=date(2025, 5, 1))
    Complaint.take(on=ON, received_on=ON, channel="letter", about="Loud at the desk", taken_at=AT).act(
        "outcome", "Justified", done_on=ON, by=officer, at=AT, on=ON
    )
    office = an_office()
    version = notice.issue(
        notice.standard(office), effective_on=ON, change="", is_material=False, by=officer, at=AT, on=ON, office=office
    )
    archive = exported()
    assert [row["mandatory"] for row in rows(archive, "restrictions")] == ["no"]
    assert [(row["about"], row["outcome"]) for row in rows(archive, "complaints")] == [("Loud at the desk", "Justified")]
    assert archive.read(f"notices/notice-{version.pk}-2026-11-24-en.pdf") == bytes(version.document)


def test_a_new_area_adds_its_section_by_its_name(monkeypatch):
    monkeypatch.setattr(auditor, "_sections", dict(auditor._sections))
    auditor.register("drills", "Drills", ("on",), lambda start, end: [(start,), (end,)], citation="164.308(a)(7)")
    assert [row["on"] for row in rows(exported(), "drills")] == ["2026-01-01", "2026-11-24"]


# --- the page -------------------------------------------------------------------------------------------------------


def test_one_button_gives_the_zip_and_is_audited(client, signed_in):
    signed_in("privacy_officer")
    page = client.get("/auditor/")
    assert "164.528(b)" in page.content.decode()
    wrong = client.post("/auditor/", {"start": "2026-11-24", "end": "2026-11-23"})
    assert "end after it begins" in wrong.content.decode()
    future = client.post("/auditor/", {"start": "2026-11-24", "end": "2026-11-25"})
    assert "into the future" in future.content.decode()
    answer = client.post("/auditor/", {"start": "2026-01-01", "end": "2026-11-24"})
    assert answer["Content-Disposition"] == 'attachment; filename="auditor-2026-01-01-2026-11-24.zip"'
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert "summary.pdf" in checked(archive)
    event = AccessEvent.objects.get(action="export", subject="auditor's export")
    assert event.detail.startswith("2026-01-01 to 2026-11-24, ")


# --- the registers --------------------------------------------------------------------------------------------------


def test_a_policy_is_kept_through_six_years_from_its_last_day(officer):
    policy = Policy.objects.create(
        title="Access", created_on=date(2024, 1, 1), begins_on=date(2024, 2, 1), document=PDF, by=officer, at=AT
    )
    assert policy.keep_through is None
    for day in (date(2024, 1, 31), date(2026, 11, 25)):
        with pytest.raises(ValidationError):
            policy.end(last_on=day, reason="Replaced", by=officer, at=AT, on=ON)
    policy.end(last_on=ON, reason="Replaced", by=officer, at=AT, on=ON)
    assert Policy.objects.get().keep_through == date(2032, 11, 24)
    with pytest.raises(ValidationError, match="ended already"):
        policy.end(last_on=ON, reason="Again", by=officer, at=AT, on=ON)
    assert list(Policy.objects.in_force_between(date(2026, 11, 24), ON)) == [policy]
    assert not Policy.objects.in_force_between(date(2026, 11, 25), date(2027, 1, 1)).exists()


@pytest.mark.parametrize("role", ["privacy_officer", "office_admin"])
def test_the_registers_take_rows_and_show_them(client, signed_in, role):
    user = signed_in(role)
    upload = SimpleUploadedFile("policy.pdf", PDF, "application/pdf")
    client.post(
        "/program/policies/new/", {"title": "Access", "created_on": "2026-01-01", "begins_on": "2026-02-01", "file": upload}
    )
    no_pdf = SimpleUploadedFile("policy.pdf", b"hello", "application/pdf")
    wrong = client.post(
        "/program/policies/new/", {"title": "Kept words", "created_on": "2026-01-01", "begins_on": "2026-02-01", "file": no_pdf}
    )
    assert "Kept words" in wrong.content.decode()
    policy = Policy.objects.get()
    assert client.get(f"/program/policies/{policy.pk}/policy.pdf").content == PDF
    client.post("/program/training/new/", {"person": user.pk, "trained_on": "2026-11-01", "topic": "Subpoenas"})
    assert (
        "future"
        in client.post("/program/training/new/", {"person": user.pk, "trained_on": "2026-11-25", "topic": "X"}).content.decode()
    )
    client.post(
        "/program/sanctions/new/",
        {"person": user.pk, "imposed_on": "2026-11-02", "what_happened": "Left the screen open", "sanction": "Warned"},
    )
    for text, day in (("We bill no plan; built as if covered", "2026-01-01"), ("We bill one plan now", "2026-06-01")):
        client.post("/program/statements/new/", {"kind": "covered", "text": text, "begins_on": day})
    client.post(f"/program/policies/{policy.pk}/end/", {"last_on": "2026-11-24", "reason": "Replaced"})
    html = client.get("/program/").content.decode()
    for words in ("Access", "Subpoenas", "Warned", "We bill one plan now", "Nov 24, 2032"):
        assert words in html
    archive = exported()
    assert archive.read(f"policies/policy-{policy.pk}.pdf") == PDF
    assert [row["what_in"] for row in rows(archive, "training")] == ["Subpoenas"]
    assert [row["sanction"] for row in rows(archive, "sanctions")] == ["Warned"]
    assert [row["statement"] for row in rows(archive, "statements")] == [
        "We bill no plan; built as if covered",
        "We bill one plan now",
    ]
    assert (Training.objects.count(), Sanction.objects.count(), Statement.objects.count()) == (1, 1, 2)

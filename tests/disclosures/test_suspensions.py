"""An agency's rows are withheld for as long as its statement holds, and nothing that leaves the officer's room tells of it."""

import html
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from disclosures import accounting, issuing, suspension_rules, withholding
from disclosures.models import AccountingGiven, Disclosure, ReissueAnswer, Release, Suspension
from disclosures.purposes import PURPOSES, Scope
from disclosures.suspension_rules import NotSuspendable
from meso.models import AccessEvent, Office
from tests.disclosures.log_pages import facts
from tests.factories import AT, ContactPreferenceFactory, DisclosureFactory, PatientFactory, SuspensionFactory, UserFactory

NOV_10, DEC_10, DEC_11 = date(2026, 11, 10), date(2026, 12, 10), date(2026, 12, 11)
EVER = (date(1950, 1, 1), date(2100, 1, 1))
POLICE = {"recipient": "State Police", "purpose_code": "law_enforcement", "purpose": "Identify a person"}


def told(patient, on, scope=Scope.NOTICE) -> list[str]:
    return [line.recipient for line in accounting.for_patient(patient, *EVER, scope, on=on).lines]


@pytest.fixture
def police(patient):
    return DisclosureFactory(patient=patient, disclosed_on=date(2026, 11, 9), **POLICE)


# --- how long it holds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated_on", "until", "written", "last"),
    [
        (NOV_10, None, False, DEC_10),  # oral: thirty days
        (NOV_10, date(2027, 5, 10), True, date(2027, 5, 10)),  # written: to the day it names
        (NOV_10, NOV_10, True, NOV_10),
        (NOV_10, None, True, DEC_10),  # written without an end: as an oral one
        (date(2028, 1, 31), None, False, date(2028, 3, 1)),  # a leap year
        (date(2027, 1, 31), None, False, date(2027, 3, 2)),
    ],
)
def test_how_long_a_statement_holds(stated_on, until, written, last):
    assert suspension_rules.last_day(stated_on, until, written=written) == last


@pytest.mark.parametrize(
    ("on", "listed"),
    [(NOV_10 - timedelta(days=1), True), (NOV_10, False), (DEC_10, False), (DEC_11, True)],
)
@pytest.mark.parametrize("scope", list(Scope))
def test_an_oral_statement_of_november_10_withholds_through_december_10(patient, police, on, listed, scope):
    SuspensionFactory(patient=patient)
    assert told(patient, on, scope) == (["State Police"] if listed else [])


@given(days=st.integers(-40, 400), length=st.integers(0, 300), written=st.booleans())
def test_the_first_and_the_last_day_count_and_none_beyond(days, length, written):
    until = NOV_10 + timedelta(days=length) if written else None
    last = suspension_rules.last_day(NOV_10, until, written=written)
    one = Suspension(stated_on=NOV_10, last_day=last)
    on = NOV_10 + timedelta(days=days)
    assert one.is_active(on) is (0 <= days <= (length if written else 30))


@pytest.mark.parametrize("code", [code for code, purpose in PURPOSES.items() if not purpose.exempt])
def test_only_oversight_and_law_enforcement_can_be_suspended(patient, code):
    """A detective who asks to hide a court's order or a report of abuse is refused, and the row stays listed."""
    if code in ("health_oversight", "law_enforcement"):
        assert SuspensionFactory(patient=patient, codes=[code])
        return
    DisclosureFactory(patient=patient, recipient="State Police", purpose_code=code)
    before = told(patient, NOV_10)
    with pytest.raises(NotSuspendable, match=r"164\.528\(a\)\(2\) covers only"):
        SuspensionFactory(patient=patient, codes=["law_enforcement", code])
    assert told(patient, NOV_10) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"codes": []}, "Tick which"),
        ({"stated_on": date(2026, 11, 11), "on": NOV_10}, "can't lie in the future"),
        ({"until": date(2027, 1, 1)}, "30 days at most"),
        ({"written": True, "until": date(2026, 11, 9)}, "ends before"),
        ({"on": DEC_11}, "is over"),
    ],
)
def test_a_statement_that_can_not_be_taken_down(patient, change, words):
    with pytest.raises(NotSuspendable, match=words):
        SuspensionFactory(patient=patient, **change)
    assert not Suspension.objects.exists()


# --- what it covers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "covered"),
    [
        ({}, True),
        ({"recipient": "STATE  police "}, True),
        ({"recipient": "State Police, Troop G"}, True),  # the other name it was recorded with
        ({"recipient": "County Sheriff"}, False),
        ({"purpose_code": "court_order"}, False),
        ({"purpose_code": "health_oversight"}, False),
        ({"disclosed_on": date(2026, 12, 1)}, True),  # logged later: it is withheld too
    ],
)
def test_it_covers_its_agency_under_its_codes_and_nothing_else(patient, row, covered):
    SuspensionFactory(patient=patient, names=["State Police, Troop G"])
    DisclosureFactory(patient=patient, **POLICE | row)
    assert told(patient, DEC_10) == ([] if covered else [({**POLICE, **row})["recipient"]])


def test_it_covers_one_patients_rows(patient, police):
    SuspensionFactory()
    assert told(patient, NOV_10) == ["State Police"]


def test_a_corrected_name_of_the_agency_brings_nothing_to_light(patient, police):
    SuspensionFactory(patient=patient)
    right = {"disclosed_on": police.disclosed_on, "information": "Note", **POLICE, "recipient": "New York State Police"}
    police.correct(by=UserFactory(), at=AT, reason="Its full name", replacement=right)
    assert told(patient, NOV_10) == []
    assert told(patient, DEC_11) == ["New York State Police"]


# --- written, ended ---------------------------------------------------------------------------------------------------


def written(old, **change):
    return SuspensionFactory(
        **{"patient": old.patient, "supersedes": old, "written": True, "stated_on": date(2026, 12, 1)}
        | {"until": date(2027, 6, 1)} | change
    )  # fmt: skip


def test_a_written_statement_takes_the_place_of_an_oral_one(patient, police):
    old = SuspensionFactory(patient=patient)
    new = written(old)
    old = Suspension.objects.get(pk=old.pk)
    assert [one.is_active(date(2026, 11, 30)) for one in (old, new)] == [True, False]
    assert [one.is_active(date(2026, 12, 1)) for one in (old, new)] == [False, True]
    assert list(Suspension.objects.active(date(2026, 12, 5))) == [new]
    assert (told(patient, date(2027, 6, 1)), told(patient, date(2027, 6, 2))) == ([], ["State Police"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"written": False, "until": None}, "a second oral one adds nothing"),
        ({"stated_on": DEC_11}, "not active any more"),
        ({"supersedes": None}, "active already"),
    ],
)
def test_an_oral_statement_is_prolonged_by_nothing_but_a_written_one(patient, change, words):
    old = SuspensionFactory(patient=patient)
    with pytest.raises(NotSuspendable, match=words):
        written(old, **change)


def test_one_that_is_ended_withholds_nothing_from_that_day_on(patient, police):
    one = SuspensionFactory(patient=patient)
    officer = UserFactory(role="privacy_officer")
    one.end(by=officer, at=AT, on=date(2026, 11, 20), reason="Taken back")
    assert (told(patient, date(2026, 11, 19)), told(patient, date(2026, 11, 20))) == ([], ["State Police"])
    with pytest.raises(NotSuspendable):
        one.end(by=officer, at=AT, on=date(2026, 11, 21), reason="Again")


# --- no trace ---------------------------------------------------------------------------------------------------------


def everything(client, patient, capsys) -> list:
    """What the desk sees and what the patient gets: screen, tab, log, files, command, printed list, public pages."""
    pages = ["/disclosures/", "/patients/10023/disclosures/", "/patients/10023/accounting/", "/", "/patients/10023/"]
    files = [f"/patients/10023/accounting/file/{kind}/" for kind in ("json", "csv")]
    seen = [client.get(path).content.decode() for path in [*pages, *files, "/privacy/", "/privacy/status/"]]
    call_command("accounting", "10023", "--from", "2020-11-24", "--to", "2026-11-24")
    seen.append(capsys.readouterr().out)
    made = accounting.for_patient(patient, date(2020, 11, 24), date(2026, 11, 24), on=date(2026, 11, 24))
    pdf = made.as_pdf(Office.current(), date(2026, 11, 24))
    chance = r'[A-Za-z0-9]{64}|[0-9a-f]{32}|nonce="[^"]*"|"inlineScriptNonce": ?"[^"]*"'
    return [*(re.sub(chance, "", text) for text in seen), pdf.content, pdf.pages]


@pytest.mark.usefixtures("nov_24")
@pytest.mark.parametrize("role", ["front_desk", "physician"])
def test_nothing_that_the_desk_or_the_patient_gets_tells_of_it(client, signed_in, patient, capsys, role):
    desk = signed_in(role)
    DisclosureFactory(patient=patient, recipient="Court", purpose_code="court_order", logged_by=desk)
    SuspensionFactory(patient=patient)
    without = everything(client, patient, capsys)
    row = DisclosureFactory(patient=patient, logged_by=desk, **POLICE)
    assert everything(client, patient, capsys) == without
    assert client.get(f"/disclosures/{row.pk}/").status_code == client.get(f"/disclosures/{row.pk + 1}/").status_code == 404
    with time_machine.travel("2026-12-11T15:00:00Z"):
        client.force_login(desk)
        assert "State Police" in client.get("/patients/10023/accounting/").content.decode()
        assert client.get(f"/disclosures/{row.pk}/").status_code == 200


@pytest.mark.usefixtures("nov_24")
def test_the_desk_logs_on_and_lands_on_a_page_that_is_there(client, signed_in, patient):
    SuspensionFactory(patient=patient)
    signed_in("front_desk")
    sent = facts(recipient="State Police", purpose_code="law_enforcement")
    response = client.post("/disclosures/new/", sent, follow=True)
    assert response.redirect_chain == [("/disclosures/", 302)]
    assert "The disclosure is in the log." in response.content.decode()
    assert Disclosure.objects.get().recipient == "State Police"


@pytest.mark.usefixtures("nov_24")
@pytest.mark.parametrize(("own", "seen"), [(False, 404), (True, 200)])
def test_a_release_to_the_agency_is_hidden_as_its_row_is_but_for_whoever_prints_its_papers(client, signed_in, patient, own, seen):
    SuspensionFactory(patient=patient)
    desk = signed_in("front_desk")
    row = DisclosureFactory(patient=patient, **POLICE)
    made = Release.objects.create(
        patient=patient, released_on=row.disclosed_on, recipient="State Police", means="mail",
        purpose_code="law_enforcement", branch="locate",
        purpose="Identify", information="Name", verified_how="Badge", verified_on=row.disclosed_on, checks=[], manifest=[],
        cover_letter=b"", copy=b"", bill=b"", disclosure=row, by=desk if own else UserFactory(), signed_as="R", at=AT,
    )  # fmt: skip
    assert client.get(f"/release/{made.pk}/").status_code == seen
    assert "State Police" not in client.get("/patients/10023/releases/").content.decode()
    signed_in("privacy_officer")
    assert "State Police" in client.get("/patients/10023/releases/").content.decode()


@pytest.mark.usefixtures("nov_24")
def test_the_officer_sees_the_row_in_the_log_but_not_in_the_accounting(client, signed_in, patient, police):
    SuspensionFactory(patient=patient)
    signed_in("privacy_officer")
    assert "State Police" in client.get("/patients/10023/disclosures/").content.decode()
    assert client.get(f"/disclosures/{police.pk}/").status_code == 200
    assert client.get("/patients/10023/accounting/").context["accounting"].lines == []


def test_the_rows_are_read_in_a_number_of_queries_that_does_not_grow(patient, django_assert_max_num_queries):
    for _ in range(3):
        one = SuspensionFactory()
        DisclosureFactory(patient=one.patient, **POLICE)
    with django_assert_max_num_queries(2):
        assert len(withholding.withheld(date(2026, 11, 24))) == 3


# --- re-issue? --------------------------------------------------------------------------------------------------------


def give(patient, on, **more):
    at = datetime(on.year, on.month, on.day, 16, tzinfo=UTC)
    period = (date(2026, 1, 1), on)
    facts = {"by": UserFactory(), "at": at, "on": on, "office": Office.current(), "how": "handed over"}
    return accounting.give(patient, *period, **facts | more)


@pytest.fixture
def cut(patient, police):
    """An accounting given while the police's row was withheld."""
    Disclosure.objects.none()
    early = DisclosureFactory(
        patient=patient, disclosed_on=date(2026, 11, 9), logged_at=datetime(2026, 11, 9, tzinfo=UTC), **POLICE
    )
    SuspensionFactory(patient=patient)
    return give(patient, date(2026, 11, 20)), early


def test_when_it_lapses_each_accounting_that_it_cut_is_to_be_looked_at_again(patient, cut):
    given_one, _early = cut
    give(patient, date(2026, 11, 9))  # before it began
    assert withholding.to_reissue(DEC_10) == []
    (task,) = withholding.to_reissue(DEC_11)
    assert (task.accounting, task.rows) == (given_one, 1)
    assert withholding.to_reissue(DEC_11, PatientFactory()) == []


def test_an_accounting_whose_window_does_not_reach_the_row_needs_nothing(patient, cut):
    period = (date(2025, 1, 1), date(2025, 12, 31))
    facts = {"by": UserFactory(), "at": AT, "on": date(2026, 11, 24), "office": Office.current(), "how": "handed over"}
    accounting.give(patient, *period, **facts)
    assert len(withholding.to_reissue(DEC_11)) == 1


def test_rows_that_a_written_statement_still_withholds_wait(patient, cut):
    written(Suspension.objects.get())
    assert withholding.to_reissue(DEC_11) == []
    assert len(withholding.to_reissue(date(2027, 6, 2))) == 1


def test_given_anew_it_lists_the_row_costs_nothing_and_takes_no_free_one_away(patient, cut):
    (task,) = withholding.to_reissue(DEC_11)
    now = {"by": UserFactory(), "at": datetime(2026, 12, 11, 16, tzinfo=UTC), "on": DEC_11, "office": Office.current()}
    answer = issuing.answer_reissue(task, reason="", how="by mail", **now)
    assert (answer.given.fee, answer.given.later_one, answer.given.start) == (0, True, date(2026, 1, 1))
    assert answer.given.how == "by mail"
    assert answer.given.lines > task.accounting.lines
    assert withholding.to_reissue(DEC_11) == []
    with pytest.raises(IntegrityError):
        issuing.answer_reissue(task, reason="Again", **now)


@time_machine.travel("2026-12-11T15:00:00Z")
@pytest.mark.parametrize(
    ("sent", "answers", "given_now"),
    [
        ({"leave": "yes", "reason": "The patient died."}, 1, 1),
        ({"again": "yes"}, 1, 2),
        ({"leave": "yes", "reason": " "}, 0, 1),
        ({"again": "yes", "how": "by mail"}, 0, 1),
    ],
)
def test_the_officer_closes_the_task_by_giving_anew_or_by_a_reason(client, signed_in, patient, cut, sent, answers, given_now):
    """Not by mail, though: the patient wishes to be telephoned (164.522(b)(1)(i))."""
    ContactPreferenceFactory(patient=patient, means="phone", where="555-010-9999")
    signed_in("privacy_officer")
    given_one, _early = cut
    page = client.get("/").content.decode()
    assert f"Re-issue accounting {given_one.pk}?" in page
    one = Suspension.objects.get()
    client.post(f"/suspensions/{one.pk}/reissue/", {"accounting": given_one.pk, "how": "handed over", **sent})
    assert (ReissueAnswer.objects.count(), AccountingGiven.objects.count()) == (answers, given_now)
    assert ("Re-issue accounting" in client.get("/").content.decode()) is not answers


# --- the officer's pages ----------------------------------------------------------------------------------------------


def statement(**change):
    return {
        "agency": "State Police", "official": "Det. Ruth Okafor", "identity": "Badge seen", "codes": ["law_enforcement"],
        "how": "oral", "stated_on": "2026-11-24", "until": "", "impedes": "on", "statement": "It would impede us.",
    } | change  # fmt: skip


@pytest.mark.usefixtures("nov_24")
def test_the_officer_takes_a_statement_down_from_the_row_it_is_about(client, signed_in, patient, police):
    officer = signed_in("privacy_officer")
    assert f"/patients/10023/suspensions/new/?row={police.pk}" in client.get(f"/disclosures/{police.pk}/").content.decode()
    form = client.get(f"/patients/10023/suspensions/new/?row={police.pk}").context["form"]
    assert (form.initial["agency"], form.initial["codes"]) == ("State Police", ["law_enforcement"])
    scan = SimpleUploadedFile("letter.pdf", b"%PDF-1.4 signed")
    sent = statement(how="written", until="2027-02-01", document=scan)
    response = client.post("/patients/10023/suspensions/new/", sent)
    one = Suspension.objects.defer(None).get()
    assert response.headers["Location"] == f"/suspensions/{one.pk}/"
    assert (one.last_day, one.signed_as, bytes(one.document)) == (date(2027, 2, 1), officer.signature, b"%PDF-1.4 signed")
    page = client.get(f"/suspensions/{one.pk}/")
    assert page.context["covered"] == [police]
    assert client.get(f"/suspensions/{one.pk}/document/").content == b"%PDF-1.4 signed"
    assert AccessEvent.objects.filter(subject=f"suspension {one.pk}", chart_number="10023").count() == 3


@pytest.mark.usefixtures("nov_24")
@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"codes": ["court_order"]}, "codes", "can't be suspended"),
        ({"codes": ["abuse_neglect"]}, "codes", "can't be suspended"),
        ({"codes": []}, "codes", "Tick which"),
        ({"impedes": ""}, "impedes", "nothing may be withheld"),
        ({"until": "2027-01-01"}, "until", "30 days at most"),
        ({"stated_on": "2026-11-25"}, "stated_on", "future"),
        ({"stated_on": "2026-10-24"}, "stated_on", "is over"),
        ({"identity": ""}, "identity", "required"),
    ],
)
def test_what_the_rule_refuses_is_said_at_its_field(client, signed_in, patient, change, field, words):
    signed_in("privacy_officer")
    page = client.post("/patients/10023/suspensions/new/", statement(**change))
    assert words in html.unescape(str(page.context["form"].errors[field]))
    assert "It would impede us." in page.content.decode()
    assert not Suspension.objects.exists()


@pytest.mark.usefixtures("nov_24")
def test_the_officer_records_the_written_one_and_ends_it(client, signed_in, patient):
    signed_in("privacy_officer")
    old = SuspensionFactory(patient=patient)
    assert client.get(f"/suspensions/{old.pk}/written/").context["form"].initial["agency"] == "State Police"
    assert client.post(f"/suspensions/{old.pk}/written/", statement()).context["form"].errors["how"]
    client.post(f"/suspensions/{old.pk}/written/", statement(how="written", until="2027-01-01"))
    new = Suspension.objects.latest("id")
    assert new.supersedes == old
    client.post(f"/suspensions/{new.pk}/end/", {"reason": "Taken back by letter"})
    assert client.get(f"/suspensions/{new.pk}/").context["is_active"] is False
    assert "not active any more" in client.post(f"/suspensions/{new.pk}/end/", {"reason": "x"}).content.decode()
    assert client.get("/suspensions/").context["rows"] == [(new, False), (old, False)]


@pytest.mark.usefixtures("nov_24")
def test_no_page_of_another_role_leads_there(client, signed_in, patient, police):
    SuspensionFactory(patient=patient)
    for role in ("front_desk", "physician", "office_admin"):
        signed_in(role)
        for path in ("/", "/disclosures/", "/patients/10023/", "/patients/10023/disclosures/"):
            assert "uspen" not in client.get(path).content.decode()
    told_json = json.dumps(accounting.for_patient(patient, *EVER, on=date(2026, 11, 24)).as_dict())
    assert "police" not in told_json.lower()

"""The chart's page of representatives: what goes on file, how it ends, and what the desk may not so much as guess."""

import hashlib
from datetime import date
from html import unescape

import pytest
from django.core.exceptions import ValidationError

from meso import seals
from records import representation
from records.models import Representative, RepresentativeRefusal
from tests.factories import AT, EntryFactory, PatientFactory, RepresentativeFactory, RestrictionFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]
ON = date(2026, 11, 24)
ASK = "Ask the privacy officer before acting for this representative."
HINTS = ("abuse", "neglect", "violence", "endanger", "harm", "suspect", "bruise", "refus")
TYPED = {
    "name": "Rosa Alvarez",
    "relation": "sister",
    "basis": "power",
    "paper": "health_care_power",
    "scope": "health_care",
    "begins_on": "2026-11-01",
    "ways": ["photo_id"],
}


@pytest.fixture
def patient():
    return PatientFactory(chart_number="10023", first_name="Maria", last_name="Alvarez")


def a_doctor():
    return UserFactory(role="physician", credentials="MD", licence_number="NY 204417")


def words(response) -> str:
    return unescape(response.content.decode())


def put(client, **typed):
    return client.post("/patients/10023/representatives/new/", TYPED | typed)


def errors(response) -> dict[str, list[str]]:
    assert response.status_code == 200
    return {field: [str(one) for one in found] for field, found in response.context["form"].errors.items()}


# --- putting on file --------------------------------------------------------------------------------------------------


def test_a_representative_goes_on_file_with_scan_and_check(client, signed_in, patient, upload, file_bytes, events):
    user = signed_in("front_desk")
    answer = put(client, scan=upload("pdf", "power.pdf"), ways=["match"], identifiers=["born", "address"])
    assert answer.url == "/patients/10023/representatives/"
    one = Representative.objects.defer(None).get()
    assert (one.patient, one.verified_by, one.verified_on) == (patient, user, ON)
    assert one.verified_how == "facts matched the chart (date of birth, address)"
    assert (bytes(one.scan), one.scan_sha256) == (file_bytes["pdf"], hashlib.sha256(file_bytes["pdf"]).hexdigest())
    assert ("change", "representative on file", "10023") in events()
    assert seals.verify().breaks == []
    scan = client.get(f"/patients/10023/representatives/{one.pk}/document/")
    assert (scan.content, scan["Content-Type"]) == (file_bytes["pdf"], "application/pdf")
    assert f"chart-10023-representative-{one.pk}.pdf" in scan["Content-Disposition"]
    assert ("download", f"document of representative {one.pk}", "10023") in events()


def test_a_second_click_puts_nobody_on_file_twice(client, signed_in, patient):
    signed_in("front_desk")
    assert [put(client).status_code for _ in range(2)] == [302, 302]
    assert Representative.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "field", "told"),
    [
        ({"paper": "finance_power"}, "scope", "reaches finances only"),
        ({"paper": "birth"}, "paper", "What does: Power of attorney or proxy for health care"),
        ({"basis": "parent", "paper": "birth"}, "basis", "does not act for an adult"),
        ({"basis": "estate", "paper": "letters"}, "basis", "No death is recorded"),
        ({"basis": "other_law", "paper": "statute"}, "law", "Which law"),
        ({"scope": "limited"}, "limits", "Which matters?"),
        ({"begins_on": "2026-11-25"}, "begins_on", "in the future"),
        ({"expires_on": "2026-10-31"}, "expires_on", "before the authority begins"),
        ({"ways": []}, "ways", "at least one way"),
        ({"ways": ["match"], "identifiers": ["born"]}, "identifiers", "at least two"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(client, signed_in, patient, typed, field, told):
    signed_in("front_desk")
    answer = put(client, **typed)
    assert told in errors(answer)[field][0]
    assert "sister" in words(answer)
    assert not Representative.objects.exists()


def test_a_scan_is_known_by_its_content(client, signed_in, patient, upload):
    signed_in("front_desk")
    assert "not a PDF" in errors(put(client, scan=upload("exe", "power.pdf")))["scan"][0]


def test_after_putting_on_file_the_desk_is_back_where_it_came_from_and_nowhere_else(client, signed_in, patient):
    signed_in("front_desk")
    new = "/patients/10023/representatives/new/"
    assert client.post(f"{new}?back=/requests/R-1042/identity/", TYPED).url == "/requests/R-1042/identity/"
    for elsewhere in ("https://example.com/", "//example.com/", "javascript:alert(1)", "needles"):
        assert client.post(f"{new}?back={elsewhere}", TYPED).url == "/patients/10023/representatives/"


# --- on the chart -----------------------------------------------------------------------------------------------------


def test_the_banner_names_who_acts_and_until_when(client, signed_in, patient):
    signed_in("front_desk")
    RepresentativeFactory(patient=patient, expires_on=date(2026, 12, 31))
    RepresentativeFactory(patient=patient, name="Long Gone", expires_on=date(2026, 6, 30))
    banner = words(client.get("/patients/10023/")).split("<h1>")[0]
    assert "Rosa Alvarez, sister" in banner
    assert "through Dec 31, 2026" in banner
    assert "Long Gone" not in banner
    page = words(client.get("/patients/10023/representatives/"))
    assert "Long Gone" in page
    assert "The authority expired on Jun 30, 2026." in page


def test_the_pages_cost_the_same_however_many_representatives_there_are(client, signed_in, patient, queries_for):
    signed_in("front_desk")
    bare = len(queries_for("/patients/10023/"))
    RepresentativeFactory(patient=patient).refuse(by=a_doctor(), at=AT, on=ON, ground="harmed", reasoning="x")
    few = [len(queries_for(path)) for path in ("/patients/10023/", "/patients/10023/representatives/")]
    for number in range(12):
        RepresentativeFactory(patient=patient, name=f"Person {number}")
    assert [len(queries_for(path)) for path in ("/patients/10023/", "/patients/10023/representatives/")] == few
    assert few[0] <= bare + 3  # who they are, their refusals, the ends of these


def test_a_chart_without_representatives_asks_no_question_more(client, signed_in, patient, queries_for):
    signed_in("front_desk")
    assert not [sql for sql in queries_for("/patients/10023/") if 'FROM "records_representative"' in sql and "EXISTS" not in sql]


def test_active_gives_those_who_may_act_on_the_day(patient):
    one = RepresentativeFactory(patient=patient, expires_on=date(2026, 11, 24))
    RepresentativeFactory(patient=patient, scope="finances", paper="finance_power")
    assert representation.active(patient, ON) == [one]
    assert representation.active(patient, date(2026, 11, 25)) == []


# --- ending -----------------------------------------------------------------------------------------------------------


def test_an_authority_is_ended_once_with_its_reason(client, signed_in, patient):
    signed_in("front_desk")
    one = RepresentativeFactory(patient=patient)
    end = f"/patients/10023/representatives/{one.pk}/end/"
    assert "must lie between" in errors(client.post(end, {"ended_on": "2026-11-25", "reason": "Revoked"}))["ended_on"][0]
    assert client.post(end, {"ended_on": "2026-11-20", "reason": "Revoked in writing"}).status_code == 302
    assert "ended already" in errors(client.post(end, {"ended_on": "2026-11-20", "reason": "Again"}))["__all__"][0]
    assert "ended Nov 20, 2026: Revoked in writing" in words(client.get("/patients/10023/representatives/"))
    assert representation.active(patient, date(2026, 11, 19)) == [one]
    assert representation.active(patient, date(2026, 11, 20)) == []


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2026, 11, 25)])
def test_an_authority_ends_neither_before_it_began_nor_in_the_future(patient, day):
    one = RepresentativeFactory(patient=patient, begins_on=date(2026, 1, 1))
    with pytest.raises(ValidationError, match="between the day it began and today"):
        one.end(by=a_doctor(), at=AT, on=ON, ended_on=day, reason="Revoked")
    one.end(by=a_doctor(), at=AT, on=ON, ended_on=date(2026, 1, 1), reason="Revoked")


def test_a_representative_of_another_chart_is_not_found(client, signed_in, patient):
    signed_in("physician")
    other = RepresentativeFactory()
    for act in ("end", "document", "refuse", "refusal", "refusal/end"):
        assert client.get(f"/patients/10023/representatives/{other.pk}/{act}/").status_code == 404


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("representatives/new/", "new representative"),
        ("representatives/{one}/end/", "representatives"),
        ("entries/{entry}/minor/", "entry {entry}"),
        ("death/", "representatives"),
        ("limits/{limit}/end/", "restrictions and contact"),
    ],
)
def test_a_look_at_the_page_of_an_act_is_written_down_and_so_is_one_that_was_refused(
    client, signed_in, patient, events, path, seen
):
    signed_in("privacy_officer" if path.startswith("limits") else "physician")
    patient.date_of_birth = date(2012, 1, 1)
    patient.save()
    entry, limit = EntryFactory(patient=patient), RestrictionFactory(patient=patient)
    keys = {"one": RepresentativeFactory(patient=patient).pk, "entry": entry.pk, "limit": limit.pk}
    address, looked = f"/patients/10023/{path.format(**keys)}", ("view", seen.format(**keys), "10023")
    assert client.get(address).status_code == 200
    assert events()[-1] == looked
    assert client.post(address, {}).status_code == 200
    assert events()[-2:] == [looked, looked]


# --- the physician's refusal ------------------------------------------------------------------------------------------

BELIEF = {"ground": "harmed", "reasoning": "Bruises at two visits; she was afraid to speak while he was there."}


def refuse(client, one, **typed):
    return client.post(f"/patients/10023/representatives/{one.pk}/refuse/", BELIEF | typed)


@pytest.fixture
def refused(patient):
    one = RepresentativeFactory(patient=patient)
    one.refuse(by=a_doctor(), at=AT, on=date(2026, 9, 1), **BELIEF)
    return one


def test_refused_on_september_1_means_refused_on_september_3_and_not_before(refused):
    assert representation.refusal(refused, date(2026, 8, 31)) is None
    assert representation.refusal(refused, date(2026, 9, 3)) == ASK


def test_the_physician_refuses_with_name_licence_and_reasoning(client, signed_in, patient):
    doctor = signed_in("physician", credentials="MD", licence_number="NY 204417")
    one = RepresentativeFactory(patient=patient)
    assert refuse(client, one, reasoning="").status_code == 200
    assert refuse(client, one).status_code == 302
    kept = RepresentativeRefusal.objects.get()
    assert (kept.by, kept.signed_as, kept.licence, kept.begins_on) == (doctor, doctor.signature, "NY 204417", ON)
    assert "refused already" in errors(refuse(client, one))["__all__"][0]
    assert seals.verify().breaks == []


def test_without_a_licence_on_file_nobody_judges(client, signed_in, patient):
    signed_in("physician", licence_number="")
    one = RepresentativeFactory(patient=patient)
    answer = refuse(client, one)
    assert "licence number is missing" in errors(answer)["__all__"][0]
    assert "Bruises at two visits" in words(answer)


@pytest.mark.parametrize("role", ["front_desk", "physician", "privacy_officer"])
@pytest.mark.parametrize("page", ["/patients/10023/", "/patients/10023/representatives/", "/patients/10023/representatives/new/"])
def test_no_page_of_the_desk_betrays_the_suspicion(client, signed_in, refused, role, page):
    """Nor do those of the physician and the officer, whose screens others see: they open it."""
    signed_in(role)
    shown = words(client.get(page))
    assert ASK in shown
    assert not [hint for hint in HINTS if hint in shown.lower().replace("/refusal/", "").replace("/refuse/", "")]


def test_who_reads_why(client, signed_in, refused, events):
    page = f"/patients/10023/representatives/{refused.pk}/refusal/"
    for role, code in (("front_desk", 403), ("office_admin", 403), ("physician", 200), ("privacy_officer", 200)):
        signed_in(role)
        answer = client.get(page)
        assert answer.status_code == code
        assert ("Bruises at two visits" in words(answer)) == (code == 200)
    assert ("view", f"refusal of representative {refused.pk}", "10023") in events()


def test_somebody_refused_does_not_come_back_with_another_paper(client, signed_in, patient, refused):
    signed_in("front_desk")
    answer = put(client, name="ALVAREZ, Rósa", basis="court", paper="order")
    assert errors(answer) == {"name": [ASK]}
    assert put(client, name="Rosa Alvarez-Soto").status_code == 302  # another person


def test_the_physician_ends_the_refusal(client, signed_in, refused):
    signed_in("physician", licence_number="")
    end = f"/patients/10023/representatives/{refused.pk}/refusal/end/"
    assert "licence number is missing" in errors(client.post(end, {"reason": "The report was wrong."}))["__all__"][0]
    signed_in("physician", licence_number="NY 204417")
    assert client.post(end, {"reason": "The report was wrong."}).status_code == 302
    one = Representative.objects.with_state().get()
    assert representation.refusal(one, date(2026, 11, 23)) == ASK
    assert representation.refusal(one, ON) is None
    assert client.get(end).status_code == 302  # nothing is in force
    with pytest.raises(ValidationError, match="ended already"):
        one.refusals.get().end(by=a_doctor(), at=AT, on=ON, reason="Again")

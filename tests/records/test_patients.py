"""The desk finds, registers and updates patients."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from django.db import connection

from meso.models import AccessEvent, Draft, Office
from records import changes, contact_checks
from records.forms.patients import EDITED
from records.models import ChangedMeanwhileError, Patient, ResemblesError
from tests.conftest import as_owner
from tests.factories import ContactPreferenceFactory, PatientFactory
from tests.signing_in import log_in

NEW = {
    "first_name": "Ruth", "last_name": "O'Brien", "preferred_name": "",
    "date_of_birth": "1958-02-28", "sex": "female", "language": "en",
    "phone": "(518) 555-0140", "email": "ruth@example.org", "address_1": "12 Elm Street", "address_2": "", "city": "Albany",
    "state": "ny", "zip": "12207", "chart_number": "",
}  # fmt: skip


# --- finding ----------------------------------------------------------------------------------------------------------


def test_the_page_opens_with_the_charts_this_person_had_open_last(client, signed_in):
    signed_in("front_desk")
    charts = [PatientFactory(last_name=name) for name in ("Abel", "Bell", "Cole")]
    for patient in charts:
        client.get(f"/patients/{patient.chart_number}/")
    page = client.get("/patients/")
    assert [patient.last_name for patient in page.context["patients"]] == ["Cole", "Bell", "Abel"]
    signed_in("physician")
    assert client.get("/patients/").context["patients"] == []


def test_a_search_shows_enough_to_tell_two_marias_apart(client, signed_in):
    signed_in("front_desk")
    PatientFactory(
        first_name="Maria", last_name="Alvarez", chart_number="10001", phone="518-555-0101", city="Troy", address_1="1 Elm St"
    )
    PatientFactory(
        first_name="Maria", last_name="Alvarez", chart_number="10002", phone="518-555-0102", date_of_birth=date(1990, 1, 9),
        preferred_name="Mia", deceased_on=date(2026, 1, 1),
    )  # fmt: skip
    page = client.post("/patients/", {"q": "maria alvarez"})
    for shown in (
        "10001",
        "10002",
        "518-555-0101",
        "518-555-0102",
        "Jul 2, 1984",
        "Jan 9, 1990",
        "Troy",
        "Mia",
        "Died",
        "2 patients",
    ):
        assert shown in page.text, shown


def test_while_typing_only_the_rows_are_sent(client, signed_in):
    signed_in("front_desk")
    PatientFactory(first_name="Maria")
    part = client.post("/patients/", {"q": "mar"}, headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "Maria" in part.text


def test_more_than_a_page_says_that_more_may_match(client, signed_in):
    signed_in("front_desk")
    for place in range(26):
        PatientFactory(first_name=f"A{place}", last_name="Vance")
    page = client.post("/patients/", {"q": "vance"})
    assert len(page.context["patients"]) == 25
    assert "The first 25; more may match" in page.text


def test_a_whole_chart_number_opens_the_chart(client, signed_in):
    signed_in("front_desk")
    PatientFactory(chart_number="A-7.1")
    PatientFactory(chart_number="A-7.12")
    response = client.post("/patients/", {"q": " a-7.1 "})
    assert response["Location"] == "/patients/A-7.1/"
    assert client.post("/patients/", {"q": "a-7.1"}, headers={"HX-Request": "true"}).status_code == 200
    PatientFactory(last_name="A 71")  # found by name: now it is not clear who is meant
    PatientFactory(chart_number="518")
    PatientFactory(phone="518-555-0101")
    assert client.post("/patients/", {"q": "518"}).status_code == 200


@pytest.mark.parametrize("typed", ["x" * 201, "a\0b"])
def test_a_search_that_can_not_be_is_told_in_words(client, signed_in, typed):
    signed_in("front_desk")
    page = client.post("/patients/", {"q": typed})
    assert page.status_code == 200
    assert page.context["form"].errors["q"]


def test_a_patient_who_wishes_to_be_reached_another_way_shows_no_telephone_and_street_in_a_list(client, signed_in, nov_24):
    signed_in("front_desk")
    patient = PatientFactory(last_name="Vance", phone="518-555-0199", address_1="9 Hidden Lane")
    ContactPreferenceFactory(patient=patient)
    page = client.post("/patients/", {"q": "vance"})
    assert "518-555-0199" not in page.text
    assert "9 Hidden Lane" not in page.text
    assert "See the chart" in page.text


def test_a_search_writes_one_event_that_holds_counts_only(client, signed_in):
    signed_in("front_desk")
    PatientFactory(last_name="Vance")
    client.post("/patients/", {"q": "vance"})
    event = AccessEvent.objects.get(action="search")
    assert (event.subject, event.detail, event.chart_number) == ("patients", "1 found", "")


def test_neither_search_nor_recent_charts_cost_more_among_many(client, signed_in, queries_for):
    signed_in("front_desk")
    client.get(f"/patients/{PatientFactory(last_name='Vance').chart_number}/")
    few, few_found = len(queries_for("/patients/")), len(queries_for("/patients/", {"q": "vance"}))
    for _ in range(30):
        client.get(f"/patients/{PatientFactory(last_name='Vance').chart_number}/")
    assert len(queries_for("/patients/")) == few
    assert len(queries_for("/patients/", {"q": "vance"})) <= few_found


# --- registering ------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(signed_in, nov_24):
    return signed_in("front_desk")


def test_a_patient_is_registered_under_the_next_number(client, desk, events):
    response = client.post("/patients/new/", NEW)
    patient = Patient.objects.get()
    assert response["Location"] == "/patients/10001/"
    assert (patient.name, patient.date_of_birth, patient.state) == ("Ruth O'Brien", date(1958, 2, 28), "NY")
    assert events() == [("login", "login", ""), ("create", "patient", "10001")]
    assert patient.history.get().history_user == desk


def test_a_number_that_an_import_used_is_passed_over(client, desk):
    PatientFactory(chart_number="10001")
    client.post("/patients/new/", NEW)
    assert Patient.objects.get(last_name="O'Brien").chart_number == "10002"


def test_a_number_of_the_desk_s_own_is_kept_and_costs_no_number_of_the_office(client, desk):
    client.post("/patients/new/", NEW | {"chart_number": "Old-17.b"})
    assert Patient.objects.get().chart_number == "Old-17.b"
    assert Office.current().next_chart_number == 10001


@pytest.mark.parametrize("number", ["new", "NEW", "a/b", "..", ".", "-1", "a b", "ä", "x" * 65, "taken-1", "TAKEN-1"])
def test_a_number_that_can_not_be_is_refused_at_its_field(client, desk, number):
    PatientFactory(chart_number="Taken-1")
    page = client.post("/patients/new/", NEW | {"chart_number": number})
    assert page.status_code == 200
    assert page.context["form"].errors["chart_number"]
    assert Patient.objects.count() == 1


@pytest.mark.parametrize(
    ("first", "last"),
    [("", "Isa"), ("Björk", ""), ("María-José", "Carreño Quiñones"), ("泽东", "毛"), ("x" * 200, "y" * 200),
     ("Va'apu'u", "Vitale"), ("Sam", "Smith 😊"), ("می\u200cنا", "رضایی")],
)  # fmt: skip
def test_names_are_taken_as_people_have_them(client, desk, first, last):
    assert client.post("/patients/new/", NEW | {"first_name": first, "last_name": last}).status_code == 302
    patient = Patient.objects.get()
    assert (patient.first_name, patient.last_name) == (first, last)
    page = client.get(f"/patients/{patient.chart_number}/")
    assert page.status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("first_name", "x" * 201, "at most 200 characters"),
        ("last_name", "Smith\u202egnihtemos", "can't be seen"),
        ("preferred_name", "a\x07b", "can't be seen"),
        ("date_of_birth", "2026-11-25", "in the future"),
        ("date_of_birth", "1896-11-23", "more than 130 years ago"),
        ("date_of_birth", "2023-02-29", "not a day"),
        ("date_of_birth", "", "required"),
        ("phone", "call me", "not a telephone number"),
        ("phone", "12", "not a telephone number"),
        ("phone", "1" * 41, "at most 40 characters"),
        ("email", "ruth at home", "valid email"),
        ("zip", "1220", "5 digits"),
        ("zip", "122071", "5 digits"),
        ("sex", "x", "not one of the available choices"),
    ],
)
def test_what_can_not_be_is_refused_at_its_field_and_nothing_typed_is_lost(client, desk, field, value, said):
    page = client.post("/patients/new/", NEW | {field: value})
    assert page.status_code == 200
    assert said in " ".join(page.context["form"].errors[field])
    assert list(page.context["form"].errors) == [field]
    assert page.context["form"]["address_1"].value() == "12 Elm Street"
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"phone": "+44 20 7946 0018", "state": "London", "zip": "SW1A 1AA"},
        {"phone": "555-0140", "state": "ON", "zip": "K1A 0B1"},
        {"phone": "(518) 555-0140 ext. 12", "state": "", "zip": "75008"},
        {"phone": "518.555.0140 x7", "state": "NY", "zip": "12207-1234"},
        {"phone": "+49 (0)30 1234567", "state": "Bayern", "zip": "80331", "email": "a@bücher.example"},
        {"phone": "", "email": "", "address_1": "", "city": "", "state": "", "zip": "", "sex": "unknown"},
        {"date_of_birth": "11/24/2026"}, {"date_of_birth": "1896-11-24"},
    ],
)  # fmt: skip
def test_other_countries_and_bare_facts_are_taken(client, desk, fields):
    assert client.post("/patients/new/", NEW | fields).status_code == 302


def test_a_name_needs_one_letter_of_any_script(client, desk):
    for last in ("", "😊", "'-"):
        page = client.post("/patients/new/", NEW | {"first_name": "", "last_name": last})
        assert page.context["form"].errors["last_name"]


def test_a_chart_that_resembles_is_shown_before_anything_is_saved(client, desk):
    other = PatientFactory(
        first_name="Ruth", last_name="OBrien", date_of_birth=date(1958, 2, 28), city="Troy", chart_number="10077"
    )
    page = client.post("/patients/new/", NEW)
    assert page.status_code == 200
    assert page.context["resembling"] == [other]
    for shown in (
        "Feb 28, 1958",
        "10077",
        "Troy",
        "Register anyway, this is another person",
        'href="/patients/10077/"',
        "12 Elm Street",
    ):
        assert shown in page.text, shown
    assert Patient.objects.count() == 1
    assert client.post("/patients/new/", NEW | {"seen": f"{other.pk} "}).status_code == 302
    assert Patient.objects.count() == 2


def test_the_desk_is_asked_again_when_another_chart_resembles_what_it_changed(client, desk):
    one = PatientFactory(first_name="Ruth", last_name="O'Brien", date_of_birth=date(1958, 2, 28))
    other = PatientFactory(first_name="Ada", last_name="Vance", date_of_birth=date(1960, 1, 1))
    changed = {"first_name": "Ada", "last_name": "Vance", "date_of_birth": "1960-01-01", "seen": str(one.pk)}
    page = client.post("/patients/new/", NEW | changed)
    assert page.context["resembling"] == [other]
    assert Patient.objects.count() == 2


@pytest.mark.parametrize("seen", ["x", "-1", "9" * 30, "²"])
def test_a_button_that_was_tampered_with_changes_nothing(client, desk, seen):
    PatientFactory(first_name="Ruth", last_name="O'Brien", date_of_birth=date(1958, 2, 28))
    assert client.post("/patients/new/", NEW | {"seen": seen}).status_code == 200
    assert Patient.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_desks_can_not_register_one_person_at_once():
    barrier = Barrier(2)
    Office.current()

    def register(_):
        try:
            barrier.wait(timeout=20)
            patient = Patient(first_name="Ruth", last_name="O'Brien", date_of_birth=date(1958, 2, 28))
            patient.register()
            return patient.chart_number
        except ResemblesError as warning:
            return [chart.chart_number for chart in warning.charts]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(register, range(2)))
    assert sorted(results, key=str) == ["10001", ["10001"]]


def test_what_was_typed_before_a_login_expired_is_back_in_the_form(client, desk, password):
    client.logout()
    kept = client.post("/patients/new/", NEW).context["kept"]
    desk.set_password(password)
    desk.save()
    log_in(client, desk, next="/patients/new/", kept=kept)
    page = client.get("/patients/new/")
    assert page.context["form"]["last_name"].value() == "O'Brien"
    assert "is back in the form" in page.text
    client.post("/patients/new/", NEW)
    assert not Draft.objects.exists()


@pytest.mark.parametrize("role", ["front_desk", "physician", "privacy_officer"])
def test_the_clinic_registers(client, signed_in, nov_24, role):
    signed_in(role)
    assert client.post("/patients/new/", NEW).status_code == 302


def test_the_office_admin_sees_no_patients(client, signed_in, events):
    signed_in("office_admin")
    chart = PatientFactory().chart_number
    for path in ("/patients/", "/patients/new/", f"/patients/{chart}/", f"/patients/{chart}/edit/", f"/patients/{chart}/files/"):
        assert client.get(path).status_code == 403
    assert ("refused", "patient.view", chart) in events()


# --- updating ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def patient(db):
    return PatientFactory(chart_number="10023", first_name="Maria", last_name="Alvarez")


def as_shown(patient: Patient, **typed) -> dict[str, str]:
    """What the browser sends when these fields were changed on the page as it shows the patient now."""
    shown = patient.details(EDITED)
    return shown | {"seen": json.dumps(shown)} | typed


def test_details_are_changed_and_the_change_is_on_file(client, desk, patient, events):
    response = client.post("/patients/10023/edit/", as_shown(patient, phone="518-555-0177", city="Troy"))
    assert response["Location"] == "/patients/10023/"
    patient.refresh_from_db()
    assert (patient.phone, patient.phone_digits, patient.city) == ("518-555-0177", "5185550177", "Troy")
    assert events()[-1] == ("change", "patient", "10023")
    assert AccessEvent.objects.latest("pk").detail == "2 details"
    page = client.get("/patients/10023/edit/")
    assert page.context["changes"][0].details == [
        ("telephone", "555-010-2233", "518-555-0177"), ("city", "Albany", "Troy"),
    ]  # fmt: skip
    assert page.context["changes"][0].by == desk
    assert page.context["changes"][1].is_first


def test_nothing_changed_writes_nothing(client, desk, patient):
    client.post("/patients/10023/edit/", as_shown(patient))
    assert patient.history.count() == 1
    assert not AccessEvent.objects.filter(action="change").exists()


def test_an_imported_chart_without_history_is_updated_too(client, desk, patient):
    with as_owner():  # what an import leaves, which the office's own role can't
        patient.history.all().delete()
    assert client.post("/patients/10023/edit/", as_shown(patient, city="Troy")).status_code == 302
    assert Patient.objects.get().city == "Troy"


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"zip": "1"}, "zip"),
     ({"first_name": "", "last_name": ""}, "last_name"), ({"date_of_birth": "2030-01-01"}, "date_of_birth")],
)  # fmt: skip
def test_an_update_that_can_not_be_is_refused_at_its_field(client, desk, patient, fields, field):
    page = client.post("/patients/10023/edit/", as_shown(patient, **fields))
    assert page.context["form"].errors[field]
    assert patient.history.count() == 1


def test_two_desks_that_change_different_details_lose_nothing(client, desk, patient):
    mine = as_shown(patient, phone="518-555-0177")
    theirs = as_shown(patient, city="Troy")
    assert client.post("/patients/10023/edit/", theirs).status_code == 302
    assert client.post("/patients/10023/edit/", mine).status_code == 302
    patient.refresh_from_db()
    assert (patient.phone, patient.city) == ("518-555-0177", "Troy")


def test_two_desks_that_change_the_same_detail_are_told(client, desk, patient):
    mine = as_shown(patient, phone="518-555-0177")
    client.post("/patients/10023/edit/", as_shown(patient, phone="518-555-0166", city="Troy"))
    page = client.post("/patients/10023/edit/", mine)
    form = page.context["form"]
    assert list(form.errors) == ["phone"]
    assert "518-555-0166" in str(form.errors["phone"])
    assert (form["phone"].value(), form["city"].value()) == ("518-555-0177", "Troy")  # mine where I typed, theirs elsewhere
    assert Patient.objects.get().phone == "518-555-0166"
    again = {name: form[name].value() or "" for name in EDITED} | {"seen": form["seen"].value()}
    assert client.post("/patients/10023/edit/", again).status_code == 302
    patient.refresh_from_db()
    assert (patient.phone, patient.city) == ("518-555-0177", "Troy")


def test_two_desks_that_make_the_same_change_are_not_bothered(client, desk, patient):
    same = as_shown(patient, phone="518-555-0177")
    assert client.post("/patients/10023/edit/", same).status_code == 302
    assert client.post("/patients/10023/edit/", same).status_code == 302
    assert patient.history.count() == 2


def test_a_name_can_not_be_taken_away_by_two_halves(patient):
    seen = patient.details(EDITED)
    wanted = {name: getattr(patient, name) for name in EDITED}
    patient.change_details(wanted | {"first_name": ""}, seen)
    with pytest.raises(contact_checks.ValidationError):
        patient.change_details(wanted | {"last_name": ""}, seen)
    with pytest.raises(ChangedMeanwhileError) as clash:
        patient.change_details(wanted | {"first_name": "Ada"}, seen)
    assert clash.value.fields == ["first_name"]


@pytest.mark.parametrize("seen", ["", "[]", "not json", '{"phone": 7}'])
def test_a_form_without_a_memory_still_saves(client, desk, patient, seen):
    response = client.post("/patients/10023/edit/", as_shown(patient, city="Troy") | {"seen": seen})
    assert response.status_code == (200 if seen == "not json" else 302)


def test_a_kept_update_comes_back_with_what_was_emptied(client, desk, patient, password):
    desk.set_password(password)
    desk.save()
    client.logout()
    kept = client.post("/patients/10023/edit/", as_shown(patient, phone="", city="Troy")).context["kept"]
    log_in(client, desk, next="/patients/10023/edit/", kept=kept)
    form = client.get("/patients/10023/edit/").context["form"]
    assert (form["phone"].value(), form["city"].value()) == ("", "Troy")
    again = {name: form[name].value() or "" for name in EDITED} | {"seen": json.dumps(form["seen"].initial)}
    assert client.post("/patients/10023/edit/", again).status_code == 302
    patient.refresh_from_db()
    assert (patient.phone, patient.city, patient.history.count()) == ("", "Troy", 2)
    assert not Draft.objects.exists()


def test_a_language_that_the_list_does_not_have_is_kept(client, desk):
    patient = PatientFactory(language="en-US", chart_number="10024")
    client.post("/patients/10024/edit/", as_shown(patient, city="Troy"))
    assert Patient.objects.get().language == "en-US"


def test_the_history_costs_one_query(patient, django_assert_num_queries):
    for place in range(30):
        patient.city = f"City {place}"
        patient.save()
    with django_assert_num_queries(1):
        found = changes.of(patient)
    assert len(found) == 20
    assert found[0].details == [("city", "City 28", "City 29")]


def test_titles_and_addresses_of_pages_name_no_patient(client, desk, patient):
    for path in ("", "edit/", "files/", "entries/new/"):
        page = client.get(f"/patients/10023/{path}").text
        title = page[page.index("<title>") : page.index("</title>")]
        assert "Alvarez" not in title
        assert "10023" in title


def test_a_chart_that_is_not_there_is_not_found(client, signed_in):
    signed_in("front_desk")
    for path in ("", "edit/", "files/", "print/", "entries/new/", "files/1/"):
        assert client.get(f"/patients/none/{path}").status_code == 404

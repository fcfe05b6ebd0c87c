"""Writing an entry: which kinds who may write, what is checked, drafts, and once only."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from meso.models import AccessEvent, Draft
from records.models import Attachment, Entry, Restriction
from tests.factories import AT, PatientFactory, UserFactory
from tests.signing_in import log_in

FORM = "/patients/10023/entries/new/"
DRAFT = "/patients/10023/entries/draft/"
NOTE = {
    "kind": "visit_note",
    "service_on": "2026-11-23",
    "title": "Follow-up",
    "body": "No pain.\r\nPlan: go on.",
    "token": "t" * 20,
}
LETTER = {
    "kind": "correspondence",
    "service_on": "2026-11-23",
    "title": "Letter",
    "body": "From the family doctor.",
    "token": "t" * 20,
}
TREATMENT = NOTE | {
    "kind": "treatment", "areas": "Abdomen", "technique": "Nappage", "reaction": "None",
    "product_1_name": "Procaine 1%", "product_1_lot": "PR-1", "product_1_dose": "0.5 mL", "product_6_name": "L-carnitine",
}  # fmt: skip


@pytest.fixture
def patient(db, nov_24):
    return PatientFactory(chart_number="10023")


@pytest.fixture
def doctor(signed_in, patient):
    return signed_in("physician", first_name="Ada", last_name="Vance", credentials="MD")


@pytest.fixture
def desk(signed_in, patient):
    return signed_in("front_desk")


def test_a_physician_writes_and_signs(client, doctor, patient, events):
    response = client.post(FORM, NOTE)
    entry = Entry.objects.get()
    assert response["Location"] == f"/patients/10023/#entry-{entry.pk}"
    assert (entry.patient, entry.author, entry.signed_as) == (patient, doctor, "Ada Vance, MD")
    assert (entry.service_on, entry.body, entry.written_at) == (date(2026, 11, 23), "No pain.\nPlan: go on.", AT)
    assert events()[-1] == ("create", f"entry {entry.pk}", "10023")


def test_a_treatment_has_its_own_fields(client, doctor):
    assert client.post(FORM, TREATMENT).status_code == 302
    entry = Entry.objects.get()
    assert entry.products == [
        {"name": "Procaine 1%", "lot": "PR-1", "dose": "0.5 mL"}, {"name": "L-carnitine", "lot": "", "dose": ""},
    ]  # fmt: skip
    assert (entry.areas, entry.technique, entry.reaction) == ("Abdomen", "Nappage", "None")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"kind": ""}, "kind"),
        ({"kind": "diary"}, "kind"),
        ({"service_on": "2026-11-25"}, "service_on"),
        ({"service_on": "1984-07-01"}, "service_on"),
        ({"service_on": "yesterday"}, "service_on"),
        ({"title": "x" * 201}, "title"),
        ({"body": "x" * 500_001}, "body"),
        ({"token": "<script>"}, "token"),
        ({"areas": "Abdomen"}, "kind"),
        ({"product_3_name": "Procaine"}, "kind"),
        ({"kind": "treatment"}, "areas"),
        ({"kind": "treatment", "areas": "Abdomen", "product_2_lot": "PR-1"}, "product_2_name"),
        ({"kind": "treatment", "areas": "x" * 301}, "areas"),
        ({"kind": "treatment", "areas": "Chin", "product_1_name": "x" * 121}, "product_1_name"),
    ],
)
def test_what_can_not_be_is_refused_at_its_field_and_nothing_typed_is_lost(client, doctor, fields, wrong):
    page = client.post(FORM, NOTE | fields)
    assert page.status_code == 200
    assert list(page.context["form"].errors) == [wrong]
    assert page.context["form"]["body"].value() == (NOTE | fields)["body"].replace("\r\n", "\n")
    assert not Entry.objects.exists()


def test_an_entry_of_today_and_of_the_day_of_birth_are_taken(client, doctor, patient):
    for day in ("2026-11-24", patient.date_of_birth.isoformat()):
        assert client.post(FORM, NOTE | {"service_on": day, "token": f"{day}-of-service"}).status_code == 302


def test_an_empty_title_becomes_the_kind(client, doctor):
    client.post(FORM, NOTE | {"title": " "})
    assert Entry.objects.get().title == "Visit note"


def test_the_day_offered_is_the_office_s_own(client, doctor):
    assert client.get(FORM).context["form"]["service_on"].value() == date(2026, 11, 24)


# --- who writes what --------------------------------------------------------------------------------------------------

FILED = {"outside_record", "correspondence", "photograph", "consent", "lab_result", "billing_record"}


@pytest.mark.parametrize(
    ("role", "kinds"), [("front_desk", FILED), ("privacy_officer", FILED), ("physician", set(Entry.Kind.values))]
)
def test_each_role_is_offered_the_kinds_it_may_write(client, signed_in, patient, role, kinds):
    signed_in(role)
    form = client.get(FORM).context["form"]
    assert {value for value, _ in form.fields["kind"].choices if value} == kinds
    assert form.may_treat is (role == "physician")


@pytest.mark.parametrize("kind", sorted(set(Entry.Kind.values) - FILED))
def test_the_desk_can_not_write_what_a_physician_writes(client, desk, events, kind):
    page = client.post(FORM, NOTE | {"kind": kind, "areas": "Abdomen"})
    assert page.context["form"].errors["kind"] == ["Your role can't write an entry of this kind."]
    assert not Entry.objects.exists()
    assert ("refused", "entry.write", "10023") in events()


@pytest.mark.parametrize("kind", sorted(FILED))
def test_the_desk_files_papers(client, desk, kind):
    assert client.post(FORM, LETTER | {"kind": kind}).status_code == 302
    assert Entry.objects.get().signed_as == desk.signature


def test_fields_of_a_treatment_that_the_desk_forges_are_not_kept(client, desk):
    client.post(FORM, LETTER | {"areas": "Abdomen", "product_1_name": "Procaine"})
    entry = Entry.objects.get()
    assert (entry.areas, entry.products) == ("", [])


def test_the_office_admin_writes_nothing(client, signed_in, patient):
    signed_in("office_admin")
    assert client.post(FORM, LETTER).status_code == 403
    assert client.post(DRAFT, LETTER).status_code == 403


# --- files ------------------------------------------------------------------------------------------------------------


def test_files_come_with_the_entry(client, desk, upload):
    client.post(FORM, LETTER | {"attached": [upload("pdf", "letter.pdf"), upload("heic", "photo.heic")]})
    entry = Entry.objects.get()
    assert [(file.name, file.format) for file in entry.attachments.all()] == [
        ("letter.pdf", "application/pdf"), ("photo.heic", "image/heic"),
    ]  # fmt: skip
    assert all(file.added_by == desk for file in entry.attachments.all())


def test_a_refused_file_is_named_and_nothing_else_is_lost(client, desk, upload):
    page = client.post(FORM, LETTER | {"attached": [upload("pdf", "a.pdf"), upload("exe", "b.pdf")]})
    form = page.context["form"]
    assert form.errors["attached"] == ["“b.pdf” is not a PDF, JPEG, PNG, HEIC or Word (DOCX) file, whatever its name says."]
    assert (form["body"].value(), form["title"].value()) == ("From the family doctor.", "Letter")
    assert not Entry.objects.exists()
    assert not Attachment.objects.exists()


def test_good_files_of_a_form_that_fails_are_asked_for_again_by_name(client, desk, upload):
    page = client.post(FORM, LETTER | {"service_on": "2030-01-01", "attached": upload("pdf", "letter.pdf")})
    assert "letter.pdf" in page.context["form"].errors["attached"][0]


# --- once only --------------------------------------------------------------------------------------------------------


def test_the_same_form_sent_twice_writes_one_entry(client, doctor):
    first = client.post(FORM, NOTE)
    second = client.post(FORM, NOTE | {"body": "changed meanwhile"})
    assert Entry.objects.count() == 1
    assert second["Location"] == first["Location"]
    assert AccessEvent.objects.filter(action="create").count() == 1


def test_two_forms_write_two_entries(client, doctor):
    tokens = {re.search(r'name="token" value="([^"]+)"', client.get(FORM).text)[1] for _ in range(2)}
    for token in tokens:
        client.post(FORM, NOTE | {"token": token})
    assert Entry.objects.count() == 2


def test_a_form_without_a_token_is_taken(client, doctor):
    for _ in range(2):
        assert client.post(FORM, NOTE | {"token": ""}).status_code == 302
    assert Entry.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_double_click_writes_one_entry():
    PatientFactory(chart_number="10023")
    user = UserFactory(role="physician")
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(user)
    barrier = Barrier(2)

    def send(client):
        try:
            barrier.wait(timeout=20)
            return client.post(FORM, NOTE | {"service_on": "2026-05-01"})["Location"]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        places = set(pool.map(send, clients))
    assert Entry.objects.count() == 1
    assert places == {f"/patients/10023/#entry-{Entry.objects.get().pk}"}


# --- drafts -----------------------------------------------------------------------------------------------------------


def test_what_is_typed_is_kept_and_said_in_words(client, doctor):
    answer = client.post(DRAFT, NOTE)
    assert answer.text == "Draft kept 10:00 AM"
    page = client.get(FORM)
    assert page.context["form"]["body"].value() == NOTE["body"]
    assert page.context["form"]["token"].value() == NOTE["token"]
    assert "What you typed until Nov 24, 10:00 AM is back in the form." in page.text
    assert "Discard draft" in page.text


def test_a_whole_treatment_comes_back(client, doctor):
    client.post(DRAFT, TREATMENT | {"on_paper": "on"})
    form = client.get(FORM).context["form"]
    for name, value in TREATMENT.items():
        assert form[name].value() == value, name
    assert "checked" in str(form["on_paper"])


def test_a_draft_is_its_writer_s_and_its_chart_s(client, doctor, signed_in):
    client.post(DRAFT, NOTE)
    PatientFactory(chart_number="10024")
    assert client.get("/patients/10024/entries/new/").context["form"]["body"].value() is None
    signed_in("physician")
    assert client.get(FORM).context["form"]["body"].value() is None


def test_a_draft_is_discarded_on_demand_and_gone_once_written(client, doctor):
    client.post(DRAFT, NOTE)
    assert client.post(DRAFT, {"discard": "yes"})["Location"] == FORM
    assert not Draft.objects.exists()
    client.post(DRAFT, NOTE)
    client.post(FORM, NOTE)
    assert not Draft.objects.exists()


def test_the_last_keystrokes_do_not_bring_a_written_entry_back(client, doctor):
    client.post(FORM, NOTE)
    client.post(DRAFT, NOTE)  # was on its way while the form was sent
    assert client.get(FORM).context["form"]["body"].value() is None
    Draft.objects.create(user=doctor, path=FORM, fields={"token": [NOTE["token"]], "body": ["x"]}, saved_at=AT)
    assert client.get(FORM).context["form"]["body"].value() is None
    assert not Draft.objects.exists()


def test_a_draft_after_the_login_expired_is_refused_and_keeps_what_was_there(client, doctor):
    client.post(DRAFT, NOTE)
    client.logout()
    assert client.post(DRAFT, NOTE | {"body": "later"}).status_code == 401
    assert Draft.objects.get().fields["body"] == [NOTE["body"]]


def test_a_draft_can_only_be_sent(client, doctor):
    assert client.get(DRAFT).status_code == 405
    assert client.post("/patients/none/entries/draft/", NOTE).status_code == 404


def test_an_entry_typed_for_an_hour_survives_an_expired_login(client, doctor, password, upload):
    doctor.set_password(password)
    doctor.save()
    client.logout()
    login = client.post(FORM, TREATMENT | {"attached": upload("pdf", "a.pdf")})
    assert login.status_code == 401
    assert "choose it again" in login.text
    assert json.loads(login.context["kept"])["body"] == [NOTE["body"]]
    assert log_in(client, doctor, next=login.context["next"], kept=login.context["kept"])["Location"] == FORM
    form = client.get(FORM).context["form"]
    assert {name: form[name].value() for name in TREATMENT} == TREATMENT
    assert client.post(FORM, TREATMENT).status_code == 302
    assert Entry.objects.get().areas == "Abdomen"


def test_a_form_whose_token_is_of_an_earlier_login_is_kept_too(doctor, patient):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(doctor)
    answer = careful.post(FORM, NOTE, headers={"referer": f"http://testserver{FORM}"})
    assert answer.status_code == 403
    assert f'href="{FORM}"' in answer.text
    assert careful.get(FORM).context["form"]["body"].value() == NOTE["body"]
    stranger = Client(enforce_csrf_checks=True)
    assert "Go back in your browser" in stranger.post(FORM, NOTE).text


# --- paid in full, kept from the health plan ----------------------------------------------------------------------------

BILL = LETTER | {"kind": "billing_record", "title": "Session of the day", "token": "b" * 20}
KEEP = {"keep_from_plan": "on", "plan": "Empire Health", "paid": "180.00"}


def test_one_tick_keeps_what_was_paid_in_full_from_the_plan(client, desk, patient):
    client.post(FORM, BILL | KEEP)
    entry, restriction = Entry.objects.get(), Restriction.objects.with_terms().get()
    assert restriction.is_mandatory
    assert [row.entry for row in restriction.listed.all()] == [entry]
    assert (restriction.paid.plan, str(restriction.paid.amount), restriction.begins_on) == (
        "Empire Health",
        "180.00",
        AT.date(),
    )
    assert restriction.agreed_by == desk
    client.post(FORM, BILL | KEEP)  # the same form again
    assert (Entry.objects.count(), Restriction.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"plan": ""}, "plan"),
        ({"paid": ""}, "paid"),
        ({"paid": "0"}, "paid"),
        ({"paid": "much"}, "paid"),
        ({"kind": "correspondence"}, "keep_from_plan"),
    ],
)
def test_the_tick_needs_the_plan_and_the_sum_and_something_that_is_paid_for(client, desk, patient, changed, field):
    answer = client.post(FORM, BILL | KEEP | changed)
    assert field in answer.context["form"].errors
    assert not Entry.objects.exists()
    assert not Restriction.objects.exists()


def test_without_the_tick_nothing_is_kept_whatever_stands_beside_it(client, desk, patient):
    client.post(FORM, BILL | {"plan": "Empire Health", "paid": "180.00"})
    assert Entry.objects.count() == 1
    assert not Restriction.objects.exists()

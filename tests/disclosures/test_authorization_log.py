"""The log and signed forms: what went out on an authorization names the form, and the form must carry it on that day."""

import csv
from datetime import date

import pytest

from disclosures.importers import read, store
from disclosures.models import AuthorizationRevocation, Correction, Disclosure, OralRevocation
from tests.disclosures.log_pages import facts
from tests.factories import AT, AuthorizationFactory, DisclosureFactory, EntryFactory, UserFactory

pytestmark = pytest.mark.usefixtures("nov_24")


@pytest.fixture
def desk(signed_in):
    return signed_in("front_desk")


def on_form(form, **changes):
    """What the log form sends for a release to Beacon Life on this form."""
    named = {"purpose_code": "authorization", "purpose": "Life insurance", "recipient": "Beacon Life"}
    return facts(authorization=form.pk) | named | changes


def posted(client, form, **changes):
    return client.post("/disclosures/new/", on_form(form, **changes)).content.decode()


def test_a_release_on_a_form_is_logged_with_it_and_the_day_of_its_signature(client, desk, patient):
    form = AuthorizationFactory(patient=patient)
    posted(client, form)
    row = Disclosure.objects.get()
    assert (row.authorization, row.authorized_on) == (form, date(2026, 6, 1))
    page = client.get(f"/disclosures/{row.pk}/").content.decode()
    assert f'href="/patients/10023/authorizations/{form.pk}/"' in page
    assert f'href="/disclosures/{row.pk}/"' in client.get(f"/patients/10023/authorizations/{form.pk}/").content.decode()


def test_to_whom_and_why_left_empty_are_taken_from_the_form(client, desk, patient):
    posted(client, AuthorizationFactory(patient=patient), recipient="", purpose="")
    row = Disclosure.objects.get()
    assert (row.recipient, row.purpose) == ("Beacon Life", "Life insurance")
    assert row.recipient_address == "400 Harbor Road, Boston, MA 02110"


@pytest.mark.parametrize(
    ("of_form", "sent", "words"),
    [
        ({"says_revocable": False}, {}, "taken back in writing, and how. (45 CFR 164.508(c)(2)(i))"),
        ({"expires_on": date(2026, 11, 19)}, {}, "Its last day has passed. (45 CFR 164.508(b)(2)(i))"),
        ({"received_on": date(2026, 11, 21)}, {}, "did not have it yet"),
        ({}, {"recipient": "Harbor Mutual"}, "The form names Beacon Life and nobody else"),
        ({}, {"purpose": "A job"}, "The form is for this, and nothing else: Life insurance"),
    ],
)
def test_what_the_form_does_not_carry_is_refused_with_the_reason_and_the_rule(client, desk, patient, of_form, sent, words):
    page = posted(client, AuthorizationFactory(patient=patient, **of_form), **sent)
    assert words in page
    assert not Disclosure.objects.exists()


def test_entries_that_the_form_does_not_cover_are_refused(client, desk, patient):
    entry = EntryFactory(patient=patient, title="Outside")
    page = posted(client, AuthorizationFactory(patient=patient, entry_kinds=["lab_result"]), entries=[entry.pk])
    assert "The form does not cover: Outside (May 1, 2026)" in page
    assert not Disclosure.objects.exists()


def test_a_form_taken_back_stops_what_comes_after_and_not_what_went_before(client, desk, patient):
    form = AuthorizationFactory(patient=patient)
    AuthorizationRevocation.of(form, received_on=date(2026, 11, 20), by=desk, at=AT)
    assert "taken it back in writing" in posted(client, form)
    assert not Disclosure.objects.exists()
    posted(client, form, disclosed_on="2026-11-19")
    assert Disclosure.objects.count() == 1


def test_an_oral_revocation_must_be_known_to_whoever_logs(client, desk, patient):
    form = AuthorizationFactory(patient=patient)
    OralRevocation.of(form, asked_on=date(2026, 11, 18), by=desk, at=AT)
    page = posted(client, form)
    assert "Taken back orally on Nov 18, 2026, in writing not yet" in page
    assert "I know that, and it went out all the same" in page
    assert not Disclosure.objects.exists()
    posted(client, form, known="on")
    assert Disclosure.objects.count() == 1


def test_a_form_of_another_chart_cant_be_chosen(client, desk, patient):
    assert "Select a valid choice" in posted(client, AuthorizationFactory())
    assert not Disclosure.objects.exists()


def test_the_forms_of_the_chart_stand_in_the_log_form_with_how_they_stand(client, desk, patient):
    AuthorizationFactory(patient=patient)
    AuthorizationFactory(patient=patient, says_revocable=False)
    page = client.get("/disclosures/new/?chart=10023").content.decode()
    assert "Jun 1, 2026 · Beacon Life · Valid" in page
    assert "Jun 1, 2026 · Beacon Life · Defective" in page
    assert "Choose the patient first" in client.get("/disclosures/new/").content.decode()


def test_another_purpose_takes_no_form_along(client, desk, patient):
    client.post("/disclosures/new/", facts(authorization=AuthorizationFactory(patient=patient).pk))
    assert Disclosure.objects.get().authorization is None


def test_an_old_log_without_forms_still_comes_in(patient, tmp_path):
    file = tmp_path / "log.csv"
    file.write_text(
        "chart_number,disclosed_on,recipient,information,purpose_code,purpose,authorized_on\n"
        "10023,2026-06-15,Beacon Life,Chart,authorization,Insurance,2026-06-10\n"
    )
    store(read(file, on=date(2026, 11, 24)), at=AT)
    row = Disclosure.objects.get()
    assert (row.authorized_on, row.authorization) == (date(2026, 6, 10), None)


def test_the_spreadsheet_of_the_log_names_the_form(client, signed_in, patient):
    signed_in("privacy_officer")
    form = AuthorizationFactory(patient=patient)
    posted(client, form)
    sheet = b"".join(client.post("/disclosures/csv/", {"show": "all"}).streaming_content).decode()
    (row,) = csv.DictReader(sheet.splitlines())
    assert (row["authorization"], row["authorized_on"]) == (str(form.pk), "2026-06-01")


# --- corrections ----------------------------------------------------------------------------------------------------


def corrected(client, row, sent):
    return client.post(f"/disclosures/{row.pk}/correct/", sent | {"reason": "Name"}).content.decode()


def test_an_old_row_without_a_form_is_corrected_without_one(client, signed_in, patient):
    signed_in("privacy_officer")
    row = DisclosureFactory(patient=patient, purpose_code="authorization", authorized_on=date(2026, 6, 1))
    assert "where the form is not on file" in client.get(f"/disclosures/{row.pk}/correct/").content.decode()
    sent = facts(purpose_code="authorization", authorized_on="2026-11-21")
    assert "must be signed before" in corrected(client, row, sent)
    assert "Choose the signed form" in corrected(client, row, sent | {"authorized_on": ""})
    assert not Correction.objects.exists()
    corrected(client, row, sent | {"authorized_on": "2026-06-02"})
    assert Correction.objects.get().replacement.authorized_on == date(2026, 6, 2)


def test_a_correction_may_name_the_form_and_keeps_the_one_that_was_named(client, signed_in, patient, monkeypatch):
    signed_in("privacy_officer")
    monkeypatch.setattr("disclosures.forms.on_authorization.AUTHORIZATIONS_OFFERED", 1)
    form = AuthorizationFactory(patient=patient)
    AuthorizationFactory(patient=patient)
    named = {"purpose_code": "authorization", "purpose": "Life insurance", "recipient": "Beacon Life"}
    row = DisclosureFactory(patient=patient, authorization=form, **named)
    assert f'value="{form.pk}" selected' in client.get(f"/disclosures/{row.pk}/correct/").content.decode()
    corrected(client, row, on_form(form))
    assert Correction.objects.get().replacement.authorization == form


def test_a_row_that_went_out_on_a_form_is_never_corrected_into_one_without(client, signed_in, patient):
    signed_in("privacy_officer")
    row = DisclosureFactory(patient=patient, authorization=AuthorizationFactory(patient=patient), purpose_code="authorization")
    page = corrected(client, row, facts(purpose_code="authorization", authorized_on="2026-06-01"))
    assert "Choose the signed form" in page
    assert not Correction.objects.exists()


def test_another_purpose_may_be_corrected_to_a_form(client, signed_in, patient):
    signed_in("privacy_officer")
    row, form = DisclosureFactory(patient=patient), AuthorizationFactory(patient=patient, recorded_by=UserFactory())
    corrected(client, row, on_form(form))
    assert Correction.objects.get().replacement.authorization == form

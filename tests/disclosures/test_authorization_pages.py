"""The pages of signed forms: recording one as it came, how it stands in words, what becomes of it, who may, what it costs."""

from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from disclosures.models import (
    Authorization,
    AuthorizationCopyGiven,
    AuthorizationEventHappened,
    AuthorizationFoundFalse,
    AuthorizationLetterSent,
    AuthorizationRevocation,
    OralRevocation,
)
from meso.models import AccessEvent, Draft
from tests.conftest import NOV_24
from tests.disclosures.log_pages import ONCE, last_event
from tests.disclosures.test_log_form import expired
from tests.factories import AT, AttachmentFactory, AuthorizationFactory, EntryFactory, UserFactory

pytestmark = pytest.mark.usefixtures("nov_24")
FORMS = "/patients/10023/authorizations/"
PNG = AttachmentFactory.content


def scan(content=PNG, name="scan.png"):
    return SimpleUploadedFile(name, content)


def paper(**changes):
    """A whole form as the page sends it, but for `changes`; a change to None is a box without its tick."""
    sent = {
        "kind": "authorization", "received_on": "2026-11-23", "scan": scan(), "information": "My whole record",
        "discloser": "Lark Street Mesotherapy", "recipient": "Beacon Life", "recipient_address": "", "since": "", "until": "",
        "purposes": "Life insurance\r\nA second one", "expires_on": "2027-02-28", "expiry_event": "", "signed": "on",
        "signed_on": "2026-11-20", "signed_by": "patient", "signer_name": "", "signer_authority": "", "says_revocable": "on",
        "says_conditions": "on", "says_redisclosure": "on", "notes": "none", "combined_with": "alone", "conditions": "none",
        "remuneration": "unsaid", "copy_given_on": "", "once": ONCE,
    }  # fmt: skip
    return {name: value for name, value in (sent | changes).items() if value is not None}


def page_of(client, path):
    return client.get(path).content.decode()


def test_a_whole_form_is_recorded_with_its_scan(client, signed_in, patient):
    desk = signed_in("front_desk")
    entry = EntryFactory(patient=patient)
    response = client.post(f"{FORMS}new/", paper(entry_kinds=["visit_note", "lab_result"], entries=[entry.pk]), follow=True)
    form = Authorization.objects.defer(None).get()
    assert "Nothing in it is missing" in response.content.decode()
    assert (form.recorded_by, form.purposes, form.complete) == (desk, ["Life insurance", "A second one"], True)
    assert (bytes(form.scan), form.scan_format) == (PNG, "image/png")
    assert form.entry_kinds == ["visit_note", "lab_result"]
    assert form.keys_named == {entry.pk}
    created = AccessEvent.objects.get(action="create")
    assert (created.subject, created.chart_number) == (f"authorization {form.pk}", "10023")


def test_a_defective_form_is_recorded_and_the_page_says_what_it_lacks_and_why(client, signed_in, patient):
    signed_in("front_desk")
    response = client.post(f"{FORMS}new/", paper(says_redisclosure=None, expires_on="", signed=None), follow=True)
    page = response.content.decode()
    assert "can’t be used" in page
    for words in ("45 CFR 164.508(c)(2)(iii)", "does not say when it ends", "The form is not signed"):
        assert words in page
    assert "Make the letter of what is missing" in page
    assert Authorization.objects.get().complete is False


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scan": None}, "Choose the scan of the signed paper"),
        ({"scan": scan(b"just words", "scan.pdf")}, "is not a PDF, JPEG, PNG"),
        ({"received_on": ""}, "This field is required"),
        ({"received_on": "2026-11-25"}, "This day is in the future"),
        ({"received_on": "1926-11-23"}, "check the year"),
        ({"signed_on": "2026-11-25"}, "A signature can’t lie in the future"),
        ({"signed_on": "2026-11-24"}, "come before it was signed"),
        ({"since": "2026-06-01", "until": "2026-05-01"}, "comes before the first one"),
        ({"copy_given_on": "2026-11-25"}, "This day is in the future"),
        ({"expires_on": "soon"}, "This is not a day"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_typed_is_lost(client, signed_in, patient, changes, words):
    signed_in("front_desk")
    page = client.post(f"{FORMS}new/", paper(**{"information": "Kept words"} | changes)).content.decode()
    assert words in page
    assert "Kept words" in page
    assert not Authorization.objects.exists()


def test_what_a_chart_keeps_and_a_scan_is_not_is_refused(client, signed_in, patient):
    signed_in("front_desk")
    heic = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(40)
    page = client.post(f"{FORMS}new/", paper(scan=scan(heic, "form.heic"))).content.decode()
    assert "A scan is a PDF, a JPEG or a PNG" in page
    assert not Authorization.objects.exists()


def test_an_expired_login_loses_nothing_but_the_file(client, signed_in, patient):
    desk = signed_in("front_desk")
    back = expired(client, desk, f"{FORMS}new/", paper(information="Kept words", signed=None, entry_kinds=["lab_result"]))
    page = page_of(client, back["Location"])
    assert "Kept words" in page
    assert 'value="lab_result" class="form-check-input" id="id_entry_kinds_4" checked' in page
    assert 'name="signed" id="id_signed" class="form-check-input" checked' not in page
    client.post(f"{FORMS}new/", paper())
    assert not Draft.objects.exists()


def test_the_same_page_sent_twice_is_one_form(client, signed_in, patient):
    signed_in("front_desk")
    for _ in range(2):
        assert client.post(f"{FORMS}new/", paper()).status_code == 302
    assert Authorization.objects.count() == 1
    client.post(f"{FORMS}new/", paper(recipient="Harbor Mutual"))
    assert Authorization.objects.count() == 2


def test_recording_it_anew_keeps_the_scan_and_takes_the_old_one_out_of_use(client, signed_in, patient):
    signed_in("front_desk")
    old = AuthorizationFactory(patient=patient, says_revocable=False, information="Kept words")
    path = f"{FORMS}{old.pk}/again/"
    assert "Kept words" in page_of(client, path)
    client.post(path, paper(scan=None))
    new = Authorization.objects.get(replaces=old)
    assert (new.scan_sha256, new.complete) == (old.scan_sha256, True)
    page = page_of(client, f"{FORMS}{old.pk}/")
    assert "another record has taken its place" in page
    assert f'href="{FORMS}{new.pk}/"' in page
    assert client.get(path)["Location"] == f"{FORMS}{new.pk}/"


def test_the_chart_shows_how_each_form_stands_in_words(client, signed_in, patient):
    signed_in("physician")
    AuthorizationFactory(patient=patient)
    AuthorizationFactory(patient=patient, expires_on=date(2026, 11, 23))
    AuthorizationFactory(patient=patient, says_revocable=False)
    page = page_of(client, FORMS)
    for tag in ('tag-fine">Valid', 'tag-late">Expired', 'tag-late">Defective'):
        assert tag in page
    assert (last_event().action, last_event().subject, last_event().chart_number) == (
        "view",
        "authorizations of a chart",
        "10023",
    )


def act(client, form, name, **typed):
    return client.post(f"{FORMS}{form.pk}/{name}/", typed, follow=True).content.decode()


def test_a_written_revocation_ends_it(client, signed_in, patient):
    signed_in("front_desk")
    form = AuthorizationFactory(patient=patient)
    page = act(client, form, "revoke", how="written", day="2026-11-24", note="By letter", scan=scan())
    assert "Revoked." in page
    assert "The patient has taken it back in writing" in page
    row = AuthorizationRevocation.objects.defer(None).get()
    assert (row.received_on, bytes(row.scan)) == (NOV_24, PNG)
    answer = client.get(f"{FORMS}{form.pk}/revocation/")
    assert (answer.content, answer["Content-Type"]) == (PNG, "image/png")
    assert "taken back in writing already" in act(client, form, "revoke", how="written", day="2026-11-24")
    assert "taken back in writing already" in act(client, form, "revoke", how="oral", day="2026-11-24")


def test_an_oral_revocation_holds_it_up_to_the_eye(client, signed_in, patient):
    signed_in("front_desk")
    form = AuthorizationFactory(patient=patient)
    page = act(client, form, "revoke", how="oral", day="2026-11-20")
    assert "ask the patient to write it" in page
    assert "Taken back orally on Nov 20, 2026, in writing not yet" in page
    assert OralRevocation.objects.get().asked_on == date(2026, 11, 20)
    assert f'href="{FORMS}{form.pk}/revoke/paper/"' in page
    assert client.get(f"{FORMS}{form.pk}/revoke/paper/").content.startswith(b"%PDF-")
    assert last_event().action == "print"
    assert "Taken back orally" in page_of(client, "/authorizations/?show=held")
    assert "Authorization taken back orally" in page_of(client, "/")


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("revoke", {"day": "2026-11-24"}, "This field is required"),
        ("revoke", {"how": "written", "day": "2026-11-25"}, "This day is in the future"),
        ("event", {"happened_on": "2026-11-24", "known_on": "2026-11-23"}, "known before it happened"),
        ("event", {"happened_on": "2026-11-23", "known_on": "2026-11-24"}, "does not name anything that ends it"),
        ("false", {"found_on": "2026-11-24", "reason": ""}, "This field is required"),
        ("copy", {"given_on": "2026-11-25"}, "This day is in the future"),
    ],
)
def test_an_act_that_is_not_right_is_refused_with_words(client, signed_in, patient, name, typed, words):
    signed_in("privacy_officer")
    assert words in act(client, AuthorizationFactory(patient=patient), name, **typed)


def test_its_event_ends_it(client, signed_in, patient):
    signed_in("front_desk")
    form = AuthorizationFactory(patient=patient, expires_on=None, expiry_event="The trial ends")
    assert "Expired." in act(client, form, "event", happened_on="2026-11-20", known_on="2026-11-24")
    assert AuthorizationEventHappened.objects.get().known_on == NOV_24


def test_the_officer_alone_finds_it_false(client, signed_in, patient):
    form = AuthorizationFactory(patient=patient)
    signed_in("front_desk")
    assert "Something in it is false" not in page_of(client, f"{FORMS}{form.pk}/")
    assert client.post(f"{FORMS}{form.pk}/false/", {}).status_code == 403
    signed_in("privacy_officer")
    page = act(client, form, "false", found_on="2026-11-24", reason="The signature is not hers")
    assert "known to be false" in page
    assert "The signature is not hers" in page
    assert AuthorizationFoundFalse.objects.count() == 1


def test_a_copy_is_owed_where_the_office_asked(client, signed_in, patient):
    signed_in("front_desk")
    form = AuthorizationFactory(patient=patient, asked_by_office=True)
    assert "the patient gets a copy (45 CFR 164.508(c)(4))" in page_of(client, f"{FORMS}{form.pk}/")
    act(client, form, "copy", given_on="2026-11-24")
    assert "Owed" not in page_of(client, f"{FORMS}{form.pk}/")
    client.post(f"{FORMS}new/", paper(copy_given_on="2026-11-23"))
    assert AuthorizationCopyGiven.objects.count() == 2


def test_the_letter_of_what_is_missing_is_made_kept_and_its_sending_recorded(client, signed_in, patient):
    signed_in("front_desk")
    form = AuthorizationFactory(patient=patient, says_revocable=False)
    page = act(client, form, "letter")
    assert "The letter is made and kept" in page
    letter = form.letters.get()
    assert "Not sent" in page
    answer = client.get(f"{FORMS}letters/{letter.pk}/")
    assert answer.content.startswith(b"%PDF-")
    client.post(f"{FORMS}letters/{letter.pk}/sent/", {"sent_on": "2026-11-24", "way": "mail"})
    assert AuthorizationLetterSent.objects.get().way == "mail"
    page = client.post(f"{FORMS}letters/{letter.pk}/sent/", {"sent_on": "2026-11-24", "way": "mail"}).content.decode()
    assert "recorded already" in page
    whole = AuthorizationFactory(patient=patient)
    assert "Nothing is missing" in act(client, whole, "letter")


def test_scans_are_handed_out_to_be_saved_and_written_down(client, signed_in, patient):
    signed_in("physician")
    form = AuthorizationFactory(patient=patient)
    answer = client.get(f"{FORMS}{form.pk}/scan/")
    assert (answer.content, answer["Content-Type"]) == (PNG, "image/png")
    assert answer["Content-Disposition"] == f'attachment; filename="chart-10023-authorization-{form.pk}.png"'
    assert "sandbox" in answer["Content-Security-Policy"]
    assert (last_event().action, last_event().subject) == ("download", f"authorization {form.pk}")


def test_a_form_of_another_chart_is_not_found(client, signed_in, patient):
    signed_in("privacy_officer")
    form = AuthorizationFactory()
    for path in ("", "scan/", "again/", "revoke/", "event/", "false/", "copy/"):
        assert client.get(f"{FORMS}{form.pk}/{path}").status_code == 404, path


def test_the_blank_form_is_printed_from_the_chart(client, signed_in, patient):
    signed_in("front_desk")
    assert f'href="{FORMS}blank/general/"' in page_of(client, FORMS)
    answer = client.get(f"{FORMS}blank/general/")
    assert answer.content.startswith(b"%PDF-")
    assert (last_event().action, last_event().detail) == ("print", "general")
    assert client.get(f"{FORMS}blank/other/").status_code == 404


def test_the_offices_list_has_what_needs_somebody_and_nothing_else(client, signed_in, patient):
    signed_in("front_desk")
    for name, changes in {
        "Soon Inc": {"expires_on": NOV_24 + timedelta(days=30)},
        "Later Inc": {"expires_on": NOV_24 + timedelta(days=31)},
        "Lacking Inc": {"says_revocable": False},
    }.items():
        AuthorizationFactory(recipient=name, **changes)
    for show, names in {"": "Soon", "expiring": "Soon", "defective": "Lacking", "held": "", "other": "Soon"}.items():
        page = page_of(client, f"/authorizations/?show={show}")
        assert [name for name in ("Soon", "Later", "Lacking") if f"{name} Inc" in page] == names.split()
    assert (last_event().subject, last_event().chart_number) == ("authorizations", "")
    page = page_of(client, "/")
    assert "Authorization ends: ask for a new one where it is needed" in page
    assert "Dec 24, 2026" in page
    assert "Authorization lacks a part: write what is missing" in page


def test_the_list_pages_by_key(client, signed_in, patient):
    signed_in("front_desk")
    for number in range(30):
        AuthorizationFactory(patient=patient, recipient=f"Insurer {number:02}", expires_on=NOV_24 + timedelta(days=number))
    first = client.get("/authorizations/")
    assert "Insurer 24" in first.content.decode()
    token = first.context["page"].next_token
    second = client.get("/authorizations/", {"show": "expiring", "after": token}).content.decode()
    assert "Insurer 25" in second
    assert "Insurer 24" not in second


@pytest.mark.parametrize(
    "path", [FORMS, "/authorizations/", "/authorizations/?show=defective", "/authorizations/?show=held", "/"]
)
def test_a_page_costs_the_same_for_few_forms_and_many(client, signed_in, patient, queries_for, path):
    officer = signed_in("privacy_officer")

    def more():
        entry = EntryFactory(patient=patient)
        form = AuthorizationFactory(patient=patient, entries=[entry], expires_on=NOV_24, recorded_by=officer)
        OralRevocation.of(form, asked_on=NOV_24, by=officer, at=AT)
        AuthorizationFactory(patient=patient, says_revocable=False, recorded_by=officer)

    more()
    queries_for(path)  # the office's profile is made on its first use
    few = len(queries_for(path))
    for _ in range(8):
        more()
    assert len(queries_for(path)) == few


def test_a_form_and_the_log_form_cost_the_same_however_many_there_are(client, signed_in, patient, queries_for):
    officer = signed_in("privacy_officer")
    form = AuthorizationFactory(patient=patient, recorded_by=UserFactory())
    paths = (f"{FORMS}{form.pk}/", "/disclosures/new/?chart=10023")
    for path in paths:
        queries_for(path)
    few = [len(queries_for(path)) for path in paths]
    for _ in range(8):
        OralRevocation.of(form, asked_on=NOV_24, by=officer, at=AT)
        AuthorizationFactory(patient=patient, recorded_by=UserFactory())
    assert [len(queries_for(path)) for path in paths] == few

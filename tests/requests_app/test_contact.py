"""Confidential communications: every way out asks how the patient wishes to be reached, and never why (law.md §5)."""

import re
from datetime import date

import pytest

from disclosures import authorization_papers
from records import wishes
from records.models import ContactPreference
from requests_app import answers, carrying_out, grounds, letters, mailing, talking
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import DETAILS, Kind, Outcome
from tests.factories import ContactPreferenceFactory, EntryFactory, PatientFactory, RequestFactory, UserFactory
from tests.requests_app.answering import ON, an_office, granted, now, verified, words_of
from tests.requests_app.test_copies import charted, made
from tests.test_house import MODULES, ROOT, TEMPLATES, among, name_of

pytestmark = [pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _office(nov_24):
    an_office()


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer")


# --- what is allowed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("means", "where", "on", "allowed"),
    [
        ("phone", "555-010-2233", date(2026, 6, 2), False),  # the home telephone, the day after the request
        ("phone", "555-010-2233", date(2026, 5, 31), True),  # before it nobody had asked
        ("mail", "PO Box 12\nAlbany, NY 12201", date(2026, 6, 1), True),
        ("mail", "po box 12", date(2026, 6, 1), True),
        ("mail", "PO Box 1", date(2026, 6, 1), False),
        ("mail", "12 Elm Street\nAlbany, NY 12207", date(2026, 6, 2), False),
        ("mail", "", date(2026, 6, 2), True),
        ("email", "maria@example.org", date(2026, 6, 2), False),
        ("other", "fax", date(2026, 6, 2), False),
        ("pick_up", "", date(2026, 6, 2), True),  # at the office, from hand to hand
    ],
)
def test_po_box_12_not_the_home_telephone(means, where, on, allowed):
    patient = PatientFactory()
    ContactPreferenceFactory(patient=patient, avoid="Home telephone", begins_on=date(2026, 6, 1))
    refusal = wishes.allows(patient, means, where, on)
    assert (refusal is None) is allowed, refusal
    if not allowed:
        assert "By mail, PO Box 12, Albany, NY 12201" in refusal
        assert "Do not use: Home telephone" in refusal


@pytest.mark.parametrize(
    ("means", "wished", "where", "allowed"),
    [
        ("phone", "555-010-9999 after six", "(555) 010-9999", True),
        ("phone", "555-010-9999 after six", "555-010-2233", False),
        ("phone", "555-010-9999", "9999", False),
        ("email", "maria@example.org", "Maria@Example.org", True),
        ("email", "maria@example.org", "ria@example.org", False),
        ("other", "By the courier", "anything", True),
    ],
)
def test_the_place_is_known_however_it_is_written(means, wished, where, allowed):
    patient = PatientFactory()
    ContactPreferenceFactory(patient=patient, means=means, where=wished)
    assert (wishes.allows(patient, means, where, ON) is None) is allowed


def test_without_a_wish_every_way_is_open_and_the_latest_wish_counts():
    patient = PatientFactory()
    assert wishes.allows(patient, "phone", "555-010-2233", ON) is None
    ContactPreferenceFactory(patient=patient)
    ContactPreferenceFactory(patient=patient, means="phone", where="555-010-9999", begins_on=date(2026, 7, 1))
    assert wishes.allows(patient, "mail", "PO Box 12", ON)
    assert wishes.allows(patient, "phone", "555-010-9999", ON) is None


# --- what goes out ----------------------------------------------------------------------------------------------------


def denied(officer, **wish):
    request = verified("amendment", officer)
    if wish:
        ContactPreferenceFactory(patient=request.patient, **wish)
    doctor = UserFactory(role="physician", credentials="MD", licence_number="NY 1")
    return answers.decide_with_letter(
        request, Outcome.DENIED, ground="A4", text="It is right.", office=an_office(), **now(doctor)
    )


def test_a_letter_is_not_recorded_as_sent_in_a_way_the_patient_does_not_wish(officer):
    letter = denied(officer, means="phone", where="555-010-9999")
    for how in ("by mail", "by e-mail", "by fax"):
        with pytest.raises(NotAllowedNow, match="reached only so: By telephone, 555-010-9999") as refusal:
            answers.send_letter(letter, sent_on=ON, how=how, **now(officer))
        assert refusal.value.field == "how"
    answers.send_letter(letter, sent_on=ON, how="handed over", **now(officer))


def test_an_extension_is_not_told_in_a_way_the_patient_does_not_wish(officer):
    request = verified("access", officer)
    ContactPreferenceFactory(patient=request.patient)
    facts = {"until": date(2026, 12, 20), "reason": "Archive", "told_on": ON, "office": an_office()}
    with pytest.raises(NotAllowedNow, match="PO Box 12"):
        answers.extend_with_letter(request, how="by e-mail", **facts, **now(officer))
    assert not request.letters.exists()
    answers.extend_with_letter(request, how="by mail", **facts, **now(officer))


def test_who_acts_for_the_patient_is_reached_where_they_said():
    about = {"on_behalf": "Rosa Alvarez, mother", "asker_address": "3 Oak Street\nTroy, NY 12180"}
    request = RequestFactory(kind="access", **about)
    ContactPreferenceFactory(patient=request.patient, means="phone", where="555-010-9999")
    letters.check_way(request, "by mail", ON)


def asked_by_the_mother(officer, address="3 Oak Street\nTroy, NY 12180", phone="518-555-0190"):
    """Her request for a patient who wishes their mail in a box, and the home left out."""
    request = RequestFactory(
        kind="access", received_on=ON, on=ON, on_behalf="Rosa Alvarez, mother", asker_address=address, asker_phone=phone
    )
    ContactPreferenceFactory(patient=request.patient, avoid="The home")
    return request


def tell(request, officer, way):
    return talking.tell(request, "It is nearly ready.", way=way, said_on=ON, office=an_office(), **now(officer))


@pytest.mark.parametrize(
    ("address", "phone"), [("3 Oak Street\nTroy, NY 12180", "518-555-0190"), ("PO Box 12\nAlbany, NY 12201", "(555) 010-9999")]
)
def test_who_acts_for_the_patient_is_told_where_they_said_whatever_the_patient_wishes(officer, address, phone):
    request = asked_by_the_mother(officer, address, phone)
    letters.check_way(request, "by mail", ON)
    for way in ("by telephone", "by e-mail", "in person"):
        tell(request, officer, way)
    assert talking.why_not_by(request, "by telephone", ON) == ""


@pytest.mark.parametrize(
    "address", ["12 Elm Street\nAlbany, NY 12207", "Rosa Alvarez\n12 ELM STREET, \nAlbany NY 12207", "12 Elm Street, Albany"]
)
def test_but_not_at_the_place_that_the_patient_asked_to_have_left(officer, address):
    """The decision where the rule is silent (docs/law.md): nothing goes to the home, whoever is named on it."""
    request = asked_by_the_mother(officer, address, "(555) 010 2233")
    with pytest.raises(NotAllowedNow, match="asked not to be reached there") as refusal:
        letters.check_way(request, "by mail", ON)
    assert refusal.value.field == "how"
    with pytest.raises(NotAllowedNow, match="asked not to be reached there"):
        tell(request, officer, "by telephone")
    letters.check_way(request, "handed over", ON)
    letters.check_way(request, "by mail", ON, "Rosa Alvarez\n3 Oak Street\nTroy, NY 12180")  # she named another
    ContactPreferenceFactory(patient=request.patient, where=address, begins_on=ON)  # by now the patient wishes it there
    letters.check_way(request, "by mail", ON)


def test_the_step_of_sending_shows_the_envelope_and_no_old_address(client, signed_in, officer):
    letter = denied(officer)
    ContactPreferenceFactory(patient=letter.request.patient)
    signed_in("front_desk")
    page = client.get(f"/requests/{letter.request.number}/letters/{letter.pk}/sent/").content.decode()
    assert "PO Box 12, Albany, NY 12201" in page
    assert "do not use that one" in page
    assert "12 Elm Street" not in page


def test_the_page_of_a_request_hides_what_the_asker_gave_once_a_wish_is_in_force(client, signed_in, officer):
    request = verified("access", officer, asker_phone="555-010-7777", asker_address="12 Elm Street\nAlbany, NY 12207")
    signed_in("privacy_officer")
    path = f"/requests/{request.number}/"
    assert "555-010-7777" in client.get(path).content.decode()
    ContactPreferenceFactory(patient=request.patient, avoid="Home telephone")
    page = client.get(path).content.decode()
    assert "555-010-7777" not in page
    assert "12 Elm Street" not in page
    assert "<s>Home telephone</s>" in page


# --- copies by e-mail -------------------------------------------------------------------------------------------------


def test_plain_email_goes_out_after_the_patient_accepted_the_warning_and_not_before(officer):
    bill = made(charted(officer, entries=1), officer)
    for warned_on in (None, date(2026, 11, 25)):
        with pytest.raises(NotAllowedNow, match="only after the patient was warned") as refusal:
            carrying_out.give_copies(bill, given_on=ON, how="by e-mail", warned_on=warned_on, **now(officer))
        assert refusal.value.field == "warned_on"
    event = carrying_out.give_copies(bill, given_on=ON, how="by e-mail", warned_on=date(2026, 11, 23), **now(officer))
    assert event.data["warned_on"] == "2026-11-23"


@pytest.mark.parametrize("how", ["by mail", "handed over", "by encrypted e-mail"])
def test_no_other_way_asks_for_the_warning(client, signed_in, officer, how):
    signed_in("front_desk")
    request = charted(officer, entries=1)
    bill = made(request, officer)
    path = f"/requests/{request.number}/copies/{bill.pk}/given/"
    assert 'data-show-when="how=by e-mail"' in client.get(path).content.decode()
    assert client.post(path, {"released_on": "2026-11-24", "how": how, "step": "release"}).status_code == 302
    assert "warned_on" not in request.events.latest("pk").data


def test_copies_go_out_as_this_request_asks_even_where_an_older_wish_says_otherwise(officer):
    request = charted(officer, entries=1, details={"form": "electronic", "delivery_address": "maria@example.org"})
    ContactPreferenceFactory(patient=request.patient)
    bill = made(request, officer)
    with pytest.raises(NotAllowedNow, match="reached only so"):
        carrying_out.give_copies(bill, given_on=ON, how="by fax", **now(officer))
    carrying_out.give_copies(bill, given_on=ON, how="by encrypted e-mail", **now(officer))


# --- never why, and nothing goes round it -----------------------------------------------------------------------------


def test_nothing_asks_why():
    fields = {field.name for field in ContactPreference._meta.get_fields()} | set(DETAILS[Kind.CONFIDENTIAL_COMMUNICATION])
    assert not {name for name in fields if re.search(r"why|reason|because", name)}


def test_it_is_refused_on_three_grounds_and_no_others(officer):
    known = grounds.GROUNDS[Kind.CONFIDENTIAL_COMMUNICATION]
    assert [ground.code for ground in known] == ["C1", "C2", "C3"]
    with pytest.raises(NotAllowedNow):
        verified("confidential_communication", officer).decide(Outcome.DENIED, ground="C4", text="No", **now(officer))


def test_no_letter_takes_an_address_from_anywhere_but_the_wishes():
    papers = [path for path in TEMPLATES if {"letters", "pdf", "emails"} & set(path.parts)]
    papers += sorted((ROOT / "templates").rglob("emails/*.txt"))
    assert len(papers) > 20
    assert among(papers, r"(?:patient|asked)\.(?:address|phone|email|city|zip|asker_(?:address|phone|email))") == {}
    calls = among(MODULES, r"patient\.address_lines\(|patient\.(?:address_1|city|zip)\b")
    allowed = {
        "records/wishes.py",
        "requests_app/demo/requests.py",
        "records/fhir/out.py",
        "requests_app/unusual.py",
    }  # the last compares streets
    assert set(calls) <= allowed, calls
    assert name_of(ROOT / "records/wishes.py") in calls


def test_the_letter_and_the_bill_carry_the_wished_address(officer):
    request = granted("access", officer)
    EntryFactory(patient=request.patient)
    ContactPreferenceFactory(patient=request.patient)
    assert letters.addressee(request, ON) == [request.patient.name, "PO Box 12", "Albany, NY 12201"]


def test_a_blank_authorization_carries_the_wished_address_and_not_the_old_one():
    patient = PatientFactory()
    ContactPreferenceFactory(patient=patient)
    said = words_of(authorization_papers.blank_form(patient, "general", office=an_office(), on=ON).content)
    assert "PO Box 12" in said
    assert "12 Elm Street" not in said


def test_a_letter_that_came_back_goes_again_only_where_the_patient_wishes(officer):
    letter = denied(officer)
    answers.send_letter(letter, sent_on=ON, how="by mail", **now(officer))
    mailing.record(letter, "returned", done_on=ON, note="No such number", **now(officer))
    patient = letter.request.patient
    ContactPreferenceFactory(patient=patient)
    for address in (f"{patient.name}\n14 Elm Street\nAlbany, NY 12207", "9 Oak Street"):
        with pytest.raises(NotAllowedNow, match="PO Box 12") as refusal:
            mailing.record(letter, "again", done_on=ON, how="by mail", address=address, **now(officer))
        assert refusal.value.field == "address"
    wished = f"{patient.name}\nPO Box 12\nAlbany, NY 12201"
    assert mailing.record(letter, "again", done_on=ON, how="by mail", address=wished, **now(officer)).address == wished


def test_the_record_of_sending_keeps_the_envelope_and_not_the_letters_old_address(officer):
    letter = denied(officer)
    ContactPreferenceFactory(patient=letter.request.patient)
    answers.send_letter(letter, sent_on=ON, how="by mail", **now(officer))
    assert "PO Box 12" in letter.deliveries.get().address


def test_who_said_they_act_and_was_verified_as_the_patient_is_reached_as_the_patient_wishes(officer):
    request = verified("access", officer, on_behalf="Rosa Alvarez, mother")
    ContactPreferenceFactory(patient=request.patient, means="phone", where="555-010-9999")
    with pytest.raises(NotAllowedNow, match="555-010-9999"):
        letters.check_way(request, "by mail", ON)

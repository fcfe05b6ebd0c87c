"""What a representative who may not act gets: a neutral letter, and not a word by which to guess why (164.502(g)(5))."""

from datetime import date

import pytest

from requests_app import answers, grounds, standing, unsaid
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Kind, Outcome
from requests_app.models import Letter
from tests.factories import PatientFactory, RepresentativeFactory, RequestFactory, UserFactory
from tests.requests_app.answering import AT, DETAILS, KINDS, ON, RECEIVED, a_doctor, an_office, now, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]
NEUTRAL = "Please call our privacy officer if you have questions."


@pytest.fixture
def officer():
    an_office()
    return UserFactory(role="privacy_officer")


@pytest.fixture
def sister():
    return RepresentativeFactory(patient=PatientFactory(first_name="Maria", last_name="Alvarez"))


def refused(representative):
    return representative.refuse(by=a_doctor(), at=AT, on=ON, ground="endangered", reasoning="She is afraid of her.")


def asked_by(representative, by, kind=Kind.ACCESS, **fields):
    facts = {"kind": kind, "received_on": RECEIVED, "on": RECEIVED, "on_behalf": "Rosa Alvarez, sister", "details": DETAILS[kind]}
    request = RequestFactory(**facts | {"patient": representative.patient} | fields)
    request.verify_identity("photo ID seen", representative=representative, **now(by, date(2026, 11, 3)))
    return request


def deny(request, by, ground="P1", text=NEUTRAL, **facts):
    return answers.decide_with_letter(request, Outcome.DENIED, ground=ground, text=text, office=an_office(), **now(by), **facts)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_letter_of_a_refused_representative_is_neutral_whatever_they_asked(officer, sister, kind, language):
    request = asked_by(sister, officer, kind, language=language)
    refused(sister)
    letter = deny(request, officer, text="Por favor llámenos." if language == "es" else NEUTRAL)
    told = words_of(Letter.objects.defer(None).get(pk=letter.pk).document)
    assert "164.502(g)" in told
    assert "164.502(g)(5)" not in told
    assert unsaid.hints(told) == []
    ground = "We do not treat you as that person" if language == "en" else "No lo consideramos a usted esa persona"
    assert ground in told
    for not_theirs in ("reviewed", "disagree", "revis", "desacuerdo"):
        assert not_theirs not in told.lower()
    assert "(518) 555-0142" in told  # to whom to complain


def test_an_expired_paper_and_a_refusal_give_the_same_letter(officer, sister):
    other = RepresentativeFactory(patient=sister.patient, name="Rosa Alvarez", expires_on=date(2026, 11, 10))
    letters = []
    for one in (sister, other):
        request = asked_by(one, officer)
        if one is sister:
            refused(one)
        document = Letter.objects.defer(None).get(pk=deny(request, officer).pk).document
        letters.append(words_of(document).replace(request.number, "R"))
    assert letters[0] == letters[1]


@pytest.mark.parametrize(
    "text",
    [
        "We suspect abuse.",
        "For her safety.",
        "It could ENDANGER her.",
        "Sospechamos maltrato.",
        "You hurt her",
        "the best interest",
    ],
)
def test_a_reason_that_hints_is_refused_and_nothing_is_stored(officer, sister, text):
    request = asked_by(sister, officer)
    refused(sister)
    with pytest.raises(NotAllowedNow, match="must not say or hint") as refusal:
        deny(request, officer, text=text)
    assert refusal.value.field == "text"
    assert (request.outcome, request.letters.count()) == ("", 0)


@pytest.mark.parametrize("text", ["The pharmacy has it.", "We charge nothing.", "It is in another office.", "Nada que pagar."])
def test_words_that_say_nothing_pass(text):
    assert unsaid.hints(text) == []


def test_the_ground_that_a_representative_reads_on_a_professionals_judgment_hints_at_nothing(officer, sister):
    request = asked_by(sister, officer)
    letter = deny(request, officer, ground="R3", judged_by=a_doctor(), text="Please call us.")
    told = words_of(Letter.objects.defer(None).get(pk=letter.pk).document)
    assert "licensed professional judged" in told
    assert [hint for hint in unsaid.hints(told) if hint not in ("harm",)] == []
    assert "reviewed" in told.lower() or "review" in told.lower()


def test_no_extension_letter_hints_while_somebody_on_file_is_refused(officer, sister):
    request = asked_by(sister, officer)
    told = {"until": date(2026, 12, 20), "told_on": ON, "how": "by mail", "office": an_office()}
    refused(sister)
    with pytest.raises(NotAllowedNow, match="Leave out: abuse"):
        answers.extend_with_letter(request, reason="We look into abuse.", **told, **now(officer))
    assert not request.extended
    answers.extend_with_letter(request, reason="The chart is in our archive.", **told, **now(officer))


# --- the ground -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_patients_own_request_is_never_denied_for_who_they_are(officer, kind):
    request = RequestFactory(kind=kind, details=DETAILS[kind], received_on=RECEIVED, on=RECEIVED)
    with pytest.raises(NotAllowedNow, match="somebody asked for the patient"):
        deny(request, officer)


def test_it_denies_all_and_not_a_part(officer, sister):
    request = asked_by(sister, officer)
    with pytest.raises(NotAllowedNow, match="denies all"):
        request.decide(Outcome.GRANTED_IN_PART, ground="P1", text=NEUTRAL, **now(officer))


def test_it_is_no_ground_of_the_laws_lists_and_rests_on_nobody():
    assert all(grounds.PERSON not in known for known in grounds.GROUNDS.values())
    assert grounds.judgment(grounds.PERSON, "", "") == {}


# --- after a grant ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_grant_is_taken_back_when_who_asks_may_not_act_any_more(officer, sister, kind):
    request = asked_by(sister, officer, kind)
    letter = answers.decide_with_letter(
        request, Outcome.GRANTED, ground="", text="", office=an_office(), **now(officer, date(2026, 11, 20))
    )
    with pytest.raises(NotAllowedNow, match="has been decided"):
        deny(request, officer)
    refused(sister)
    if letter:
        with pytest.raises(NotAllowedNow, match="Ask the privacy officer"):
            request.letter_sent(letter, sent_on=ON, how="by mail", **now(officer))
    with pytest.raises(NotAllowedNow):
        deny(request, officer, ground="A4" if kind == Kind.AMENDMENT else "U4")
    denial = deny(request, officer)
    if letter:
        with pytest.raises(NotAllowedNow, match="taken the place"):
            request.letter_sent(letter, sent_on=ON, how="by mail", **now(officer))
    request.letter_sent(denial, sent_on=ON, how="by mail", **now(officer))
    assert (request.outcome, request.closed_on) == (Outcome.DENIED, ON)


def test_a_grant_that_went_out_is_not_taken_back(officer, sister):
    request = asked_by(sister, officer, Kind.RESTRICTION)
    early = now(officer, date(2026, 11, 20))
    letter = answers.decide_with_letter(request, Outcome.GRANTED, ground="", text="", office=an_office(), **early)
    request.letter_sent(letter, sent_on=date(2026, 11, 20), how="by mail", **early)
    refused(sister)
    with pytest.raises(NotAllowedNow, match="has been decided"):
        deny(request, officer)


def test_the_form_offers_a_refused_representative_nothing_but_the_neutral_denial(client, signed_in, officer, sister):
    request = asked_by(sister, officer)
    request.decide(Outcome.GRANTED, **now(officer))
    refused(sister)
    signed_in("privacy_officer")
    assert "Deny it: who asks may not act any more" in client.get(f"/requests/{request.number}/").content.decode()
    page = f"/requests/{request.number}/decide/"
    form = client.get(page).context["form"]
    assert [code for code, _ in form.fields["outcome"].choices] == ["denied"]
    assert [code for code, _ in form.fields["ground"].choices] == ["P1"]
    assert form["text"].value() == NEUTRAL
    told = {"outcome": "denied", "ground": "P1", "text": "She fears you."}
    assert "must not say or hint" in client.post(page, told | {"preview": "1"}).content.decode()
    assert list(client.post(page, told).context["form"].errors) == ["text"]
    assert client.post(page, told | {"text": NEUTRAL}).status_code == 302
    request.refresh_from_db()
    assert (request.outcome, request.ground) == ("denied", "P1")


def test_the_form_offers_the_ground_only_where_somebody_asks_for_the_patient(client, signed_in, officer):
    signed_in("privacy_officer")
    for on_behalf, offered in (("", False), ("Rosa Alvarez, sister", True)):
        request = RequestFactory(on_behalf=on_behalf)
        form = client.get(f"/requests/{request.number}/decide/").context["form"]
        assert ("P1" in [code for code, _ in form.fields["ground"].choices]) == offered


# --- the status -------------------------------------------------------------------------------------------------------


def test_the_status_page_shows_a_refused_representative_nothing(officer, sister):
    request = asked_by(sister, officer)
    assert standing.of(request, ON).headline == "We are working on it"
    refused(sister)
    told = standing.of(request, ON)
    assert (told.headline, told.dates) == ("Please call us", [("Received", RECEIVED)])
    assert unsaid.hints(told.sentence) == []
    assert standing.of(request, date(2026, 11, 23)).headline == "We are working on it"


def test_what_must_be_granted_to_the_patient_is_not_owed_to_somebody_who_may_not_act(officer, sister):
    details = DETAILS[Kind.RESTRICTION] | {"paid_in_full": "yes"}
    request = asked_by(sister, officer, Kind.RESTRICTION, details=details)
    refused(sister)
    assert deny(request, officer).request.outcome == Outcome.DENIED


def test_a_patient_who_turned_out_to_ask_themselves_is_never_denied_for_who_they_are(officer, sister):
    request = RequestFactory(patient=sister.patient, on_behalf="Rosa Alvarez, sister", received_on=RECEIVED, on=RECEIVED)
    assert request.is_by_another
    request.verify_identity("called back", **now(officer, date(2026, 11, 3)))
    assert not request.is_by_another
    with pytest.raises(NotAllowedNow, match="somebody asked for the patient"):
        deny(request, officer)

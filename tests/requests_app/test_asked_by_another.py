"""A request that a representative makes: who may, how it is checked, and that nothing leaves once the authority is gone."""

from datetime import date

import pytest

from disclosures.purposes import Scope
from records import copying
from records.models import DeathReport, MinorConsent, MinorDecision
from requests_app import carrying_out, copies, letters
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Kind, Outcome
from tests.factories import DisclosureFactory, EntryFactory, PatientFactory, RepresentativeFactory, RequestFactory, UserFactory
from tests.requests_app.answering import AT, ON, RECEIVED, a_doctor, an_office, granted, now, priced

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]
ASK = "Ask the privacy officer before acting for this representative."


@pytest.fixture
def officer():
    an_office()
    return UserFactory(role="privacy_officer")


def asked_by(representative, by, **fields):
    """A verified request of this representative, in a state to be decided."""
    facts = {"kind": Kind.ACCESS, "received_on": RECEIVED, "on": RECEIVED, "on_behalf": "Rosa Alvarez, sister"}
    request = RequestFactory(**facts | {"patient": representative.patient} | fields)
    request.verify_identity("photo ID seen", representative=representative, **now(by, date(2026, 11, 3)))
    return request


def stop(how: str, representative, doctor) -> str:
    """Take the authority away on Nov 24, one way or another. Gives the words that refuse."""
    if how == "ended":
        representative.end(by=doctor, at=AT, on=ON, ended_on=ON, reason="Revoked in writing")
        return "ended on Nov 24, 2026"
    if how == "refused":
        representative.refuse(by=doctor, at=AT, on=ON, ground="harmed", reasoning="Bruises at two visits.")
        return ASK
    DeathReport.record(representative.patient, died_on=ON, how_known="The hospital called", by=doctor, at=AT, on=ON)
    return "The patient has died"


@pytest.mark.parametrize("how", ["ended", "refused", "died"])
def test_an_authority_that_is_gone_refuses_the_check_the_grant_and_the_release(officer, how):
    one = RepresentativeFactory()
    fresh = RequestFactory(patient=one.patient)
    waiting, done = asked_by(one, officer), asked_by(one, officer)
    done.decide(Outcome.GRANTED, **now(officer, date(2026, 11, 4)))
    assert carrying_out.why_not(done, date(2026, 11, 23)) == ""
    words = stop(how, one, a_doctor())
    for act in (
        lambda: fresh.verify_identity("photo ID seen", representative=one, **now(officer)),
        lambda: waiting.decide(Outcome.GRANTED, **now(officer)),
        lambda: carrying_out.looked_at(done, seen_on=ON, **now(officer)),
    ):
        with pytest.raises(NotAllowedNow, match=words):
            act()
    assert words in carrying_out.why_not(done, ON)
    assert carrying_out.why_not(done, date(2026, 11, 23)) == ""  # asked about the day before


def test_copies_for_a_representative_are_given_only_while_the_authority_holds(officer):
    one = RepresentativeFactory(expires_on=ON)
    entry = EntryFactory(patient=one.patient)
    request = asked_by(one, officer)
    request.decide(Outcome.GRANTED, **now(officer))
    priced(request, officer)
    order = copies.Order((entry,), (), "pick_up", paper_pages=0, postage=0)
    quote = copies.quote(one.patient, order, by=officer, on=ON, office=an_office())
    bill = copies.make(request, order, seen=quote.seen, office=an_office(), **now(officer))
    late = date(2026, 11, 25)
    with pytest.raises(NotAllowedNow, match="expired on Nov 24, 2026"):
        carrying_out.give_copies(bill, given_on=late, how="handed over", **now(officer, late))
    carrying_out.give_copies(bill, given_on=ON, how="handed over", **now(officer))


@pytest.mark.parametrize("scope", ["finances", "limited", "health_care"])
def test_a_power_for_finances_opens_no_record(officer, scope):
    one = RepresentativeFactory(scope=scope, paper="finance_power", limits="The 2026 sessions")
    if scope != "finances":
        asked_by(one, officer)
        return
    with pytest.raises(NotAllowedNow, match="finances only"):
        asked_by(one, officer)


def test_a_representative_of_another_chart_is_refused(officer):
    with pytest.raises(NotAllowedNow, match="another chart"):
        asked_by(RepresentativeFactory(), officer, patient=PatientFactory())


def test_linking_another_chart_forgets_who_was_verified(officer):
    request = asked_by(RepresentativeFactory(), officer)
    request.match(PatientFactory(), **now(officer))
    assert (request.representative, request.identity_checked_on) == (None, None)


def test_for_the_patient_nothing_is_asked_of_representatives(officer, django_assert_num_queries):
    request = granted(Kind.ACCESS, officer)
    with django_assert_num_queries(0):
        assert request.representative_refusal(ON) is None


# --- care that a minor consented to alone -----------------------------------------------------------------------------


@pytest.fixture
def family():
    """A minor of 16 with two entries, one of them of care they consented to alone, and their mother."""
    patient = PatientFactory(date_of_birth=date(2010, 3, 1))
    mother = RepresentativeFactory(patient=patient, basis="parent", paper="birth", relation="mother")
    plain, alone = EntryFactory(patient=patient), EntryFactory(patient=patient, title="Told in confidence")
    mark = MinorConsent.mark(alone, ground="consented", by=a_doctor(), at=AT)
    return mother, plain, alone, mark


def test_a_parent_gets_no_copy_of_it_until_a_physician_decides(officer, family):
    mother, plain, alone, mark = family
    request = asked_by(mother, officer)
    request.decide(Outcome.GRANTED, **now(officer))
    assert copying.orderable(request.patient, request.representative)[0] == [plain]
    order = copies.Order((plain, alone), (), "pick_up", paper_pages=0, postage=0)
    quote = copies.quote(mother.patient, order, by=officer, on=ON, office=an_office())
    with pytest.raises(NotAllowedNow, match="minor consented to alone"):
        copies.make(request, order, seen=quote.seen, office=an_office(), **now(officer))
    mark.decide(parent_may_see=True, law="silent", reasoning="The minor agrees.", by=a_doctor(), at=AT)
    assert set(copying.orderable(request.patient, request.representative)[0]) == {plain, alone}
    mark.decide(parent_may_see=False, law="forbids", reasoning="State law, looked up.", by=a_doctor(), at=AT)
    assert copying.orderable(request.patient, request.representative)[0] == [plain]
    assert MinorDecision.objects.count() == 2


def test_a_parent_who_looks_at_the_record_is_shown_a_copy_without_it(officer, family, client, signed_in):
    mother, plain, _alone, mark = family
    request = asked_by(mother, officer)
    request.decide(Outcome.GRANTED, **now(officer))
    with pytest.raises(NotAllowedNow, match="show that copy alone"):
        carrying_out.looked_at(request, seen_on=ON, **now(officer))
    signed_in("front_desk")
    assert "1 entry is not in this list" in client.get(f"/requests/{request.number}/copies/").content.decode()
    order = copies.Order((plain,), (), "pick_up", paper_pages=0, postage=0)
    quote = copies.quote(mother.patient, order, by=officer, on=ON, office=an_office())
    priced(request, officer)
    copies.make(request, order, seen=quote.seen, office=an_office(), **now(officer))
    carrying_out.looked_at(request, seen_on=ON, **now(officer))
    mark.decide(parent_may_see=True, law="allows", reasoning="State law", by=a_doctor(), at=AT)
    assert request.hidden_entries() == []


def test_a_copy_made_before_its_entry_was_marked_is_not_given_to_the_parent(officer, family):
    mother, plain, _alone, _mark = family
    request = asked_by(mother, officer)
    request.decide(Outcome.GRANTED, **now(officer))
    order = copies.Order((plain,), (), "pick_up", paper_pages=0, postage=0)
    quote = copies.quote(mother.patient, order, by=officer, on=ON, office=an_office())
    priced(request, officer)
    bill = copies.make(request, order, seen=quote.seen, office=an_office(), **now(officer))
    MinorConsent.mark(plain, ground="parent_assented", by=a_doctor(), at=AT)
    with pytest.raises(NotAllowedNow, match="minor consented to alone"):
        carrying_out.give_copies(bill, given_on=ON, how="handed over", **now(officer))


def test_the_requests_page_names_who_was_verified_and_says_when_they_may_not_act(client, signed_in, officer):
    one = RepresentativeFactory()
    request = asked_by(one, officer)
    signed_in("front_desk")
    page = f"/requests/{request.number}/"
    assert "Checked to be" in client.get(page).content.decode()
    assert ASK not in client.get(page).content.decode()
    one.refuse(by=a_doctor(), at=AT, on=ON, ground="harmed", reasoning="Bruises at two visits.")
    shown = client.get(page).content.decode()
    assert ASK in shown
    assert "ruise" not in shown


def test_the_officer_makes_the_list_for_a_parent_from_whom_entries_are_hidden(client, signed_in, officer, family):
    """No row is left out for that: the page says so, and what to look for."""
    mother, *_rest = family
    request = asked_by(mother, officer, kind=Kind.ACCOUNTING)
    request.decide(Outcome.GRANTED, **now(officer))
    DisclosureFactory(patient=mother.patient, purpose_code="abuse_neglect", disclosed_on=date(2026, 6, 1))
    period = (date(2026, 1, 1), ON, Scope.NOTICE, ON)
    assert not carrying_out.why_officer(RequestFactory(patient=mother.patient, kind=Kind.ACCOUNTING), *period)
    with pytest.raises(NotAllowedNow, match="privacy officer makes this list"):
        facts = {"start": date(2026, 1, 1), "end": ON, "scope": Scope.NOTICE, "office": an_office()}
        carrying_out.issue_accounting(request, **facts, **now(UserFactory()))
    for role, told in (("privacy_officer", True), ("front_desk", False)):
        signed_in(role)
        page = client.get(f"/requests/{request.number}/carry-out/").content.decode()
        assert (
            "hidden from the parent who asks, and this list leaves no row out for that" in page and "report of abuse" in page
        ) is told


def test_the_minor_gets_it_and_so_does_a_guardian_of_the_court(officer, family):
    mother, plain, alone, _mark = family
    guardian = RepresentativeFactory(patient=mother.patient, basis="court", paper="order")
    for request in (RequestFactory(patient=mother.patient), asked_by(guardian, officer)):
        assert set(copying.orderable(request.patient, request.representative)[0]) == {plain, alone}


# --- the page of the check --------------------------------------------------------------------------------------------


def send(client, request, **data):
    return client.post(f"/requests/{request.number}/identity/", data)


def test_the_desk_chooses_a_representative_of_the_chart(client, signed_in):
    user = signed_in("front_desk")
    one = RepresentativeFactory()
    request = RequestFactory(patient=one.patient, on_behalf="Rosa Alvarez, sister")
    assert send(client, request, who=one.pk, ways=["photo_id"]).status_code == 302
    request.refresh_from_db()
    assert (request.representative, request.identity_checked_by) == (one, user)
    assert request.identity_how == "Rosa Alvarez, Power of attorney or health care proxy. Photo ID seen"


def test_a_request_of_somebody_else_is_not_checked_as_the_patients_without_a_tick(client, signed_in):
    signed_in("front_desk")
    request = RequestFactory(on_behalf="Rosa Alvarez, sister")
    told = {"who": "patient", "came": "patient_in_person", "ways": ["photo_id"]}
    assert "choose that representative" in send(client, request, **told).context["form"].errors["who"][0]
    assert send(client, request, **told, themselves="on").status_code == 302


def test_a_limited_authority_takes_a_look_at_its_limits(client, signed_in):
    signed_in("front_desk")
    one = RepresentativeFactory(scope="limited", limits="The session of May 1, 2026")
    request = RequestFactory(patient=one.patient)
    answer = send(client, request, who=one.pk, ways=["photo_id"])
    assert list(answer.context["form"].errors) == ["within"]
    assert "The session of May 1, 2026" in answer.content.decode()
    assert send(client, request, who=one.pk, ways=["photo_id"], within="on").status_code == 302


@pytest.mark.parametrize("how", ["ended", "refused", "died"])
def test_the_page_says_before_and_after_why_somebody_may_not_act(client, signed_in, how):
    signed_in("front_desk")
    one = RepresentativeFactory()
    words = stop(how, one, a_doctor())
    request = RequestFactory(patient=one.patient, on_behalf="Rosa Alvarez, sister")
    assert words in client.get(f"/requests/{request.number}/identity/").content.decode()
    assert words in send(client, request, who=one.pk, ways=["photo_id"]).context["form"].errors["who"][0]
    request.refresh_from_db()
    assert (request.representative, request.identity_checked_on) == (None, None)


# --- letters ----------------------------------------------------------------------------------------------------------


def test_a_letter_goes_to_whoever_was_verified(officer):
    one = RepresentativeFactory(patient=PatientFactory(first_name="Maria", last_name="Alvarez"))
    request = asked_by(one, officer, asker_address="")
    assert letters.addressee(request, ON) == ["Rosa Alvarez", "for Maria Alvarez", "4 Hill Road", "Troy, NY 12180"]


def test_a_letter_goes_to_the_patient_who_turned_out_to_ask_themselves(officer):
    patient = PatientFactory(first_name="Maria", last_name="Alvarez")
    request = RequestFactory(patient=patient, on_behalf="Rosa Alvarez, sister", asker_address="4 Hill Road")
    request.verify_identity("called back", **now(officer))
    assert letters.addressee(request, ON) == ["Maria Alvarez", "12 Elm Street", "Albany, NY 12207"]

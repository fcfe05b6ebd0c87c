"""A request for a chart with excluded entries: granted in part, counted in the letter, never in a copy (law.md §2)."""

from datetime import date

import pytest

from meso.models import Office
from records.exclusion import Kind
from records.models import EntryFlag
from requests_app import answers, copies
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Outcome
from tests.factories import EntryFactory, UserFactory
from tests.requests_app.answering import AT, ON, a_doctor, an_office, granted, now, verified, words_of, words_of_draft

pytestmark = [pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _office(nov_24):
    an_office()


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer", first_name="Nora", last_name="Lindqvist")


def with_notes(request, by, day=date(2026, 5, 1), kind=Kind.PSYCHOTHERAPY_NOTES):
    entry = EntryFactory(patient=request.patient, title="Session with Dr. Reyes", service_on=day)
    EntryFlag.lay(entry, kind, reason="Kept apart", by=by, at=AT)
    return entry


def decided(request, by, outcome=Outcome.GRANTED_IN_PART, ground="U1", **facts):
    text = "You get all the rest."
    return answers.decide_with_letter(request, outcome, ground=ground, text=text, office=Office.current(), **now(by), **facts)


def test_it_can_not_be_granted_in_full_and_nothing_is_stored(officer):
    request = verified("access", officer)
    with_notes(request, officer)
    with pytest.raises(NotAllowedNow, match="Grant it in part with ground U1") as refusal:
        decided(request, officer, Outcome.GRANTED, "")
    assert refusal.value.field == "outcome"
    request.refresh_from_db()
    assert request.outcome == ""


def test_part_of_it_with_u1_counts_what_is_left_out_and_offers_no_review(officer):
    request = verified("access", officer)
    with_notes(request, officer)
    with_notes(request, officer)
    with_notes(request, officer, kind=Kind.LITIGATION)
    letter = decided(request, officer)
    said = words_of(request.letters.defer(None).get(pk=letter.pk).document)
    assert "2 entries are left out: psychotherapy notes (45 CFR 164.524(a)(1)(i))." in said
    assert "1 entry is left out: put together for a court or agency case (45 CFR 164.524(a)(1)(ii))." in said
    assert "review" not in said.lower()


def test_another_ground_does_not_silence_the_count_and_the_review_is_not_of_it(officer):
    from requests_app import letters

    request = verified("access", officer)
    with_notes(request, officer)
    draft = letters.decision(
        request, Outcome.GRANTED_IN_PART, ground="R1", text="One note.", dated=ON, by=officer, office=Office.current(),
        judged_by=a_doctor(),
    )  # fmt: skip
    said = words_of_draft(draft)
    assert "1 entry is left out: psychotherapy notes" in said
    assert "The law gives no review of this part." in said


@pytest.mark.parametrize(
    ("details", "left_out"),
    [
        ({}, True),
        ({"since": "2026-05-01"}, True),
        ({"since": "2026-05-02"}, False),
        ({"until": "2026-05-01"}, True),
        ({"until": "2026-04-30"}, False),
    ],
)
def test_only_what_is_asked_for_counts(officer, details, left_out):
    request = verified("access", officer, details=details)
    with_notes(request, officer)
    assert bool(request.left_out()) is left_out


def test_other_requests_and_other_flags_are_granted_as_before(officer):
    part2 = verified("access", officer)
    with_notes(part2, officer, kind=Kind.PART2)
    assert decided(part2, officer, Outcome.GRANTED, "") is None
    accounting = verified("accounting", officer)
    with_notes(accounting, officer)
    assert decided(accounting, officer, Outcome.GRANTED, "") is None


def test_the_decision_says_so_and_offers_no_full_grant(client, signed_in, officer):
    request = verified("access", officer)
    with_notes(request, officer)
    signed_in("privacy_officer")
    path = f"/requests/{request.number}/decide/"
    page = client.get(path).content.decode()
    assert "164.524(a)(1)(i)" in page
    assert "grant it in part with ground U1" in page
    assert 'value="granted"' not in page
    answer = client.post(path, {"outcome": "granted"}).content.decode()
    assert "Part of it is left out by law" in answer


def test_the_copies_show_it_as_left_out_with_the_citation_and_can_not_take_it(client, signed_in, officer):
    request = verified("access", officer)
    secret = with_notes(request, officer)
    lab = EntryFactory(patient=request.patient, kind="lab_result", title="Blood count")
    decided(request, officer)
    signed_in("front_desk")
    path = f"/requests/{request.number}/copies/"
    page = client.get(path).content.decode()
    assert "psychotherapy notes, 45 CFR 164.524(a)(1)(i)" in page
    assert f'value="{lab.pk}"' in page
    assert f'value="{secret.pk}"' not in page
    filled = {"entry": [lab.pk, secret.pk], "delivery": "pick_up", "step": "bill"}
    answer = client.post(path, filled)
    assert answer.context["form"].quote is None
    answer = client.post(path, filled | {"entry": [lab.pk]})
    assert answer.context["form"].quote.order.entries == (lab,)


def test_an_order_that_holds_one_all_the_same_is_refused(officer):
    request = granted("access", officer)
    secret = with_notes(request, officer)
    order = copies.Order((secret,), (), "pick_up", 0, 0)
    with pytest.raises(NotAllowedNow, match="left out of copies by law"):
        copies.quote(request.patient, order, by=officer, on=ON, office=Office.current())


def test_flagged_after_a_full_grant_the_copies_page_says_that_the_patient_is_owed_a_letter(client, signed_in, officer):
    request = granted("access", officer)
    with_notes(request, officer)
    signed_in("front_desk")
    page = client.get(f"/requests/{request.number}/copies/").content.decode()
    assert "granted in full before these were flagged" in page

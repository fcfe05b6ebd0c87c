"""Restrictions on the chart: agreed, mandatory, ended, an emergency, a payment that failed (law.md §5)."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from meso import seals
from meso.models import Office
from records import wishes
from records.models import EmergencyRelease, PaidInFull, PaymentBounce, Restriction, RestrictionEnding
from tests.factories import AT, EntryFactory, PatientFactory, RestrictionFactory, UserFactory
from tests.requests_app.answering import an_office, words_of

ON = date(2026, 11, 24)
D = Decimal
LIMITS = "/patients/10023/limits/"
ENDED = {"reason": "No longer wished", "evidence": "Letter in folder 3"}


@pytest.fixture
def patient(db, nov_24):
    an_office()
    return PatientFactory(chart_number="10023")


@pytest.fixture
def officer(patient):
    return UserFactory(role="privacy_officer", first_name="Nora", last_name="Lindqvist")


@pytest.fixture
def visit(patient):
    return EntryFactory(patient=patient, kind="treatment", title="Session: flanks", service_on=date(2026, 5, 1))


@pytest.fixture
def lab(patient):
    return EntryFactory(patient=patient, kind="lab_result", title="Blood count", service_on=date(2026, 5, 1))


def kept(patient, by, entries=(), **fields) -> Restriction:
    """$180.00 paid on May 1 for the visit of that day."""
    facts = {
        "service": "Session: flanks", "service_on": date(2026, 5, 1), "plan": "Empire Health", "charged": D("180"),
        "amount": D("180"), "paid_on": date(2026, 5, 1), "begins_on": date(2026, 5, 1),
    }  # fmt: skip
    return PaidInFull.keep(patient, **facts | fields, entries=entries, by=by, at=AT)


def outcomes(patient, entries, purpose="payment", recipient="health_plan", on=date(2026, 5, 3), **more) -> list[str]:
    found = wishes.verdicts(patient, entries, purpose=purpose, recipient=recipient, on=on, **more)
    return [verdict.outcome for _restriction, verdict in found]


def now(by) -> dict:
    return {"by": by, "at": AT}


# --- the mandatory one ------------------------------------------------------------------------------------------------


def test_a_claim_for_the_visit_paid_in_full_is_refused_and_one_for_the_lab_of_that_day_is_not(patient, officer, visit, lab):
    made = kept(patient, officer, [visit])
    assert made.is_mandatory
    assert outcomes(patient, [visit]) == ["blocked"]
    assert outcomes(patient, [lab]) == []
    assert outcomes(patient, [visit], "treatment", "provider") == []
    assert outcomes(patient, [visit], "subpoena", "other") == ["banner"]
    assert seals.verify().breaks == []


@pytest.mark.parametrize("amount", ["179.99", "0.01", "200"])
def test_the_balance_must_be_zero(patient, officer, amount):
    with pytest.raises(ValidationError, match="balance of this line must be zero"):
        kept(patient, officer, amount=D(amount))
    assert not Restriction.objects.exists()
    restriction = RestrictionFactory(patient=patient)
    facts = {"service": "x", "service_on": ON, "plan": "p", "charged": D("180"), "amount": D(amount), "paid_on": ON}
    with pytest.raises(IntegrityError), transaction.atomic():
        PaidInFull.objects.create(patient=patient, restriction=restriction, **facts)


def test_the_same_line_is_kept_once_and_again_after_its_end(patient, officer, visit, lab):
    first = kept(patient, officer, [visit])
    with pytest.raises(ValidationError, match="already"):
        kept(patient, officer, [visit], service="Other words")
    kept(patient, officer, [lab], service="Blood count")
    first.end("in_writing", on=ON, **ENDED, **now(officer))
    assert kept(patient, officer, [visit]).is_mandatory


def test_an_entry_of_another_chart_or_in_the_wrong_chart_is_refused(patient, officer, visit):
    for entry in (EntryFactory(), visit):
        if entry == visit:
            visit.mark_misfiled(by=officer, at=AT, reason="Another's")
        with pytest.raises(ValidationError, match="not in this patient's record"):
            Restriction.agree(patient, what="That one", begins_on=ON, entries=[entry], **now(officer))
    assert not Restriction.objects.exists()


# --- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["in_writing", "orally"])
def test_the_patient_ends_it_with_what_shows_it(patient, officer, visit, kind):
    for made in (kept(patient, officer, [visit]), RestrictionFactory(patient=patient)):
        made.end(kind, on=ON, **ENDED, **now(officer))
        with pytest.raises(ValidationError, match="has ended"):
            made.end(kind, on=ON, **ENDED, **now(officer))
        with pytest.raises(ValidationError, match="has ended"):
            made.tell(told_on=ON, how="By letter", reason="Too late", **now(officer))
    assert outcomes(patient, [visit], on=ON) == []
    assert set(RestrictionEnding.objects.values_list("evidence", flat=True)) == {"Letter in folder 3"}


def test_the_office_tells_and_only_what_comes_after_is_free(patient, officer):
    made = RestrictionFactory(patient=patient)
    before = EntryFactory(patient=patient, service_on=date(2026, 6, 30))
    after = EntryFactory(patient=patient, service_on=date(2026, 7, 2))
    made.tell(told_on=date(2026, 7, 1), how="By letter", reason="The pharmacy must know", **now(officer))
    assert outcomes(patient, [before], "treatment", "provider", ON) == ["blocked"]
    assert outcomes(patient, [after], "treatment", "provider", ON) == []
    with pytest.raises(ValidationError, match="told so already"):
        made.tell(told_on=ON, how="Again", reason="Again", **now(officer))
    made.end("orally", on=ON, **ENDED, **now(officer))
    assert outcomes(patient, [before], "treatment", "provider", ON) == []


def test_the_office_alone_never_ends_a_mandatory_one(patient, officer, visit):
    made = kept(patient, officer, [visit])
    with pytest.raises(ValidationError, match="can't be ended by a notice"):
        made.tell(told_on=ON, how="By letter", reason="We want the money", **now(officer))
    assert outcomes(patient, [visit], on=ON) == ["blocked"]


# --- the payment that failed ------------------------------------------------------------------------------------------


def test_a_bounced_payment_lifts_nothing_and_makes_a_task_until_it_is_settled(client, signed_in, patient, officer, visit):
    made = kept(patient, officer, [visit])
    with pytest.raises(ValidationError, match="No failed payment"):
        made.end("not_paid", on=ON, **ENDED, **now(officer))
    bounce = PaymentBounce.note(made, found_on=date(2026, 5, 20), what="Check returned", **now(officer))
    with pytest.raises(ValidationError, match="on record"):
        PaymentBounce.note(made, found_on=ON, what="Again", **now(officer))
    assert outcomes(patient, [visit], on=ON) == ["blocked"]
    signed_in("front_desk")
    page = client.get("/").text
    assert f'href="{LIMITS}">Chart 10023: call the patient</a>' in page
    bounce.make_good(paid_on=ON, how="By card", **now(officer))
    assert "call the patient" not in client.get("/").text
    with pytest.raises(ValidationError, match="settled already"):
        bounce.make_good(paid_on=ON, how="Twice", **now(officer))
    assert outcomes(patient, [visit], on=ON) == ["blocked"]
    PaymentBounce.note(made, found_on=ON, what="Card charged back", **now(officer))
    made.end("not_paid", on=ON, **ENDED, **now(officer))
    assert outcomes(patient, [visit], on=ON) == []
    assert not PaymentBounce.objects.waiting().exists()


def test_an_agreed_restriction_rests_on_no_payment(patient, officer):
    with pytest.raises(ValidationError, match="rests on no payment"):
        PaymentBounce.note(RestrictionFactory(patient=patient), found_on=ON, what="Check", **now(officer))


# --- the emergency ----------------------------------------------------------------------------------------------------


def emergency(restriction, by, **fields) -> EmergencyRelease:
    facts = {
        "released_on": date(2026, 8, 2), "provider": "Albany Medical Center", "provider_address": "43 New Scotland Ave\nAlbany",
        "information": "Allergies and last session", "reason": "Unconscious after a fall", "on": date(2026, 8, 2),
    }  # fmt: skip
    return EmergencyRelease.record(restriction, **facts | fields, **now(by), office=Office.current())


def test_an_emergency_makes_the_letter_of_the_same_day_and_keeps_it(patient, officer, visit):
    made = RestrictionFactory(patient=patient)
    assert outcomes(patient, [visit], "treatment", "provider", emergency=True) == ["emergency"]
    release = emergency(made, officer)
    assert emergency(made, officer) == release
    stored = EmergencyRelease.objects.defer(None).get()
    said = words_of(stored.letter)
    for words in (
        "August 2, 2026",
        "Albany Medical Center",
        "Please do not further use or disclose",
        "Allergies and last session",
    ):
        assert words in said, words
    assert stored.made_on == date(2026, 8, 2)
    assert seals.verify().breaks == []


def test_an_emergency_needs_its_reason_and_a_restriction_that_stops_treatment(patient, officer, visit):
    with pytest.raises(ValidationError, match="what the emergency was"):
        emergency(RestrictionFactory(patient=patient), officer, reason=" ")
    with pytest.raises(ValidationError, match="does not stop treatment"):
        emergency(kept(patient, officer, [visit]), officer)
    assert not EmergencyRelease.objects.exists()


def test_the_letter_of_an_emergency_is_a_task_until_it_is_sent(client, signed_in, patient, officer):
    release = emergency(RestrictionFactory(patient=patient), officer, released_on=ON, on=ON)
    signed_in("front_desk")
    assert "Chart 10023: send the letter to the provider" in client.get("/").text
    with pytest.raises(ValidationError, match="made later"):
        release.send(sent_on=date(2026, 11, 23), how="By fax", **now(officer))
    path = f"/patients/10023/emergency-letters/{release.pk}/sent/"
    assert "in the future" in client.post(path, {"how": "By fax", "day": "2026-11-25"}).text
    client.post(path, {"how": "By fax to the ward", "day": "2026-11-24"})
    assert "send the letter" not in client.get("/").text
    assert "sent Nov 24, 2026, By fax to the ward" in client.get(LIMITS).text
    assert "recorded that this letter was sent" in client.post(path, {"how": "Again", "day": "2026-11-24"}).text


# --- the pages --------------------------------------------------------------------------------------------------------

AGREED = {
    "what": "Nothing to her brother", "extent": "whole", "covers": ["involved_in_care", "family_emergency"],
    "kept_from": ["involved"], "from_whom": "her brother Tom", "begins_on": "2026-11-24",
}  # fmt: skip
PAID = {
    "service": "Session: flanks", "service_on": "2026-05-01", "plan": "Empire Health", "charged": "180.00", "amount": "180.00",
    "paid_on": "2026-05-01", "begins_on": "2026-11-24",
}  # fmt: skip


def test_the_officer_agrees_and_the_tab_tells_it(client, signed_in, patient, visit, events):
    signed_in("privacy_officer")
    assert client.post(LIMITS + "new/", AGREED)["Location"] == LIMITS
    made = Restriction.objects.get()
    assert (made.covers, made.kept_from) == (["involved_in_care", "family_emergency"], ["involved"])
    page = client.get(LIMITS).text
    for words in ("Nothing to her brother", "her brother Tom", "The whole record.", made.signed_as):
        assert words in page, words
    assert ("change", "restriction", "10023") in events()
    answer = client.post(LIMITS + "new/", AGREED | {"extent": "chosen"})
    assert "Tick the entries" in answer.text
    client.post(LIMITS + "new/", AGREED | {"extent": "chosen", "entries": [visit.pk]})
    assert [row.entry for row in Restriction.objects.latest("id").listed.all()] == [visit]


def test_the_desk_keeps_a_paid_service_from_the_plan_out_of_the_chart(client, signed_in, patient, visit):
    signed_in("front_desk")
    assert f"limits/paid/?entry={visit.pk}" in client.get("/patients/10023/").text
    form = client.get(f"{LIMITS}paid/?entry={visit.pk}").text
    assert 'value="Session: flanks"' in form
    assert "164.522(a)(1)(vi)" in form
    answer = client.post(LIMITS + "paid/", PAID | {"amount": "100.00", "entries": [visit.pk]})
    assert "law asks for payment in full" in answer.text
    assert not Restriction.objects.exists()
    client.post(LIMITS + "paid/", PAID | {"entries": [visit.pk]})
    assert Restriction.objects.get().is_mandatory
    assert "Empire Health" in client.get(LIMITS).text
    assert "already" in client.post(LIMITS + "paid/", PAID | {"entries": [visit.pk]}).text


def test_the_forms_of_the_end_offer_what_the_law_does(client, signed_in, patient, officer, visit):
    signed_in("privacy_officer")
    mandatory, agreed = kept(patient, officer, [visit]), RestrictionFactory(patient=patient)
    offered = {made.pk: client.get(f"{LIMITS}{made.pk}/end/").text for made in (mandatory, agreed)}
    assert 'value="notice"' not in offered[mandatory.pk]
    assert 'value="not_paid"' not in offered[mandatory.pk]
    assert 'value="notice"' in offered[agreed.pk]
    client.post(f"{LIMITS}{mandatory.pk}/bounce/", {"what": "Check returned", "day": "2026-11-24"})
    assert 'value="not_paid"' in client.get(f"{LIMITS}{mandatory.pk}/end/").text
    told = {"kind": "notice", "day": "2026-11-24", "evidence": "By letter", "reason": "The pharmacy must know"}
    client.post(f"{LIMITS}{agreed.pk}/end/", told)
    assert "What was created or received by that day stays restricted" in client.get(LIMITS).text
    answer = client.post(f"{LIMITS}{mandatory.pk}/end/", told | {"kind": "orally", "day": "2026-11-25"})
    assert "between the day it began and today" in answer.text
    client.post(f"{LIMITS}{mandatory.pk}/end/", told | {"kind": "not_paid"})
    assert mandatory.has_ended(ON) or Restriction.objects.get(pk=mandatory.pk).has_ended(ON)


def test_the_emergency_and_its_letter_on_the_pages(client, signed_in, patient, events):
    signed_in("physician")
    made = RestrictionFactory(patient=patient)
    facts = {"reason": "Fall", "provider": "Albany Med", "information": "Allergies", "released_on": "2026-11-24"}
    client.post(f"{LIMITS}{made.pk}/emergency/", facts)
    release = EmergencyRelease.objects.get()
    letter = f"/patients/10023/emergency-letters/{release.pk}/"
    assert letter in client.get(LIMITS).text
    assert "Please do not further use or disclose" in words_of(client.get(letter).content)
    assert ("download", f"emergency letter {release.pk}", "10023") in events()


def test_a_failed_payment_is_made_good_on_its_page(client, signed_in, patient, officer, visit):
    signed_in("front_desk")
    bounce = PaymentBounce.note(kept(patient, officer, [visit]), found_on=ON, what="Check returned", **now(officer))
    client.post(f"/patients/10023/bounces/{bounce.pk}/made-good/", {"what": "By card", "day": "2026-11-24"})
    assert "Made good." in client.get(LIMITS).text


def test_the_tab_costs_the_same_with_much_on_it(client, signed_in, patient, officer, visit, queries_for):
    signed_in("privacy_officer")
    PaymentBounce.note(kept(patient, officer, [visit]), found_on=ON, what="Check", **now(officer))
    emergency(RestrictionFactory(patient=patient), officer)
    client.get(LIMITS)
    few = len(queries_for(LIMITS))
    for number in range(5):
        made = RestrictionFactory(patient=patient)
        emergency(made, officer)
        made.tell(told_on=ON, how="By letter", reason="Why", **now(officer))
        entry = EntryFactory(patient=patient, title=f"Session {number}")
        PaymentBounce.note(kept(patient, officer, [entry], service=entry.title), found_on=ON, what="Check", **now(officer))
    assert len(queries_for(LIMITS)) == few

"""After an amendment was not agreed to: what hangs on the entry, and what travels with it when it is given to others."""

import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from disclosures import desk
from meso import seals
from meso.append_only import AppendOnlyError
from meso.models import Office
from meso.roles import Role
from records import copying, exporters
from records.record_pdf import record_pdf
from records.uploads import CheckedFile
from requests_app import amendments, answers, copies
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Kind, Outcome
from requests_app.models import Disagreement, DisputedEntry, Rebuttal, TravelWish
from requests_app.models.timeline import Verb
from tests.factories import EntryFactory, PatientFactory, RequestFactory
from tests.requests_app.answering import AT, a_doctor, a_pdf, an_office, granted, words_of

pytestmark = [pytest.mark.django_db]
RECEIVED, DENIED, RELEASED = date(2026, 6, 10), date(2026, 7, 20), date(2026, 8, 5)
SAID = "I have never smoked, and my sister can say so."
WHY = "We looked at the note again. It is right."


@pytest.fixture(autouse=True)
def _office():
    with time_machine.travel(datetime(2026, 8, 5, 15, 0, tzinfo=UTC), tick=False):
        yield an_office()


@pytest.fixture
def doctor(db):
    return a_doctor(first_name="Ada", last_name="Vance")


def on(day: date, by) -> dict:
    return {"by": by, "at": AT, "on": day}


def denied(by, outcome=Outcome.DENIED, **fields):
    """The dispute of law.md §3: asked 2026-06-10, denied 2026-07-20 on A4, about the visit note."""
    details = {"change": "Take out that I smoke", "reason": "It is not true"}
    request = RequestFactory(kind="amendment", received_on=RECEIVED, on=RECEIVED, details=details, **fields)
    request.verify_identity("photo ID seen", **on(RECEIVED, by))
    entry = EntryFactory(patient=request.patient, title="Visit of May", body="The patient smokes.")
    letter = answers.decide_with_letter(
        request, outcome, ground="A4", text=WHY, disputed=[entry], office=Office.current(), **on(DENIED, by)
    )
    answers.send_letter(letter, sent_on=DENIED, how="by mail", **on(DENIED, by))
    request.refresh_from_db()
    return request, entry


def state(request, by, day=DENIED + timedelta(days=3), **facts):
    facts = {"text": SAID, "received_on": day} | facts
    return amendments.file_statement(request, **facts, office=Office.current(), **on(day, by))


def rebutted(statement, by, day=date(2026, 7, 28), sent: date | None = date(2026, 7, 29)) -> Rebuttal:
    rebuttal = amendments.rebut(statement, "The note was read to the patient.", office=Office.current(), **on(day, by))
    if sent:
        answers.send_letter(rebuttal.letter, sent_on=sent, how="by mail", **on(sent, by))
    return rebuttal


def path(request, rest: str) -> str:
    return f"/requests/{request.number}/{rest}/"


# --- the ground that closes ------------------------------------------------------------------------------------------


def an_outside_amendment(by, **details):
    request = RequestFactory(kind="amendment", received_on=RECEIVED, on=RECEIVED, details={"change": "x", **details})
    request.verify_identity("photo ID seen", **on(RECEIVED, by))
    return request


def test_a1_is_refused_once_the_originator_is_shown_to_be_gone(doctor):
    told = an_outside_amendment(doctor, originator="hospital closed 2024")
    with pytest.raises(NotAllowedNow, match="hospital closed 2024") as refusal:
        told.decide("denied", ground="A1", text=WHY, **on(DENIED, doctor))
    assert refusal.value.field == "ground"
    told.decide("denied", ground="A4", text=WHY, **on(DENIED, doctor))
    an_outside_amendment(doctor).decide("denied", ground="A1", text=WHY, **on(DENIED, doctor))


def test_the_originators_end_can_be_shown_later_until_the_decision(client, signed_in, doctor):
    request = an_outside_amendment(doctor)
    signed_in("front_desk")
    assert client.post(path(request, "originator"), {"why": " "}).status_code == 200
    assert client.post(path(request, "originator"), {"why": "Hospital closed 2024"}).status_code == 302
    request.refresh_from_db()
    assert request.details["originator"] == "Hospital closed 2024"
    assert request.events.get(verb=Verb.ORIGINATOR_GONE).note == "Hospital closed 2024"
    client.force_login(doctor)
    page = client.post(path(request, "decide-amendment"), {"outcome": "denied", "ground": "A1", "text": WHY})
    assert "Hospital closed 2024" in str(page.context["form"].errors["ground"])
    request.decide("denied", ground="A4", text=WHY, **on(RELEASED, doctor))
    with pytest.raises(NotAllowedNow, match="not decided yet"):
        amendments.originator_gone(request, "Closed", **on(RELEASED, doctor))


# --- the entry in dispute --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("outcome", "ground"), [("denied", "A4"), ("granted_in_part", "A4"), ("denied", "A3")])
def test_a_denial_names_the_entry_where_the_chart_has_any(doctor, outcome, ground):
    request = an_outside_amendment(doctor)
    entry = EntryFactory(patient=request.patient)
    facts = {"ground": ground, "text": WHY, "office": Office.current(), **on(DENIED, doctor)}
    with pytest.raises(NotAllowedNow, match="Name the entry in dispute") as refusal:
        answers.decide_with_letter(request, outcome, **facts)
    assert (refusal.value.field, request.outcome, request.letters.count()) == ("disputed", "", 0)
    answers.decide_with_letter(request, outcome, disputed=[entry], **facts)
    assert list(request.disputed.values_list("entry", flat=True)) == [entry.pk]
    assert request.events.get(verb=Verb.DISPUTED).sentence.startswith("In dispute: entry of May 1, 2026.")


def test_what_is_no_part_of_the_record_has_no_entry_to_name(doctor):
    request = an_outside_amendment(doctor)
    EntryFactory(patient=request.patient)
    answers.decide_with_letter(request, "denied", ground="A2", text=WHY, office=Office.current(), **on(DENIED, doctor))
    assert request.outcome == "denied"


def test_another_charts_entry_can_not_be_in_dispute(doctor):
    request = an_outside_amendment(doctor)
    facts = {"ground": "A4", "text": WHY, "office": Office.current(), **on(DENIED, doctor)}
    with pytest.raises(NotAllowedNow, match="not in this patient's record"):
        answers.decide_with_letter(request, "denied", disputed=[EntryFactory()], **facts)
    assert request.outcome == ""


def test_the_physician_ticks_the_entry_and_can_name_another_later(client, doctor):
    client.force_login(doctor)
    request = an_outside_amendment(doctor)
    first, second = EntryFactory(patient=request.patient), EntryFactory(patient=request.patient, title="Second visit")
    answer = {"outcome": "denied", "ground": "A4", "text": WHY}
    page = client.post(path(request, "decide-amendment"), answer)
    assert "Tick the entry" in str(page.context["form"].errors["disputed"])
    assert client.post(path(request, "decide-amendment"), answer | {"disputed": [first.pk]}).status_code == 302
    assert client.post(path(request, "disputed"), {"disputed": [second.pk]}).status_code == 302
    assert set(request.disputed.values_list("entry", flat=True)) == {first.pk, second.pk}
    assert "Second visit" not in str(client.get(path(request, "disputed")).context["form"]["disputed"])


# --- the statement ---------------------------------------------------------------------------------------------------


def test_a_statement_is_taken_fourteen_months_after_the_denial(doctor):
    request, entry = denied(doctor)
    late = date(2027, 9, 20)
    statement = state(request, doctor, late)
    assert (statement.received_on, statement.text) == (late, SAID)
    assert request.events.get(verb=Verb.DISAGREED).sentence == (
        "The patient's statement of disagreement came in on Sep 20, 2027."
    )
    assert [c.kind for c in amendments.travels_with([entry], late)] == ["request", "denial", "statement"]
    assert amendments.travels_with([entry], late - timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("facts", "day", "words"),
    [
        ({"text": "  "}, DENIED, "Write the statement, or choose its scan"),
        ({"received_on": DENIED - timedelta(days=1)}, RELEASED, "between the decision and today"),
        ({"received_on": RELEASED + timedelta(days=1)}, RELEASED, "between the decision and today"),
    ],
)
def test_a_statement_that_says_nothing_or_has_a_wrong_day_is_refused(doctor, facts, day, words):
    request, _entry = denied(doctor)
    with pytest.raises(NotAllowedNow, match=words):
        state(request, doctor, day, **facts)
    assert not Disagreement.objects.exists()


@pytest.mark.parametrize(("limit", "length", "taken"), [(None, 90_000, True), (500, 500, True), (500, 501, False)])
def test_its_length_is_limited_only_where_the_office_says_so(doctor, limit, length, taken):
    an_office(longest_statement=limit)
    request, _entry = denied(doctor)
    if taken:
        assert len(state(request, doctor, text="x" * length).text) == length
    else:
        with pytest.raises(NotAllowedNow, match="at most 500 characters; this one has 501"):
            state(request, doctor, text="x" * length)


def test_only_an_amendment_that_was_not_agreed_to_can_be_disputed(doctor):
    for request in (an_outside_amendment(doctor), granted("amendment", doctor), granted("access", doctor)):
        with pytest.raises(NotAllowedNow, match="not agreed to"):
            state(request, doctor)
        with pytest.raises(NotAllowedNow, match="not agreed to"):
            amendments.ask_to_travel(request, asked_on=DENIED, **on(DENIED, doctor))


def test_a_denial_without_a_chart_waits_for_the_chart_to_be_found(doctor):
    request = RequestFactory(kind="amendment", patient=None, received_on=RECEIVED, on=RECEIVED)
    answers.decide_with_letter(request, "denied", ground="A2", text=WHY, office=Office.current(), **on(DENIED, doctor))
    answers.send_letter(request.letters.get(), sent_on=DENIED, how="by mail", **on(DENIED, doctor))
    request.refresh_from_db()
    with pytest.raises(NotAllowedNow, match="Find the chart first"):
        state(request, doctor)
    request.match(PatientFactory(), **on(RELEASED, doctor))
    state(request, doctor)


def test_the_same_statement_sent_twice_is_kept_once_and_can_not_be_taken_away(doctor):
    request, _entry = denied(doctor)
    assert state(request, doctor) == state(request, doctor)
    with pytest.raises(AppendOnlyError):
        Disagreement.objects.get().delete()
    with pytest.raises(AppendOnlyError):
        DisputedEntry.objects.all().delete()


def test_a_scan_is_a_file_under_every_disputed_entry(client, signed_in, doctor):
    request, entry = denied(doctor)
    signed_in("front_desk")
    scan = SimpleUploadedFile("statement.pdf", a_pdf(2))
    sent = {"received_on": "2026-08-01", "text": "", "scan": scan}
    assert client.post(path(request, "statement"), sent).status_code == 302
    assert [file.name for file in entry.attachments.all()] == ["statement.pdf"]
    other = EntryFactory(patient=request.patient, title="Same words again")
    amendments.name_disputed(request, [other], **on(RELEASED, doctor))
    assert [file.name for file in other.attachments.all()] == ["statement.pdf"]
    kinds = {c.entry.title: c.content[:5] for c in amendments.travels_with([entry, other], RELEASED) if c.kind == "statement"}
    assert kinds == {"Visit of May": b"%PDF-", "Same words again": b"%PDF-"}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"text": ""}, "text"),
        ({"received_on": "2026-07-01"}, "received_on"),
        ({"scan": SimpleUploadedFile("page.html", b"<html>")}, "scan"),
    ],
)
def test_what_is_wrong_with_a_statement_stands_at_its_field(client, signed_in, doctor, sent, field):
    request, _entry = denied(doctor)
    signed_in("front_desk")
    page = client.post(path(request, "statement"), {"received_on": "2026-08-01", "text": SAID} | sent)
    assert list(page.context["form"].errors) == [field]
    assert not Disagreement.objects.exists()


# --- the rebuttal ----------------------------------------------------------------------------------------------------


def test_a_rebuttal_is_final_only_once_the_patients_copy_was_sent(client, doctor):
    client.force_login(doctor)
    request, entry = denied(doctor)
    statement = state(request, doctor)
    assert client.post(path(request, f"statement/{statement.pk}/answer"), {"text": "It was read out."}).status_code == 302
    rebuttal = Rebuttal.objects.get()
    assert "Not final" in client.get(path(request, "").rstrip("/") + "/").text
    assert [c.kind for c in amendments.travels_with([entry], RELEASED)] == ["request", "denial", "statement"]
    said = words_of(type(rebuttal.letter).objects.defer(None).get(pk=rebuttal.letter_id).document)
    for words in ("Our answer to your statement", "It was read out.", request.patient.name, "Ada Vance, MD"):
        assert words in said, words
    answers.send_letter(rebuttal.letter, sent_on=RELEASED, how="by mail", **on(RELEASED, doctor))
    assert [c.kind for c in amendments.travels_with([entry], RELEASED)] == ["request", "denial", "statement", "rebuttal"]
    assert "copy was sent Aug 5, 2026" in client.get(path(request, "").rstrip("/") + "/").text


def test_a_statement_is_answered_once_and_not_without_words(doctor):
    request, _entry = denied(doctor)
    statement = state(request, doctor)
    with pytest.raises(NotAllowedNow, match="Write the answer"):
        amendments.rebut(statement, " ", office=Office.current(), **on(RELEASED, doctor))
    rebutted(statement, doctor)
    with pytest.raises(NotAllowedNow, match="has been answered"):
        rebutted(statement, doctor)
    assert request.letters.filter(kind="rebuttal").count() == 1


# --- what travels ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("has_statement", "asked", "kinds", "rule"),
    [
        (True, False, ["request", "denial", "statement", "rebuttal"], "45 CFR 164.526(d)(5)(i)"),
        (False, True, ["request", "denial"], "45 CFR 164.526(d)(5)(ii)"),
        (False, False, [], ""),
    ],
)
@pytest.mark.parametrize("outcome", [Outcome.DENIED, Outcome.GRANTED_IN_PART])
def test_what_travels_on_august_5_with_an_entry_denied_on_july_20(doctor, has_statement, asked, kinds, rule, outcome):
    request, entry = denied(doctor, outcome)
    other = EntryFactory(patient=request.patient, title="Another visit")
    if has_statement:
        rebutted(state(request, doctor), doctor)
    if asked:
        amendments.ask_to_travel(request, asked_on=date(2026, 7, 25), **on(date(2026, 7, 25), doctor))
    found = amendments.travels_with([entry, other], RELEASED)
    assert [c.kind for c in found] == kinds
    assert {c.citation for c in found} == ({rule} if rule else set())
    assert {c.entry for c in found} <= {entry}
    for companion in found:
        assert companion.summary
        assert (companion.kind in ("denial", "rebuttal")) == companion.content.startswith(b"%PDF-")
    assert amendments.travels_with([other], RELEASED) == []


def test_a_release_to_others_shows_under_the_entry_what_travels_and_nothing_else(doctor):
    quiet, entry = denied(doctor)
    for to_others, there in ((False, True), (True, False)):
        entries = list(quiet.patient.entries.with_marks())
        pdf = record_pdf(quiet.patient, Office.current(), entries, RELEASED, doctor, to_others=to_others)
        assert ("The patient asked to change this" in words_of(pdf.content)) == there
    state(quiet, doctor)
    pdf = record_pdf(quiet.patient, Office.current(), list(quiet.patient.entries.with_marks()), RELEASED, doctor, to_others=True)
    assert SAID in words_of(pdf.content)
    assert entry.title in words_of(pdf.content)


@pytest.mark.parametrize(
    ("purpose", "has_statement", "titles"),
    [
        ("treatment", True, ["The request to change the record", "The denial", "The patient's statement of disagreement"]),
        ("authorization", True, ["The request to change the record", "The denial", "The patient's statement of disagreement"]),
        ("treatment", False, []),
        ("individual", True, []),  # the patient's own copy has all of it under the entry
    ],
)
def test_the_release_desk_lets_a_disputed_entry_out_with_what_travels(doctor, purpose, has_statement, titles):
    request, _entry = denied(doctor)
    if has_statement:
        state(request, doctor)
    entries = tuple(request.patient.entries.with_marks())
    plan = SimpleNamespace(
        patient=request.patient, entries=entries, loose=(), on=RELEASED, purpose_code=purpose, means="mail", way=None
    )
    papers = desk.draw(plan, by=doctor, office=Office.current())
    assert [one.title for one in papers.along] == titles
    said = words_of(papers.copy.content)
    assert (SAID in said) == has_statement
    assert ("We do not agree to change your record." in said) == bool(titles)  # the denial's own pages, behind the copy


@pytest.mark.parametrize("first", ["statement", "wish"])
def test_the_wish_is_for_who_files_no_statement(doctor, first):
    request, _entry = denied(doctor)
    if first == "statement":
        state(request, doctor)
        words = "A statement is filed"
    else:
        amendments.ask_to_travel(request, asked_on=RELEASED, **on(RELEASED, doctor))
        words = "asked for this already"
    with pytest.raises(NotAllowedNow, match=words):
        amendments.ask_to_travel(request, asked_on=RELEASED, **on(RELEASED, doctor))
    assert TravelWish.objects.count() == (first == "wish")


# --- on the entry ----------------------------------------------------------------------------------------------------


def test_all_of_it_hangs_on_the_entry_on_screen_in_print_in_copies_and_exports(client, doctor):
    client.force_login(doctor)
    request, entry = denied(doctor)
    rebutted(state(request, doctor), doctor)
    patient = request.patient
    wanted = ["Take out that I smoke", WHY, SAID, "The note was read to the patient.", request.number]
    chosen, loose = copying.orderable(patient)
    order = copies.Order(tuple(chosen), tuple(loose), "pick_up", 0, 0)
    quote = copies.quote(patient, order, by=doctor, on=RELEASED, office=Office.current())
    at = datetime(2026, 8, 5, 15, 0, tzinfo=UTC)
    with zipfile.ZipFile(io.BytesIO(exporters.export(patient, "zip", at))) as archive:
        zipped = words_of(archive.read("record.pdf"))
        assert json.loads(archive.read("manifest.json"))["counts"]["linked_to_entries"] == 3
    places = {
        "screen": client.get(f"/patients/{patient.chart_number}/").text.replace("&#x27;", "'"),
        "entry": client.get(f"/patients/{patient.chart_number}/entries/{entry.pk}/addendum/").text,
        "print": words_of(client.get(f"/patients/{patient.chart_number}/print/").content),
        "copy": words_of(quote.pdf.content),
        "zip": zipped,
    }
    for place, text in places.items():
        assert [words for words in wanted if words not in text] == [], place
    bundle = json.loads(exporters.export(patient, "fhir", at))
    linked = [item["resource"] for item in bundle["entry"] if item["resource"].get("type", {}).get("text") in TITLES]
    ids = {item["fullUrl"] for item in bundle["entry"]}
    assert len(linked) == 3
    assert {link["target"]["reference"] for doc in linked for link in doc["relatesTo"]} <= ids
    assert len(ids) == len(bundle["entry"])


TITLES = {"Disputed entry", "Statement of disagreement", "Rebuttal"}


def test_one_statement_on_two_entries_is_two_resources(doctor):
    request, _entry = denied(doctor)
    amendments.name_disputed(request, [EntryFactory(patient=request.patient)], **on(RELEASED, doctor))
    state(request, doctor)
    bundle = json.loads(exporters.export(request.patient, "fhir", datetime(2026, 8, 5, 15, tzinfo=UTC)))
    assert len({item["fullUrl"] for item in bundle["entry"]}) == len(bundle["entry"]) == 1 + 2 * 3


def test_what_hangs_on_entries_costs_the_same_for_one_and_for_many(doctor, client, queries_for):
    client.force_login(doctor)
    request, _entry = denied(doctor)
    rebutted(state(request, doctor), doctor)
    chart, page = f"/patients/{request.patient.chart_number}/", f"/requests/{request.number}/"
    few, of_request = len(queries_for(chart)), len(queries_for(page))
    for number in range(5):
        entry = EntryFactory(patient=request.patient, title=f"Visit {number}")
        amendments.name_disputed(request, [entry], **on(RELEASED, doctor))
        state(request, doctor, text=f"And {number}")
    assert len(queries_for(chart)) == few
    assert len(queries_for(page)) == of_request


# --- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role.values)
def test_the_clinic_takes_in_and_the_physician_answers(client, signed_in, doctor, role):
    request, _entry = denied(doctor)
    statement = state(request, doctor)
    signed_in(role)
    clinic = {"front_desk", "physician", "privacy_officer"}
    for rest, allowed in (
        ("statement", clinic),
        ("travel", clinic),
        ("disputed", {"physician"}),
        (f"statement/{statement.pk}/answer", {"physician"}),
    ):
        assert (client.get(path(request, rest)).status_code == 200) == (role in allowed), rest


@pytest.mark.parametrize("rest", ["statement", "travel", "disputed"])
def test_a_request_that_can_not_be_disputed_leads_back(client, signed_in, rest):
    signed_in("physician")
    request = RequestFactory(kind=Kind.AMENDMENT)
    assert client.get(path(request, rest))["Location"] == f"/requests/{request.number}/"


def test_a_picture_of_a_statement_goes_along_as_the_entrys_file(doctor):
    request, entry = denied(doctor)
    state(request, doctor, text="", scan=CheckedFile("statement.png", "image/png", b"a picture"))
    (companion,) = [c for c in amendments.travels_with([entry], RELEASED) if c.kind == "statement"]
    assert (companion.content, companion.summary) == (b"", "The scan is the file statement.png.")
    assert entry.attachments.get().name == "statement.png"


def test_the_chain_of_the_record_holds_with_all_of_it(doctor):
    request, _entry = denied(doctor)
    rebutted(state(request, doctor), doctor)
    amendments.name_disputed(request, [EntryFactory(patient=request.patient)], **on(RELEASED, doctor))
    assert seals.verify().breaks == []

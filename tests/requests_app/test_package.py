"""Words withheld from a copy are nowhere in its file; files and papers go into the package or stay internal."""

import io
from datetime import date
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, StreamObject

from meso.append_only import AppendOnlyError
from meso.models import Office
from records import copying
from records.passages import Cover, cut, uncovered
from requests_app import answers, carrying_out, copies, grounds, package
from requests_app.copies import ChangedSinceShown, Order
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Delivery, Outcome
from requests_app.models import CopyBill, PatientRequest, RequestPaper, WithheldPassage
from tests.factories import AttachmentFactory, EntryFactory, RequestFactory, UserFactory
from tests.requests_app.answering import AT, ON, RECEIVED, a_doctor, a_pdf, an_office, now, pages_of, verified, words_of

pytestmark = [pytest.mark.django_db]
BODY = "Seen for a first visit. Her sister Zenobia said in confidence that she faints.\nPlan: three sessions."
SECRET = "Her sister Zenobia said in confidence that she faints."
PLAN = "Plan: three sessions."


@pytest.fixture(autouse=True)
def _office(nov_24):
    an_office()


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer", first_name="Nora", last_name="Lindqvist")


@pytest.fixture
def asked(officer) -> PatientRequest:
    """A request for access whose chart has one entry with words given in confidence."""
    request = verified("access", officer)
    EntryFactory(patient=request.patient, body=BODY)
    return request


def hold(request, by, passage=SECRET, ground="U5", **facts) -> WithheldPassage:
    entry = facts.pop("entry", None) or request.patient.entries.get()
    return package.withhold(request, entry, passage, ground=ground, **facts, **now(by))


def in_part(request, by, ground="U5") -> None:
    answers.decide_with_letter(
        request, Outcome.GRANTED_IN_PART, ground=ground, text="One sentence.", office=Office.current(), **now(by)
    )


def made(request, by, **chosen) -> CopyBill:
    entries, loose = copying.orderable(request.patient)
    order = copies.with_package(request, Order(tuple(entries), tuple(loose), Delivery.ELECTRONIC, 0, 0, **chosen))
    office = Office.current()
    shown = copies.quote(request.patient, order, by=by, on=ON, office=office)
    bill = copies.make(request, order, seen=shown.seen, office=office, **now(by))
    return CopyBill.objects.defer(None).get(pk=bill.pk)


def everything_in(document: bytes) -> str:
    """All text that a PDF shows, its strings, its streams decompressed, and the file itself, as one text."""
    reader = PdfReader(io.BytesIO(bytes(document)))
    found = [page.extract_text() for page in reader.pages] + [bytes(document).decode("latin-1")]
    for number in range(1, len(reader.xref[0]) + len(reader.xref_objStm) + 1):
        thing = reader.get_object(number)
        if isinstance(thing, StreamObject):
            data = thing.get_data()
            found.append(data if isinstance(data, str) else data.decode("latin-1") + data.decode("utf-16-be", "ignore"))
        if isinstance(thing, DictionaryObject):
            found.append(str(dict(thing)))
    return "\n".join(found)


# --- the black box -----------------------------------------------------------------------------------------------------


def test_the_words_are_nowhere_in_the_file_and_the_ground_stands_in_their_place(asked, officer):
    hold(asked, officer)
    in_part(asked, officer)
    copy = made(asked, officer).copy
    said = words_of(copy)
    assert "Seen for a first visit." in said
    assert PLAN in said
    assert "withheld [U5 · 45 CFR 164.524(a)(2)(v)]" in said
    whole = everything_in(copy)
    for word in ("Zenobia", "confidence", "faints"):
        assert word not in whole
        assert word.encode() not in bytes(copy)


def test_the_search_for_the_words_finds_them_where_they_are_not_withheld(asked, officer):
    asked.decide(Outcome.GRANTED, **now(officer))
    assert "Zenobia" in everything_in(made(asked, officer).copy)


def test_a_line_through_withheld_words_is_shown_without_quoting_them(asked, officer):
    asked.patient.entries.get().strike(by=officer, at=AT, reason="Not so", passage="sister Zenobia")
    hold(asked, officer)
    in_part(asked, officer)
    said = words_of(made(asked, officer).copy)
    assert "Disputed: line through words that are withheld. Reason: Not so" in said
    assert "Zenobia" not in said


def test_words_of_an_addendum_can_be_withheld(asked, officer):
    asked.patient.entries.get().add_addendum(by=officer, at=AT, body="Told by Mr. Quill on the telephone. She is well.")
    hold(asked, officer, "Told by Mr. Quill on the telephone.")
    in_part(asked, officer)
    said = words_of(made(asked, officer).copy)
    assert "Quill" not in everything_in(made(asked, officer).copy)
    assert "She is well." in said
    assert SECRET in said


def test_withheld_words_that_stand_elsewhere_are_named_before_the_copy_is_made(asked, officer):
    EntryFactory(patient=asked.patient, title="Second visit", service_on=date(2026, 6, 1), body=f"As before.  {SECRET.upper()}")
    first = asked.patient.entries.earliest("pk")
    hold(asked, officer, entry=first)
    first.add_addendum(by=officer, at=AT, body=f"See: {SECRET}")
    entries, _loose = copying.orderable(asked.patient)
    held = list(asked.withheld.in_force())
    assert package.left_elsewhere(entries, held) == ["First visit, May 1, 2026", "Second visit, Jun 1, 2026"]
    assert package.left_elsewhere(entries, []) == []


def test_the_chart_itself_does_not_change(client, signed_in, asked, officer):
    hold(asked, officer)
    signed_in("physician")
    assert SECRET in unescape(client.get(f"/patients/{asked.patient.chart_number}/").content.decode())


@pytest.mark.parametrize(
    ("covers", "left"),
    [
        ([], [("ab", False, ""), ("cde", True, ""), ("fg", False, "")]),
        ([Cover(0, 7, "x")], [("", False, "x")]),
        ([Cover(1, 2, "x")], [("a", False, ""), ("", False, "x"), ("de", True, ""), ("fg", False, "")]),
        ([Cover(2, 1, "x"), Cover(3, 2, "y")], [("ab", False, ""), ("", True, "x"), ("", True, "y"), ("fg", False, "")]),
        ([Cover(2, 3, "x"), Cover(3, 1, "y")], [("ab", False, ""), ("", True, "x"), ("", True, "y"), ("fg", False, "")]),
    ],
)  # fmt: skip
def test_a_text_is_cut_at_its_covers(covers, left):
    assert cut([("ab", False), ("cde", True), ("fg", False)], covers) == left


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12)), max_size=4))
def test_what_is_covered_is_never_left(text, places):
    covers = [Cover(start, length, "x") for start, length in places]
    kept = [letter for place, letter in enumerate(text) if not any(c.start <= place < c.end for c in covers)]
    assert uncovered(text, covers) == "".join(kept)


# --- who, when, on what ground ---------------------------------------------------------------------------------------


def test_a_request_with_withheld_words_is_no_full_grant(asked, officer):
    hold(asked, officer)
    with pytest.raises(NotAllowedNow, match="in part only") as refusal:
        asked.decide(Outcome.GRANTED, **now(officer))
    assert refusal.value.field == "outcome"
    with pytest.raises(NotAllowedNow, match="ground U5") as refusal:
        asked.decide(Outcome.GRANTED_IN_PART, ground="U1", text="No", **now(officer))
    assert refusal.value.field == "ground"
    in_part(asked, officer)
    assert asked.outcome == Outcome.GRANTED_IN_PART


def test_a_denial_of_everything_may_have_another_ground(asked, officer):
    hold(asked, officer)
    asked.decide(Outcome.DENIED, ground="U1", text="No", **now(officer))


def test_after_a_full_grant_nothing_is_withheld(asked, officer):
    asked.decide(Outcome.GRANTED, **now(officer))
    with pytest.raises(NotAllowedNow, match="granted in full"):
        hold(asked, officer)


@pytest.mark.parametrize(
    ("passage", "words"),
    [
        ("", "Copy the words"),
        ("  \n ", "Copy the words"),
        ("Words that are not there", "do not stand in the entry"),
        ("s", "more than once"),
    ],
)
def test_words_that_are_not_clear_are_refused_at_their_field(asked, officer, passage, words):
    with pytest.raises(NotAllowedNow, match=words) as refusal:
        hold(asked, officer, passage)
    assert refusal.value.field == "passage"
    assert not WithheldPassage.objects.exists()


def test_words_that_stand_in_the_entry_and_in_its_addendum_are_not_clear(asked, officer):
    asked.patient.entries.get().add_addendum(by=officer, at=AT, body=f"Again: {PLAN}")
    with pytest.raises(NotAllowedNow, match="more than once"):
        hold(asked, officer, PLAN)


def test_the_same_words_are_not_withheld_twice(asked, officer):
    hold(asked, officer)
    with pytest.raises(NotAllowedNow, match="withheld already"):
        hold(asked, officer, SECRET.replace(" ", "\n"))


def test_another_charts_entry_is_refused(asked, officer):
    with pytest.raises(NotAllowedNow, match="not in this patient's record"):
        hold(asked, officer, entry=EntryFactory(body=BODY))


@pytest.mark.parametrize("kind", ["amendment", "restriction", "confidential_communication", "accounting"])
def test_only_a_request_for_access_has_words_to_withhold(officer, kind):
    request = verified(kind, officer)
    with pytest.raises(NotAllowedNow, match="asks for none"):
        hold(request, officer, entry=EntryFactory(patient=request.patient, body=BODY))


def test_one_request_tells_of_one_ground(asked, officer):
    hold(asked, officer)
    with pytest.raises(NotAllowedNow, match="one ground, U5"):
        hold(asked, officer, PLAN, ground="U1")
    other = verified("access", officer, patient=asked.patient)
    answers.decide_with_letter(other, Outcome.GRANTED_IN_PART, ground="U1", text="Notes", office=Office.current(), **now(officer))
    with pytest.raises(NotAllowedNow, match="one ground, U1"):
        hold(other, officer)


@pytest.mark.parametrize("ground", [ground.code for ground in grounds.GROUNDS["access"]])
def test_a_reviewable_ground_needs_the_licensed_professional_who_judged(asked, officer, ground):
    if grounds.ground("access", ground).reviewable:
        for who in (None, officer):
            with pytest.raises(NotAllowedNow) as refusal:
                hold(asked, officer, ground=ground, judged_by=who)
            assert refusal.value.field == "judged_by"
    held = hold(asked, officer, ground=ground, judged_by=a_doctor())
    assert bool(held.judged_by) == grounds.ground("access", ground).reviewable


@pytest.mark.parametrize("ground", ["A1", "", "X9"])
def test_no_other_ground_is_taken(asked, officer, ground):
    with pytest.raises(NotAllowedNow) as refusal:
        hold(asked, officer, ground=ground)
    assert refusal.value.field == "ground"


def test_released_words_are_shown_again(asked, officer):
    held = hold(asked, officer)
    with pytest.raises(NotAllowedNow, match="Write why"):
        package.release(held, reason=" ", **now(officer))
    package.release(held, reason="The sister agreed", **now(officer))
    with pytest.raises(NotAllowedNow, match="released already"):
        package.release(held, reason="Again", **now(officer))
    asked.decide(Outcome.GRANTED, **now(officer))
    assert SECRET in words_of(made(asked, officer).copy)
    assert [event.sentence for event in asked.events.filter(verb__startswith="withheld")] == [
        "Words of the entry of May 1, 2026 are withheld from the copy (U5).",
        "Words of the entry of May 1, 2026 are no longer withheld.",
    ]


def test_the_rows_take_no_change(asked, officer):
    held = hold(asked, officer)
    held.passage = "another"
    for act in (held.save, held.delete, asked.withheld.all().delete):
        with pytest.raises(AppendOnlyError):
            act()


# --- what was shown, and what goes out -------------------------------------------------------------------------------


def test_a_copy_made_before_the_words_were_withheld_can_not_be_given(asked, officer):
    in_part(asked, officer)
    old = made(asked, officer)
    hold(asked, officer)
    with pytest.raises(NotAllowedNow, match="make the copy anew"):
        carrying_out.give_copies(old, given_on=ON, how="handed over", **now(officer))
    carrying_out.give_copies(made(asked, officer), given_on=ON, how="handed over", **now(officer))


def test_words_withheld_after_the_bill_was_shown_make_it_be_shown_again(asked, officer):
    in_part(asked, officer)
    entries, _loose = copying.orderable(asked.patient)
    order = Order(tuple(entries), (), Delivery.ELECTRONIC, 0, 0)
    shown = copies.quote(asked.patient, order, by=officer, on=ON, office=Office.current())
    hold(asked, officer)
    with pytest.raises(ChangedSinceShown):
        copies.make(asked, order, seen=shown.seen, office=Office.current(), **now(officer))


def test_an_inspector_sees_the_copy_and_not_the_chart(asked, officer):
    hold(asked, officer)
    in_part(asked, officer)
    with pytest.raises(NotAllowedNow, match="show the patient that copy"):
        carrying_out.looked_at(asked, seen_on=ON, **now(officer))
    made(asked, officer)
    carrying_out.looked_at(asked, seen_on=ON, **now(officer))
    assert asked.carried_out_on == ON


def test_an_internal_file_is_left_out_and_the_bill_says_so(asked, officer):
    entry = asked.patient.entries.get()
    inside = AttachmentFactory(patient=asked.patient, entry=entry, name="lab.pdf", format="application/pdf", content=a_pdf(2))
    own = AttachmentFactory(patient=asked.patient, entry=entry, name="worksheet.pdf", format="application/pdf", content=a_pdf(5))
    asked.decide(Outcome.GRANTED, **now(officer))
    bill = made(asked, officer, internal=(own,))
    assert bill.package == {"files": [], "internal": [own.pk], "withheld": [], "papers": []}
    said = words_of(bill.copy)
    assert inside.name in said
    assert "worksheet" not in everything_in(bill.copy)
    assert own.sha256 not in said
    assert made(asked, officer).pages == bill.pages + 5


def checked(name: str, content: bytes, format_: str = "application/pdf"):
    from records.uploads import CheckedFile

    return CheckedFile(name, format_, content)


def test_papers_in_the_package_go_behind_the_record_and_internal_ones_do_not(asked, officer):
    facts = {"kind": RequestPaper.Kind.WRITTEN, **now(officer)}
    picture = AttachmentFactory.build(patient=None, added_by=None).content
    package.file_papers(asked, [checked("request.pdf", a_pdf(2))], in_package=True, **facts)
    (idea,) = package.file_papers(asked, [checked("id.png", picture, "image/png")], in_package=False, **facts)
    asked.decide(Outcome.GRANTED, **now(officer))
    bill = made(asked, officer)
    package.move_paper(idea, True, **now(officer))
    assert pages_of(made(asked, officer).copy) == bill.pages + 1
    with pytest.raises(NotAllowedNow, match="so already"):
        package.move_paper(idea, True, **now(officer))


def test_the_same_paper_is_kept_once(asked, officer):
    facts = {"kind": RequestPaper.Kind.WRITTEN, "in_package": False, **now(officer)}
    assert len(package.file_papers(asked, [checked("a.pdf", b"%PDF-1"), checked("b.pdf", b"%PDF-2")], **facts)) == 2
    assert package.file_papers(asked, [checked("c.pdf", b"%PDF-1")], **facts) == []
    assert asked.papers.count() == 2


# --- the pages -------------------------------------------------------------------------------------------------------


def path(request: PatientRequest, act: str) -> str:
    return f"/requests/{request.number}/{act}/"


def test_the_officer_withholds_words_and_takes_it_back(client, signed_in, asked):
    signed_in("privacy_officer")
    entry = asked.patient.entries.get()
    page = client.get(path(asked, "withhold")).content.decode()
    assert f"/requests/{asked.number}/withhold/{entry.pk}/" in page
    where = path(asked, f"withhold/{entry.pk}")
    wrong = client.post(where, {"passage": "not there", "ground": "R1"})
    assert set(wrong.context["form"].errors) == {"judged_by"}
    assert "not there" in wrong.content.decode()
    assert client.post(where, {"passage": SECRET, "ground": "U5"}).status_code == 302
    shown = unescape(client.get(asked.get_absolute_url()).content.decode())
    assert f"“{SECRET}”" in shown
    assert "164.524(a)(2)(v)" in shown
    held = asked.withheld.get()
    assert client.post(path(asked, f"withheld/{held.pk}"), {"reason": "The sister agreed"}).status_code == 302
    assert SECRET not in unescape(client.get(asked.get_absolute_url()).content.decode())


def test_another_requests_words_are_not_found(client, signed_in, asked, officer):
    signed_in("privacy_officer")
    held = hold(asked, officer)
    other = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    assert client.get(path(other, f"withheld/{held.pk}")).status_code == 404


def test_the_bill_page_says_what_is_blacked_out_and_where_the_words_still_stand(client, signed_in, asked, officer):
    signed_in("privacy_officer")
    entry = asked.patient.entries.get()
    own = AttachmentFactory(patient=asked.patient, entry=entry, name="worksheet.png")
    hold(asked, officer)
    in_part(asked, officer)
    entry.add_addendum(by=officer, at=AT, body=SECRET)
    data = {"entry": [entry.pk], "internal": [own.pk], "delivery": "electronic", "step": "bill"}
    text = client.post(path(asked, "copies"), data).content.decode()
    assert "1 passage is blacked out" in text
    assert "Withheld words still stand word for word in:" in text
    assert "1 file stays internal" in text


def test_papers_are_filed_saved_and_moved(client, signed_in, asked):
    signed_in("front_desk")
    upload = SimpleUploadedFile("María's letter.pdf", a_pdf(1))
    assert client.post(path(asked, "papers"), {"attached": [upload], "kind": "written", "place": "internal"}).status_code == 302
    paper = asked.papers.get()
    answer = client.get(path(asked, f"papers/{paper.pk}"))
    assert answer.content == bytes(RequestPaper.objects.defer(None).get().content)
    assert f'filename="{asked.number}-paper-{paper.pk}.pdf"' in answer["Content-Disposition"]
    assert client.post(path(asked, f"papers/{paper.pk}/place"), {"place": "package"}).status_code == 302
    assert asked.papers.get().goes_out
    assert not client.post(path(asked, "papers"), {"kind": "written", "place": "internal"}).context["form"].is_valid()


def test_the_page_costs_the_same_with_more_papers_and_passages(client, signed_in, asked, officer, queries_for):
    signed_in("privacy_officer")
    facts = {"kind": "written", "in_package": False, **now(officer)}
    hold(asked, officer)
    package.file_papers(asked, [checked("a.pdf", b"%PDF-0")], **facts)
    few = queries_for(asked.get_absolute_url())
    hold(asked, officer, PLAN)
    package.file_papers(asked, [checked("a.pdf", b"%PDF-1"), checked("b.pdf", b"%PDF-2")], **facts)
    assert len(queries_for(asked.get_absolute_url())) == len(few)

"""Flags on entries: what the right of access does not reach is left out of copies, and nothing else is (law.md §2, §11)."""

import json
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from meso import seals
from records import exclusion, record_set
from records.exclusion import Kind
from records.exporters import export
from records.models import Entry, EntryFlag
from tests.factories import AT, AttachmentFactory, EntryFactory, PatientFactory, UserFactory
from tests.requests_app.answering import words_of

ON = date(2026, 11, 24)


@pytest.fixture
def patient(db, nov_24):
    return PatientFactory(chart_number="10023")


@pytest.fixture
def doctor(patient):
    return UserFactory(role="physician", first_name="Ada", last_name="Vance", credentials="MD")


def flagged(patient, doctor, kind=Kind.PSYCHOTHERAPY_NOTES, **fields) -> Entry:
    entry = EntryFactory(patient=patient, **{"title": "Session with Dr. Reyes"} | fields)
    EntryFlag.lay(entry, kind, reason="Kept apart", by=doctor, at=AT)
    return Entry.objects.with_marks().get(pk=entry.pk)


@pytest.mark.parametrize(
    ("kind", "citation"),
    [
        (Kind.PSYCHOTHERAPY_NOTES, "45 CFR 164.524(a)(1)(i)"),
        (Kind.LITIGATION, "45 CFR 164.524(a)(1)(ii)"),
        (Kind.PART2, None),
    ],
)
def test_what_a_flag_leaves_out_and_on_which_rule(patient, doctor, kind, citation):
    entry = flagged(patient, doctor, kind)
    found = exclusion.excluded(entry)
    assert (found.citation if found else None) == citation
    assert exclusion.is_part2(entry) is (kind == Kind.PART2)
    assert (entry in Entry.objects.releasable()) is (citation is None)
    assert (entry in Entry.objects.excluded()) is (citation is not None)


@pytest.mark.parametrize("kind", Entry.Kind.values)
def test_an_entry_without_a_flag_is_released_whatever_its_kind(patient, kind):
    """A laboratory result too: the old exclusion went on 2014-10-06. A lawsuit hides no chart."""
    entry = EntryFactory(patient=patient, kind=kind)
    assert exclusion.excluded(entry) is None
    assert entry in Entry.objects.releasable()


def test_a_flag_set_by_mistake_is_taken_back_once_and_both_stay(patient, doctor):
    entry = flagged(patient, doctor)
    flag = entry.flags.get()
    with pytest.raises(ValidationError, match="has that flag already"):
        EntryFlag.lay(entry, Kind.PSYCHOTHERAPY_NOTES, reason="Again", by=doctor, at=AT)
    flag.end(reason="An ordinary visit note", by=doctor, at=AT)
    entry = Entry.objects.with_marks().get(pk=entry.pk)
    assert exclusion.excluded(entry) is None
    assert entry in Entry.objects.releasable()
    assert [(flag.reason, flag.ending.reason) for flag in entry.flags.all()] == [("Kept apart", "An ordinary visit note")]
    with pytest.raises(ValidationError, match="taken back already"):
        flag.end(reason="Twice", by=doctor, at=AT)
    EntryFlag.lay(entry, Kind.PSYCHOTHERAPY_NOTES, reason="It was one after all", by=doctor, at=AT)
    assert entry not in Entry.objects.releasable()
    assert seals.verify().breaks == []


def test_the_database_refuses_a_flag_that_is_not_known_or_says_nothing(patient, doctor):
    entry = EntryFactory(patient=patient)
    facts = {"patient": patient, "entry": entry, "by": doctor, "signed_as": "A", "at": AT}
    for wrong in ({"kind": "secret", "reason": "Why"}, {"kind": "litigation", "reason": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            EntryFlag.objects.create(**facts, **wrong)


def test_copies_leave_out_the_flagged_entry_and_its_file_and_nothing_else(patient, doctor):
    secret = flagged(patient, doctor)
    AttachmentFactory(patient=patient, entry=secret, name="session.png")
    lab = EntryFactory(patient=patient, kind="lab_result", title="Blood count")
    AttachmentFactory(patient=patient, entry=lab, name="blood.png")
    AttachmentFactory(patient=patient, name="loose.png")
    case = flagged(patient, doctor, Kind.LITIGATION, title="Summary for counsel")
    wrong = EntryFactory(patient=patient, title="Another's")
    AttachmentFactory(patient=patient, entry=wrong, name="another.png")
    wrong.mark_misfiled(by=doctor, at=AT, reason="Wrong chart")
    record = record_set.of(patient, ON)
    assert [entry.title for entry in record.entries] == ["Blood count"]
    assert {file.name for file in record.attachments} == {"blood.png", "loose.png"}
    told = words_of(export(patient, "pdf", AT))
    bundle = json.loads(export(patient, "fhir", AT))
    text = json.dumps(bundle)
    for entry in (secret, case):
        assert entry.title not in told
        assert entry.title not in text
    assert "Blood count" in told


def test_the_print_leaves_it_out_even_when_asked_for_by_its_number(client, signed_in, patient, doctor):
    secret = flagged(patient, doctor)
    EntryFactory(patient=patient, title="Blood count")
    signed_in("front_desk")
    whole = words_of(client.get("/patients/10023/print/").content)
    assert "Blood count" in whole
    assert secret.title not in whole
    assert secret.title not in words_of(client.get(f"/patients/10023/print/?entry={secret.pk}").content)
    assert f"?entry={secret.pk}" not in client.get("/patients/10023/").content.decode()


def test_the_pages_of_the_act(client, signed_in, patient, doctor, events):
    entry = EntryFactory(patient=patient, title="Session notes")
    signed_in("physician")
    page = client.get(f"/patients/10023/entries/{entry.pk}/flag/").content.decode()
    assert "164.524(a)(1)(i)" in page
    assert "42 CFR Part 2" in page
    answer = client.post(f"/patients/10023/entries/{entry.pk}/flag/", {"kind": "litigation", "reason": ""})
    assert "field-wrong" in answer.content.decode()
    assert not EntryFlag.objects.exists()
    client.post(f"/patients/10023/entries/{entry.pk}/flag/", {"kind": "litigation", "reason": "For counsel"})
    flag = EntryFlag.objects.get()
    shown = client.get("/patients/10023/").content.decode()
    for words in ("Put together for a proceeding", "For counsel", "Not in copies", flag.signed_as):
        assert words in shown, words
    again = client.post(f"/patients/10023/entries/{entry.pk}/flag/", {"kind": "litigation", "reason": "Twice"})
    assert "has that flag already" in again.content.decode()
    client.post(f"/patients/10023/flags/{flag.pk}/end/", {"reason": "A plain note"})
    shown = client.get("/patients/10023/").content.decode()
    assert "Not in copies" not in shown
    assert "Taken back." in shown
    assert "A plain note" in shown
    assert ("change", f"entry {entry.pk}", "10023") in events()


def test_another_charts_flag_is_not_found_here(client, signed_in, patient, doctor):
    flag = flagged(PatientFactory(chart_number="10024"), doctor).flags.get()
    signed_in("physician")
    assert client.get(f"/patients/10023/flags/{flag.pk}/end/").status_code == 404


def test_the_chart_costs_the_same_with_many_flags(client, signed_in, patient, doctor, queries_for):
    signed_in("physician")
    flagged(patient, doctor)
    EntryFactory(patient=patient)
    client.get("/patients/10023/")
    few = len(queries_for("/patients/10023/"))
    for number in range(6):
        entry = flagged(patient, doctor, Kind.values[number % 3], title=f"Note {number}")
        if number % 2:
            entry.flags.get().end(reason="No", by=doctor, at=AT)
    assert len(queries_for("/patients/10023/")) == few

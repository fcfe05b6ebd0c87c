"""The anchor of a day stands for every seal before it: what is rewritten with its whole chain shows against the paper."""

import io
import json
import threading
from datetime import date, timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from pypdf import PdfReader

from meso import anchors, seals
from meso.anchors import Anchor, NotAnAnchor
from meso.models import AccessEvent, ChainHead, Seal
from records.models import Entry
from tests.conftest import triggers_lifted
from tests.factories import AT, EntryFactory, PatientFactory, UserFactory

DAY = date(2026, 11, 24)
LATER = DAY + timedelta(days=1)

pytestmark = [pytest.mark.django_db]


def unguarded(sql: str, *values) -> None:
    """What the owner of the database can do: the guards taken away, a row changed, the guards put back."""
    connection.check_constraints()
    with triggers_lifted(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        connection.check_constraints()


def rewritten_with_its_chain(entry: Entry) -> None:
    """The body changed and every seal of the chart laid anew over it, head and all: no chain shows it."""
    unguarded("UPDATE records_entry SET body = 'Rewritten' WHERE id = %s", entry.pk)
    chain, previous = entry.chain_key(), seals.START
    for link in Seal.objects.filter(chain=chain).order_by("place"):
        row = Entry.objects.get(pk=link.row)
        seal = seals.seal_over(previous, row)
        unguarded("UPDATE meso_seal SET previous = %s, seal = %s WHERE id = %s", previous, seal, link.pk)
        previous = seal
    ChainHead.objects.filter(chain=chain).update(seal=previous)


def test_a_chain_rewritten_by_the_databases_owner_shows_against_the_paper():
    first, _second = EntryFactory(), EntryFactory()
    paper = anchors.make(DAY, AT).text
    assert anchors.check(paper).holds
    rewritten_with_its_chain(first)
    assert seals.verify().breaks == []  # the chain alone shows nothing
    held = anchors.check(paper)
    assert (held.holds, "something before it was rewritten" in held.words) == (False, True)


def test_what_comes_after_the_anchor_is_none_of_its_business():
    EntryFactory()
    paper = anchors.make(DAY, AT).text
    later = EntryFactory()
    second = anchors.make(LATER, AT + timedelta(days=1)).text
    assert anchors.check(paper).seals == 1
    rewritten_with_its_chain(later)
    assert anchors.check(paper).holds
    assert not anchors.check(second).holds


@pytest.mark.parametrize("loss", ["seal", "anchor", "boundary"])
def test_what_is_taken_out_shows(loss):
    EntryFactory()
    anchors.make(DAY - timedelta(days=1), AT)
    EntryFactory()
    paper = anchors.make(DAY, AT).text
    if loss == "seal":
        unguarded("DELETE FROM meso_seal WHERE id = (SELECT max(id) FROM meso_seal)")
    elif loss == "anchor":
        unguarded("DELETE FROM meso_anchor WHERE day = %s", DAY)
    else:
        unguarded("UPDATE meso_anchor SET last = 0 WHERE day = %s", DAY - timedelta(days=1))
    assert not anchors.check(paper).holds


def test_an_anchor_that_nobody_made_is_not_believed():
    EntryFactory()
    anchors.make(DAY, AT)
    assert not anchors.check(f"{DAY}:{'0' * 64}").holds
    assert "no longer knows" in anchors.check(f"{LATER}:{'0' * 64}").words


def test_there_is_one_a_day_and_none_behind_the_last():
    made = anchors.make(DAY, AT)
    EntryFactory()
    assert anchors.make(DAY, AT).text == made.text
    with pytest.raises(ValueError, match="after"):
        anchors.make(DAY - timedelta(days=1), AT)


def test_a_clock_that_was_set_back_is_said_in_words(nov_24):
    anchors.make(LATER, AT)
    with pytest.raises(CommandError) as refused:
        call_command("anchor")
    words = "No anchor was made: the last anchor is of 2026-11-25, after 2026-11-24. Set this machine's clock right."
    assert str(refused.value) == words
    assert Anchor.objects.count() == 1


def test_an_office_without_a_record_has_an_anchor_too():
    assert anchors.check(anchors.make(DAY, AT).text).holds


def test_paper_is_read_however_it_is_spaced():
    anchor = anchors.make(DAY, AT)
    for text in (anchor.text, f"meso-anchor:{anchor.text}", f" {DAY}: {anchor.spaced.upper()} \n"):
        assert anchors.parse(text) == (DAY, anchor.digest)


@pytest.mark.parametrize(
    "text", ["", "nonsense", "2026-11-24", "2026-13-24:" + "a" * 64, "2026-11-24:" + "g" * 64, "2026-11-24:ab"]
)
def test_what_is_no_anchor_is_misuse(text):
    with pytest.raises(NotAnAnchor):
        anchors.parse(text)
    with pytest.raises(CommandError) as refused:
        call_command("verify_records", anchor=text or "-")
    assert refused.value.returncode == 2


def test_verify_records_checks_the_paper(capsys):
    entry = EntryFactory()
    paper = anchors.make(DAY, AT).text
    call_command("verify_records", anchor=paper)
    assert "Nothing before it was rewritten." in capsys.readouterr().out
    rewritten_with_its_chain(entry)
    with pytest.raises(CommandError, match="something before it was rewritten"):
        call_command("verify_records", anchor=paper)
    with pytest.raises(CommandError):
        call_command("verify_records", anchor=paper, format="json")
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["anchor"]["holds"], found["breaks"]) == (False, False, [])


def test_it_is_mailed_to_the_officers_with_nothing_about_a_patient(capsys):
    EntryFactory()
    UserFactory(role="privacy_officer", email="officer@office.example")
    UserFactory(role="front_desk", email="desk@office.example")
    call_command("anchor", mail=True)
    sent = mail.outbox[0]
    assert sent.to == ["officer@office.example"]
    assert Anchor.objects.get().text in sent.body
    assert capsys.readouterr().out.strip() == Anchor.objects.get().text


def test_a_mail_that_reaches_nobody_is_said():
    with pytest.raises(CommandError, match="Nobody was told"):
        call_command("anchor", mail=True)
    assert Anchor.objects.count() == 1


def test_the_officer_sees_them_and_prints_the_sheet(client, django_assert_max_num_queries):
    for days in range(30):
        anchors.make(DAY + timedelta(days=days), AT)
    client.force_login(UserFactory(role="privacy_officer"))
    with django_assert_max_num_queries(9):
        page = client.get("/audit/anchors/")
    anchor = Anchor.objects.first()
    assert anchor.spaced in page.content.decode()
    assert "Next page" in page.content.decode()
    sheet = client.get(f"/audit/anchors/{anchor.pk}/anchor.pdf")
    said = "".join("".join(part.extract_text().split()) for part in PdfReader(io.BytesIO(b"".join(sheet))).pages)
    assert anchor.digest in said
    assert AccessEvent.objects.order_by("-pk")[0].subject == f"anchor of {anchor.day}"


@pytest.mark.django_db(transaction=True)
def test_writers_at_work_do_not_make_an_anchor_false():
    """Seals laid while anchors are made are in this one or in the next, and never in neither or both."""
    patients, who = [PatientFactory() for _ in range(3)], UserFactory()
    failures: list[BaseException] = []

    def write(patient) -> None:
        try:
            for number in range(15):
                EntryFactory(patient=patient, author=who, title=f"entry {number}")
        except BaseException as failure:  # noqa: BLE001  (told to the test's own thread)
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(patient,)) for patient in patients]
    for thread in threads:
        thread.start()
    papers = [anchors.make(DAY + timedelta(days=number), AT).text for number in range(10)]
    for thread in threads:
        thread.join(60)
    papers.append(anchors.make(DAY + timedelta(days=10), AT).text)
    assert failures == []
    assert all(anchors.check(paper).holds for paper in papers)
    assert anchors.check(papers[-1]).seals == 45

"""The chart on the screen: who it is, the entries newest first, and what is laid beside them."""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from meso.models import Office
from meso.roles import Role
from records import record_set, tabs
from records.models import Addendum, Entry, Misfiling, StrikeThrough
from tests.factories import (
    AT,
    AttachmentFactory,
    ContactPreferenceFactory,
    EntryFactory,
    PatientFactory,
    RestrictionFactory,
    UserFactory,
)
from tests.signing_in import log_in

BODY = "Seen for a first visit. No known allergies.\nSmokes five cigarettes a day. Plan: three sessions, no known risk."


@pytest.fixture
def patient(db, nov_24):
    return PatientFactory(chart_number="10023", first_name="Maria", last_name="Alvarez", preferred_name="Mia")


@pytest.fixture
def entry(patient):
    return EntryFactory(patient=patient, body=BODY)


@pytest.fixture
def doctor(signed_in, patient):
    return signed_in("physician", first_name="Ada", last_name="Vance", credentials="MD")


def in_words(page) -> str:
    """The page as it reads: tags out, blanks single."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))


# --- the banner -------------------------------------------------------------------------------------------------------


def test_the_banner_says_who_it_is(client, doctor, patient):
    words = in_words(client.get("/patients/10023/"))
    for said in ("Maria Alvarez", "“Mia”", "Jul 2, 1984 · 42 years", "10023", "555-010-2233", "12 Elm Street, Albany, NY 12207"):
        assert said in words, said


def test_the_banner_of_the_dead_says_so(client, doctor, patient):
    patient.deceased_on = date(2026, 7, 1)
    patient.save()
    words = in_words(client.get("/patients/10023/"))
    assert "Died Jul 1, 2026" in words
    assert "lived 41 years" in words


def test_the_banner_shows_what_binds_the_office_on_every_page_about_the_patient(client, doctor, patient, entry):
    RestrictionFactory(patient=patient, what="Nothing to the health plan", from_whom="Health plan")
    RestrictionFactory(patient=patient, what="Begins later", begins_on=date(2026, 11, 25))
    RestrictionFactory(patient=patient, what="Is over").end(
        "orally", by=doctor, at=AT, on=date(2026, 11, 24), reason="Asked to end it", evidence="Told Dr. Vance"
    )
    ContactPreferenceFactory(patient=patient, avoid="Home telephone")
    for page in ("", "edit/", "files/", "entries/new/", f"entries/{entry.pk}/strike/"):
        words = in_words(client.get(f"/patients/10023/{page}"))
        assert "Restriction in force: Nothing to the health plan · kept from: Health plan" in words, page
        assert "By mail : PO Box 12 Albany, NY 12201 Do not use: Home telephone" in words, page
        assert "Begins later" not in words
        assert "Is over" not in words
    words = in_words(client.get("/patients/10023/"))
    assert "555-010-2233" not in words
    assert "12 Elm Street" not in words


# --- the entries ------------------------------------------------------------------------------------------------------


def test_entries_stand_newest_first_and_page_by_key(client, doctor, patient):
    for n in range(30):
        EntryFactory(patient=patient, title=f"Visit {n}", service_on=date(2026, 1, 1) + timedelta(days=n // 2))
    EntryFactory(title="Somebody else's")
    first = client.get("/patients/10023/").context["page"]
    second = client.post("/patients/10023/", {"after": first.next_token}).context["page"]
    assert [entry.title for entry in [*first, *second]] == [f"Visit {n}" for n in reversed(range(30))]
    assert [len(first), len(second)] == [25, 5]
    assert client.post("/patients/10023/", {"after": "forged"}).context["page"].is_first


def test_a_look_at_a_chart_is_written_down(client, doctor, patient, events):
    client.get("/patients/10023/")
    assert events()[-1] == ("view", "chart", "10023")


def test_the_chart_costs_the_same_however_much_is_in_it(client, doctor, patient, queries_for):
    Office.current()
    EntryFactory(patient=patient)
    few = len(queries_for("/patients/10023/"))
    for _ in range(10):
        entry = EntryFactory(patient=patient, body=BODY)
        entry.strike(by=doctor, at=AT, reason="Wrong", passage="No known allergies.")
        entry.add_addendum(by=doctor, at=AT, body="More")
        AttachmentFactory(patient=patient, entry=entry)
        EntryFactory(patient=patient).mark_misfiled(by=doctor, at=AT, reason="Another's")
        RestrictionFactory(patient=patient)
    assert len(queries_for("/patients/10023/")) == few
    assert few <= 14  # one of them is the gate's (records.gate)


def test_each_role_is_offered_what_it_may_do(client, signed_in, patient, entry):
    offered = {}
    for role in (Role.FRONT_DESK, Role.PHYSICIAN, Role.PRIVACY_OFFICER):
        signed_in(role)
        page = client.get("/patients/10023/").text
        offered[role] = {act for act in ("strike", "addendum", "misfiled") if f"entries/{entry.pk}/{act}/" in page}
        assert "/patients/10023/entries/new/" in page
        assert "/patients/10023/print/" in page
    assert offered == {"front_desk": set(), "physician": {"strike", "addendum", "misfiled"}, "privacy_officer": {"misfiled"}}


def test_the_tabs_lead_to_every_part_of_the_chart(client, doctor, patient):
    page = client.get("/patients/10023/files/").text
    shown = re.search(r'<nav class="chart-tabs".*?</nav>', page, re.DOTALL)[0]
    assert re.findall(r">([^<>]+)</a>", shown)[:4] == ["Record", "Attachments", "Requests", "Disclosures"]
    assert 'href="/patients/10023/files/" aria-current="page">Attachments' in shown


def test_a_tab_with_a_permission_that_is_not_in_the_table_is_refused():
    with pytest.raises(LookupError):
        tabs.register("X", "chart", "patient.veiw")


def test_what_a_patient_s_words_hold_is_shown_as_words(client, doctor, patient):
    EntryFactory(patient=patient, title="<b>Bold</b>", body="<script>alert(1)</script> & more\n  indented")
    page = client.get("/patients/10023/").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more\n  indented</p>" in page
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page


# --- the line ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("struck", "pieces"),
    [
        ([], [("abcdef", False)]),
        (["cd"], [("ab", False), ("cd", True), ("ef", False)]),
        (["ab"], [("ab", True), ("cdef", False)]),
        (["ef"], [("abcd", False), ("ef", True)]),
        (["ef", "ab"], [("ab", True), ("cd", False), ("ef", True)]),
        (["bc", "cd"], [("a", False), ("bcd", True), ("ef", False)]),
        (["bc", "de"], [("a", False), ("bcde", True), ("f", False)]),
        (["bcde", "cd"], [("a", False), ("bcde", True), ("f", False)]),
        (["cd", "bcde"], [("a", False), ("bcde", True), ("f", False)]),
        (["abcdef"], [("abcdef", True)]),
        (["cd", ""], [("abcdef", True)]),
    ],
)
def test_the_one_rule_of_how_a_line_is_drawn(patient, struck, pieces):
    entry = EntryFactory(patient=patient, body="abcdef")
    for passage in struck:
        entry.strike(by=entry.author, at=AT, reason="Wrong", passage=passage)
    assert Entry.objects.with_marks().get(pk=entry.pk).passages() == pieces


def test_an_entry_without_text_has_no_pieces(patient):
    entry = EntryFactory(patient=patient, body="")
    assert entry.passages() == []
    entry.strike(by=entry.author, at=AT, reason="Wrong")
    assert Entry.objects.get(pk=entry.pk).passages() == []


@pytest.mark.parametrize(
    ("typed", "struck"),
    [
        ("No known allergies.", "No known allergies."),
        ("  No known allergies.\r\n Smokes  five ", "No known allergies.\nSmokes five"),
        ("Smokes five cigarettes a day.", "Smokes five cigarettes a day."),
    ],
)
def test_a_passage_is_found_by_its_words(entry, typed, struck):
    strike = entry.strike(by=entry.author, at=AT, reason="Wrong", passage=typed)
    assert strike.passage == struck
    assert entry.body[strike.start :].startswith(struck)


@pytest.mark.parametrize(
    ("typed", "said"), [("no allergies", "do not stand in the entry"), ("o known", "more than once"), ("(.*)", "do not stand")]
)
def test_a_passage_that_is_not_there_or_not_clear_is_refused(entry, typed, said):
    with pytest.raises(ValidationError, match=said):
        entry.strike(by=entry.author, at=AT, reason="Wrong", passage=typed)
    assert not StrikeThrough.objects.exists()


def test_a_line_is_drawn_once(entry):
    entry.strike(by=entry.author, at=AT, reason="Wrong", passage="No known allergies.")
    with pytest.raises(ValidationError, match="drawn already"):
        entry.strike(by=entry.author, at=AT, reason="Wrong", passage="No known allergies.")
    entry.strike(by=entry.author, at=AT, reason="Wrong")
    with pytest.raises(ValidationError, match="drawn already"):
        entry.strike(by=entry.author, at=AT, reason="Wrong")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["strike", "add_addendum", "mark_misfiled"])
def test_a_double_click_marks_an_entry_once(act):
    entry = EntryFactory()
    words = {"body": "More"} if act == "add_addendum" else {"reason": "Wrong"}
    barrier = Barrier(2)

    def mark(_):
        try:
            barrier.wait(timeout=20)
            getattr(Entry.objects.get(pk=entry.pk), act)(by=entry.author, at=AT, **words)
        except ValidationError:
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(mark, range(2)))
    assert StrikeThrough.objects.count() + Addendum.objects.count() + Misfiling.objects.count() == 1


def strike_url(entry: Entry) -> str:
    return f"/patients/10023/entries/{entry.pk}/strike/"


def test_the_physician_strikes_words_and_they_stay_legible(client, doctor, entry, events):
    sent = {"extent": "passage", "passage": "Smokes five cigarettes a day.", "reason": "The patient never smoked."}
    response = client.post(strike_url(entry), sent)
    assert response["Location"] == f"/patients/10023/#entry-{entry.pk}"
    assert events()[-1] == ("change", f"entry {entry.pk}", "10023")
    page = client.get("/patients/10023/")
    assert "No known allergies.\n<del>Smokes five cigarettes a day.</del> Plan: three" in page.text
    words = in_words(page)
    assert "Disputed: line through “Smokes five cigarettes a day.” Reason: The patient never smoked." in words
    assert "Ada Vance, MD · Nov 24, 2026, 10:00 AM" in words
    assert "Partly disputed" in words


def test_the_physician_strikes_a_whole_entry_with_its_title_and_products(client, doctor, patient):
    entry = EntryFactory(
        patient=patient, kind="treatment", title="Session: chin", body="Tolerated well.", areas="Chin", technique="Nappage",
        reaction="None", products=[{"name": "Procaine 1%", "lot": "PR-1", "dose": "1 mL"}],
    )  # fmt: skip
    client.post(strike_url(entry), {"extent": "whole", "passage": "left over", "reason": "Written twice."})
    page = client.get("/patients/10023/").text
    for struck in ("Session: chin", "Tolerated well.", "Chin", "Nappage", "None", "Procaine 1%", "PR-1", "1 mL"):
        assert f"<del>{struck}</del>" in page, struck
    assert "Disputed: line through the whole entry." in page
    assert strike_url(entry) not in page


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"extent": "passage", "passage": "", "reason": "x"}, "passage"),
        ({"extent": "passage", "passage": "never said", "reason": "x"}, "passage"),
        ({"extent": "passage", "passage": "No known allergies.", "reason": ""}, "reason"),
        ({"extent": "passage", "passage": "No known allergies.", "reason": "x" * 1001}, "reason"),
        ({"extent": "", "passage": "No known allergies.", "reason": "x"}, "extent"),
    ],
)
def test_a_line_that_can_not_be_is_refused_at_its_field_and_nothing_typed_is_lost(client, doctor, entry, sent, field):
    page = client.post(strike_url(entry), sent)
    assert list(page.context["form"].errors) == [field]
    assert page.context["form"]["passage"].value() == sent["passage"]
    assert page.context["form"]["reason"].value() == sent["reason"]
    assert not StrikeThrough.objects.exists()


def test_a_reason_typed_before_the_login_expired_is_back(client, doctor, entry, password):
    doctor.set_password(password)
    doctor.save()
    client.logout()
    login = client.post(strike_url(entry), {"extent": "whole", "passage": "", "reason": "A long story"})
    log_in(client, doctor, next=login.context["next"], kept=login.context["kept"])
    form = client.get(strike_url(entry)).context["form"]
    assert (form["reason"].value(), form["extent"].value()) == ("A long story", "whole")


@pytest.mark.parametrize("act", ["strike", "addendum", "misfiled"])
def test_an_entry_is_reached_only_through_its_own_chart(client, doctor, entry, act):
    other = EntryFactory()
    assert client.get(f"/patients/10023/entries/{other.pk}/{act}/").status_code == 404
    assert client.get(f"/patients/10023/entries/{10**30}/{act}/").status_code == 404


@pytest.mark.parametrize(("role", "may"), [("front_desk", set()), ("privacy_officer", {"misfiled"}), ("office_admin", set())])
def test_who_may_mark_an_entry(client, signed_in, entry, events, role, may):
    signed_in(role)
    for act in ("strike", "addendum", "misfiled"):
        status = client.post(
            f"/patients/10023/entries/{entry.pk}/{act}/", {"extent": "whole", "reason": "x", "body": "x"}
        ).status_code
        assert status == (302 if act in may else 403), act
    assert StrikeThrough.objects.count() + Addendum.objects.count() == 0
    assert ("refused", "entry.strike", "10023") in events()


# --- addendum and wrong chart -----------------------------------------------------------------------------------------


def test_an_addendum_stands_under_its_entry_dated_and_signed(client, doctor, entry):
    client.post(f"/patients/10023/entries/{entry.pk}/addendum/", {"body": "Called the family doctor.\r\nNo objection."})
    assert Addendum.objects.get().body == "Called the family doctor.\nNo objection."
    words = in_words(client.get("/patients/10023/"))
    assert "Addendum Called the family doctor. No objection. Ada Vance, MD · Nov 24, 2026, 10:00 AM" in words
    assert Entry.objects.get().body == BODY


def test_an_empty_addendum_is_refused(client, doctor, entry):
    page = client.post(f"/patients/10023/entries/{entry.pk}/addendum/", {"body": "  "})
    assert page.context["form"].errors["body"]


def test_the_same_addendum_twice_is_laid_once(client, doctor, entry):
    for _ in range(2):
        client.post(f"/patients/10023/entries/{entry.pk}/addendum/", {"body": "More"})
    client.post(f"/patients/10023/entries/{entry.pk}/addendum/", {"body": "And more"})
    assert [one.body for one in Addendum.objects.all()] == ["More", "And more"]


def test_an_entry_in_the_wrong_chart_stays_and_is_marked(client, doctor, entry, patient, events):
    sent = {"reason": "Belongs to chart 10077."}
    assert client.post(f"/patients/10023/entries/{entry.pk}/misfiled/", sent).status_code == 302
    words = in_words(client.get("/patients/10023/"))
    assert "Filed in the wrong chart. Belongs to chart 10077." in words
    assert "Smokes five cigarettes" in words
    again = client.post(f"/patients/10023/entries/{entry.pk}/misfiled/", sent)
    assert "marked as filed in the wrong chart already" in again.text
    assert Misfiling.objects.count() == 1
    assert record_set.of(patient, date(2026, 11, 24)).entries == []


def test_the_marks_are_links_of_the_patient_s_chain(entry):
    from meso import seals

    entry.strike(by=entry.author, at=AT, reason="Wrong", passage="No known allergies.")
    entry.add_addendum(by=entry.author, at=AT, body="More")
    entry.mark_misfiled(by=entry.author, at=AT, reason="Another's")
    report = seals.verify()
    assert (report.links, report.breaks) == (4, [])


def test_the_author_of_an_imported_entry_is_who_signed_it(client, doctor, patient):
    EntryFactory(patient=patient, author=None, signed_as="Dr. Who, imported")
    assert "Signed Dr. Who, imported" in in_words(client.get("/patients/10023/"))


def test_users_that_are_gone_still_sign(client, doctor, patient):
    author = UserFactory(role="physician", first_name="Eve", last_name="Stone", credentials="MD")
    EntryFactory(patient=patient, author=author)
    author.last_name, author.is_active = "Married", False
    author.save()
    assert "Signed Eve Stone, MD" in in_words(client.get("/patients/10023/"))

"""Psychotherapy notes are their author's alone: every page is walked with a note that hangs on everything it can hang on."""

import io
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.urls import reverse
from pypdf import PdfReader

from disclosures.models import Disclosure, Release
from meso.models import AccessEvent
from meso.roles import PERMISSIONS, PUBLIC, Role
from records import seeing
from records.models import EmergencyAccess, Entry, EntryFlag, Restriction
from requests_app import amendments, answers, carrying_out, inbound, telling
from requests_app.models import DisputedEntry, InboundAnswer, Rebuttal, WithheldPassage
from tests.factories import (
    AT,
    AttachmentFactory,
    AuthorizationFactory,
    EntryFactory,
    PatientFactory,
    RequestFactory,
    UserFactory,
)
from tests.requests_app.answering import an_office, now, verified
from tests.test_house import URLS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]

# A word for each place where a note says something.
TITLE, BODY, REST, BESIDE, FILE = "Zibeline", "quokka", "Yarrow", "Marzipan", "gooseberry"
SECRETS = (TITLE, BODY, REST, BESIDE, FILE)
NOTE = "Psychotherapy notes"


@pytest.fixture
def author():
    return UserFactory(role="physician", last_name="Vance", credentials="MD")


@pytest.fixture
def patient():
    return PatientFactory(chart_number="10023")


@pytest.fixture
def note(patient, author):
    """A note with everything laid beside it, flagged."""
    entry = EntryFactory(
        patient=patient, author=author, title=f"{TITLE} session", body=f"Said {BODY} twice.", areas=REST, technique=REST,
        reaction=REST, products=[{"name": REST, "lot": REST, "dose": REST}], kind="treatment",
    )  # fmt: skip
    entry.add_addendum(by=author, at=AT, body=BESIDE)
    entry.strike(by=author, at=AT, reason=BESIDE, passage=BODY)
    AttachmentFactory(patient=patient, entry=entry, name=f"{FILE}.png")
    EntryFlag.lay(entry, "psychotherapy_notes", reason=f"{BESIDE}: kept apart", by=author, at=AT)
    return Entry.objects.with_marks().get(pk=entry.pk)


@pytest.fixture
def everywhere(patient, author, note):
    """The note tied to a log row, a restriction, a form, a release, a disputed request, words withheld."""
    other = {"patient": patient, "by": author, "at": AT}
    EntryFactory(patient=patient, title="An ordinary visit")
    log = {"recipient": "A court", "information": NOTE, "purpose_code": "court_order", "purpose": "Ordered"}
    row = Disclosure.log(patient=patient, disclosed_on=date(2026, 6, 1), by=author, at=AT, entries=[note], **log)
    Restriction.agree(**other, what="Nothing of it", begins_on=AT.date(), entries=[note], covers=[], kept_from=[], from_whom="")
    form = AuthorizationFactory(patient=patient, notes="only", entries=[note])
    nothing = {"checks": [], "manifest": [], "cover_letter": b"", "copy": b"", "bill": b""}
    seen = {"verified_how": "Seen", "verified_on": AT.date(), "released_on": AT.date(), "recipient": "A court", "means": "mail"}
    facts = {"purpose_code": "court_order", "purpose": "Ordered", "information": NOTE, "disclosure": row, "entry_ids": [note.pk]}
    made = Release.objects.create(**other, **facts, **nothing, **seen)
    disputed = RequestFactory(patient=patient, kind="amendment", details={"entry": "It", "change": "That", "reason": "So"})
    DisputedEntry.tie(disputed, [note], by=author, at=AT, on=AT.date())
    asked = RequestFactory(patient=patient)
    WithheldPassage.objects.create(
        request=asked, entry=note, passage=BODY, start=5, ground="R1", judged_by="", by=author, on=AT.date(), at=AT
    )
    letters = [letter_of_a_correction(patient, author, note), answer_to_a_statement(patient, author, note).letter]
    told = inbound.take(patient, told_by="Dr. Who", told_on=AT.date(), what="Theirs", by=author, at=AT, on=AT.date())
    numbers = [asked.number, disputed.number, *(letter.request.number for letter in letters)]
    keys = {"Disclosure": row.pk, "Release": made.pk, "InboundAmendment": told.pk}
    return {"form": form.pk, "asked": numbers, "letters": {letter.request.number: letter.pk for letter in letters}, **keys}


def letter_of_a_correction(patient, author, note):
    """The note amended as its patient asked, and the letter to somebody who has it: it holds the line and the addendum."""
    request = verified("amendment", author, patient=patient)
    answers.decide_with_letter(request, "granted", ground="", text="", office=an_office(), **now(author))
    words = {"passage": "twice", "reason": BESIDE, "addendum": f"{BESIDE} again"}
    carrying_out.amend(request, note, **words, **now(author))
    facts = {"name": "Dr. Who", "agreed_on": AT.date(), "office": an_office()}
    return telling.add(request, "named", **facts, **now(author)).letter


def answer_to_a_statement(patient, author, note) -> Rebuttal:
    """The note disputed, a statement with its scan, and the answer to it."""
    request = verified("amendment", author, patient=patient)
    denial = {"ground": "A4", "text": "It is right.", "disputed": [note], "office": an_office()}
    answers.decide_with_letter(request, "denied", **denial, **now(author))
    scan = SimpleNamespace(name=f"{FILE}.pdf", format="application/pdf", content=b"%PDF-1.7", sha256="0" * 64)
    said = {"received_on": AT.date(), "text": f"I never said {BODY}", "scan": scan, "office": an_office()}
    statement = amendments.file_statement(request, **said, **now(author))
    return amendments.rebut(statement, f"{BODY} it was: {BESIDE}", office=an_office(), **now(author))


def text_of(response) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    if content.startswith(b"%PDF"):
        return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    return content.decode(errors="replace")


def told(response) -> list[str]:
    text = text_of(response)
    return [secret for secret in SECRETS if secret in text]


def addresses(role: str, note, everywhere) -> list[str]:
    """Every address about this chart that the role may enter, with the keys that lead to the note."""
    flag, file = note.flags.get().pk, note.attachments.first().pk
    found = []
    for _route, pattern in URLS:
        takes = set(pattern.pattern.regex.groupindex)
        view = pattern.callback
        model = getattr(view, "of_chart", None)
        if view.needs == PUBLIC or role not in PERMISSIONS[view.needs] or not (takes & {"chart", "number"} or model):
            continue
        pk = everywhere.get(model.__name__, 1) if model else note.pk
        pk = {"attachment": file, "entry_flag_end": flag, "authorization": everywhere["form"]}.get(pattern.name, pk)
        for number in everywhere["asked"] if "number" in takes else [""]:
            if pattern.name in ("letter", "letter_sent", "letter_delivery"):
                pk = everywhere["letters"].get(number, pk)
            for form in ("copy", "letter") if "format" in takes else [""]:
                known = {"chart": "10023", "number": number, "pk": pk, "format": form}
                found.append(reverse(pattern.name, kwargs={name: known[name] for name in takes}))
    return found


@pytest.mark.parametrize("role", ["front_desk", "physician", "privacy_officer"])
def test_no_page_tells_anybody_but_its_author_what_a_note_says(client, signed_in, note, everywhere, role):
    signed_in(role)
    walked = [
        *addresses(role, note, everywhere),
        f"/patients/10023/limits/paid/?entry={note.pk}",
        "/",
        "/disclosures/",
        "/requests/",
    ]
    desk = "/release/new/?chart=10023", "/disclosures/new/?chart=10023"
    walked += [path for path in desk if role != "physician" or "release" not in path]
    wrong = {path: found for path in walked if (found := told(client.get(path)))}
    letters = {f"/requests/{number}/letters/{pk}/" for number, pk in everywhere["letters"].items()}
    assert set(wrong) == (letters if role == "privacy_officer" else set()), wrong  # the officer sends them
    assert len(walked) > 55


def test_the_walk_would_find_it(client, author, note, everywhere):
    """To its author the chart, its files, its letters and the dispute say all of it; else the walk above could not fail."""
    client.force_login(author)
    _correction, dispute = everywhere["letters"]
    for number, pk in everywhere["letters"].items():
        assert BESIDE in told(client.get(f"/requests/{number}/letters/{pk}/"))
        assert f"/requests/{number}/letters/{pk}/" in text_of(client.get(f"/requests/{number}/"))
    assert told(client.get(f"/requests/{dispute}/")) == [BODY, BESIDE, FILE]
    assert told(client.get("/patients/10023/")) == [TITLE, BODY, REST, BESIDE, FILE]
    assert told(client.get("/patients/10023/files/")) == [TITLE, FILE]
    assert client.get(f"/patients/10023/files/{note.attachments.first().pk}/").status_code == 200
    assert BODY in text_of(client.get(f"/patients/10023/entries/{note.pk}/strike/"))


@pytest.mark.parametrize("role", ["front_desk", "physician", "privacy_officer"])
def test_others_see_that_it_is_there_by_whom_and_of_when(client, signed_in, note, role):
    signed_in(role)
    page = text_of(client.get("/patients/10023/"))
    for words in (NOTE, "For its author alone", "Vance, MD", "May 1, 2026", "Mesotherapy treatment"):
        assert words in page


@pytest.mark.parametrize("act", ["strike", "addendum", "misfiled", "flag", "minor"])
def test_nothing_is_done_to_what_one_may_not_read(client, signed_in, note, act):
    other = signed_in("physician")
    path = f"/patients/10023/entries/{note.pk}/{act}/"
    sent = {"passage": BODY, "reason": "Why", "body": "More", "kind": "litigation"}
    assert [client.get(path).status_code, client.post(path, sent).status_code] == [403, 403]
    assert AccessEvent.objects.filter(user=other, action="refused", subject=f"entry {note.pk}").count() == 2
    fresh = Entry.objects.with_marks().get(pk=note.pk)
    assert (len(fresh.strikes.all()), len(fresh.addenda.all()), len(fresh.flags.all())) == (1, 1, 1)


def test_its_files_are_the_authors(client, signed_in, note):
    file = note.attachments.first().pk
    for role in ("front_desk", "physician", "privacy_officer"):
        signed_in(role)
        assert client.get(f"/patients/10023/files/{file}/").status_code == 404


def test_the_rule_follows_the_flag_in_force(client, signed_in, patient, author):
    entry = EntryFactory(patient=patient, author=author, title=TITLE, body=BODY)
    signed_in("front_desk")
    assert told(client.get("/patients/10023/")) == [TITLE, BODY]
    flag = EntryFlag.lay(entry, "psychotherapy_notes", reason="Kept apart", by=author, at=AT)
    assert told(client.get("/patients/10023/")) == []
    flag.end(reason="A mistake", by=author, at=AT)
    assert told(client.get("/patients/10023/")) == [TITLE, BODY]


def test_only_its_author_takes_the_flag_back(client, signed_in, note, author):
    """Whoever ends the flag opens the note: so the author, or, where that one is gone, a physician who signs for it."""
    path, sent = f"/patients/10023/flags/{note.flags.get().pk}/end/", {"reason": "It is an ordinary note"}
    for role in ("privacy_officer", "physician"):
        signed_in(role)
        assert client.post(path, sent).status_code == 403
    author.is_active = False
    author.save()
    signed_in("privacy_officer")
    assert client.post(path, sent).status_code == 403
    signed_in("physician")
    assert told(client.get(path)) == []
    assert client.post(path, sent).status_code == 302
    assert told(client.get("/patients/10023/"))


def test_the_author_takes_it_back(client, note, author):
    client.force_login(author)
    assert client.post(f"/patients/10023/flags/{note.flags.get().pk}/end/", {"reason": "Ordinary"}).status_code == 302


def test_a_note_that_was_imported_opens_to_nobody_but_in_an_emergency(client, signed_in, patient):
    entry = EntryFactory(patient=patient, author=None, title=TITLE, body=BODY)
    EntryFlag.lay(entry, "psychotherapy_notes", reason="Kept apart", by=UserFactory(role="physician"), at=AT)
    for role in ("front_desk", "physician", "privacy_officer"):
        signed_in(role)
        assert told(client.get("/patients/10023/")) == []


# --- corrected, disputed ---------------------------------------------------------------------------------------------


def test_letters_that_say_what_it_says_open_for_the_officer_who_sends_them_and_its_author(client, signed_in, everywhere):
    """The line, the addendum and the answer to the statement are on paper there (164.526(c)(3), (d)(3))."""
    for role in ("front_desk", "physician"):
        other = signed_in(role)
        for number, pk in everywhere["letters"].items():
            assert client.get(f"/requests/{number}/letters/{pk}/").status_code == 403
            page = text_of(client.get(f"/requests/{number}/"))
            assert f'/letters/{pk}/"' not in page
            assert "The privacy officer sends it." in page
        assert AccessEvent.objects.filter(user=other, action="refused").count() == 2
    signed_in("privacy_officer")
    for number, pk in everywhere["letters"].items():
        page = text_of(client.get(f"/requests/{number}/"))
        assert f'/letters/{pk}/"' in page
        assert told(client.get(f"/requests/{number}/")) == []
        assert BESIDE in told(client.get(f"/requests/{number}/letters/{pk}/"))


def test_letters_that_only_answer_the_request_open_as_ever(client, signed_in, everywhere):
    signed_in("front_desk")
    _correction, dispute = everywhere["letters"]
    decision = Rebuttal.objects.get().disagreement.request.letters.get(kind="decision")
    assert client.get(f"/requests/{dispute}/letters/{decision.pk}/").status_code == 200


def test_who_may_not_read_it_answers_no_statement_about_it(client, signed_in, patient, author, note):
    an_office()
    statement = answer_to_a_statement(patient, author, note).disagreement
    path = f"/requests/{statement.request.number}/statement/{statement.pk}/answer/"
    signed_in("physician")
    assert [client.get(path).status_code, client.post(path, {"text": "No"}).status_code] == [403, 403]
    assert path not in text_of(client.get(f"/requests/{statement.request.number}/"))
    client.force_login(author)
    assert client.get(path).status_code == 200


def test_another_provider_s_word_lets_nobody_strike_what_they_may_not_read(client, signed_in, patient, author, note):
    """A line through words that one types would tell whether they stand there."""
    inbound.take(patient, told_by="Dr. Who", told_on=AT.date(), what="Theirs", by=author, at=AT, on=AT.date())
    path = f"/amendments/{patient.inbound_amendments.get().pk}/"
    sent = {"answer": "amend", "entry": note.pk, "passage": "twice", "reason": "Why", "addendum": "More"}
    signed_in("physician")
    assert NOTE not in text_of(client.get(path))
    assert "entry" in client.post(path, sent).context["form"].errors
    assert not InboundAnswer.objects.exists()
    client.force_login(author)
    assert client.post(path, sent).status_code == 302
    assert InboundAnswer.objects.get().entry == note


# --- in an emergency ------------------------------------------------------------------------------------------------


def test_a_physician_opens_it_in_an_emergency_for_an_hour_and_the_officer_is_told(client, signed_in, note, mailoutbox):
    UserFactory(role="privacy_officer", email="officer@example.org")
    other = signed_in("physician")
    path = f"/patients/10023/entries/{note.pk}/emergency/"
    assert path in text_of(client.get("/patients/10023/"))
    assert told(client.get(path)) == []
    assert "reason" in client.post(path, {"reason": ""}).context["form"].errors
    assert client.post(path, {"reason": "He says he will harm his brother"})["Location"] == f"/patients/10023/#entry-{note.pk}"
    access = EmergencyAccess.objects.get()
    assert (access.entry_id, access.kind, access.by) == (note.pk, "treatment", other)
    assert told(client.get("/patients/10023/")) == [TITLE, BODY, REST, BESIDE, FILE]
    assert "Emergency access until 11:00 AM." in text_of(client.get("/patients/10023/"))
    assert len(mailoutbox) == 1
    assert client.get(path).status_code == 302  # open already: no second row
    with time_machine.travel(AT + timedelta(hours=1), tick=False):
        client.force_login(other)
        assert "For its author alone" in text_of(client.get("/patients/10023/"))
        assert told(client.get("/patients/10023/")) == []
    signed_in("physician")
    assert told(client.get("/patients/10023/")) == []


@pytest.mark.parametrize("role", [role for role in Role.values if role != "physician"])
def test_nobody_else_breaks_that_glass(client, signed_in, note, role):
    signed_in(role)
    path = f"/patients/10023/entries/{note.pk}/emergency/"
    assert client.post(path, {"reason": "Why"}).status_code == 403
    assert not EmergencyAccess.objects.exists()


# --- released, unread -----------------------------------------------------------------------------------------------


@pytest.fixture
def officer(signed_in):
    return signed_in("privacy_officer")


def planned(form, note) -> dict:
    return {
        "step": "release", "patient": "10023", "why": "authorization:", "authorization": form.pk, "entries": [note.pk],
        "means": "mail", "use": "neither", "verified": ["photo_id"],
        "verified_on": "2026-11-24", "minimum": "on", "address": "1 Main Street",
    }  # fmt: skip


def test_the_officer_releases_it_on_its_own_authorization_without_reading_it(client, officer, patient, note):
    form = AuthorizationFactory(patient=patient, notes="only", information="The psychotherapy notes")
    page = client.post("/release/new/", planned(form, note) | {"step": "check"})
    assert told(page) == []
    assert NOTE in text_of(page)
    done = client.post("/release/new/", planned(form, note))
    assert done.status_code == 302, [(one.name, one.reason) for one in done.context["form"].checks]
    row = Release.objects.get()
    assert row.information == f"{NOTE} (May 1, 2026)"
    page = client.get(f"/release/{row.pk}/")
    assert told(page) == []
    assert "Hand it on unread" in text_of(page)
    assert told(client.get(f"/release/{row.pk}/letter/")) == []
    copy = client.get(f"/release/{row.pk}/copy/")
    assert BODY in text_of(copy)  # the copy holds it: that is what was released, and must be sent
    assert AccessEvent.objects.filter(subject=f"copy of release {row.pk}", action="download").exists()


def test_the_finished_copy_opens_for_the_officer_and_its_author_alone(client, officer, signed_in, patient, note, author):
    client.post("/release/new/", planned(AuthorizationFactory(patient=patient, notes="only"), note))
    row = Release.objects.get()
    for role in ("front_desk", "physician"):
        signed_in(role)
        assert client.get(f"/release/{row.pk}/copy/").status_code == 403
        assert f"/release/{row.pk}/copy/" not in text_of(client.get(f"/release/{row.pk}/"))
        assert "The privacy officer sends it." in text_of(client.get(f"/release/{row.pk}/"))
    client.force_login(author)
    assert client.get(f"/release/{row.pk}/copy/").status_code == 200


def test_the_front_desk_is_not_offered_it_at_the_release_desk(client, signed_in, patient, note):
    signed_in("front_desk")
    form = AuthorizationFactory(patient=patient, notes="only")
    answer = client.post("/release/new/", planned(form, note) | {"step": "show"})
    assert NOTE not in [label for _key, label in answer.context["form"].fields["entries"].choices]
    client.post("/release/new/", planned(form, note))
    assert not Release.objects.exists()


def test_what_is_not_closed_costs_no_query(author, patient, django_assert_num_queries):
    EntryFactory(patient=patient)
    entries = list(patient.entries.with_marks())
    with django_assert_num_queries(0):
        seeing.shut(entries, UserFactory.build(pk=999, role="front_desk"), AT)


# --- drafts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/patients/10023/entries/new/",
        "/patients/10023/edit/",
        "/requests/new/",
        "/release/new/",
        "/disclosures/new/",
        "/complaints/new/",
    ],
)
def test_what_somebody_typed_is_shown_to_nobody_else(client, signed_in, patient, path):
    from meso.models import Draft

    role = "front_desk"
    fields = {
        name: [f"{TITLE} {name}"]
        for name in ("title", "body", "preferred_name", "asker_name", "said", "purpose", "what", "complainant")
    }
    Draft.objects.create(user=UserFactory(role=role), path=path, fields=fields, saved_at=AT)
    mine = signed_in(role)
    assert told(client.get(path)) == []
    Draft.objects.create(user=mine, path=path, fields=fields, saved_at=AT)
    assert told(client.get(path)) == [TITLE]

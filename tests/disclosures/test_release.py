"""The release desk's act: one transaction for copy, letter, bill, release and log; and the page through which it is done."""

import io
from datetime import date

import pytest
from django.db import IntegrityError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from disclosures import auditor_sections, desk, guard, kept, on_hand, purposes
from disclosures.desk import Papers, ReleaseRefused
from disclosures.guard import Means
from disclosures.models import Disclosure, Release
from meso.append_only import AppendOnlyError
from meso.models import AccessEvent, Draft, Office
from meso.pdf import Pdf
from meso.seals import verify
from records.models import EmergencyRelease
from tests.disclosures.test_guard import BRANCHES, marked, plan_for
from tests.factories import (
    AT,
    AttachmentFactory,
    AuthorizationFactory,
    EntryFactory,
    PatientFactory,
    RestrictionFactory,
    UserFactory,
)
from tests.signing_in import log_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]
ON = date(2026, 11, 24)
NEW = "/release/new/"


@pytest.fixture
def patient(db):
    return PatientFactory(chart_number="10023", first_name="Ada", last_name="Vance")


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer", first_name="Nora", last_name="Lindqvist")


def words_of(document) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(bytes(document))).pages)


def let_out(plan, by, overrides=None, **more) -> Release:
    made = desk.release(plan, overrides or {}, by=by, at=AT, office=Office.current(), **more)
    return Release.objects.defer(None).get(pk=made.pk)


# --- the act ---------------------------------------------------------------------------------------------------------


def test_one_act_makes_copy_letter_release_and_row_of_the_log(patient, officer):
    entry = EntryFactory(patient=patient, title="Seen in May", body="Only this page.")
    EntryFactory(patient=patient, title="Not asked for", service_on=date(2026, 6, 1))
    plan = plan_for(patient, "court_order", entries=(marked(entry),), recipient="Albany County Court", request_number="R-1")
    row = let_out(plan, officer)
    log = row.disclosure
    assert (log.recipient, log.purpose_code, log.information) == (
        "Albany County Court",
        "court_order",
        "Seen in May (May 1, 2026)",
    )
    assert [given.entry for given in log.disclosed_entries.all()] == [entry]
    said = words_of(row.copy)
    assert "Only this page." in said
    assert "Not asked for" not in said
    letter = words_of(row.cover_letter)
    for words in ("Albany County Court", "1 Main Street", "Seen in May, May 1, 2026", "Ada Vance", "The copy has 1 page."):
        assert words in letter, words
    files = {part["file"]: part["sha256"] for part in row.manifest if "file" in part}
    assert files["copy.pdf"] == row.copy_sha256
    assert {one["name"]: one["state"] for one in row.checks}["documents"] == "ok"
    assert [need["code"] for need in row.confirmed] == ["order", "scope"]
    assert (row.pages, row.signed_as, row.verified_how) == (1, officer.signature, "Badge or other official credentials seen")
    assert verify().breaks == []


def test_each_page_of_a_copy_names_the_patient_and_its_number(patient, officer):
    entry = EntryFactory(patient=patient, body="A long note. " * 1500)
    row = let_out(plan_for(patient, "court_order", entries=(marked(entry),)), officer)
    pages = PdfReader(io.BytesIO(bytes(row.copy))).pages
    assert len(pages) == row.pages > 2
    for number, page in enumerate(pages, start=1):
        text = " ".join(page.extract_text().split())
        assert "Ada Vance" in text
        assert f"page {number} of {row.pages}" in text


def test_what_is_refused_leaves_nothing_behind(patient, officer, monkeypatch):
    plan = plan_for(patient, "subpoena", "notice", confirmed=frozenset({"subpoena"}))
    with pytest.raises(ReleaseRefused) as refusal:
        let_out(plan, officer, {"documents": "The officer wants it so."})
    assert [one.name for one in refusal.value.checks if one.is_refused] == ["documents"]
    monkeypatch.setattr(desk, "cover_letter", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        let_out(plan_for(patient, "court_order"), officer)
    assert not Release.objects.exists()
    assert not Disclosure.objects.exists()


def test_the_officers_reason_is_kept_with_what_it_set_aside(patient, officer):
    RestrictionFactory(patient=patient)
    plan = plan_for(patient, "treatment")
    row = let_out(plan, officer, {"restrictions": "It is about another visit.", "documents": "not used"})
    assert row.overrides == [{"check": "restrictions", "label": "Restrictions", "reason": "It is about another visit."}]
    assert {one["name"]: one["state"] for one in row.checks}["restrictions"] == "refused"
    assert row.disclosure is None


def test_in_an_emergency_the_letter_asks_not_to_pass_it_on_the_same_day(patient, officer):
    """law.md §5: override 2026-08-02, letter the same day."""
    RestrictionFactory(patient=patient)
    row = let_out(plan_for(patient, "treatment", emergency=True, on=date(2026, 8, 2), verified_on=date(2026, 8, 2)), officer)
    letter = words_of(row.cover_letter)
    assert "Please do not further use or disclose it." in letter
    assert "August 2, 2026" in letter
    noted = EmergencyRelease.objects.get()
    assert (noted.provider, noted.released_on) == ("Dr. Okafor", date(2026, 8, 2))


def test_to_find_somebody_the_facts_go_and_no_page(patient, officer):
    EntryFactory(patient=patient, body="A secret of the chart.")
    row = let_out(plan_for(patient, "law_enforcement", "locate"), officer)
    said = words_of(row.copy)
    assert "A scar on the left hand." in said
    assert "secret" not in said
    assert row.entry_ids == []


def test_what_is_looked_at_here_makes_no_copy_and_still_its_row(patient, officer):
    row = let_out(plan_for(patient, "individual", "patient", means=Means.INSPECT), officer)
    assert (row.pages, bytes(row.copy), row.copy_sha256) == (0, b"", "")
    assert row.disclosure.purpose_code == "individual"


def test_what_travels_with_an_entry_is_appended_and_listed(patient, officer, monkeypatch):
    class Along:
        title, summary, citation = "The patient's statement of disagreement", "It was the left side.", "45 CFR 164.526(d)(5)(i)"
        content = desk.render_pdf(
            "disclosures/pdf/facts.html", {"plan": None, "patient": patient, "items": [], "by": officer, "on": ON}
        ).content

    monkeypatch.setattr(desk, "_companions", [lambda entries, on: [Along()] if entries else []])
    plan = plan_for(patient, "court_order")
    found = {one.name: one for one in guard.checks(plan)}["amendments"]
    assert (found.state, found.citation) == ("ok", Along.citation)
    assert Along.title in str(found.reason)
    row = let_out(plan, officer)
    assert row.pages == 2
    assert "statement of disagreement (45 CFR 164.526(d)(5)(i))" in words_of(row.cover_letter)
    assert "Facts to identify" in words_of(row.copy)
    to_patient = let_out(plan_for(patient, "individual", "patient"), officer)
    assert to_patient.pages == 1


def test_a_release_never_changes_and_one_form_makes_one(patient, officer):
    plan = plan_for(patient, "court_order")
    row, again = (let_out(plan, officer, once="a" * 32) for _ in range(2))
    assert row == again
    assert Disclosure.objects.count() == 1
    row.recipient = "Somebody else"
    with pytest.raises(AppendOnlyError):
        row.save()


@pytest.mark.parametrize("code", ["treatment", "court_order"])
def test_the_database_refuses_a_release_without_its_row_and_a_row_for_an_exempt_one(patient, officer, code):
    row = let_out(plan_for(patient, code), officer)
    facts = {field.attname: getattr(row, field.attname) for field in Release._meta.concrete_fields if field.attname != "id"}
    log = let_out(plan_for(patient, "required_by_law", "statute"), officer).disclosure
    facts["disclosure_id"] = log.pk if code == "treatment" else None
    with pytest.raises(IntegrityError):
        Release.objects.create(**facts)


# --- no release past a refusal ---------------------------------------------------------------------------------------

CHANGES = {
    "confirmed": frozenset(), "basis": "", "minimum_confirmed": False, "verified_ways": (), "verified_on": None,
    "recipient": "", "purpose": "", "entries": (), "said": "", "items": ("dental",), "means": Means.INSPECT,
}  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pair=st.sampled_from(BRANCHES),
    spoiled=st.sets(st.sampled_from(sorted(CHANGES)), max_size=4),
    reasons=st.sets(st.sampled_from(guard.names())),
)
def test_nothing_goes_out_past_a_check_that_leaves_no_room(patient, officer, monkeypatch, pair, spoiled, reasons):
    monkeypatch.setattr(desk, "draw", lambda plan, **kwargs: Papers(Pdf(b"", 0)))
    monkeypatch.setattr(desk, "cover_letter", lambda *args, **kwargs: Pdf(b"letter", 1))
    plan = plan_for(patient, *pair, **{name: CHANGES[name] for name in spoiled})
    overrides = dict.fromkeys(reasons, "Because.")
    before = Release.objects.count(), Disclosure.objects.count()
    stopped = any(one.is_refused and not (one.overridable and one.name in reasons) for one in guard.checks(plan))
    if stopped:
        with pytest.raises(ReleaseRefused):
            let_out(plan, officer, overrides)
        assert (Release.objects.count(), Disclosure.objects.count()) == before
        return
    row = let_out(plan, officer, overrides)
    assert (row.disclosure is None) is (pair[0] in purposes.EXEMPT)
    assert Disclosure.objects.count() == before[1] + (pair[0] not in purposes.EXEMPT)


# --- the page --------------------------------------------------------------------------------------------------------


def sent(patient, why="court_order:", step="check", **changes) -> dict:
    code, _colon, branch = why.partition(":")
    return {
        "patient": patient.chart_number,
        "why": why,
        "recipient": "Albany County Court",
        "address": "16 Eagle Street",
        "purpose": "Order of November 20",
        "means": "mail",
        "needs": [need.code for need in on_hand.needs(code, branch)],
        "basis": "Order of Nov 20, Judge Roe",
        "verified": ["letterhead"],
        "verified_on": "2026-11-24",
        "entries": [entry.pk for entry in patient.entries.all()],
        "minimum": "on",
        "once": "b" * 32,
        "step": step,
    } | changes


def test_the_desk_shows_what_must_be_on_hand_then_the_checks_then_releases(client, signed_in, patient):
    signed_in("front_desk")
    EntryFactory(patient=patient, title="Seen in May")
    empty = client.get(NEW, {"chart": "10023"}).content.decode()
    assert "Ada Vance" in empty
    assert "Show what must be on hand" in empty
    shown = client.post(NEW, sent(patient, step="show")).content.decode()
    assert "only what it expressly authorizes" in shown
    assert "164.512(e)(1)(i)" in shown
    assert "16 Eagle Street" in shown
    lacking = client.post(NEW, sent(patient, needs=["order"])).content.decode()
    assert "Not on hand: Its words were read" in lacking
    assert "Release, and make the papers" not in lacking
    checked = client.post(NEW, sent(patient)).content.decode()
    assert "Release, and make the papers" in checked
    done = client.post(NEW, sent(patient, step="release"))
    row = Release.objects.get()
    assert done.url == f"/release/{row.pk}/"
    event = AccessEvent.objects.filter(action="create").latest("pk")
    assert (event.subject, event.chart_number, event.detail) == (f"release {row.pk}", "10023", "court_order")
    assert client.post(NEW, sent(patient, step="release")).url == done.url
    page = client.get(done.url).content.decode()
    assert "Judge Roe" in page
    assert f"/disclosures/{row.disclosure_id}/" in page


def test_what_is_refused_is_shown_audited_and_keeps_what_was_typed(client, signed_in, patient):
    signed_in("front_desk")
    EntryFactory(patient=patient)
    page = client.post(NEW, sent(patient, step="release", needs=[])).content.decode()
    assert "Not on hand" in page
    assert "Judge Roe" in page
    assert not Release.objects.exists()
    event = AccessEvent.objects.latest("pk")
    assert (event.action, event.subject, event.detail) == ("check", "release", "court_order: documents")


def test_only_the_officer_goes_past_a_check_and_only_where_the_law_leaves_room(client, signed_in, patient):
    RestrictionFactory(patient=patient)
    EntryFactory(patient=patient)
    data = sent(patient, why="treatment:", verified=["known"], override_restrictions="Another visit", step="release")
    signed_in("front_desk")
    page = client.post(NEW, data).content.decode()
    assert "The privacy officer may let it go all the same" in page
    assert not Release.objects.exists()
    signed_in("privacy_officer")
    assert client.post(NEW, data | {"needs": [], "override_documents": "Because"}).status_code == 200
    assert client.post(NEW, data).status_code == 302
    assert Release.objects.get().overrides[0]["reason"] == "Another visit"


def test_an_inspector_sees_the_released_pages_and_no_other(client, signed_in, patient):
    """peers.md §6."""
    signed_in("front_desk")
    shown = EntryFactory(patient=patient, body="What the inspector asked for.")
    EntryFactory(patient=patient, body="Of no concern to the inspector.", service_on=date(2026, 6, 1))
    AttachmentFactory(patient=patient, name="loose.png")
    data = sent(patient, why="health_oversight:", recipient="State Board", entries=[shown.pk], step="release")
    page = client.post(NEW, data).url
    copy = client.get(f"{page}copy/")
    said = words_of(copy.content)
    assert "What the inspector asked for." in said
    assert "Of no concern" not in said
    assert "loose.png" not in said
    assert copy["Content-Disposition"] == f'inline; filename="release-{Release.objects.get().pk}-copy.pdf"'
    assert "Seen" not in words_of(client.get(f"{page}letter/").content)
    assert client.get(f"{page}bill/").status_code == 404
    assert client.get(f"{page}record/").status_code == 404
    assert AccessEvent.objects.filter(action="download").count() == 2


def test_what_is_typed_comes_back_after_an_expired_login(client, patient):
    user = UserFactory(role="front_desk")
    answer = client.post(NEW, sent(patient, basis="Order of Nov 20, Judge Roe"))
    assert answer.status_code == 401
    log_in(client, user, next=NEW, kept=answer.context["kept"])
    assert Draft.objects.filter(user=user, path=NEW).exists()
    page = client.get(NEW).content.decode()
    assert "Judge Roe" in page
    assert "What you typed until" in page


@pytest.mark.parametrize(
    ("means", "postage", "words"),
    [("mail", "1.69", "$1.84"), ("pick_up", "", "$0.15"), ("electronic", "", "$0.00"), ("fax", "", "$0.00")],
)
def test_the_copy_for_others_is_billed_by_the_offices_tariff(client, signed_in, patient, means, postage, words):
    signed_in("front_desk")
    EntryFactory(patient=patient)
    data = sent(patient, why="subpoena:notice", means=means, charge="on", postage=postage, step="release")
    page = client.post(NEW, data).url
    said = words_of(client.get(f"{page}bill/").content)
    assert f"Total {words}" in said
    assert "Albany County Court" in said
    assert words in client.get(page).content.decode()


def on_a_form(patient, form, use, step="release") -> dict:
    chosen = {"authorization": form.pk, "recipient": "", "purpose": "", "address": ""} | ({"use": use} if use else {})
    return sent(patient, why="authorization:", verified=["known"], step=step, **chosen)


@pytest.mark.parametrize(
    ("form", "use", "goes", "words"),
    [
        ({}, "neither", True, "reaches this release"),
        ({}, "", False, "Say which: marketing and a sale need a form that names them"),
        ({}, "marketing", False, "The form does not allow marketing."),
        ({}, "sale", False, "The form does not allow a sale."),
        ({}, "advertising", False, "The form does not allow photographs in advertising."),
        ({"marketing": True, "remuneration": "nobody"}, "marketing", True, "names this use: Marketing"),
        ({"marketing": True, "remuneration": "nobody"}, "marketing_paid", False, "does not say that the office is paid"),
        ({"marketing": True, "remuneration": "stated"}, "marketing_paid", True, "names this use: Marketing"),
        ({"marketing": True, "remuneration": "unsaid"}, "marketing", False, "does not say whether the office is paid"),
        ({"marketing": True, "remuneration": "stated"}, "sale", False, "The form does not allow a sale."),
        ({"sale": True, "remuneration": "stated"}, "sale", True, "names this use: Sale"),
        ({"sale": True, "remuneration": "nobody"}, "sale", False, "allows a sale and does not say"),
        (
            {"advertising_photos": True, "remuneration": "nobody"},
            "advertising_paid",
            False,
            "does not say that the office is paid",
        ),
    ],
)
def test_for_marketing_or_a_sale_it_goes_only_on_a_form_that_names_it_and_the_money(
    client, signed_in, patient, form, use, goes, words
):
    """164.508(a)(3), (4): the desk is asked, for nobody else knows."""
    entry = EntryFactory(patient=patient)
    kept = AuthorizationFactory(patient=patient, entry_kinds=[entry.kind], **form)
    signed_in("front_desk")
    page = client.post(NEW, on_a_form(patient, kept, use, "check")).content.decode()
    assert words in page
    assert client.post(NEW, on_a_form(patient, kept, use)).status_code == (302 if goes else 200)
    assert Release.objects.count() == goes
    if goes:
        (told,) = [one["reason"] for one in Release.objects.get().checks if one["name"] == "authorization"]
        assert words in told


def test_the_question_of_money_is_asked_of_a_release_on_a_form_alone(client, signed_in, patient):
    signed_in("front_desk")
    for why, asked in (("authorization:", True), ("court_order:", False), ("individual:patient", False)):
        page = client.post(NEW, sent(patient, why=why, step="show")).content.decode()
        assert ("Is the office paid for this, or is it marketing?" in page) is asked


def test_a_figure_that_the_tariff_does_not_know_is_refused_at_its_field(client, signed_in, patient):
    signed_in("front_desk")
    EntryFactory(patient=patient)
    data = sent(patient, why="subpoena:notice", means="pick_up", charge="on", postage="4.20", step="release")
    page = client.post(NEW, data)
    assert "goes by mail" in str(page.context["form"].errors["postage"])
    assert not Release.objects.exists()


def test_a_letter_to_a_patient_is_in_their_language(officer):
    patient = PatientFactory(language="es")
    row = let_out(plan_for(patient, "individual", "patient"), officer)
    assert "Atentamente" in words_of(row.cover_letter)
    other = let_out(plan_for(patient, "court_order"), officer)
    assert "Sincerely" in words_of(other.cover_letter)


def test_the_patients_own_name_is_filled_in(client, signed_in, patient):
    signed_in("front_desk")
    EntryFactory(patient=patient)
    data = sent(patient, why="individual:patient", verified=["photo_id"], recipient="", purpose="", step="release")
    client.post(NEW, data)
    row = Release.objects.get()
    assert (row.recipient, row.purpose) == ("Ada Vance", "At the patient’s request")


def test_a_release_by_chart_is_a_tab_and_no_page_grows(client, signed_in, patient, queries_for):
    by = signed_in("front_desk")
    EntryFactory(patient=patient, title="Seen in May")
    let_out(plan_for(patient, "court_order"), by)
    client.get(f"/patients/{patient.chart_number}/releases/")
    pages = ("/patients/10023/releases/", f"{NEW}?chart=10023", f"/release/{Release.objects.get().pk}/")
    few = [len(queries_for(path)) for path in pages]
    for number in range(4):
        EntryFactory(patient=patient, title=f"Entry {number}")
        let_out(plan_for(patient, "required_by_law", "statute"), by)
    many = [len(queries_for(path)) for path in pages]
    assert few == many
    page = client.get("/patients/10023/releases/").content.decode()
    assert "Dr. Okafor" in page


def test_a_purpose_that_happened_by_mistake_is_not_offered(client, signed_in, patient):
    signed_in("front_desk")
    page = client.get(NEW).content.decode()
    assert "impermissible" not in page
    assert 'value="subpoena:protective_order"' in page


# --- after a report of abuse -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("branch", ["adult_required", "adult_agreed", "adult_authorized"])
def test_an_abuse_report_on_an_adult_is_a_task_until_the_patient_is_told_or_it_is_said_why_not(
    client, signed_in, patient, officer, branch
):
    """164.512(c)(2), law.md §13a."""
    row = let_out(plan_for(patient, "abuse_neglect", branch), officer)
    let_out(plan_for(patient, "abuse_neglect", "child"), officer)
    let_out(plan_for(patient, "court_order"), officer)
    assert list(Disclosure.objects.victims_to_tell()) == [row.disclosure]
    signed_in("privacy_officer")
    link = f"/disclosures/{row.disclosure_id}/tell/"
    assert link in client.get("/").content.decode()
    assert link in client.get(f"/release/{row.pk}/").content.decode()
    words = "Dr. Vance: the suspect lives with the patient"
    assert client.post(link, {"what": "harm", "words": words}).url == f"/disclosures/{row.disclosure_id}/"
    assert not Disclosure.objects.victims_to_tell().exists()
    page = client.get(f"/release/{row.pk}/").content.decode()
    assert "the suspect lives with the patient" in page
    assert link not in page + client.get("/").content.decode()
    assert verify().breaks == []


@pytest.mark.parametrize("code", purposes.PARTS)
def test_the_row_of_a_release_says_which_part_of_the_rule_it_went_out_on(code):
    parts = {way.code: purposes.part_of_branch(code, way.code) for way in on_hand.branches(code)}
    assert set(parts.values()) == set(purposes.PARTS[code])


# --- what else knows of releases -------------------------------------------------------------------------------------


def test_the_auditor_and_the_retention_report_see_releases(patient, officer):
    RestrictionFactory(patient=patient)
    row = let_out(plan_for(patient, "treatment"), officer, {"restrictions": "Another visit"})
    (line,) = auditor_sections._releases(ON, ON)
    assert (line[0], line[1]) == (row.pk, "10023")
    assert "Restrictions: Another visit" in line
    assert row.copy_sha256 in line
    assert [item.key for item in kept._releases(ON)] == [row.pk]

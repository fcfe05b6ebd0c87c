"""Forms as they are kept: their scan, what becomes of them, how they stand, what they carry, which lists they are on."""

import csv
import hashlib
import io
import zipfile
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from disclosures import retention
from disclosures.models import (
    Authorization,
    AuthorizationCopyGiven,
    AuthorizationEventHappened,
    AuthorizationFoundFalse,
    AuthorizationLetter,
    AuthorizationRevocation,
    Disclosure,
    NotAuthorized,
    OralRevocation,
)
from meso import auditor
from meso.append_only import AppendOnlyError
from meso.models import Office
from meso.seals import verify
from records.models import Entry, EntryFlag
from tests.factories import AT, AttachmentFactory, AuthorizationFactory, EntryFactory, PatientFactory, UserFactory

NOV_24 = date(2026, 11, 24)


@pytest.fixture
def who(db):
    return {"by": UserFactory(role="privacy_officer"), "at": AT}


def seen(form):
    """The form as a page reads it."""
    return Authorization.objects.with_acts().get(pk=form.pk)


def released(form, **changes):
    facts = {
        "patient": form.patient, "disclosed_on": NOV_24, "recipient": "Beacon Life", "information": "Chart",
        "purpose_code": "authorization", "purpose": "Life insurance", "authorization": form, "by": None, "at": AT,
    }  # fmt: skip
    return Disclosure.log(**facts | changes)


def test_a_form_is_kept_with_its_scan_byte_for_byte_and_never_changed(patient):
    form = AuthorizationFactory(patient=patient, scan=b"%PDF-1.7 scan", scan_format="application/pdf")
    kept = Authorization.objects.defer(None).get()
    assert bytes(kept.scan) == b"%PDF-1.7 scan"
    assert kept.scan_sha256 == hashlib.sha256(b"%PDF-1.7 scan").hexdigest()
    assert kept.complete
    kept.recipient = "Somebody else"
    with pytest.raises(AppendOnlyError):
        kept.save()
    assert form.standing(NOV_24).valid


def test_a_form_without_its_scan_is_refused_by_the_database(patient):
    with pytest.raises(IntegrityError), transaction.atomic():
        AuthorizationFactory(patient=patient, scan=b"")


def test_all_of_it_is_sealed_into_the_patients_chain(patient, who):
    form = AuthorizationFactory(patient=patient, entries=[EntryFactory(patient=patient)], expiry_event="Trial ends")
    OralRevocation.of(form, asked_on=NOV_24, **who)
    AuthorizationEventHappened.of(form, happened_on=NOV_24, known_on=NOV_24, **who)
    AuthorizationFoundFalse.of(form, found_on=NOV_24, reason="Signature", **who)
    AuthorizationCopyGiven.of(form, given_on=NOV_24, **who)
    AuthorizationRevocation.of(form, received_on=NOV_24, **who)
    report = verify()
    assert report.breaks == []
    assert report.links >= 8


def test_a_defective_form_is_recorded_and_never_usable(patient):
    form = AuthorizationFactory(patient=patient, says_redisclosure=False)
    assert not form.complete
    standing = form.standing(NOV_24)
    assert (standing.state, standing.reasons[0].code) == ("defective", "says_redisclosure")
    with pytest.raises(NotAuthorized, match=r"may pass it on.*164\.508\(c\)\(2\)\(iii\)"):
        released(form)
    assert not Disclosure.objects.exists()


def test_through_the_end_of_its_last_day_and_not_on_the_next(patient):
    form = AuthorizationFactory(patient=patient, expires_on=date(2026, 6, 30))
    assert released(form, disclosed_on=date(2026, 6, 30)).authorized_on == date(2026, 6, 1)
    with pytest.raises(NotAuthorized, match="last day has passed"):
        released(form, disclosed_on=date(2026, 7, 1))


def test_a_revocation_works_from_its_receipt_and_earlier_releases_stay(patient, who):
    form = AuthorizationFactory(patient=patient, received_on=date(2026, 4, 1), signed_on=date(2026, 4, 1))
    before = released(form, disclosed_on=date(2026, 4, 30))
    AuthorizationRevocation.of(form, received_on=date(2026, 5, 1), **who)
    form = seen(form)
    assert form.standing(date(2026, 4, 30)).valid
    assert form.standing(date(2026, 5, 1)).state == "revoked"
    with pytest.raises(NotAuthorized, match="taken it back"):
        released(form, disclosed_on=date(2026, 5, 1))
    assert list(form.disclosures.all()) == [before]
    assert list(patient.disclosures.accountable("notice")) == [before]


def test_a_form_read_before_its_revocation_carries_nothing_after_it(patient, who):
    read_before = Authorization.objects.with_acts().get(pk=AuthorizationFactory(patient=patient).pk)
    assert read_before.standing(NOV_24).valid
    AuthorizationRevocation.of(read_before, received_on=NOV_24, **who)
    with pytest.raises(NotAuthorized, match="taken it back"):
        released(read_before)


def test_an_oral_revocation_warns_and_does_not_end_the_form(patient, who):
    form = AuthorizationFactory(patient=patient)
    OralRevocation.of(form, asked_on=date(2026, 11, 20), **who)
    form = seen(form)
    assert form.standing(NOV_24).valid
    (warning,) = form.standing(NOV_24).warnings
    assert warning.startswith("Taken back orally on Nov 20, 2026, in writing not yet")
    assert form.standing(date(2026, 11, 19)).warnings == ()
    assert warning in form.to_confirm(NOV_24)
    AuthorizationRevocation.of(form, received_on=NOV_24, **who)
    assert seen(form).standing(NOV_24).warnings == ()


def test_words_and_groups_are_for_a_person_to_judge(patient):
    form = AuthorizationFactory(patient=patient, recipient="My surgeons", recipient_is_class=True)
    words, group = form.to_confirm(NOV_24)
    assert "“My whole record”" in words
    assert "“My surgeons”" in group
    by_another = {"signed_by": "representative", "signer_name": "Ana Ruiz", "signer_authority": "Health care agent"}
    (signer,) = AuthorizationFactory(patient=patient, entry_kinds=["visit_note"], **by_another).to_confirm(NOV_24)
    assert signer.startswith("Ana Ruiz signed for the patient, as: Health care agent.")
    assert AuthorizationFactory(patient=patient, entry_kinds=["visit_note"]).to_confirm(NOV_24) == []


def test_what_is_out_of_its_reach_is_refused_by_name(patient):
    named, other = EntryFactory(patient=patient, title="May"), EntryFactory(patient=patient, title="Other")
    form = AuthorizationFactory(patient=patient, entries=[named])
    assert form.refusals(NOV_24, recipient="Beacon Life", entries=[named], purpose="Life insurance") == []
    found = form.refusals(NOV_24, recipient="Harbor Mutual", entries=[named, other], purpose="A job")
    assert [defect.code for defect in found] == ["entries", "recipient", "purpose"]
    assert "Other (May 1, 2026)" in found[0].words
    with pytest.raises(NotAuthorized, match="Other"):
        released(form, entries=[other])


def test_entries_flagged_as_psychotherapy_notes_need_a_form_of_their_own(patient, who):
    entry, other = EntryFactory(patient=patient, title="Session"), EntryFactory(patient=patient)
    flag = EntryFlag.lay(entry, "psychotherapy_notes", reason="Kept apart", **who)
    general, own = AuthorizationFactory(patient=patient), AuthorizationFactory(patient=patient, notes="only")
    assert [defect.code for defect in general.refusals(NOV_24, entries=[entry, other])] == ["notes"]
    assert own.refusals(NOV_24, entries=[entry]) == []
    assert [defect.code for defect in own.refusals(NOV_24, entries=[entry, other])] == ["only_notes"]
    flag.end(reason="By mistake", **who)
    assert general.refusals(NOV_24, entries=list(Entry.objects.filter(patient=patient))) == []


def test_looking_for_flags_costs_the_same_for_one_entry_and_many(patient, django_assert_num_queries):
    form = Authorization.objects.with_acts().get(pk=AuthorizationFactory(patient=patient).pk)
    for count in (1, 6):
        entries = [EntryFactory(patient=patient) for _ in range(count)]
        with django_assert_num_queries(1):
            form.refusals(NOV_24, entries=entries)


def test_a_form_carries_nothing_of_another_chart(patient):
    form = AuthorizationFactory()
    with pytest.raises(NotAuthorized):
        released(form, patient=patient)


def test_one_log_row_for_each_release_names_the_form(patient):
    form = AuthorizationFactory(patient=patient)
    rows = [released(form), released(form, disclosed_on=date(2026, 11, 20))]
    assert [row.authorization_id for row in rows] == [form.pk, form.pk]
    assert [row.authorized_on for row in rows] == [date(2026, 6, 1)] * 2


def test_a_directive_is_honoured_for_the_electronic_copy_and_nothing_on_paper(patient):
    facts = {"kind": "directive", "electronic_only": True, "signed_on": None, "says_revocable": False, "expires_on": None}
    form = AuthorizationFactory(patient=patient, received_on=date(2026, 4, 1), recipient="Clinic app", **facts)
    assert form.refusals(date(2026, 4, 1), recipient="Clinic app") == []
    on_paper = EntryFactory(patient=patient, on_paper=True)
    assert [defect.code for defect in form.refusals(NOV_24, entries=[on_paper])] == ["paper"]
    assert [defect.code for defect in form.refusals(NOV_24, electronic=False)] == ["paper_copy"]
    row = released(form, recipient="Clinic app", purpose="As directed")
    assert row in patient.disclosures.accountable("notice")
    assert row not in patient.disclosures.accountable("hipaa")


def test_a_form_recorded_anew_takes_the_place_of_the_old_one(patient):
    old = AuthorizationFactory(patient=patient, says_revocable=False)
    new = AuthorizationFactory(patient=patient, replaces=old)
    assert "replaced" in [defect.code for defect in seen(old).standing(NOV_24).reasons]
    assert seen(new).standing(NOV_24).valid
    with pytest.raises(IntegrityError), transaction.atomic():
        AuthorizationFactory(patient=patient, replaces=old)
    assert not Authorization.objects.defective().exists()


# act -> its facts; what may be done to a form in each state, and what is refused with words
ACTS = {
    "written": (AuthorizationRevocation, {"received_on": NOV_24}),
    "oral": (OralRevocation, {"asked_on": NOV_24}),
    "event": (AuthorizationEventHappened, {"happened_on": NOV_24, "known_on": NOV_24}),
    "false": (AuthorizationFoundFalse, {"found_on": NOV_24, "reason": "The signature"}),
    "copy": (AuthorizationCopyGiven, {"given_on": NOV_24}),
    "letter": (AuthorizationLetter, {"made_on": NOV_24, "document": b"%PDF"}),
}
REFUSED = {
    "whole": {"event": "does not name anything", "letter": "Nothing is missing"},
    "with_event": {"letter": "Nothing is missing"},
    "defective": {"event": "does not name anything"},
    "written": {"written": "taken back in writing", "oral": "taken back in writing", "event": "taken back in writing",
                "letter": "Nothing is missing"},
    "oral": {"event": "does not name anything", "letter": "Nothing is missing"},
    "event": {"event": "recorded already", "letter": "Nothing is missing"},
    "false": {"event": "does not name anything", "false": "recorded already", "letter": "Nothing is missing"},
    "copy": {"event": "does not name anything", "copy": "recorded already", "letter": "Nothing is missing"},
    "letter": {"event": "does not name anything"},
    "replaced": {"written": "recorded anew", "oral": "recorded anew", "event": "recorded anew",
                 "letter": "Nothing is missing"},
}  # fmt: skip


def in_state(state, patient, who):
    form = AuthorizationFactory(
        patient=patient,
        expiry_event="Trial ends" if state in ("with_event", "event") else "",
        says_revocable=state not in ("defective", "letter"),
    )
    if state == "replaced":
        AuthorizationFactory(patient=patient, replaces=form)
    elif state in ACTS:
        act, facts = ACTS[state]
        act.of(form, **facts, **who)
    return form


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", REFUSED)
def test_each_act_in_each_state_works_or_is_refused_with_words(patient, who, state, act):
    form = in_state(state, patient, who)
    model, facts = ACTS[act]
    before = model.objects.count()
    refusal = REFUSED[state].get(act)
    if refusal:
        with pytest.raises(ValidationError, match=refusal):
            model.of(form, **facts, **who)
    else:
        model.of(form, **facts, **who)
    assert model.objects.count() == before + (0 if refusal else 1)


def test_the_lists_of_the_office(patient, who):
    on = NOV_24
    days = {days: AuthorizationFactory(patient=patient, expires_on=on + timedelta(days=days)) for days in (-1, 0, 30, 31)}
    lacking = AuthorizationFactory(patient=patient, says_revocable=False, expires_on=on)
    revoked = AuthorizationFactory(patient=patient, expires_on=on)
    AuthorizationRevocation.of(revoked, received_on=on, **who)
    OralRevocation.of(days[31], asked_on=on, **who)
    ended = AuthorizationFactory(patient=patient, expires_on=on, expiry_event="Trial ends")
    AuthorizationEventHappened.of(ended, happened_on=on, known_on=on, **who)
    AuthorizationFoundFalse.of(AuthorizationFactory(patient=patient, expires_on=on), found_on=on, reason="Name", **who)
    forms = Authorization.objects
    assert set(forms.expiring(on)) == {days[0], days[30]}
    assert list(forms.defective()) == [lacking]
    assert list(forms.held()) == [days[31]]
    assert list(forms.defective().without_letter()) == [lacking]
    AuthorizationLetter.of(lacking, made_on=on, document=b"%PDF", **who)
    assert not forms.defective().without_letter().exists()


def test_the_last_day_in_effect_for_the_years_that_it_is_kept(patient, who):
    form = AuthorizationFactory(patient=patient, expires_on=date(2027, 2, 28))
    assert form.last_in_effect_on(date(2027, 2, 28)) is None
    assert form.last_in_effect_on(date(2027, 3, 1)) == date(2027, 2, 28)
    AuthorizationRevocation.of(form, received_on=NOV_24, **who)
    assert seen(form).last_in_effect_on(date(2027, 3, 1)) == NOV_24
    again = AuthorizationFactory(patient=patient, replaces=AuthorizationFactory(patient=patient))
    assert seen(again.replaces).last_in_effect_on(date(2027, 3, 1)) == NOV_24  # the day it was recorded anew
    lacking = AuthorizationFactory(patient=patient, says_revocable=False)
    assert lacking.last_in_effect_on(NOV_24) == date(2026, 6, 1)  # it never was: the day it came


@pytest.mark.parametrize(("on", "listed"), [(date(2033, 2, 28), 0), (date(2033, 3, 1), 1)])
def test_a_form_last_in_effect_on_feb_28_2027_is_kept_through_feb_28_2033(patient, on, listed):
    AuthorizationFactory(patient=patient, expires_on=date(2027, 2, 28))
    AuthorizationFactory(patient=patient, expires_on=None, expiry_event="The trial ends")  # still in effect
    (kind,) = [kind for kind in retention.categories() if kind.citation == "164.508(b)(6)"]
    assert len(list(retention.report(kind, on))) == listed


def test_the_standing_of_many_forms_costs_the_same_as_that_of_one(patient, who, django_assert_num_queries):
    for _ in range(5):
        form = AuthorizationFactory(patient=patient, entries=[EntryFactory(patient=patient)])
        OralRevocation.of(form, asked_on=NOV_24, **who)
    with django_assert_num_queries(3):
        assert all(form.standing(NOV_24).valid for form in Authorization.objects.with_acts())


def test_no_form_reads_its_scan_unless_asked(patient, django_assert_num_queries):
    AuthorizationFactory(patient=PatientFactory())
    assert "scan" in Authorization.objects.get().get_deferred_fields()
    assert "scan" in Authorization.objects.with_acts().get().get_deferred_fields()


def test_the_auditors_export_holds_each_form_with_its_state_scan_and_letters(patient, who):
    whole = AuthorizationFactory(patient=patient)
    lacking = AuthorizationFactory(patient=patient, says_revocable=False)
    AuthorizationFactory(patient=patient, received_on=date(2025, 6, 1), expires_on=date(2025, 12, 31))  # over before
    letter = AuthorizationLetter.of(lacking, made_on=NOV_24, document=b"%PDF-1.7", **who)
    AuthorizationRevocation.of(whole, received_on=date(2026, 12, 1), **who)
    released(whole)
    file = io.BytesIO()
    auditor.build(file, date(2026, 1, 1), date(2026, 12, 31), office=Office.current(), by="Nora", at=AT, on=NOV_24)
    archive = zipfile.ZipFile(file)
    rows = list(csv.DictReader(archive.read("authorizations.csv").decode().splitlines()))
    assert [(row["number"], row["state"], row["letters"]) for row in rows] == [
        (str(whole.pk), "Revoked", "0"),
        (str(lacking.pk), "Defective", "1"),
    ]
    assert "164.508(c)(2)(i)" in rows[1]["reasons"]
    assert archive.read(f"authorizations/authorization-{whole.pk}.png") == AttachmentFactory.content
    assert archive.read(f"authorizations/authorization-{lacking.pk}-letter-{letter.pk}.pdf") == b"%PDF-1.7"
    (logged,) = csv.DictReader(archive.read("disclosures.csv").decode().splitlines())
    assert logged["authorization"] == str(whole.pk)

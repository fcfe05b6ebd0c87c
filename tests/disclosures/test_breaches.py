"""A breach: presumed, judged by four factors, and whom to tell by when (164.402–164.412; law.md §10)."""

import html
import io
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from disclosures import breach_letter, breach_rules
from disclosures.breach_rules import CONTENTS, FACTORS
from disclosures.models import Breach, BreachEvent, BreachLetter
from disclosures.models.breaches import NotNow, Standing
from disclosures.suspension_rules import NotSuspendable
from meso.models import AccessEvent, Office
from meso.seals import verify
from tests.factories import AT, ContactPreferenceFactory, DisclosureFactory, PatientFactory, UserFactory

FOUND, ON = date(2026, 11, 20), date(2026, 11, 24)
SAYS = {name: f"Our words about {name}, call (518) 555-0140." for name in CONTENTS}


# --- the dates --------------------------------------------------------------------------------------------------------


def due(found, people, residents=None, delayed=None) -> dict[str, date]:
    return {duty.key: duty.due_on for duty in breach_rules.duties(found, people, residents or {}, delayed)}


@pytest.mark.parametrize(
    ("found", "people", "residents", "dates"),
    [
        (FOUND, 1, {}, {"individuals": date(2027, 1, 19), "hhs": date(2027, 3, 1)}),
        (date(2027, 1, 1), 1, {}, {"individuals": date(2027, 3, 2), "hhs": date(2028, 2, 29)}),  # year of the discovery
        (date(2027, 12, 31), 499, {}, {"individuals": date(2028, 2, 29), "hhs": date(2028, 2, 29)}),
        (FOUND, 499, {"NY": 499}, {"individuals": date(2027, 1, 19), "hhs": date(2027, 3, 1)}),
        (FOUND, 500, {"NY": 500}, {"individuals": date(2027, 1, 19), "hhs": date(2027, 1, 19)}),  # HHS with the people
        (FOUND, 501, {"NY": 501}, {"individuals": date(2027, 1, 19), "media": date(2027, 1, 19), "hhs": date(2027, 1, 19)}),
        (FOUND, 900, {"NY": 500, "NJ": 400}, {"individuals": date(2027, 1, 19), "hhs": date(2027, 1, 19)}),
        (FOUND, None, {}, {"individuals": date(2027, 1, 19)}),
    ],
)
def test_whom_to_tell_by_when(found, people, residents, dates):
    assert due(found, people, residents) == dates


@pytest.mark.parametrize(("count", "states"), [(500, []), (501, ["NY"])])
def test_the_media_are_told_of_more_than_500_residents_of_one_state(count, states):
    assert breach_rules.media_states({"NY": count, "NJ": 3}) == states


@pytest.mark.parametrize(
    ("through", "individuals"),
    [(date(2026, 12, 20), date(2027, 1, 19)), (date(2027, 1, 18), date(2027, 1, 19)), (date(2027, 3, 1), date(2027, 3, 2))],
)
def test_a_delay_that_outlasts_the_sixty_days_moves_the_date_to_the_day_after_it(through, individuals):
    assert due(FOUND, 1, delayed=through)["individuals"] == individuals


@given(found=st.dates(date(2010, 1, 1), date(2100, 1, 1)), people=st.integers(0, 2000))
def test_hhs_is_never_told_sooner_than_the_people_of_many_and_never_later_than_march_1(found, people):
    hhs = breach_rules.hhs_by(found, people)
    assert breach_rules.individuals_by(found) == found + timedelta(days=60)
    if people >= 500:
        assert hhs == found + timedelta(days=60)
    else:
        assert hhs in (date(found.year + 1, 3, 1), date(found.year + 1, 2, 29) if hhs.day == 29 else None)


# --- what may be done -------------------------------------------------------------------------------------------------


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer")


@pytest.fixture
def now(officer):
    return {"by": officer, "at": AT, "on": ON}


@pytest.fixture
def row(patient):
    return DisclosureFactory(patient=patient, purpose_code="impermissible", recipient="Wrong fax number", purpose="Misdialled")


@pytest.fixture
def breach(row, now):
    return Breach.open_one(what="A fax went to a wrong number.", discovered_on=FOUND, disclosure=row, **now)


def standing(breach) -> Standing:
    return Standing.of(Breach.objects.get(pk=breach.pk))


def factors(**change):
    return {name: f"Reasoning about {name}" for name in FACTORS} | change


def test_one_is_opened_from_a_row_and_concerns_its_patient(breach, row, patient):
    assert (row.breach, [one.patient for one in breach.affected.all()]) == (breach, [patient])
    assert [duty.key for duty in standing(breach).to_tell()] == ["individuals"]
    assert verify().breaks == []


def test_a_row_has_one_assessment(breach, row, now):
    with pytest.raises(IntegrityError), transaction.atomic():
        Breach.open_one(what="Again", discovered_on=FOUND, disclosure=row, **now)


@pytest.mark.parametrize(
    ("days", "field"),
    [({"discovered_on": date(2026, 11, 25)}, "discovered_on"), ({"discovered_on": FOUND, "happened_on": ON}, "happened_on")],
)
def test_days_that_can_not_be(now, days, field):
    with pytest.raises(NotNow) as refusal:
        Breach.open_one(what="A loss", **days, **now)
    assert refusal.value.field == field


@pytest.mark.parametrize("factor", FACTORS)
def test_each_factor_needs_its_reasoning(breach, now, factor):
    with pytest.raises(NotNow, match="four factors") as refusal:
        breach.assess(factors(**{factor: "  "}), low=True, **now)
    assert refusal.value.field == factor
    assert not BreachEvent.objects.exists()


def test_of_a_low_probability_nobody_need_be_told(breach, now):
    breach.assess(factors(), low=True, **now)
    assert (standing(breach).is_low, standing(breach).duties()) == (True, [])
    breach.close("It came back unopened.", **now)
    assert not Breach.objects.open().exists()
    for act in (
        lambda: breach.assess(factors(), low=False, **now),
        lambda: breach.count(1, {}, **now),
        lambda: breach.describe(SAYS, **now),
        lambda: breach.tell("hhs", told_on=ON, how="Portal", **now),
        lambda: breach.close("Again", **now),
    ):
        with pytest.raises(NotNow, match="closed"):
            act()


def test_a_breach_is_closed_only_when_everybody_is_told(breach, now):
    with pytest.raises(NotNow, match="how many people"):
        breach.close("Done", **now)
    breach.assess(factors(), low=False, **now)
    breach.count(501, {"NY": 501}, **now)
    breach.describe(SAYS, **now)
    for whom, left in (("individuals", "media of NY, The Sec"), ("media", "The Secretary"), ("hhs", "")):
        with pytest.raises(NotNow, match="Still to be told"):
            breach.close("Done", **now)
        breach.tell(whom, told_on=ON, how="By mail", **now)
        assert left in ", ".join(duty.label for duty in standing(breach).to_tell())
    breach.close("The number is out of the machine.", **now)
    assert standing(breach).closed


@pytest.mark.parametrize("item", CONTENTS)
def test_nobody_is_told_by_a_letter_that_lacks_one_of_its_five_parts(breach, patient, now, item):
    with pytest.raises(NotNow, match="must say this") as refusal:
        breach.describe(SAYS | {item: " "}, **now)
    assert refusal.value.field == item
    with pytest.raises(NotNow, match="five parts"):
        breach.tell("individuals", told_on=ON, how="mail", **now)
    with pytest.raises(NotNow, match="would lack"):
        breach_letter.make(standing(breach), patient, office=Office.current(), **now)


@pytest.mark.parametrize("told_on", [FOUND - timedelta(days=1), ON + timedelta(days=1)])
def test_a_telling_lies_between_the_discovery_and_today(breach, now, told_on):
    with pytest.raises(NotNow, match="between"):
        breach.tell("hhs", told_on=told_on, how="Portal", **now)


def delay(breach, now, **change):
    facts = {"agency": "FBI", "official": "Agent Lee, credentials seen", "written": False, "stated_on": FOUND, "until": None}
    return breach.delay(**facts | change, **now)


def test_law_enforcement_delays_the_telling_by_the_clock_of_a_suspension(breach, patient, now):
    breach.describe(SAYS, **now)
    delay(breach, now)
    assert standing(breach).delayed_through == date(2026, 12, 20)
    with pytest.raises(NotNow, match=r"164\.412"):
        breach.tell("individuals", told_on=ON, how="mail", **now)
    with pytest.raises(NotNow, match=r"164\.412"):
        breach_letter.make(standing(breach), patient, office=Office.current(), **now)
    with pytest.raises(NotNow, match="a second oral one"):
        delay(breach, now, stated_on=ON)
    delay(breach, now, written=True, until=date(2027, 3, 1))
    assert standing(breach).to_tell()[0].due_on == date(2027, 3, 2)


def test_no_letter_is_made_through_the_last_day_of_the_delay(breach, patient, now):
    """Stated orally on November 20: it holds through December 20, the thirtieth day (164.412(b))."""
    breach.describe(SAYS, **now)
    delay(breach, now)
    facts = {**now, "office": Office.current()}
    with pytest.raises(NotNow, match=r"164\.412"):
        breach_letter.make(standing(breach), patient, **facts | {"on": date(2026, 12, 20)})
    assert breach_letter.make(standing(breach), patient, **facts | {"on": date(2026, 12, 21)}).made_on == date(2026, 12, 21)


@pytest.mark.parametrize(
    "change", [{"until": date(2027, 1, 1)}, {"stated_on": date(2026, 10, 1)}, {"stated_on": date(2026, 11, 25)}]
)
def test_a_statement_that_can_not_be_delays_nothing(breach, now, change):
    with pytest.raises(NotSuspendable):
        delay(breach, now, **change)


def test_the_letter_says_its_five_parts_and_goes_where_the_patient_wishes(breach, patient, now):
    ContactPreferenceFactory(patient=patient, where="PO Box 12\nAlbany, NY 12201", begins_on=date(2026, 1, 1))
    breach.describe(SAYS, **now)
    letter = breach_letter.make(standing(breach), patient, office=Office.current(), **now)
    assert letter.addressed_to == f"{patient.name}\nPO Box 12\nAlbany, NY 12201"
    text = " ".join(PdfReader(io.BytesIO(letter.document)).pages[0].extract_text().split())
    for words in (*SAYS.values(), "We found out on November 20, 2026", patient.name, "PO Box 12"):
        assert words in text


def test_the_letter_is_in_the_patients_language(breach, patient, now):
    breach.describe(SAYS, **now)
    other = PatientFactory(language="es")
    breach.concern(other, by=now["by"], at=AT)
    letter = breach_letter.make(standing(breach), other, office=Office.current(), **now)
    assert "Nos enteramos el 20 de noviembre de 2026" in " ".join(
        PdfReader(io.BytesIO(letter.document)).pages[0].extract_text().split()
    )


STATED = {"agency": "FBI", "official": "Lee", "how": "oral", "stated_on": "2026-11-01", "until": ""}

# --- the pages --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nov_24")
@pytest.mark.parametrize("chart", ["", "T9", "\0", "10023\0x"])
def test_a_letter_to_somebody_whom_it_does_not_concern_is_no_page(client, signed_in, breach, chart):
    signed_in("privacy_officer")
    assert client.post(f"/breaches/{breach.pk}/letter/", {"chart": chart}).status_code == 404


@pytest.mark.usefixtures("nov_24")
def test_the_officer_goes_from_the_row_to_the_closed_breach(client, signed_in, row, patient):
    signed_in("privacy_officer")
    assert f"/breaches/new/?row={row.pk}" in client.get("/").content.decode()
    assert f"/breaches/new/?row={row.pk}" in client.get(f"/disclosures/{row.pk}/").content.decode()
    opened = {"what": "A fax went astray.", "happened_on": "2026-11-19", "discovered_on": "2026-11-20"}
    client.post(f"/breaches/new/?row={row.pk}", opened)
    one = Breach.objects.get()
    assert (one.disclosure, one.discovered_on) == (row, FOUND)
    page = client.get(f"/breaches/{one.pk}/").content.decode()
    assert "As soon as possible, at the latest Tuesday, January 19, 2027" in page
    assert client.get(f"/breaches/new/?row={row.pk}").headers["Location"] == f"/breaches/{one.pk}/"
    acts = [
        ("count", {"people": "1", "residents": "ny 1"}),
        ("assess", {**factors(), "low": "no"}),
        ("describe", SAYS),
        ("letter", {"chart": "10023"}),
        ("individuals", {"told_on": "2026-11-24", "how": "mail"}),
        ("hhs", {"told_on": "2026-11-24", "how": "Portal"}),
        ("close", {"reason": "Number deleted from the machine."}),
    ]
    for act, sent in acts:
        assert client.post(f"/breaches/{one.pk}/{act}/", sent).headers.get("Location") == f"/breaches/{one.pk}/", act
    assert standing(one).closed
    letter = BreachLetter.objects.defer(None).get()
    assert client.get(f"/breaches/letters/{letter.pk}/").content == bytes(letter.document)
    assert client.get("/breaches/").status_code == 200
    assert f"Assess disclosure {row.pk}" not in client.get("/").content.decode()
    assert AccessEvent.objects.filter(subject=f"breach {one.pk}").count() >= 7


@pytest.mark.usefixtures("nov_24")
@pytest.mark.parametrize(
    ("act", "sent", "field", "words"),
    [
        ("count", {"people": "2", "residents": "NY 3"}, "residents", "can't be more"),
        ("count", {"people": "3", "residents": "New York 3"}, "residents", "not a state"),
        ("assess", {**dict.fromkeys(FACTORS, "x"), "low": ""}, "low", "required"),
        ("assess", {**dict.fromkeys(FACTORS, "x"), "seen": "", "low": "yes"}, "seen", "required"),
        ("describe", SAYS | {"contact": "Ask us"}, "contact", "toll-free"),
        ("describe", SAYS | {"steps": ""}, "steps", "required"),
        ("hhs", {"told_on": "2026-11-25", "how": "Portal"}, "told_on", "between"),
        (
            "delay",
            {"agency": "FBI", "official": "Lee", "how": "oral", "stated_on": "2026-11-01", "until": "2027-01-01"},
            "until",
            "30",
        ),
        ("close", {"reason": "x"}, "__all__", "how many people"),
        ("affected", {"patient": "10023"}, "patient", "named already"),
        ("affected", {"patient": "none"}, "patient", "no chart"),
    ],
)
def test_what_can_not_be_is_said_at_its_field(client, signed_in, breach, act, sent, field, words):
    signed_in("privacy_officer")
    form = client.post(f"/breaches/{breach.pk}/{act}/", sent).context["form"]
    assert words in html.unescape(str(form.errors[field]))
    assert not BreachEvent.objects.exists()


@pytest.mark.usefixtures("nov_24")
def test_the_dashboard_shows_what_is_due_in_a_number_of_queries_that_does_not_grow(client, signed_in, queries_for, breach, now):
    signed_in("privacy_officer")
    breach.assess(factors(), low=False, **now)
    breach.count(1, {}, **now)
    client.get("/")
    before = len(queries_for("/"))
    for _ in range(3):
        Breach.open_one(what="Another", discovered_on=FOUND, **now).count(1, {}, **now)
    assert len(queries_for("/")) == before
    page = client.get("/").content.decode()
    for words in ("Tell of breach", "Judge breach", "Jan 19, 2027", "Mar 1, 2027"):
        assert words in page

"""The form that the public page and the desk share: only the chosen kind is checked, and nothing forbidden is demanded."""

from datetime import date

import pytest
from django.http import QueryDict

from requests_app import asked
from requests_app.forms.ask import AskForm
from requests_app.kinds import DETAILS, Kind
from requests_app.models import PatientRequest
from tests.requests_app.public_pages import ASKER, PART

ON = date(2026, 11, 24)


class WebForm(AskForm):
    """As a form without a chart behind it."""

    reach_needed = True


def ask(kind: str = "", *, form: type[AskForm] = AskForm, **fields: str) -> AskForm:
    data = QueryDict(mutable=True)
    data.update({"kind": kind, "who": "patient", "asker_name": "Isa", **fields})
    return form(data, on=ON)


def errors(form: AskForm) -> dict[str, list[str]]:
    return {name: list(messages) for name, messages in form.errors.items()}


@pytest.mark.parametrize("kind", Kind.values)
def test_every_kind_keeps_exactly_its_own_facts(kind):
    everything = {name: value for part in PART.values() for name, value in part.items()} | {"description": "More"}
    form = ask(kind, **{**everything, **ASKER})
    assert form.is_valid(), form.errors
    facts = form.facts()
    assert set(facts["details"]) == set(DETAILS[kind])
    assert facts["details"] == {
        name.removeprefix(f"{kind}_"): value for name, value in PART[kind].items() if name != "description"
    }
    assert (facts["asker_name"], facts["asker_born"], facts["on_behalf"]) == ("Björk Guðmundsdóttir", date(1984, 7, 2), "")


def test_every_fact_of_every_kind_has_its_field():
    for kind in Kind:
        assert set(AskForm.names_of(kind)) <= set(AskForm.base_fields)


def test_the_other_kinds_are_not_checked():
    form = ask("restriction", restriction_what="All", access_since="nonsense", accounting_until="2999-01-01")
    assert form.is_valid(), form.errors
    assert form.details() == {"what": "All"}


def test_without_a_kind_the_form_says_to_choose_one():
    assert errors(ask(""))["kind"] == ["Please choose one."]


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        ("access", set()),
        ("amendment", {"amendment_change"}),
        ("restriction", {"restriction_what"}),
        ("confidential_communication", {"confidential_communication_means", "confidential_communication_where"}),
        ("accounting", set()),
    ],
)
def test_only_what_the_request_is_about_is_demanded(kind, needed):
    """No reason for access or amendment, no birth date, no notary: an oral request with a name is a request."""
    assert set(errors(ask(kind))) == needed


def test_there_is_no_field_for_the_why_of_a_confidential_communication():
    """164.522(b)(2)(iii): the office may not ask for an explanation."""
    form = ask("confidential_communication")
    labels = " ".join(str(form[name].label) + str(form[name].help_text) for name in form.names_of("confidential_communication"))
    assert not {"why", "reason", "because", "explain"} & set(labels.lower().replace(".", " ").split())
    assert form.names_of("confidential_communication") == [
        f"confidential_communication_{fact}" for fact in ("means", "where", "avoid")
    ]


def test_who_picks_up_needs_no_address():
    form = ask("confidential_communication", confidential_communication_means="pick_up")
    assert form.is_valid(), form.errors
    assert form.details() == {"means": "pick_up", "where": "Picked up at the office"}


def test_who_acts_for_the_patient_says_their_name_and_what_they_are():
    assert set(errors(ask("access", who="other"))) == {"acting_name", "acting_as"}
    form = ask("access", who="other", acting_name="Rosa Alvarez", acting_as="mother")
    assert form.is_valid()
    assert (form.facts()["asker_name"], form.facts()["on_behalf"]) == ("Isa", "Rosa Alvarez, mother")


def test_a_representative_beside_i_am_the_patient_is_asked_about():
    form = ask("access", who="patient", acting_name="Rosa Alvarez")
    assert set(errors(form)) == {"who"}


@pytest.mark.parametrize(
    ("fields", "wrong", "words"),
    [
        ({"asker_born": "2026-11-25"}, "asker_born", "future"),
        ({"asker_born": "1/1/1890"}, "asker_born", "year"),
        ({"asker_born": "the second of July"}, "asker_born", "Type it like"),
        ({"asker_phone": "12345"}, "asker_phone", "whole telephone number"),
        ({"asker_email": "nobody"}, "asker_email", "valid email"),
        ({"access_since": "2026-12-01"}, "access_since", "future"),
        ({"access_since": "2026-05-02", "access_until": "2026-05-01"}, "access_until", "before the first one"),
        ({"asker_name": " "}, "asker_name", "fill this in"),
        ({"asker_name": "x" * 401}, "asker_name", "at most 400"),
        ({"asker_name": "A\0B"}, "asker_name", "Null"),
        ({"description": "x" * 10_001}, "description", "at most 10000"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(fields, wrong, words):
    found = errors(ask("access", **fields))
    assert set(found) == {wrong}
    assert words in found[wrong][0]


@pytest.mark.parametrize("typed", ["7/2/1984", "07/02/1984", "7-2-1984", "1984-07-02", "July 2, 1984", "Jul 2, 1984"])
def test_a_birth_date_is_read_as_people_write_it(typed):
    form = ask("access", asker_born=typed)
    assert form.is_valid(), form.errors
    assert form.facts()["asker_born"] == date(1984, 7, 2)


@pytest.mark.parametrize(("since", "is_good"), [("2020-11-24", True), ("2020-11-23", False)])
def test_a_list_of_disclosures_goes_back_six_years(since, is_good):
    form = ask("accounting", accounting_since=since)
    assert form.is_valid() is is_good
    if not is_good:
        assert "Nov 24, 2020" in errors(form)["accounting_since"][0]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"asker_phone"}),
        ({"asker_phone": "5550102233"}, set()),
        ({"asker_address": "12 Elm Street"}, set()),
        ({"asker_email": "not one"}, {"asker_email"}),
        ({"asker_phone": "5550102233", "access_form": "mail"}, {"access_delivery_address"}),
        ({"asker_address": "12 Elm Street", "access_form": "mail"}, set()),
        ({"asker_phone": "5550102233", "access_form": "electronic"}, {"access_delivery_address"}),
        ({"asker_email": "a@example.org", "access_form": "electronic"}, set()),
        ({"asker_phone": "5550102233", "access_form": "electronic", "access_delivery_address": "a@example.org"}, set()),
        ({"asker_phone": "5550102233", "access_form": "inspect"}, set()),
    ],
)
def test_without_a_chart_we_must_be_able_to_answer_and_to_send(fields, wrong):
    assert set(errors(ask("access", form=WebForm, **fields))) == wrong


def test_where_to_reach_the_patient_may_be_the_request_itself():
    part = {"confidential_communication_means": "phone", "confidential_communication_where": "555-010-9999"}
    assert ask("confidential_communication", form=WebForm, **part).is_valid()


def test_a_page_can_show_all_five_parts():
    form = AskForm(on=ON)
    assert [kind for kind, _, _ in form.parts()] == Kind.values
    assert [field.name for field in form.asker()] == list(AskForm.ASKER)
    html = str(form["kind"])
    for kind in Kind:
        assert str(kind.label) in html
    assert html.count('class="help') == 5


def test_what_was_asked_for_is_told_in_words():
    request = PatientRequest(kind="access", details={"since": "2026-05-01", "form": "mail", "which": "All", "until": ""})
    assert asked.lines(request) == [("Which records", "All"), ("From", "May 1, 2026"), ("How", "On paper, by mail")]
    request = PatientRequest(kind="confidential_communication", details={"means": "phone", "where": "555", "strange": "x"})
    assert asked.lines(request) == [("How to reach the patient", "By telephone"), ("Where", "555")]
    request = PatientRequest(kind="accounting", details={"since": "once upon a time"})
    assert asked.lines(request) == [("From", "once upon a time")]

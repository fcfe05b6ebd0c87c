"""The fuzz sees what is weak, and a short run of it finds nothing in the house (the long one: `python -m tests.fuzz`)."""

import pytest
from django.db import connection
from django.http import QueryDict

from meso import clock
from meso.models import Office as Profile
from tests.factories import PatientFactory, UserFactory
from tests.fuzz import attack, forms, importers, office, reach
from tests.fuzz.visitors import Visitor


def attacker() -> attack.Attacker:
    Profile.current()  # made at the first look
    return attack.Attacker(office.Office(), 1, attack.Report())


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("/weak/echo/", "unescaped"),
        ("/weak/fails/", "answered 500"),
        ("/weak/half/", "refused with 400, but records_historicalpatient"),
    ],
)
def test_a_weak_view_is_seen(db, settings, address, word):
    settings.ROOT_URLCONF = "tests.fuzz.weak"
    form = next(form for form in forms.walk(attack.Sender(), "").forms.values() if form.action == address)
    against = attacker()
    against.form(attack.Sender(), form, 120)
    (finding,) = against.report.findings
    assert word in finding


def test_a_parameter_that_sends_people_away_is_found_and_seen(db, settings):
    settings.ROOT_URLCONF = "tests.fuzz.weak"
    against = attacker()
    (page,) = [page for page in reach.Reach(against.office, [Visitor("")]).find().pages if page.path.startswith("/weak/find/")]
    assert page.names == ["q"]
    against.query(attack.Sender(), "go", "/weak/go/", ["to"], 40)
    assert "sent away to" in against.report.findings[0]


def test_a_look_that_writes_is_seen(db, settings):
    settings.ROOT_URLCONF = "tests.fuzz.weak"
    against = attacker()
    against.query(attack.Sender(), "half", "/weak/half/", [], 3)
    assert (
        "looked at with 400, but records_historicalpatient, records_namekey, records_patient changed"
        in against.report.findings[0]
    )


def test_every_input_meets_the_same_office_and_the_same_person(db):
    against, client = attacker(), attack.Sender()
    client.force_login(UserFactory(role="office_admin"))
    for _ in range(3):
        with against.office.undone() as written:
            assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/").status_code == 200
    assert written == set()


def test_what_is_asked_for_is_noticed():
    with office.noticing() as names:
        query = QueryDict("a=1&b=2")
        assert (query.get("a"), query.getlist("b"), "c" in query) == ("1", ["2"], False)
    assert names == {"a", "b", "c"}
    assert query.get("d") is None
    assert "d" not in names


def test_the_tables_that_a_refusal_may_change_are_there(db):
    assert set(connection.introspection.table_names()) >= set(office.MAY_CHANGE) | {table for _, table in office.SHOWN_ONCE}
    assert set(reach.views()) >= {view for view, _ in office.SHOWN_ONCE}


def test_forms_are_read_with_all_that_they_send():
    page = (
        '<form method="post" action="/a/"><input name="day" type="date"><select name="kind"><option value="x">X</option>'
        '<option value="y" selected>Y</option></select><textarea name="why"></textarea>'
        '<input type="checkbox" name="sure" value="1"><button formaction="/b/">B</button></form>'
    )
    _links, (first, second) = forms.read("", "/", page)
    assert first.plain() == {"day": [clock.today().isoformat()], "kind": ["y"], "why": ["Words"], "sure": ["1"]}
    assert first.plain(sparse=True) == {"day": [""], "kind": ["y"], "why": [""]}
    assert (first.method, first.action, second.action) == ("post", "/a/", "/b/")


@pytest.mark.parametrize("role", ["", "front_desk", "office_admin"])
def test_a_short_run_over_the_first_pages_finds_nothing(db, role):
    PatientFactory(chart_number="10023")
    against, client = attacker(), attack.Sender()
    if role:
        client.force_login(UserFactory(role=role))
    walked = forms.walk(client, role)
    assert len(walked.pages) > (20 if role else 5)
    for form in walked.forms.values():
        against.form(client, form, 2)
    assert against.report.findings == []


def test_a_short_run_over_the_importers_finds_nothing(db, tmp_path):
    PatientFactory(chart_number="10023")
    against = attacker()
    for _name, attack_it in importers.targets(against, tmp_path):
        attack_it(12)
    assert against.report.findings == []
    assert against.report.answers["file refused"] > 20
    assert against.report.answers["file taken in"] > 5

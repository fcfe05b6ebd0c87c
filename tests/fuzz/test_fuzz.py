"""The fuzz sees what is weak, and a short run of it finds nothing in the house (the long one: `python -m tests.fuzz`)."""

import pytest

from meso.models import Office as Profile
from tests.factories import PatientFactory, UserFactory
from tests.fuzz import attack, forms, importers


def attacker() -> attack.Attacker:
    Profile.current()  # made at the first look
    return attack.Attacker(attack.Office(), 1, attack.Report())


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
    form = next(form for form in forms.walk(attack.Sender(), "")[1] if form.action == address)
    against = attacker()
    against.form(attack.Sender(), form, 120)
    (finding,) = against.report.findings
    assert word in finding


def test_forms_are_read_with_all_that_they_send():
    page = (
        '<form method="post" action="/a/"><input name="day" type="date"><select name="kind"><option value="x">X</option>'
        '<option value="y" selected>Y</option></select><textarea name="why"></textarea>'
        '<input type="checkbox" name="sure" value="1"><button formaction="/b/">B</button></form>'
    )
    _links, (first, second) = forms.read("", "/", page)
    assert first.plain() == {"day": ["2026-11-02"], "kind": ["y"], "why": ["Words"]}
    assert (first.method, first.action, second.action) == ("post", "/a/", "/b/")


@pytest.mark.parametrize("role", ["", "front_desk", "office_admin"])
def test_a_short_run_over_the_first_pages_finds_nothing(db, role):
    PatientFactory(chart_number="10023")
    against, client = attacker(), attack.Sender()
    if role:
        client.force_login(UserFactory(role=role))
    pages, found = forms.walk(client, role)
    assert pages
    assert found
    for form in found:
        against.form(client, form, 2)
    assert against.report.findings == []


def test_a_short_run_over_the_importers_finds_nothing(db, tmp_path):
    PatientFactory(chart_number="10023")
    against = attacker()
    importers.attack(against, tmp_path, 40)
    assert against.report.findings == []
    assert against.report.answers["refused"] > 20

"""The status page: state and dates for whoever has number and code; nothing else, and nothing for anybody else."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from meso.models import AccessEvent
from requests_app import codes
from requests_app.models import PatientRequest
from requests_app.models.timeline import Verb
from tests.factories import PatientFactory, RequestFactory, UserFactory
from tests.requests_app.public_pages import ASKER, PART, number_and_code, send, value_of

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
ON = date(2026, 11, 24)
STATUS = "/privacy/status/"


@pytest.fixture(autouse=True)
def today(db):
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def sent(client):
    """A request that came through the form, its number and its code."""
    send(client)
    return PatientRequest.objects.get(), *number_and_code(client)


def look(client: Client, number: str, code: str) -> str:
    response = client.post(STATUS, {"number": number, "code": code})
    assert response.status_code == 200
    return response.content.decode()


def shown(html: str) -> dict[str, str]:
    """The dates of the page by their labels."""
    return dict(re.findall(r"<dt>(.*?)</dt><dd>\w+, (.*?)</dd>", html))


def acts(**more) -> dict:
    return {"by": UserFactory(role="privacy_officer"), "at": NOW, "on": ON, **more}


def test_number_and_code_tell_state_and_dates(client, sent):
    _, number, code = sent
    html = look(Client(), number, code)
    assert "We are working on it" in html
    assert shown(html) == {"Received": "November 24, 2026", "Due": "December 24, 2026"}


@pytest.mark.parametrize("as_typed", [str.lower, lambda text: text.replace("-", ""), lambda text: f"  {text.replace('-', ' ')} "])
def test_they_may_be_typed_as_people_type(client, sent, as_typed):
    _, number, code = sent
    assert "We are working on it" in look(client, as_typed(number), as_typed(code))


def test_nothing_is_told_about_the_person_or_the_words(client, sent):
    request, number, code = sent
    patient = PatientFactory(first_name="Björk", last_name="Guðmundsdóttir", chart_number="C-77123")
    request.match(patient, **acts())
    html = look(client, number, code)
    typed = [value.splitlines()[0] for value in [*ASKER.values(), *PART["access"].values()] if len(value) > len("patient")]
    for secret in [*typed, "C-77123", "copy the record", "See or copy", "Chart", patient.name]:
        assert secret not in html, secret


def without_tokens(html: str) -> str:
    return re.sub(r'nonce="[^"]*"|[A-Za-z0-9]{64}', "", html)


def test_whether_a_chart_was_found_is_not_told(client, sent):
    """Or a request in another's name would find out whether the other is a patient here."""
    request, number, code = sent
    before = look(client, number, code)
    request.match(PatientFactory(), **acts())
    request.verify_identity("photo ID", **acts())
    assert without_tokens(look(client, number, code)) == without_tokens(before)


def test_an_extension_shows_the_first_and_the_new_day(client, sent):
    request, number, code = sent
    request.extend(until=date(2027, 1, 10), reason="Secret reason", told_on=ON, **acts())
    html = look(client, number, code)
    assert shown(html) == {"Received": "November 24, 2026", "First due": "December 24, 2026", "Extended to": "January 10, 2027"}
    assert "Secret" not in html


def test_a_decision_and_an_answer_show_without_what_they_say(client, sent):
    request, number, code = sent
    request.match(PatientFactory(), **acts())
    request.verify_identity("photo ID", **acts())
    request.decide("granted", **acts())
    assert "Decided" in look(client, number, code)
    request.carried_out(Verb.COPIES_GIVEN, ON, given_on=ON, how="mail", **acts())
    html = look(client, number, code)
    assert "Answered" in html
    assert shown(html)["Answered on"] == "November 24, 2026"
    assert "ranted" not in html


def test_what_was_taken_back_says_so(client, sent):
    request, number, code = sent
    request.withdraw(reason="Patient called", **acts())
    html = look(client, number, code)
    assert "Withdrawn" in html
    assert shown(html)["Withdrawn on"] == "November 24, 2026"


@pytest.mark.parametrize(
    ("day", "late"), [(datetime(2026, 12, 24, 20, tzinfo=UTC), False), (datetime(2026, 12, 25, 20, tzinfo=UTC), True)]
)
def test_after_the_due_day_it_says_that_we_are_late_and_whom_to_call(client, sent, day, late):
    _, number, code = sent
    with time_machine.travel(day, tick=False):
        html = look(client, number, code)
    assert ("We are sorry" in html) is late


def answer(html: str) -> str:
    return re.search(r'role="alert".*?</div>', html, re.S).group()


def test_a_wrong_number_and_a_wrong_code_get_one_and_the_same_answer(client, sent):
    _, number, code = sent
    tries = [(number, "2222-2222-2222"), ("R-999999", code), ("nonsense", code), ("R-1001'; --", "x"), (number, code[:-1])]
    answers = {answer(look(client, *one)) for one in tries}
    assert len(answers) == 1
    assert "No request has this number with this code" in answers.pop()


def test_a_wrong_number_costs_the_work_of_a_wrong_code(client, sent, queries_for, monkeypatch):
    _, number, _ = sent
    digests = []
    real = codes.digest
    monkeypatch.setattr(codes, "digest", lambda *given: digests.append(given) or real(*given))

    def plain(queries: list[str]) -> list[str]:
        return [re.sub(r"'[^']*'|\d+", "?", sql) for sql in queries]

    look(client, number, "2222-2222-2222")  # the first of this place begins to be counted
    digests.clear()
    wrong_code = plain(queries_for(STATUS, {"number": number, "code": "2222-2222-2222"}))
    work = len(digests)
    wrong_number = plain(queries_for(STATUS, {"number": "R-999999", "code": "2222-2222-2222"}))
    assert wrong_code == wrong_number
    assert len(digests) == 2 * work


# --- guessing -------------------------------------------------------------------------------------------------------


def test_after_ten_wrong_tries_an_address_waits_even_with_the_right_code_and_others_do_not(client, sent):
    _, number, code = sent
    before = AccessEvent.objects.count()
    for _ in range(10):
        look(client, number, "2222-2222-2222")
    for _ in range(5):
        assert client.post(STATUS, {"number": number, "code": code}).status_code == 429
    assert AccessEvent.objects.count() == before + 11  # ten tries, and one for all that were refused
    assert AccessEvent.objects.order_by("-id")[0].subject == "too often: wrong number or code"
    assert "We are working on it" in look(Client(REMOTE_ADDR="198.51.100.9"), number, code)
    with time_machine.travel(NOW + timedelta(minutes=15), tick=False):
        assert "We are working on it" in look(client, number, code)


def test_looking_with_the_right_code_is_no_try(client, sent):
    _, number, code = sent
    for _ in range(15):
        assert "We are working on it" in look(client, number, code)


def test_codes_are_drawn_evenly_from_more_than_two_to_the_58(monkeypatch):
    assert len(codes._LETTERS) ** codes._LENGTH > 2**58
    drawn = "".join(codes.code_for(str(seed)).replace("-", "") for seed in range(2000))
    share = [drawn.count(letter) / len(drawn) * len(codes._LETTERS) for letter in codes._LETTERS]
    assert min(share) > 0.85
    assert max(share) < 1.15


def test_a_new_secret_leaves_codes_good_as_long_as_the_old_one_is_kept(client, sent, settings):
    _, number, code = sent
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 60
    assert number_and_code(client) == (number, code)  # the receipt still tells the code that was given
    assert "We are working on it" in look(client, number, code)
    assert "No request has" in look(client, number, "2222-2222-2222")
    settings.SECRET_KEY_FALLBACKS = []
    assert "No request has" in look(client, number, code)


def test_every_secret_is_tried_for_a_wrong_number_too(client, sent, settings, monkeypatch):
    _, number, code = sent
    settings.SECRET_KEY_FALLBACKS = ["o" * 60, "p" * 60]
    compared = []
    real = codes.constant_time_compare
    monkeypatch.setattr(codes, "constant_time_compare", lambda one, other: compared.append(1) or real(one, other))
    work = []
    for one in ((number, code), (number, "2222-2222-2222"), ("R-999999", code)):
        compared.clear()
        look(client, *one)
        work.append(len(compared))
    assert work == [3, 3, 3]  # today's secret and two former ones, whatever is right


def test_a_request_without_a_code_can_not_be_looked_up(client):
    request = RequestFactory(channel="letter")
    for code in ("", "-", "2222-2222-2222", "no such request"):
        assert "We are working on it" not in look(client, request.number, code)


def test_what_was_typed_comes_back(client, sent):
    html = look(client, "R-4711", "ABCD-EFGH-JKMN")
    assert (value_of(html, "number"), value_of(html, "code")) == ("R-4711", "ABCD-EFGH-JKMN")


def test_empty_fields_say_so(client):
    response = client.post(STATUS, {})
    assert set(response.context["form"].errors) == {"number", "code"}


def test_looks_and_refusals_are_audited_without_the_code(client, sent):
    _, number, code = sent
    look(client, number, code)
    look(client, number, "2222-2222-2222")
    view, refused = AccessEvent.objects.order_by("-id")[:2][::-1]
    assert (view.action, view.subject, view.user) == ("view", f"status of {number}", None)
    assert (refused.action, refused.subject) == ("refused", "status of a request")
    assert not AccessEvent.objects.filter(detail__contains=code[:4]).exists()


def test_the_cost_does_not_grow_with_the_requests(client, sent, queries_for):
    _, number, code = sent
    look(client, number, code)
    few = queries_for(STATUS, {"number": number, "code": code})
    for index in range(12):
        send(client, description=f"More {index}")
    assert len(queries_for(STATUS, {"number": number, "code": code})) == len(few)


def test_number_and_code_are_not_taken_from_the_address(client, sent):
    _, number, code = sent
    assert "We are working on it" not in client.get(STATUS, {"number": number, "code": code}).content.decode()


def test_an_expired_page_comes_back_filled():
    careful = Client(enforce_csrf_checks=True)
    response = careful.post(STATUS, {"number": "R-1001", "code": "ABCD"})
    assert response.status_code == 403
    assert value_of(response.content.decode(), "number") == "R-1001"

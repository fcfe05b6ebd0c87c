"""Secrets of second factors: locked in the database, opened by the login, kept through a rotation, given up with a lost key."""

import base64
import json
import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from meso import factor_secrets, key_care, keys, signin
from meso.keys import DataKey, KeyMissing, MasterKey, Purpose
from meso.models import AccessEvent
from tests.factories import AT, PASSWORD, UserFactory
from tests.signing_in import CODE, LOGIN, SECRET, code_now, give_app, log_in


@pytest.fixture
def doctor(db):
    return UserFactory(role="physician")


@pytest.fixture
def cold(settings, tmp_path, db):
    """A master key file of this test's own; `cold()` forgets what is kept in memory, as a process that has just begun."""
    settings.MASTER_KEY_FILE = tmp_path / "master.key"
    DataKey.objects.all().delete()
    keys.forget()
    keys.make_missing(AT)

    def forget() -> None:
        keys.forget()
        keys._opened.clear()

    yield forget
    forget()


def in_the_database() -> list[dict]:
    """What the table itself holds of each factor."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator ORDER BY type DESC")
        return [json.loads(data) if isinstance(data, str) else data for (data,) in cursor.fetchall()]


def with_app_and_codes(client, user) -> tuple[str, str, list[str]]:
    """Enrolled as the pages do it: the app's secret, the seed of the recovery codes, the codes."""
    client.post(LOGIN, {"username": user.username, "password": PASSWORD})
    secret = client.get("/accounts/app/").context["form"].secret
    step, *_later = signin.totp.yield_hotp_counters_from_time()
    client.post("/accounts/app/", {"code": signin.code_at(secret, step)})
    page = client.get("/accounts/recovery-codes/").text
    codes = RecoveryCodes(Authenticator.objects.get(user=user, type="recovery_codes")).generate_codes()
    assert all(f"{code[:5]} {code[5:]}" in page for code in codes)
    seed = Authenticator.objects.get(user=user, type="recovery_codes").data["seed"]
    return secret, factor_secrets.unlock(seed), codes


def opens_with(user, code: str) -> bool:
    """Whether password and this code open the house, in a browser of its own."""
    client = Client()
    client.post(LOGIN, {"username": user.username, "password": PASSWORD})
    client.post(CODE, {"code": code})
    return client.get("/patients/").status_code == 200


def test_the_database_holds_neither_the_secret_of_an_app_nor_the_seed_of_codes(client, doctor):
    secret, seed, codes = with_app_and_codes(client, doctor)
    app, recovery = in_the_database()
    for held, text in ((app["secret"], secret), (recovery["seed"], seed)):
        assert base64.b64decode(held, validate=True).startswith(keys.MAGIC)
        assert text not in json.dumps([app, recovery])
    assert not any(code in json.dumps([app, recovery]) for code in codes)
    assert re.fullmatch("[A-Z2-7]{32}", secret)
    step = list(signin.totp.yield_hotp_counters_from_time())[2]
    assert opens_with(doctor, signin.code_at(secret, step))
    assert opens_with(doctor, codes[0])
    assert not opens_with(doctor, codes[0])


def test_nothing_of_an_app_that_was_set_up_stays_in_the_session(client, doctor):
    """The secret waits there, plain, between the picture and the first code. Until then it opens nothing."""
    with_app_and_codes(client, doctor)
    assert signin.totp.SECRET_SESSION_KEY not in client.session


def test_the_migration_locks_what_was_stored_plain(doctor, client):
    seed = "ab" * 40
    Authenticator.objects.create(user=doctor, type="totp", data={"secret": SECRET, "used_step": 5})
    Authenticator.objects.create(user=doctor, type="recovery_codes", data={"seed": seed, "used_mask": 2})
    Authenticator.objects.create(user=doctor, type="webauthn", data={"name": "Key", "credential": {"id": "x"}})
    with pytest.raises(KeyMissing, match="is not locked"):
        signin.totp.decrypt(Authenticator.objects.get(type="totp").data["secret"])
    factor_secrets.lock_plain(apps, None)
    assert SECRET not in str(in_the_database())
    assert seed not in str(in_the_database())
    data = {row.type: row.data for row in Authenticator.objects.all()}
    assert data["totp"] == {"secret": data["totp"]["secret"], "used_step": 5}
    assert data["webauthn"] == {"name": "Key", "credential": {"id": "x"}}
    assert signin.totp.decrypt(data["recovery_codes"]["seed"]) == seed
    assert not RecoveryCodes(Authenticator.objects.get(type="recovery_codes"))._is_code_used(0)
    assert opens_with(doctor, code_now())


def test_a_rotation_keeps_every_factor_and_locks_the_next_one_with_a_fresh_key(client, doctor, cold):
    give_app(doctor)
    before = in_the_database()
    key_care.rotate(AT)
    cold()
    assert in_the_database() == before
    assert log_in(Client(), doctor)["Location"] == "/"  # give_app locks anew, with the fresh key
    [after] = in_the_database()
    head = slice(len(keys.MAGIC), len(keys.MAGIC) + 8)
    used = [base64.b64decode(data["secret"])[head].hex() for data in (before[0], after)]
    fresh = DataKey.objects.get(purpose=Purpose.SECRETS, retired_at=None)
    assert used[1] == fresh.pk != used[0]
    Authenticator.objects.update(data=before[0])
    assert opens_with(doctor, code_now(1))  # the one of now was used above
    key_care.drop_old()
    cold()
    assert signin.totp.decrypt(before[0]["secret"]) == SECRET


def test_the_check_of_the_keys_opens_the_factors(doctor, cold):
    app = give_app(doctor)
    assert key_care.try_all().faults == []
    Authenticator.objects.filter(pk=app.pk).update(data={"secret": SECRET})
    with pytest.raises(CommandError, match=r"A value of mfa_authenticator\.data is not locked"):
        call_command("check_keys")


def test_a_secret_does_not_open_in_another_column(doctor):
    with pytest.raises(KeyMissing, match="carried here"):
        keys.unlock(base64.b64decode(factor_secrets.lock(SECRET)), "records_entry.body")


def test_whoever_has_lost_the_master_key_enrolls_anew_and_is_not_locked_out(client, doctor, cold, settings):
    with_app_and_codes(client, doctor)
    Authenticator.objects.create(user=UserFactory(), type="webauthn", data={"name": "Key", "credential": {}})
    settings.MASTER_KEY_FILE.write_text(MasterKey.new().text + "\n")
    cold()
    other = Client()
    other.post(LOGIN, {"username": doctor.username, "password": PASSWORD})
    assert other.post(CODE, {"code": code_now()}).status_code == 503
    call_command("rotate_keys", "--lost")
    assert [row.type for row in Authenticator.objects.all()] == ["webauthn"]  # no secret of ours in it
    assert AccessEvent.objects.filter(subject=f"staff {doctor.pk}", detail="authenticator app removed").exists()
    assert client.get("/patients/")["Location"].startswith(LOGIN)  # the session that was begun with it is over
    with_app_and_codes(client, doctor)
    assert client.get("/patients/").status_code == 200

"""Signing in as people do: the password, then the code that an authenticator app shows."""

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache

from meso import signin
from meso.models import User
from tests.factories import PASSWORD

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN, CODE = "/accounts/login/", "/accounts/code/"


def give_app(user: User) -> Authenticator:
    """This person has an authenticator app that knows SECRET, and has used none of its codes."""
    cache.clear()
    app, _ = Authenticator.objects.update_or_create(user=user, type="totp", defaults={"data": {"secret": totp.encrypt(SECRET)}})
    return app


def code_now(later: int = 0) -> str:
    """What the app shows now, or so many half minutes later."""
    return signin.code_at(SECRET, list(totp.yield_hotp_counters_from_time())[1] + later)


def log_in(client, user: User, password: str = PASSWORD, headers: dict | None = None, **fields):
    """Password and code, through the pages. The answer to the last step that was reached."""
    give_app(user)
    response = client.post(LOGIN, {"username": user.username, "password": password, **fields}, headers=headers)
    if response.status_code != 302 or response["Location"] != CODE:
        return response
    return client.post(CODE, {"code": code_now()}, headers=headers)

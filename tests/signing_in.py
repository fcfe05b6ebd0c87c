"""Signing in as people do, the password, then the code that an authenticator app shows; and the short way of `force_login`."""

import hashlib
import os
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.core.cache import cache
from django.dispatch import receiver
from fido2.cose import ES256
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    RegistrationResponse,
)

from meso import clock, signin
from meso.models import User
from tests.factories import PASSWORD

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN, CODE = "/accounts/login/", "/accounts/code/"


def give_app(user: User) -> Authenticator:
    """This person has an authenticator app that knows SECRET, and has used none of its codes."""
    cache.clear()
    app, _ = Authenticator.objects.update_or_create(user=user, type="totp", defaults={"data": {"secret": totp.encrypt(SECRET)}})
    return app


def give_passkey(user: User) -> Authenticator:
    """This person has a passkey: a whole credential, whose private key nobody kept."""
    public = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    made = AttestedCredentialData.create(Aaguid.NONE, os.urandom(16), public)
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT
    data = AuthenticatorData.create(hashlib.sha256(b"localhost").digest(), flags, 1, made)
    client = CollectedClientData.create(CollectedClientData.TYPE.CREATE, os.urandom(32), "http://localhost")
    response = AuthenticatorAttestationResponse(client_data=client, attestation_object=AttestationObject.create("none", data, {}))
    credential = dict(RegistrationResponse(raw_id=made.credential_id, response=response))
    return Authenticator.objects.create(user=user, type="webauthn", data={"name": "Key", "credential": credential})


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


@receiver(user_logged_in, dispatch_uid="tests")
def _factor_shown(request: Any, user: User, **kwargs: Any) -> None:
    """`force_login` makes a session that has passed the second factor. A login through the pages goes its own way."""
    if not request.path:
        record_authentication(request, user, "mfa", type="totp")
        stays_fresh(request.session)


def stays_fresh(session: Any) -> None:
    """What was shown in this session counts as shown just now, as long as it lives."""
    session[AUTHENTICATION_METHODS_SESSION_KEY][-1]["at"] += settings.SESSION_COOKIE_AGE


def stays_open(session: Any) -> None:
    """The same, and it is not locked however long nobody does anything."""
    stays_fresh(session)
    session["seen"] += settings.SESSION_COOKIE_AGE


def grow_stale(client) -> None:
    """What was shown in this client's session was shown too long ago for what wants it shown again."""
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY][-1]["at"] = clock.now().timestamp() - signin.FRESH_FOR.total_seconds()
    session.save()

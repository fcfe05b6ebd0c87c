"""Signing in: a password, then a second factor, before anything else (45 CFR 164.312(d); NIST SP 800-63B-4, AAL2).

django-allauth asks for password and factor and keeps both; here is what Meso adds: nobody gets past the wall without a
factor that was shown or enrolled in this very session, a code is good once, and each change of a factor is an event.
"""

from datetime import timedelta
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import perform_password_login, record_authentication
from allauth.account.models import Login
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_login_failed
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from meso import audit, clock, factor_secrets, sessions, way_in_mail
from meso.http import HttpRequest, is_page_of_ours
from meso.models import Office, User
from meso.roles import ENROLL, OWN

Type = Authenticator.Type
SECOND = [Type.TOTP, Type.WEBAUTHN]  # recovery codes stand in for one that is lost, and are none themselves
FRESH_FOR = timedelta(minutes=10)
_ADDED = {
    Type.TOTP: gettext_lazy("An authenticator app was added to your login."),
    Type.WEBAUTHN: gettext_lazy("A passkey was added to your login."),
    Type.RECOVERY_CODES: gettext_lazy("New recovery codes were made for your login."),
}
_REMOVED = {
    Type.TOTP: gettext_lazy("Your authenticator app was removed from your login."),
    Type.WEBAUTHN: gettext_lazy("A passkey was removed from your login."),
}
_TAKEN_AWAY = {
    Type.TOTP: gettext_lazy("Somebody else took your authenticator app away: at the next login a new one is set up."),
    Type.WEBAUTHN: gettext_lazy("Somebody else took a passkey of yours away: at the next login a new factor is set up."),
}
_WORDS = {Type.TOTP: "authenticator app", Type.WEBAUTHN: "passkey", Type.RECOVERY_CODES: "recovery codes"}


# --- the steps ------------------------------------------------------------------------------------------------------


def after_password(request: HttpRequest, user: User, on_to: str) -> HttpResponse:
    """The answer to a right password: the page that asks for the second factor; the next page for whoever has none yet."""
    return perform_password_login(request, {"username": user.username}, Login(user=user, redirect_url=on_to))


def passed(request: HttpRequest) -> bool:
    """Whether a second factor was shown, or enrolled, in this session. Asks the session alone."""
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))


def enrolled(request: HttpRequest, kind: str) -> None:
    """Mark that this session has just proved a new factor: whoever enrolls one need not show it again."""
    record_authentication(request, request.user, "mfa", type=kind)
    request.session.cycle_key()


def second_factor_first(request: HttpRequest, permission: str) -> HttpResponse | None:
    """Where somebody without a second factor in this session, or with a password from the admin, is sent; None for nowhere.

    They reach the pages on which they choose a password of their own and enroll a factor, and nothing else. Where one was
    enrolled meanwhile, from another browser, this session's password alone is worth nothing any more.
    """
    proved = passed(request)
    if not proved and has_factor(request.user):
        logout(request)
        return redirect_to_login(request.get_full_path(), resolve_url("account_login"))
    if permission == OWN:
        return None
    if request.user.password_given_at:
        return redirect("account_change_password")
    return None if proved or permission == ENROLL else redirect("mfa_index")


def fresh(request: HttpRequest) -> bool:
    """Whether password or factor was shown in this session within the last ten minutes. Asks the session alone."""
    shown = [record["at"] for record in get_authentication_records(request, request.user)]
    return bool(shown) and clock.now().timestamp() - max(shown) < FRESH_FOR.total_seconds()


def has_factor(person: User) -> bool:
    """Whether this person has an authenticator app or a passkey."""
    return is_mfa_enabled(person, SECOND)


def take_factors_away(person: User) -> bool:
    """Remove the lost factors of a person, who is logged out and enrolls a new one at the next login. False for none."""
    with transaction.atomic():
        found = list(Authenticator.objects.select_for_update().filter(user=person))
        for authenticator in found:
            authenticator.delete()
        sessions.end(person)
    return bool(found)


def failed(request: HttpRequest, user: User) -> None:
    """A wrong code or passkey: the same event as a wrong password."""
    user_login_failed.send(sender=__name__, credentials={"username": user.username}, request=request)


def use_up(authenticator: Authenticator, code: str) -> bool:
    """Mark the code of an authenticator app as used. False where it, or a later one, was used before (RFC 6238, 5.2)."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
        step = _step_of(totp.decrypt(row.data["secret"]), code)
        if step <= row.data.get("used_step", 0):
            return False
        row.data["used_step"] = step
        row.save(update_fields=["data"])
    return True


def _step_of(secret: str, code: str) -> int:
    """The 30 seconds that this code stands for, counted from 1970; 0 for a code that is not valid now."""
    fitting = [step for step in totp.yield_hotp_counters_from_time() if code_at(secret, step) == totp.normalize_user_code(code)]
    return max(fitting, default=0)


def code_at(secret: str, step: int) -> str:
    """What an authenticator app with this secret shows in this step: six digits."""
    return totp.format_hotp_value(totp.hotp_value(secret, step))


def an_invented_app() -> dict[str, Any]:
    """What is stored of an authenticator app of somebody invented: the demo's page shows its code (`shown_code`)."""
    return {"secret": totp.encrypt(totp.generate_totp_secret()), "invented": True}


def shown_code(user: User) -> str:
    """The code that an app of somebody invented would show now; "" for everybody else, and wherever `demo` does not serve."""
    app = Authenticator.objects.filter(user=user, type=Type.TOTP).first() if settings.DEMO else None
    if app is None or not app.data.get("invented"):
        return ""
    now_and_next = list(totp.yield_hotp_counters_from_time())[-2:]
    unused = [step for step in now_and_next if step > app.data.get("used_step", 0)]
    return code_at(totp.decrypt(app.data["secret"]), unused[0]) if unused else ""


# --- what is written down -------------------------------------------------------------------------------------------


@receiver(post_save, sender=Authenticator)
def _factor_added(sender: Any, instance: Authenticator, created: bool, **kwargs: Any) -> None:
    if not created:
        return
    _write_down(instance, "added")
    if not instance.data.get("invented"):
        way_in_mail.tell(instance.user, str(_ADDED[Type(instance.type)]))


@receiver(post_delete, sender=Authenticator)
def _factor_removed(sender: Any, instance: Authenticator, **kwargs: Any) -> None:
    """Whoever took it away: no session goes on that was begun with it, but the one in which its owner did so."""
    _write_down(instance, "removed")
    if instance.type in SECOND:
        here = context.request
        own = here is not None and getattr(here.user, "pk", None) == instance.user_id
        sessions.end(instance.user_id, spare=here.session.session_key if own else None)
        way_in_mail.tell(instance.user, str((_REMOVED if own else _TAKEN_AWAY)[Type(instance.type)]))


def _write_down(authenticator: Authenticator, what: str) -> None:
    detail = f"{_WORDS[Type(authenticator.type)]} {what}"
    audit.record(audit.Action.CHANGE, f"staff {authenticator.user_id}", detail=detail, request=context.request)


# --- allauth's seams ------------------------------------------------------------------------------------------------


class AccountAdapter(DefaultAccountAdapter):
    """Whoever signs in: addresses as the audit knows them, and no message of the library's own."""

    def is_open_for_signup(self, request: Any) -> bool:
        """Nobody signs up: an office admin adds people."""
        return False

    def is_ajax(self, request: Any) -> bool:
        """Every answer is a page."""
        return False

    def get_client_ip(self, request: Any) -> str:
        """The address as the audit has it; behind a socket there is none."""
        return audit.address_of(request) or "0.0.0.0"  # noqa: S104  (no address to listen on)

    def is_safe_url(self, url: str) -> bool:
        """After signing in people are sent to pages of this office and nowhere else."""
        return is_page_of_ours(url)

    def add_message(
        self, request: Any, level: int, message_template: Any = None, message_context: Any = None, extra_tags: str = "",
        message: str | None = None,
    ) -> None:  # fmt: skip
        """What is wrong is shown; how the library words what went well is not: the pages say it themselves."""
        if message:
            super().add_message(request, level, extra_tags=extra_tags, message=message)


class FactorAdapter(DefaultMFAAdapter):
    """How factors are called, on the telephone too, and that their secrets are locked in the database."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This code is not right, or it was used before. Wait for the next one and type that."),
        "cannot_delete_authenticator": gettext_lazy(
            "This is your only second factor. Add another one first; then this one can go."
        ),
    }

    def encrypt(self, text: str) -> str:
        """A secret as it is stored. Raises meso.keys.KeyMissing."""
        return factor_secrets.lock(text)

    def decrypt(self, encrypted_text: str) -> str:
        """The secret. Raises meso.keys.KeyMissing."""
        return factor_secrets.unlock(encrypted_text)

    def get_totp_label(self, user: Any) -> str:
        """The line in the app below the office's name."""
        return user.username

    def get_totp_issuer(self) -> str:
        """The line in the app."""
        return Office.current().name

    def _get_site_name(self) -> str:
        return Office.current().name

    def _get_user_identifier(self, user: Any) -> str:
        return user.username

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002  (allauth's name)
        """What a passkey is called where its owner gives it no name."""
        return _("Passkey %(number)s") % {"number": Authenticator.objects.filter(user=user, type=type).count() + 1}

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """The last factor stays: whoever removed it could not come back in."""
        others = Authenticator.objects.filter(user=authenticator.user, type__in=SECOND).exclude(pk=authenticator.pk)
        return others.exists()

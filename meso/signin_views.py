"""The pages of the second factor: the code after the password, and one's own authenticator app, passkeys and recovery codes.

The library's views do the work. Each is marked with what it needs; those marked OWN are all that whoever has no second factor
yet can reach.
"""

import json
from typing import Any

from allauth.account import views as account
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.views import AuthenticateView, IndexView, ReauthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET

from meso import brakes, drafts, lockout, signin, way_in_mail
from meso.http import HttpRequest
from meso.models import User
from meso.roles import ENROLL, FACTORS, OWN, PUBLIC, needs
from meso.signin_forms import OwnPasswordForm


class _Page:
    """Mixin: the menu is there for whoever may use it."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)  # type: ignore[misc]
        options = context.get("js_data", {})
        context["passkey_options"] = json.dumps(options.get("request_options") or options.get("creation_options"))
        context["passed"] = signin.passed(self.request)  # type: ignore[attr-defined]
        return context


class _Held:
    """Mixin: where an account was tried too often from here, nothing that is sent is looked at (meso/lockout.py)."""

    request: Any

    def whose(self) -> User:
        """Whose secret is asked for."""
        return self.request.user

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page that says how long to wait, or the library's answer."""
        if wait := lockout.held(request, self.whose().get_username()):
            return brakes.told_to_wait(request, wait)
        return super().post(request, *args, **kwargs)  # type: ignore[misc]


class SecondStepView(_Held, _Page, AuthenticateView):
    """After the password: the code of the app, a passkey, or a recovery code."""

    def whose(self) -> User:
        """Of whoever typed the password."""
        return self.stage.login.user

    def form_invalid(self, form: Any) -> HttpResponse:
        """A wrong one is written down like a wrong password."""
        signin.failed(self.request, self.stage.login.user)
        return super().form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whether there is a passkey to be asked for."""
        context = super().get_context_data(**kwargs)
        mine = Authenticator.objects.filter(user=self.stage.login.user)
        context["has_passkey"] = mine.filter(type=signin.Type.WEBAUTHN).exists()
        context["invented_code"] = signin.shown_code(self.stage.login.user)
        return context


class MineView(_Page, IndexView):
    """One's own factors; for whoever has none, the choice between two."""


class AddAppView(_Page, ActivateTOTPView):
    """An authenticator app reads the picture and shows its first code."""

    def form_valid(self, form: Any) -> HttpResponse:
        """The code that was just typed is used up too."""
        response = super().form_valid(form)
        signin.use_up(Authenticator.objects.get(user=self.request.user, type=signin.Type.TOTP), form.cleaned_data["code"])
        signin.enrolled(self.request, signin.Type.TOTP)
        messages.success(self.request, _("Your authenticator app is added."))
        return response


class RemoveAppView(_Page, DeactivateTOTPView):
    """The app goes, where another factor is there."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Say so."""
        messages.success(self.request, _("Your authenticator app is removed."))
        return super().form_valid(form)


class AddPasskeyView(_Page, AddWebAuthnView):
    """The browser makes a passkey."""

    def form_valid(self, form: Any) -> HttpResponse:
        """It was proved in being made."""
        response = super().form_valid(form)
        signin.enrolled(self.request, signin.Type.WEBAUTHN)
        messages.success(self.request, _("Your passkey is added."))
        return response


class RemovePasskeyView(_Page, RemoveWebAuthnView):
    """A passkey goes, where another factor is there."""

    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        """Say so, or why not."""
        if not get_adapter().can_delete_authenticator(self.object):
            messages.error(self.request, get_adapter().error_messages["cannot_delete_authenticator"])
            return redirect("mfa_index")
        messages.success(self.request, _("Your passkey is removed."))
        return super().form_valid(form)


class RecoveryCodesView(_Page, ViewRecoveryCodesView):
    """The codes for the day the telephone is lost: shown once."""


class NewRecoveryCodesView(_Page, GenerateRecoveryCodesView):
    """New codes; the old ones are worth nothing any more."""


class OwnPasswordView(_Held, _Page, PasswordChangeView):
    """A new password of one's own. Every other session of the person ends, this one goes on under a new key."""

    form_class = OwnPasswordForm
    template_name = "account/password_change.html"
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        """The audit writes it down (meso/audit.py)."""
        response = super().form_valid(form)
        way_in_mail.tell(self.request.user, _("Your password was changed."))  # type: ignore[arg-type]
        messages.success(self.request, _("Your new password is in force. Every other login of yours has ended."))
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        """A wrong present password is written down: at a screen left open nobody guesses more often than elsewhere."""
        if "old_password" in form.errors:
            signin.failed(self.request, self.request.user)
        return super().form_invalid(form)


class _Again(_Held, _Page):
    """Mixin: asks somebody who is logged in who they are, and goes on to what they wanted."""

    def form_valid(self, form: Any) -> HttpResponse:
        """The session goes on under a new key."""
        response = super().form_valid(form)  # type: ignore[misc]
        self.request.session.cycle_key()
        return response


class PasswordAgainView(_Again, account.ReauthenticateView):
    """By the password."""

    template_name = "account/again.html"


class CodeAgainView(_Again, ReauthenticateView):
    """By the app's code, or a recovery code."""

    template_name = "account/again.html"

    def form_invalid(self, form: Any) -> HttpResponse:
        """A wrong one is written down like a wrong password."""
        signin.failed(self.request, self.request.user)
        return super().form_invalid(form)


class PasskeyAgainView(_Again, ReauthenticateWebAuthnView):
    """By a passkey."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """A wrong one is written down, and asked for again."""
        signin.failed(self.request, self.request.user)
        return self.render_to_response(self.get_context_data(form=form))


def _go_on(request: HttpRequest) -> HttpResponse:
    """The form that waited, to be sent by one press of its button."""
    sent = drafts.sent_before(request)
    return (
        render(request, "account/go_on.html", {"sent": sent, "passed": signin.passed(request)}) if sent else redirect("dashboard")
    )


second_step = needs(PUBLIC)(SecondStepView.as_view())
password = needs(OWN)(sensitive_post_parameters()(OwnPasswordView.as_view()))
password_again = needs(OWN)(PasswordAgainView.as_view())
code_again = needs(OWN)(CodeAgainView.as_view())
passkey_again = needs(OWN)(PasskeyAgainView.as_view())
go_on = needs(OWN)(require_GET(_go_on))
index = needs(OWN)(MineView.as_view())
add_app = needs(ENROLL)(AddAppView.as_view())
remove_app = needs(FACTORS)(RemoveAppView.as_view())
add_passkey = needs(ENROLL)(AddPasskeyView.as_view())
remove_passkey = needs(FACTORS)(RemovePasskeyView.as_view())
recovery_codes = needs(FACTORS)(RecoveryCodesView.as_view())
new_recovery_codes = needs(FACTORS)(NewRecoveryCodesView.as_view())

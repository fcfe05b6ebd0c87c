"""The forms of the second factor, in the house's look; the library checks what is typed."""

from typing import Any

from allauth.account import forms as account_forms
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm
from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from meso import signin
from meso.forms import _Dressed

_MOST_DIGITS = 20  # a code with the spaces that people type


def _code_field(label: Any, help_text: Any = "") -> forms.CharField:
    attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
    return forms.CharField(label=label, help_text=help_text, max_length=_MOST_DIGITS, widget=forms.TextInput(attrs=attrs))


class _Once:
    """Mixin: the code of an app is good once."""

    authenticator: signin.Authenticator

    def clean_code(self) -> str:
        code = super().clean_code()  # type: ignore[misc]
        if self.authenticator.type == signin.Type.TOTP and not signin.use_up(self.authenticator, code):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(_Dressed, _Once, AuthenticateForm):
    """The second step of signing in: the code that the app shows, or a recovery code."""

    code = _code_field(
        _("Code"), _("The six digits that your authenticator app shows now. Without your telephone: one of your recovery codes.")
    )


class CodeAgainForm(_Dressed, _Once, ReauthenticateForm):
    """The same, of somebody who is logged in and is asked again."""

    code = _code_field(_("Code"), _("The six digits that your authenticator app shows now, or a recovery code."))


class PasswordAgainForm(_Dressed, account_forms.ReauthenticateForm):
    """The password of somebody who is logged in and is asked again."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


class NewAppForm(_Dressed, ActivateTOTPForm):
    """The first code of an app that has just read the picture."""

    code = _code_field(_("Code that the app shows now"))


class _KnownShape:
    """Mixin: what a browser sends for a passkey and what is none are told apart; nothing that is sent ends in an error page."""

    def clean(self) -> Any:
        try:
            return super().clean()  # type: ignore[misc]
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            if isinstance(error, ValidationError):
                raise
            raise get_adapter().validation_error("incorrect_code") from error


class PasskeyForm(_Dressed, AuthenticateWebAuthnForm):
    """What the browser sends when a passkey is used."""

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise get_adapter().validation_error("incorrect_code") from error


class PasskeyAgainForm(PasskeyForm):
    """The same, of somebody who is logged in and is asked again."""

    reauthenticated = True


class OwnPasswordForm(_Dressed, PasswordChangeForm):
    """A password of one's own, in place of the present one."""

    def clean(self) -> dict[str, Any]:
        """A new one is another one."""
        data = super().clean() or {}
        if data.get("new_password1") and data["new_password1"] == data.get("old_password"):
            self.add_error("new_password1", _("This is the password you have. Choose another one."))
        return data

    def save(self, commit: bool = True) -> Any:
        """It is theirs from now on."""
        self.user.password_given_at = None
        return super().save(commit=commit)


class NewPasskeyForm(_Dressed, _KnownShape, AddWebAuthnForm):
    """A new passkey and its name."""

    name = forms.CharField(
        label=_("Name of the passkey"), max_length=60, help_text=_("So that you know it again, such as: key on my key ring.")
    )

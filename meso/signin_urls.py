"""The pages of signing in, under /accounts/. Their names are the library's, which sends people from one to the other by them."""

from django.urls import path

from meso import signin_views as views

urlpatterns = [
    path("", views.index, name="mfa_index"),
    path("password/", views.password, name="account_change_password"),
    path("again/", views.password_again, name="account_reauthenticate"),
    path("again/code/", views.code_again, name="mfa_reauthenticate"),
    path("again/passkey/", views.passkey_again, name="mfa_reauthenticate_webauthn"),
    path("again/go-on/", views.go_on, name="account_go_on"),
    path("code/", views.second_step, name="mfa_authenticate"),
    path("app/", views.add_app, name="mfa_activate_totp"),
    path("app/remove/", views.remove_app, name="mfa_deactivate_totp"),
    path("passkeys/new/", views.add_passkey, name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/remove/", views.remove_passkey, name="mfa_remove_webauthn"),
    path("recovery-codes/", views.recovery_codes, name="mfa_view_recovery_codes"),
    path("recovery-codes/new/", views.new_recovery_codes, name="mfa_generate_recovery_codes"),
]

"""The URL tree. Each app's own pages are in its urls.py."""

from django.urls import include, path

from meso import drafts, lock, views

handler403 = "meso.views.refused"

urlpatterns = [
    path("", views.home, name="dashboard"),
    path("accounts/login/", drafts.login, name="account_login"),
    path("accounts/logout/", views.logout, name="account_logout"),
    path("accounts/unlock/", lock.unlock, name="unlock"),
    path("accounts/session/", lock.session_state, name="session"),
    path("accounts/session/typed/", lock.session_typed, name="session_typed"),
    path("accounts/sessions/", views.session_list, name="sessions"),
    path("accounts/", include("meso.signin_urls")),
    path("audit/", views.audit_trail, name="audit"),
    path("audit/anchors/", views.anchor_list, name="anchors"),
    path("audit/anchors/<int:pk>/anchor.pdf", views.anchor_sheet, name="anchor"),
    path("office/", views.office_profile, name="office"),
    path("staff/", views.staff_list, name="staff"),
    path("staff/new/", views.staff_new, name="staff_new"),
    path("staff/<int:pk>/", views.staff_edit, name="staff_edit"),
    path("staff/<int:pk>/sessions/end/", views.staff_sessions_end, name="staff_sessions_end"),
    path("staff/<int:pk>/let-try/", views.staff_let_try, name="staff_let_try"),
    path("staff/<int:pk>/way-in/", views.staff_way_in, name="staff_way_in"),
    path("healthz/", views.healthz, name="healthz"),
    path("", include("records.urls")),
    path("", include("disclosures.urls")),
    path("", include("requests_app.urls")),
]

handler400 = "meso.errors.bad_request"
handler404 = "meso.errors.not_found"
handler500 = "meso.errors.failed"

"""Pages of the disclosure log."""

from django.urls import path

from disclosures.views import accounting, authorizations, log, release, retention
from disclosures.views import authorization_acts as acts

_FORMS = "patients/<str:chart>/authorizations/"

urlpatterns = [
    path("disclosures/", log.disclosures, name="disclosures"),
    path("disclosures/new/", log.disclosure_new, name="disclosure_new"),
    path("disclosures/csv/", log.disclosures_csv, name="disclosures_csv"),
    path("disclosures/review/", log.disclosures_review, name="disclosures_review"),
    path("disclosures/<int:pk>/", log.disclosure, name="disclosure"),
    path("disclosures/<int:pk>/correct/", log.disclosure_correct, name="disclosure_correct"),
    path("disclosures/<int:pk>/hold/", log.disclosure_hold, name="disclosure_hold"),
    path("retention/", retention.retention, name="retention"),
    path("retention/list.csv", retention.retention_csv, name="retention_csv"),
    path("retention/holds/<int:pk>/lift/", retention.hold_lift, name="hold_lift"),
    path("release/new/", release.release_new, name="release_new"),
    path("release/<int:pk>/", release.release, name="release"),
    path("release/<int:pk>/tell/", release.release_tell, name="release_tell"),
    path("release/<int:pk>/<str:format>/", release.release_file, name="release_file"),
    path("patients/<str:chart>/releases/", release.patient_releases, name="patient_releases"),
    path("patients/<str:chart>/disclosures/", log.patient_disclosures, name="patient_disclosures"),
    path("authorizations/", authorizations.authorizations, name="authorizations"),
    path(_FORMS, authorizations.patient_authorizations, name="patient_authorizations"),
    path(_FORMS + "new/", authorizations.authorization_new, name="authorization_new"),
    path(_FORMS + "blank/<str:format>/", authorizations.authorization_blank, name="authorization_blank"),
    path(_FORMS + "<int:pk>/", authorizations.authorization, name="authorization"),
    path(_FORMS + "<int:pk>/again/", authorizations.authorization_again, name="authorization_again"),
    path(_FORMS + "<int:pk>/scan/", authorizations.authorization_scan, name="authorization_scan"),
    path(_FORMS + "<int:pk>/revoke/", acts.revoke, name="authorization_revoke"),
    path(_FORMS + "<int:pk>/revoke/paper/", acts.revoke_paper, name="authorization_revoke_paper"),
    path(_FORMS + "<int:pk>/revocation/", acts.revocation, name="authorization_revocation"),
    path(_FORMS + "<int:pk>/event/", acts.event, name="authorization_event"),
    path(_FORMS + "<int:pk>/false/", acts.found_false, name="authorization_false"),
    path(_FORMS + "<int:pk>/copy/", acts.copy_given, name="authorization_copy"),
    path(_FORMS + "<int:pk>/letter/", acts.letter_make, name="authorization_letter_make"),
    path(_FORMS + "letters/<int:pk>/", acts.letter, name="authorization_letter"),
    path(_FORMS + "letters/<int:pk>/sent/", acts.letter_sent, name="authorization_letter_sent"),
    path("patients/<str:chart>/accounting/", accounting.accounting, name="accounting"),
    path("patients/<str:chart>/accounting/give/", accounting.accounting_give, name="accounting_give"),
    path("patients/<str:chart>/accounting/given/<int:pk>/", accounting.accounting_given, name="accounting_given"),
    path("patients/<str:chart>/accounting/file/<str:format>/", accounting.accounting_file, name="accounting_file"),
]

"""Pages of the disclosure log."""

from django.urls import path

from disclosures.views import accounting, log, retention

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
    path("patients/<str:chart>/disclosures/", log.patient_disclosures, name="patient_disclosures"),
    path("patients/<str:chart>/accounting/", accounting.accounting, name="accounting"),
    path("patients/<str:chart>/accounting/give/", accounting.accounting_give, name="accounting_give"),
    path("patients/<str:chart>/accounting/given/<int:pk>/", accounting.accounting_given, name="accounting_given"),
    path("patients/<str:chart>/accounting/file/<str:format>/", accounting.accounting_file, name="accounting_file"),
]

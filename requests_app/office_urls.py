"""The privacy program's pages: registers, complaints, the notice, the auditor's export."""

from django.urls import path

from requests_app.views import auditor, complaints, looks, notices, program

urlpatterns = [
    path("program/", program.program, name="program"),
    path("program/policies/new/", program.policy_new, name="policy_new"),
    path("program/policies/<int:pk>/policy.pdf", program.policy_pdf, name="policy_pdf"),
    path("program/policies/<int:pk>/end/", program.policy_end, name="policy_end"),
    path("program/training/new/", program.training_new, name="training_new"),
    path("program/sanctions/new/", program.sanction_new, name="sanction_new"),
    path("program/statements/new/", program.statement_new, name="statement_new"),
    path("audit/review/", looks.audit_review, name="audit_review"),
    path("audit/review/done/", looks.audit_review_done, name="audit_review_done"),
    path("auditor/", auditor.auditor_export, name="auditor"),
    path("complaints/", complaints.complaints, name="complaints"),
    path("complaints/new/", complaints.complaint_new, name="complaint_new"),
    path("complaints/<int:pk>/", complaints.complaint, name="complaint"),
    path("notices/", notices.notices, name="notices"),
    path("notices/new/", notices.notice_new, name="notice_new"),
    path("notices/<int:pk>/posted/", notices.notice_posted, name="notice_posted"),
    path("notices/<int:pk>/notice.pdf", notices.notice_pdf, name="notice_pdf"),
    path("patients/<str:chart>/notice/", notices.patient_notice, name="patient_notice"),
    path("privacy/complaint/", complaints.privacy_complaint, name="privacy_complaint"),
    path("privacy/complaint/received/", complaints.privacy_complaint_received, name="privacy_complaint_received"),
]

"""The privacy program's pages: complaints, the notice."""

from django.urls import path

from requests_app.views import complaints, notices

urlpatterns = [
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

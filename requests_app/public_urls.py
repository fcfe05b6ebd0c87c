"""The patients' own pages under /privacy/."""

from django.urls import path

from requests_app.views import public

urlpatterns = [
    path("privacy/", public.privacy, name="privacy"),
    path("privacy/notice.pdf", public.privacy_pdf, name="privacy_pdf"),
    path("privacy/request/", public.privacy_request, name="privacy_request"),
    path("privacy/request/received/", public.privacy_receipt, name="privacy_receipt"),
    path("privacy/request/received.pdf", public.privacy_receipt_pdf, name="privacy_receipt_pdf"),
    path("privacy/language/", public.privacy_language, name="privacy_language"),
    path("privacy/status/", public.privacy_status, name="privacy_status"),
]

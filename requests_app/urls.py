"""Pages about requests: the desk's tracker, the answers, what goes with them, the patients' own; and the privacy program's."""

from requests_app import after_urls, answer_urls, desk_urls, followup_urls, office_urls, public_urls

urlpatterns = [
    *desk_urls.urlpatterns,
    *answer_urls.urlpatterns,
    *after_urls.urlpatterns,
    *followup_urls.urlpatterns,
    *office_urls.urlpatterns,
    *public_urls.urlpatterns,
]

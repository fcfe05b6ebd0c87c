"""Pages about requests: the desk's tracker, the answers, what goes with them, the patients' own."""

from requests_app import answer_urls, desk_urls, followup_urls, public_urls

urlpatterns = [*desk_urls.urlpatterns, *answer_urls.urlpatterns, *followup_urls.urlpatterns, *public_urls.urlpatterns]

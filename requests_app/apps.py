from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RequestsConfig(AppConfig):
    """Patients' requests."""

    name = "requests_app"

    def ready(self) -> None:
        from records import tabs
        from requests_app import dashboard  # noqa: F401  (puts its card on the dashboard)

        tabs.register(_("Requests"), "patient_requests", "request.view", order=30)

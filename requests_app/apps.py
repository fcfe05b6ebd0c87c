from django.apps import AppConfig


class RequestsConfig(AppConfig):
    """Patients' requests."""

    name = "requests_app"

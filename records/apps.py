from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """The patient's record."""

    name = "records"

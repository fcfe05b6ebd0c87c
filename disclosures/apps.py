from django.apps import AppConfig


class DisclosuresConfig(AppConfig):
    """The disclosure log."""

    name = "disclosures"

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecordsConfig(AppConfig):
    """The patient's record."""

    name = "records"

    def ready(self) -> None:
        from records import tabs

        tabs.register(_("Record"), "chart", "patient.view", order=10)
        tabs.register(_("Attachments"), "chart_files", "patient.view", order=20)

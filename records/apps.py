from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecordsConfig(AppConfig):
    """The patient's record."""

    name = "records"

    def ready(self) -> None:
        from records import auditor_sections, dashboard, tabs  # noqa: F401  (they put themselves on the dashboard)

        auditor_sections.register_all()
        tabs.register(_("Record"), "chart", "patient.view", order=10)
        tabs.register(_("Attachments"), "chart_files", "patient.view", order=20)
        tabs.register(_("Restrictions and contact"), "chart_limits", "patient.view", order=55)
        tabs.register(_("Representatives"), "representatives", "patient.view", order=80)

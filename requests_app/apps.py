from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RequestsConfig(AppConfig):
    """Patients' requests."""

    name = "requests_app"

    def ready(self) -> None:
        from disclosures import tariff
        from meso import backups
        from records import tabs
        from requests_app import auditor_sections, billing, dashboard, kept, office_cards  # noqa: F401  (cards; bills of releases)
        from requests_app.tariff import LISTS

        tariff.register(LISTS)

        kept.register_all()
        backups.watch("open clocks", "SELECT id, due_on FROM requests_app_patientrequest WHERE closed_on IS NULL ORDER BY id")
        auditor_sections.register_all()
        tabs.register(_("Requests"), "patient_requests", "request.view", order=30)

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RequestsConfig(AppConfig):
    """Patients' requests."""

    name = "requests_app"

    def ready(self) -> None:
        from disclosures import desk, tariff
        from meso import backups
        from records import beside, gate, tabs
        from requests_app import amendments, auditor_sections, billing, dashboard, kept, looks_today, office_cards, owed  # noqa: F401  (cards)
        from requests_app.models import PatientRequest
        from requests_app.tariff import LISTS

        tariff.register(LISTS)

        kept.register_all()
        backups.watch("open clocks", "SELECT id, due_on FROM requests_app_patientrequest WHERE closed_on IS NULL ORDER BY id")
        auditor_sections.register_all()
        tabs.register(_("Requests"), "patient_requests", "request.view", order=30)
        beside.register(amendments.laid_beside)
        gate.names_chart("number", lambda number: PatientRequest.objects.by_number(number).values("patient"))
        desk.goes_along(amendments.travels_with)

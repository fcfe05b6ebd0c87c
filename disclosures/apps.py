from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DisclosuresConfig(AppConfig):
    """The disclosure log."""

    name = "disclosures"

    def ready(self) -> None:
        from disclosures import auditor_sections, dashboard, desk, guard_checks, kept  # noqa: F401  (cards, checks, tasks)
        from records import tabs

        kept.register_all()
        auditor_sections.register_all()

        tabs.register(_("Disclosures"), "patient_disclosures", "disclosure.view", order=40)
        tabs.register(_("Authorizations"), "patient_authorizations", "authorization.view", order=45)
        tabs.register(_("Releases"), "patient_releases", "disclosure.view", order=46)
        tabs.register(_("Accounting"), "accounting", "accounting.view", order=50)

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DisclosuresConfig(AppConfig):
    """The disclosure log."""

    name = "disclosures"

    def ready(self) -> None:
        from disclosures import dashboard  # noqa: F401  (puts its card on the dashboard)
        from records import tabs

        tabs.register(_("Disclosures"), "patient_disclosures", "disclosure.view", order=40)
        tabs.register(_("Accounting"), "accounting", "accounting.view", order=50)

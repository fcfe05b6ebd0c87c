from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.db.models.signals import post_migrate


class MesoConfig(AppConfig):
    """The ground that every app stands on."""

    name = "meso"
    verbose_name = "Meso"

    def ready(self) -> None:
        from meso import app_role, append_only, audit, backup_card, drafts, logs, signin  # noqa: F401  (receivers, and a card of the dashboard)

        if settings.PRODUCTION:
            logs.catch_the_uncaught()

        post_migrate.connect(append_only.install_after_migrate, dispatch_uid="append_only")
        checks.register(append_only.check_triggers, checks.Tags.database)
        checks.register(app_role.check_role, checks.Tags.database, deploy=True)

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.db.models.signals import post_migrate


class MesoConfig(AppConfig):
    """The ground that every app stands on."""

    name = "meso"
    verbose_name = "Meso"

    def ready(self) -> None:
        from meso import app_role, append_only, audit, backup_card, drafts, keys, logs, signin  # noqa: F401  (receivers, a dashboard card)

        if settings.PRODUCTION:
            logs.catch_the_uncaught()

        post_migrate.connect(append_only.install_after_migrate, dispatch_uid="append_only")
        post_migrate.connect(keys.make_after_migrate, sender=self, dispatch_uid="keys")
        checks.register(keys.check_master_key, checks.Tags.security)
        checks.register(append_only.check_triggers, checks.Tags.database)
        checks.register(app_role.check_role, checks.Tags.database, deploy=True)

"""`shell`: Django's own, with an event. Whoever types in it can change what the office's role of the database may."""

from django.core.management.commands import shell

from meso.commands import Told


class Command(Told, shell.Command):  # type: ignore[misc]  # Django's takes options alone
    """The audit says that it was opened, and as whom."""

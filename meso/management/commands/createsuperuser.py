"""`createsuperuser`: Django's own, with an event; the first office admin is made with it."""

from django.contrib.auth.management.commands import createsuperuser

from meso.commands import Told


class Command(Told, createsuperuser.Command):
    """The audit has the command and, by the model's own event, the new login and its role."""

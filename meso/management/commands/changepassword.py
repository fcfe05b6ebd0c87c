"""`changepassword`: Django's own, for an office whose only admin has lost theirs; everybody else is helped at /staff/."""

from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.utils.translation import gettext as _

from meso import audit, clock, way_in_mail
from meso.commands import Told
from meso.models import User


class Command(Told, changepassword.Command):
    """Like one that the admin gives: good for seven days, to choose another with; its owner is mailed, the officer sees it."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        said = super().handle(*args, **options)
        person = User.objects.get(username=options["username"])
        person.password_given_at = clock.now()
        person.save(update_fields=["password_given_at"])
        audit.record(audit.Action.CHANGE, f"staff {person.pk}", detail=audit.BY_COMMAND)
        way_in_mail.tell(person, _("Somebody at the machine gave your login another password."))
        return said

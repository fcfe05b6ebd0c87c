"""The five kinds of request."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """A patient's five rights to ask (design.md, "Kinds and codes")."""

    ACCESS = "access", _("See or copy the record")
    AMENDMENT = "amendment", _("Correct the record")
    RESTRICTION = "restriction", _("Limit who sees the record")
    CONFIDENTIAL_COMMUNICATION = "confidential_communication", _("Be contacted another way")
    ACCOUNTING = "accounting", _("List of disclosures")

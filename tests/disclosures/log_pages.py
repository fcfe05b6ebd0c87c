"""What the tests of the log's pages share."""

from meso.models import AccessEvent

ONCE = "0123456789abcdef" * 2


def facts(**changes):
    """A disclosure as the form sends it, but for `changes`."""
    return {
        "patient": "10023", "disclosed_on": "2026-11-20", "recipient": "Board of Medicine", "recipient_address": "",
        "information": "Visit note", "purpose_code": "health_oversight", "purpose": "Inspection",
        "once": ONCE,
    } | changes  # fmt: skip


def last_event():
    """The latest row of the audit."""
    return AccessEvent.objects.latest("id")

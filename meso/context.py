"""What every template knows: the office, what this person may do, the day on the office's clock."""

from typing import Any

from django.http import HttpRequest

from meso import clock, lock
from meso.roles import PERMISSIONS, may


class _May:
    """`{% if may.patient.view %}`: the permission table, asked by name. A name not in the table raises KeyError."""

    def __init__(self, user: Any, prefix: str = ""):
        self._user, self._prefix = user, prefix

    def __getitem__(self, name: str) -> Any:
        full = f"{self._prefix}{name}"
        if full in PERMISSIONS:
            return may(self._user, full)
        if any(known.startswith(f"{full}.") for known in PERMISSIONS):
            return _May(self._user, f"{full}.")
        raise KeyError(full)


def house(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `office`, `may`, `today`, `csp_nonce`, `room`, the first part of the address, `emergency_until` or
    None, and `lock`, the seconds after which the page locks itself, or None."""
    user = getattr(request, "user", None)
    room = request.path_info.strip("/").partition("/")[0]
    emergency = getattr(request, "emergency_until", None)  # until when the glass that was broken keeps this chart open
    known = {"office": getattr(request, "office", None), "may": _May(user), "today": clock.today(), "room": room}
    nonce = getattr(request, "csp_nonce", "")
    return {**known, "emergency_until": emergency, "lock": lock.of_page(request), "csp_nonce": nonce}

"""The hook for ClamAV: each file that comes in is streamed to clamd, where CLAMD_SOCKET names one, before anything is stored.

The protocol is clamd's INSTREAM (clamd(8)): pieces with their length before them, a length of nothing, one line of answer.
A scanner that does not answer lets nothing through.
"""

import logging
import socket
import struct

from django.conf import settings

_PIECE = 256 * 1024  # bytes
_SECONDS = 30  # for each step; 25 MB take clamd a few
logger = logging.getLogger(__name__)


class ScanFailed(Exception):
    """The scanner can't be asked, or did not say that the file is clean."""


def find(content: bytes) -> str:
    """What clamd finds in these bytes, by its own name; "" for nothing, and where no scanner is named. Raises ScanFailed."""
    if not settings.CLAMD_SOCKET:
        return ""
    try:
        answer = _ask(content)
    except (OSError, ValueError) as error:
        logger.error("The virus scanner can't be asked", exc_info=error)
        raise ScanFailed(str(error)) from error
    if answer == "stream: OK":
        return ""
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        logger.warning("A file was refused: the virus scanner found something in it")
        return answer.removeprefix("stream: ").removesuffix(" FOUND")
    logger.error("The virus scanner does not say that a file is clean: is it larger than its StreamMaxLength?")
    raise ScanFailed(answer)


def _ask(content: bytes) -> str:
    """The scanner's one line."""
    with _connected() as clamd:
        clamd.sendall(b"zINSTREAM\0")
        for start in range(0, len(content), _PIECE):
            piece = content[start : start + _PIECE]
            clamd.sendall(struct.pack("!L", len(piece)) + piece)
        clamd.sendall(struct.pack("!L", 0))
        with clamd.makefile("rb") as answer:
            return answer.read(1000).rstrip(b"\0\n").decode(errors="replace")


def _connected() -> socket.socket:
    """The connection: a path is a socket of this machine, anything else HOST:PORT. Raises OSError, or ValueError for neither."""
    named = settings.CLAMD_SOCKET
    if named.startswith("/"):
        clamd = socket.socket(socket.AF_UNIX)
        clamd.settimeout(_SECONDS)
        try:
            clamd.connect(named)
        except OSError:
            clamd.close()
            raise
        return clamd
    host, _, port = named.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS)

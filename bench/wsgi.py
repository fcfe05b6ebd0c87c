"""Two handlers in one process: the floor behind Django's own middleware, everything else as Meso is served."""

import os
from collections.abc import Callable, Iterable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

meso = get_wsgi_application()
_of_meso, settings.MIDDLEWARE = settings.MIDDLEWARE, settings.FLOOR_MIDDLEWARE
bare = WSGIHandler()  # a handler reads the list once, here
settings.MIDDLEWARE = _of_meso


def application(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
    """The WSGI application that gunicorn serves for the benchmark."""
    handler = bare if environ["PATH_INFO"] in ("/floor/read/", "/floor/write/") else meso
    return handler(environ, start_response)

"""The WSGI application that gunicorn serves. It does not start without the keys of what it would serve."""

import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meso.settings")
application = get_wsgi_application()

from meso import keys  # noqa: E402  (it holds a model: importable once the apps are there)

if wrong := keys.check_master_key():
    sys.exit(str(wrong[0].msg))

"""How gunicorn serves Meso: `gunicorn --config python:meso.gunicorn_conf meso.wsgi`.

For an office of twenty on two cores, behind a proxy that ends TLS and takes slow clients upon itself.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meso.settings")
os.environ.setdefault("LOG_STREAM", "stdout")  # what Django logs in this process; a command's stdout is its result

workers = int(os.environ.get("WEB_CONCURRENCY", "3"))
threads = 2
worker_tmp_dir = "/dev/shm"  # noqa: S108  (gunicorn's own heartbeat; the disk may be slow or read-only)
max_requests, max_requests_jitter = 2000, 200  # what drawing PDFs leaves in memory goes with the worker

# SIGTERM: no new request is taken, those at work have a minute (docker-compose.yml waits longer), then the worker ends.
graceful_timeout = 60
timeout = 120
keepalive = 5

# No address and no header of ours is longer. Bodies are measured by the proxy and by the forms.
limit_request_line, limit_request_fields, limit_request_field_size = 2048, 50, 8190
# gunicorn believes no proxy: Django alone reads X-Forwarded-Proto and X-Forwarded-For, where BEHIND_PROXY says so.
forwarded_allow_ips = ""
control_socket_disable = True

accesslog = None  # meso/logs_json.py writes a line for each answer, by route and never by address
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "meso.logs_json.JsonLines"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}},
    "root": {"handlers": [], "level": "WARNING"},
    "loggers": {"gunicorn.error": {"handlers": ["stdout"], "level": "INFO", "propagate": False}},
}

"""The one settings module. Every deployment value comes from the environment; `.env.example` lists them.

With an empty environment Meso runs on SQLite in `./var` with DEBUG off. `MESO_ENV=production` demands
SECRET_KEY, ALLOWED_HOSTS and DATABASE_URL, turns every safety on, and refuses to start without them.
"""

import os
import secrets
from collections import ChainMap
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env")
# A secret may lie in the file that NAME_FILE names, as a container's do. The variable itself goes first, as a drill sets it.
_SECRETS = ("SECRET_KEY", "DATABASE_URL", "EMAIL_URL")
_in_files = {name: Path(path).read_text().strip() for name in _SECRETS if (path := os.environ.get(f"{name}_FILE"))}
env.ENVIRON = ChainMap(os.environ, _in_files)

MESO_ENV = env.str("MESO_ENV", default="local")
if MESO_ENV not in ("local", "production"):
    raise ImproperlyConfigured(f"MESO_ENV is {MESO_ENV!r}; it can be local or production.")
PRODUCTION = MESO_ENV == "production"
if PRODUCTION:
    missing = [name for name in ("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL") if not env.str(name, default="")]
    if missing:
        raise ImproperlyConfigured(f"MESO_ENV=production needs {', '.join(missing)} in the environment.")

# Set by `manage.py demo` for the server it starts, and by nothing else: the login shows the codes of invented people's apps.
DEMO = env.bool("MESO_DEMO", default=False)
if PRODUCTION and DEMO:
    raise ImproperlyConfigured("MESO_DEMO can't be on when MESO_ENV=production.")

DATA_DIR = Path(env.str("MESO_DATA", default="") or BASE_DIR / "var").resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)


def _own_secret() -> str:
    """The secret of a local office: made on first use, readable by its owner only."""
    path = DATA_DIR / "secret.key"
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(secrets.token_urlsafe(64))
    except FileExistsError:
        pass
    return path.read_text().strip()


SECRET_KEY = env.str("SECRET_KEY", default="") or _own_secret()
DEBUG = env.bool("DEBUG", default=False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG can't be on when MESO_ENV=production.")
# Secrets of before: what was signed or given out under them stays good until they are taken out (docs/security.md).
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# The key that opens backups, made on first use; and public keys to which they are locked besides (docs/backup.md).
BACKUP_KEY_FILE = Path(env.str("BACKUP_KEY_FILE", default="") or DATA_DIR / "backup.key").resolve()
BACKUP_RECIPIENTS = env.list("BACKUP_RECIPIENTS", default=[])

# The key that locks the data keys of encrypted columns and files; never in the database, never in a backup (docs/keys.md).
MASTER_KEY_FILE = Path(env.str("MASTER_KEY_FILE", default="") or DATA_DIR / "master.key").resolve()

# Where clamd is asked about each file that comes in: a path, or host:port. Nothing: no file is scanned (docs/security.md).
CLAMD_SOCKET = env.str("CLAMD_SOCKET", default="")

INSTALLED_APPS = [
    "meso.apps.MesoConfig",
    "records.apps.RecordsConfig",
    "disclosures.apps.DisclosuresConfig",
    "requests_app.apps.RequestsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "django_include_bootstrap",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "simple_history",
    "csp",
]

MIDDLEWARE = [
    "meso.middleware.SafetyMiddleware",
    "meso.logs_json.AccessLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "meso.middleware.LanguageMiddleware",
    "meso.middleware.BodyMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "meso.middleware.OfficeMiddleware",
    "meso.middleware.PermissionMiddleware",
    "records.gate.ChartGate",
    "meso.witness.WitnessMiddleware",
]

ROOT_URLCONF = "meso.urls"
WSGI_APPLICATION = "meso.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["meso.templatetags.quick"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "meso.context.house",
            ],
        },
    }
]
FORM_RENDERER = "meso.forms.BootstrapRenderer"

_SQLITE: dict[str, Any] = {"ENGINE": "sqlite3", "NAME": DATA_DIR / "meso.sqlite3"}
DATABASES: dict[str, dict[str, Any]] = {"default": env.db_url("DATABASE_URL") if env.str("DATABASE_URL", default="") else _SQLITE}
_KIND = DATABASES["default"].get("ENGINE", "").rpartition(".")[2]
if _KIND not in ("sqlite3", "postgresql"):
    raise ImproperlyConfigured("DATABASE_URL can begin with postgres:// or sqlite:///.")
DATABASES["default"]["ENGINE"] = f"meso.db.{_KIND}"  # Django's own, with what must be the last act of a transaction
if _KIND == "sqlite3":
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}  # a file: a second connection must reach it
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON; PRAGMA cache_size=-65536;"
        ),
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Seconds a connection is kept. To open one costs more than a page's queries do, on SQLite too (docs/performance.md).
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "meso.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "meso.passwords.GuessableValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "account_login"

# Signing in: a password, then a second factor (meso/signin.py). Nobody signs up, and nothing is sent by mail.
ACCOUNT_ADAPTER = "meso.signin.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_RATE_LIMITS = False  # meso/lockout.py counts passwords, codes and passkeys alike, in the database
ACCOUNT_FORMS = {"reauthenticate": "meso.signin_forms.PasswordAgainForm"}
MFA_ADAPTER = "meso.signin.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "meso.signin_forms.CodeForm",
    "authenticate_webauthn": "meso.signin_forms.PasskeyForm",
    "reauthenticate": "meso.signin_forms.CodeAgainForm",
    "reauthenticate_webauthn": "meso.signin_forms.PasskeyAgainForm",
    "activate_totp": "meso.signin_forms.NewAppForm",
    "add_webauthn": "meso.signin_forms.NewPasskeyForm",
}
MFA_TOTP_TOLERANCE = 1  # 30 seconds before and after: telephones' clocks, slow typing (RFC 6238, 5.2)
MFA_RECOVERY_CODE_DIGITS = 10
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_REAUTHENTICATION_REQUIRED = False  # the wall asks (meso/middleware.py)
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION  # http://localhost, in a developer's browser and in tests

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
FORMAT_MODULE_PATH = "meso.formats"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="") or "America/New_York"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(DATA_DIR / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = False
WHITENOISE_ALLOW_ALL_ORIGINS = False

# An upload of 25 MB and its form fields; a note of a few hundred pages.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1 * 1024 * 1024

vars().update(env.email_url_config(env.str("EMAIL_URL", default="") or "consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="meso@localhost")

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# How long a session lasts, in seconds. A shared desk is left at any time, and what is on its screen is a patient's: fifteen
# minutes without a request by a person and it is locked (45 CFR 164.312(a)(2)(iii)), with a warning two minutes before. Twelve
# hours, the longest day of an office, from the login to its end; nothing but a login renews them (meso/sessions.py).
SESSION_ENGINE = "meso.sessions"
SESSION_IDLE_LOCK = 15 * 60
SESSION_LOCK_WARNING = 2 * 60
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "meso.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [NONCE],
        "worker-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "upgrade-insecure-requests": PRODUCTION,
    }
}
MESSAGE_STORAGE = "meso.http.MessageStorage"
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
if PRODUCTION:
    SECURE_REDIRECT_EXEMPT = [r"^healthz/$"]  # asked on the machine itself, behind whatever ends TLS
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    LANGUAGE_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-language"

# Without values (meso/logs.py): JSON lines in production, plain ones elsewhere; on stderr, as a command's stdout is its result.
LOG_STREAM = env.str("LOG_STREAM", default="stderr")
if LOG_STREAM not in ("stderr", "stdout"):
    raise ImproperlyConfigured(f"LOG_STREAM is {LOG_STREAM!r}; it can be stderr or stdout.")
# Django's own handlers go: one of them mails whole reports with what was handled.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "meso.logs_json.JsonLines" if PRODUCTION else "meso.logs.Lines"}},
    "handlers": {"lines": {"class": "logging.StreamHandler", "stream": f"ext://sys.{LOG_STREAM}", "formatter": "line"}},
    "root": {"handlers": ["lines"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING"},
        "meso.access": {"level": "INFO" if PRODUCTION else "WARNING"},
        "fontTools": {"level": "ERROR"},
        "weasyprint": {"level": "ERROR"},
    },
}

"""Django's settings. Everything that differs between installations comes from the environment (docs/guide)."""

import os

import structlog

from finalmarket.console.theme import UNFOLD as UNFOLD
from finalmarket.kernel import places
from finalmarket.kernel.database import databases

LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


def _listed(variable: str, default: str = "") -> list[str]:
    return [entry.strip() for entry in os.environ.get(variable, default).split(",") if entry.strip()]


SECRET_KEY = os.environ.get("FINALMARKET_SECRET_KEY") or places.kept_secret("secret-key")
DEBUG = os.environ.get("FINALMARKET_DEBUG") == "1"
ALLOWED_HOSTS = _listed("FINALMARKET_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = _listed("FINALMARKET_ORIGINS")

BEHIND_PROXY = os.environ.get("FINALMARKET_BEHIND_PROXY") == "1"  # one that says in headers whom it speaks for, and how

# Cookies travel over TLS alone, unless nobody but this machine can come in or the keeper says that the net is plain.
IS_OF_THIS_MACHINE = set(ALLOWED_HOSTS) <= LOOPBACK
PLAIN_HTTP = IS_OF_THIS_MACHINE or os.environ.get("FINALMARKET_PLAIN_HTTP") == "1"
SESSION_COOKIE_SECURE = not PLAIN_HTTP
CSRF_COOKIE_SECURE = not PLAIN_HTTP
if not PLAIN_HTTP:  # browsers take these names from this host alone, over TLS
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SESSION_ENGINE = "finalmarket.access.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600  # a working day; then people log in again
SECURE_HSTS_SECONDS = 0 if PLAIN_HTTP else 31_536_000
# Whether the other hosts of the domain speak TLS too, and whether browsers should know it beforehand, is for the keeper
# to say: FINALMARKET_HSTS=all.
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = os.environ.get("FINALMARKET_HSTS") == "all"
SILENCED_SYSTEM_CHECKS = [] if SECURE_HSTS_PRELOAD else ["security.W005", "security.W021"]
SECURE_SSL_REDIRECT = BEHIND_PROXY and not PLAIN_HTTP  # without a proxy there is no TLS to lead to
SECURE_REDIRECT_EXEMPT = [r"^health$"]  # asked from within
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    "finalmarket.console",  # before unfold and the admin, or their site and index page win
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "ninja",  # for the scripts of the page about the API, which come from our own house
    "finalmarket.storefront",
    "finalmarket.worker",
    "finalmarket.catalog",
    "finalmarket.customers",
    "finalmarket.channels",
    "finalmarket.access",
    "finalmarket.stock",
    "finalmarket.orders",
    "finalmarket.journeys",
    "finalmarket.analytics",
    "finalmarket.advice",
    "finalmarket.integrations",
]

MIDDLEWARE = [
    "finalmarket.operations.front_door.FrontDoor",
    "finalmarket.api.track_first.TrackFirst",
    "finalmarket.api.quick.QuickFirst",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "finalmarket.console.policy.ContentPolicy",
]

ROOT_URLCONF = "finalmarket.config.urls"
WSGI_APPLICATION = "finalmarket.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = databases()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Rooms declare their jobs in `jobs.py`; the worker makes tasks of them.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_ON_APP_READY = "finalmarket.worker.registry.register"
# A house that was closed when work was due, such as that of the night, does it once when it opens, up to a day later.
PROCRASTINATE_PERIODIC_DEFAULTS = {"max_delay": 24 * 3600}

# How long a visit may pause and a journey stays open, where that is not as in journeys/spans.py.
JOURNEYS = os.environ.get("FINALMARKET_JOURNEYS", "")

# Mails to operators go through the keeper's own mail server; without one, notices stand in the console alone.
EMAIL_HOST = os.environ.get("FINALMARKET_MAIL_HOST", "")
EMAIL_PORT = int(os.environ.get("FINALMARKET_MAIL_PORT", "587"))
EMAIL_HOST_USER = os.environ.get("FINALMARKET_MAIL_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("FINALMARKET_MAIL_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("FINALMARKET_MAIL_SECURITY", "starttls") == "starttls"
EMAIL_USE_SSL = os.environ.get("FINALMARKET_MAIL_SECURITY") == "tls"
EMAIL_TIMEOUT = 20
EMAIL_SUBJECT_PREFIX = "[The Final Market] "
DEFAULT_FROM_EMAIL = os.environ.get("FINALMARKET_MAIL_FROM", "The Final Market <notices@localhost>")
MAIL_IS_SET = bool(EMAIL_HOST)

# Where browsers find the live stream: ":8200" (a port of this host), "/live" (a path that a proxy brings there), or
# nowhere; `finalmarket serve` sets it.
LIVE = os.environ.get("FINALMARKET_LIVE", "")

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "console:overview"  # of those who had not asked for a page
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
# Static files are served from where the packages keep them: no collecting step stands between a clone and a page.
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

_SHARED_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_LOG_LEVEL = os.environ.get("FINALMARKET_LOG_LEVEL", "WARNING")
_DJANGO_LEVEL = _LOG_LEVEL if _LOG_LEVEL in ("ERROR", "CRITICAL") else "WARNING"
LINES_AS_JSON = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # A plain traceback: the fancy one shows local variables, and with them secrets and people's data.
                *(
                    LINES_AS_JSON
                    if os.environ.get("FINALMARKET_LOG") == "json"
                    else [
                        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
                    ]
                ),
            ],
            "foreign_pre_chain": _SHARED_PROCESSORS,
        },
    },
    "handlers": {"stderr": {"class": "finalmarket.config.lines.Lines", "formatter": "lines"}},
    "root": {"handlers": ["stderr"], "level": _LOG_LEVEL},
    # Never more than warnings: at DEBUG it would write every statement with its values, and with them people's data.
    # Django gives its server for trying things out a handler of its own, which would write addresses.
    "loggers": {
        name: {"handlers": ["stderr"], "level": _DJANGO_LEVEL, "propagate": False}
        for name in ("django", "django.server")
    },
}
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_SHARED_PROCESSORS,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)

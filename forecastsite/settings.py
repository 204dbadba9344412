"""All settings of the product; docs/settings.md lists those that come from the environment."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dj_database_url
import django_stubs_ext
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from forecastsite.env import (
    load_secret_key,
    read_env,
    read_env_address,
    read_env_bool,
    read_env_choice,
    read_env_int,
    read_env_list,
    read_env_networks,
)
from forecastsite.file_stores import file_storage

django_stubs_ext.monkeypatch()  # ModelAdmin[Any] and the like also at run time, not only for mypy

BASE_DIR = Path(__file__).resolve().parent.parent


# --- where things live -------------------------------------------------------------------------------
DATA_DIR = Path(read_env("DATA_DIR", str(BASE_DIR / "var"))).resolve()
os.umask(0o077)  # database, sales, backups: only this account reads what the product writes
DATA_DIR.mkdir(parents=True, exist_ok=True)
DEBUG = read_env_bool("DEBUG", False)
PORT = read_env_int("PORT", 8000, 1, 65535)
LISTEN_ADDRESS = read_env_address("LISTEN_ADDRESS", "127.0.0.1")  # of the web server
ALLOWED_HOSTS = read_env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = read_env_list("TRUSTED_ORIGINS", "")

DATABASES: dict[str, Any] = {
    "default": dj_database_url.parse(
        read_env("DATABASE_URL", f"sqlite:///{DATA_DIR / 'db.sqlite3'}"),
        conn_max_age=60,
        conn_health_checks=True,
    )
}
HAS_OWN_DATABASE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
SECRET_KEY = load_secret_key(DATA_DIR, HAS_OWN_DATABASE)
if HAS_OWN_DATABASE:
    # IMMEDIATE + WAL: measured 0 lost writes of 800 from 8 processes; Django's default lost 595.
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=2000;",
    }
    # A file, as in production: threads and other processes see it, and the live feed can watch it.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / f"test-{os.getppid()}.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


ARTIFACT_STORE = read_env("ARTIFACT_STORE", "local")
ARTIFACT_FOLDER = DATA_DIR / "artifacts"  # when local
ARCHIVE_STORE = read_env("ARCHIVE_STORE")
S3_ENDPOINT_URL = read_env("S3_ENDPOINT_URL")
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "artifacts": file_storage(
        "ARTIFACT_STORE",
        str(ARTIFACT_FOLDER) if ARTIFACT_STORE == "local" else ARTIFACT_STORE,
        S3_ENDPOINT_URL,
    ),
}
SOURCES_DIR = Path(read_env("SOURCES_DIR", str(DATA_DIR / "sources"))).resolve()  # of watched folders
SOURCES_S3 = read_env_list("SOURCES_S3", "")  # s3://bucket/prefix: below these, files may be taken
SOURCES_S3_ENDPOINT_URL = read_env("SOURCES_S3_ENDPOINT_URL", S3_ENDPOINT_URL)
if ARCHIVE_STORE:
    STORAGES["archive"] = file_storage(
        "ARCHIVE_STORE", ARCHIVE_STORE, read_env("ARCHIVE_S3_ENDPOINT_URL", S3_ENDPOINT_URL)
    )

# --- Django ------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "forecastsite",
    "training",
    "prediction",
    "registry",
    "forecastsite.apps.ForecastAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "axes",
    "channels",
    "csp",
    "django_htmx",
    "django_q",
    "template_partials",
]
MIDDLEWARE = [
    "forecastsite.server.request_log.LogRequests",
    "forecastsite.accounts.client_address.use_client_address",
    "django.middleware.security.SecurityMiddleware",
    "forecastsite.api.entry.AnswerPrograms",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "forecastsite.dataset_frame.strip_dataset",
    "django.middleware.locale.LocaleMiddleware",
    "forecastsite.middleware.ExplainRefusals",
    "forecastsite.middleware.reject_large_body",
    "forecastsite.middleware.reject_unreadable_request",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "forecastsite.dataset_frame.ChooseDataset",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "forecastsite.middleware.audit_downloads",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "forecastsite.dataset_frame.add_current_dataset",
            ],
            "builtins": ["template_partials.templatetags.partials"],  # built in from Django 6.0 on
        },
    }
]
ROOT_URLCONF = "forecastsite.urls"
ASGI_APPLICATION = "forecastsite.asgi.application"

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT, AXES_COOLOFF_TIME = 5, 0.25  # wrong passwords, hours
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # one try now and then must not lock for ever
AXES_LOCKOUT_TEMPLATE = "429.html"
AXES_ENABLE_ACCESS_FAILURE_LOG = True  # every wrong password, the newest thousand of each user name
LOGIN_URL = "/login/"  # not by name, which would put it inside a dataset
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"

# --- languages ---------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["forecastsite.formats"]
USE_THOUSAND_SEPARATOR = False  # templates ask for separators by name, so ids in attributes get none
TIME_ZONE = read_env("TIME_ZONE", "UTC")
USE_TZ = True

# --- browser -----------------------------------------------------------------------------------------
_unfold = find_spec("unfold")
if _unfold is None or _unfold.origin is None:
    raise ImproperlyConfigured("django-unfold is not installed: run make setup.")
# Chart.js comes from the django-unfold wheel; the app itself is not installed (its admin needs a loose CSP).
CHARTJS = Path(_unfold.origin).parent / "static/unfold/js/chart"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static", ("chartjs", CHARTJS)]
WHITENOISE_USE_FINDERS = True  # works from a checkout, without collectstatic
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
MAX_CONNECTIONS = read_env_int("MAX_CONNECTIONS", 2000, 16, 100_000)  # of the web server, live pages included
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
HTTPS = read_env_bool("HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
TRUSTED_PROXIES = read_env_int("TRUSTED_PROXIES", 0, 0, 10)  # proxies that append to X-Forwarded-For
# Browsers remember these and nobody can take them back, so the wide ones are chosen and not the default.
SECURE_HSTS_SECONDS = read_env_int("HSTS_SECONDS", 3600, 0, 63_072_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS and read_env_bool("HSTS_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = HTTPS and read_env_bool("HSTS_PRELOAD", False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # HSTS for subdomains, and preload
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
MAX_UPLOAD_MB = read_env_int("MAX_UPLOAD_MB", 50, 1, 4096)  # larger files: import_sales on the server
QUEUED_UPLOAD_MB = read_env_int("QUEUED_UPLOAD_MB", 20, 0, 4096)  # larger ones are checked by a job
IMPORT_MEMORY_MB = read_env_int("IMPORT_MEMORY_MB", 1536, 1024, 1_000_000)  # of the process that reads a file
IMPORTS_AT_ONCE = read_env_int("IMPORTS_AT_ONCE", 2, 1, 64)  # such processes of a web server or a worker
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_048_576  # larger bodies are read from a file
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

# --- jobs --------------------------------------------------------------------------------------------
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
TRAINING_WORKERS = read_env_int("TRAINING_WORKERS", 1, 1, 64)
JOB_WORKERS = read_env_int("JOB_WORKERS", 1, 1, 16)  # jobs of the light queue at the same time
JOB_MINUTES = read_env_int("JOB_MINUTES", 60, 10, 1440)  # the longest a job of the light queue may take
Q_CLUSTER: dict[str, Any] = {
    "name": "light",
    "orm": "default",
    "workers": JOB_WORKERS,
    "timeout": 60 * JOB_MINUTES,  # a check or a forecast of a large chain, a clean-up of a full store
    "retry": 60 * JOB_MINUTES + 60,
    "max_attempts": 1,
    "ack_failures": True,
    "bulk": 1,
    "queue_limit": JOB_WORKERS,
    "save_limit": -1,
    "poll": 0.5,
    "recycle": 100,
    "catch_up": False,
    "ALT_CLUSTERS": {
        "training": {
            "workers": TRAINING_WORKERS,
            "timeout": 7200,
            "retry": 7260,
            "max_attempts": 1,
            "ack_failures": True,
            "bulk": 1,
            "queue_limit": TRAINING_WORKERS,
            "recycle": 1,
            "daemonize_workers": False,
            "scheduler": False,
        }
    },
}
TRAINING_THREADS = read_env_int(
    "TRAINING_THREADS", min(4, (os.cpu_count() or 2) // TRAINING_WORKERS) or 1, 1, 64
)
TRAINING_PROCESSES = read_env_int("TRAINING_PROCESSES", 1, 1, 64)  # that learn one network together
TRAINING_ADDRESS = read_env("TRAINING_ADDRESS")  # of this host for the others of one training
TRAINING_MEMORY_MB = read_env_int("TRAINING_MEMORY_MB", 6000, 512, 1_000_000)
RUNNING_PER_USER = read_env_int("RUNNING_PER_USER", 1, 1, 64)  # running trainings of one user
WAITING_PER_USER = read_env_int("WAITING_PER_USER", 5, 1, 1000)
SOCKETS_PER_USER = read_env_int("SOCKETS_PER_USER", 250, 1, 100_000)  # live pages that one user may have open
# A version with a larger bias is not put in use automatically.
MAX_BIAS = read_env_int("MAX_BIAS_PERCENT", 25, 0, 100) / 100
KEEP_DAYS = read_env_int("KEEP_DAYS", 30, 1, 36_500)  # forecasts older than this are cleaned up
KEEP_COUNT = read_env_int("KEEP_COUNT", 1000, 1, 100_000_000)  # forecasts kept at most
KEEP_VERSIONS = read_env_int("KEEP_VERSIONS", 3, 1, 100_000)  # versions kept of each algorithm and scope
KEEP_RUNS = read_env_int("KEEP_RUNS", 40, 1, 100_000)  # forecast runs kept of each dataset
KEEP_SALES = read_env_int("KEEP_SALES", 30, 1, 100_000)  # versions of its sales kept of each dataset
GRACE_HOURS = read_env_int("GRACE_HOURS", 24, 0, 87_600)  # nothing younger is cleaned up
KEEP_ORDERS = read_env_int("KEEP_ORDERS", 100, 1, 100_000)  # orders kept of each dataset
MAX_STOCK_AGE = read_env_int("MAX_STOCK_AGE", 3, 0, 365)  # days that stock may be older than the sales
BACKUP_DAYS = read_env_int("BACKUP_DAYS", 7, 0, 3650)  # operators are told of an older backup; 0: never
STALE_DAYS = read_env_int("STALE_DAYS", 7, 1, 3650)  # sales older than this need attention
MAX_HORIZON = 365
MAX_BUDGET = 7200  # seconds; the queue's timeout leaves room for tests and saving

# --- e-mail: none without a host ---------------------------------------------------------------------
EMAIL_HOST = read_env("EMAIL_HOST")
EMAIL_PORT = read_env_int("EMAIL_PORT", 25, 1, 65535)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = read_env("EMAIL_USER"), read_env("EMAIL_PASSWORD")
EMAIL_USE_TLS = read_env_bool("EMAIL_TLS", False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = read_env("EMAIL_FROM", "forecasts@localhost")
SITE_URL = read_env("SITE_URL", f"http://localhost:{PORT}").rstrip("/")

# --- programs -----------------------------------------------------------------------------------------
WEBHOOK_NETWORKS = read_env_networks("WEBHOOK_NETWORKS")  # private addresses that webhooks may have
API_REQUESTS_PER_MINUTE = read_env_int("API_REQUESTS_PER_MINUTE", 60, 1, 1_000_000)  # of one key

# --- monitoring ---------------------------------------------------------------------------------------
METRICS_TOKEN = read_env("METRICS_TOKEN")  # of whoever reads /metrics; without both the address is unknown
METRICS_ADDRESSES = read_env_networks("METRICS_ADDRESSES")  # from which it is read without a token
if (METRICS_TOKEN or METRICS_ADDRESSES) and find_spec("prometheus_client") is None:
    raise ImproperlyConfigured("METRICS_TOKEN and METRICS_ADDRESSES need prometheus-client: install it.")
LOG_FORMAT = read_env_choice("LOG_FORMAT", "text", "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"text": {}, "json": {"()": "forecastsite.server.json_logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": read_env("LOG_LEVEL", "WARNING").upper()},
}

"""What the admin calls the tables and columns that come from libraries."""

from __future__ import annotations

from django.apps import apps
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

APP_NAMES: dict[str, StrOrPromise] = {
    "auth": _("People"),
    "axes": _("Sign-in protection"),
    "django_q": _("Background tasks"),
}
TABLE_NAMES: dict[str, tuple[StrOrPromise, StrOrPromise]] = {
    "auth.group": (_("role"), _("roles")),
    "axes.accessattempt": (_("sign-in attempt"), _("sign-in attempts")),
    "axes.accessfailurelog": (_("failed sign-in"), _("failed sign-ins")),
    "axes.accesslog": (_("sign-in"), _("sign-ins")),
    "django_q.ormq": (_("waiting task"), _("waiting tasks")),
    "django_q.success": (_("finished task"), _("finished tasks")),
    "django_q.failure": (_("failed task"), _("failed tasks")),
    "training.runevent": (_("training log entry"), _("training log")),
}
SIGN_IN_COLUMNS: dict[str, StrOrPromise] = {
    "attempt_time": _("when"),
    "username": _("user name"),
    "ip_address": _("IP address"),
    "user_agent": _("browser"),
    "path_info": _("address"),
}
TASK_COLUMNS: dict[str, StrOrPromise] = {
    "name": _("name"),
    "func": _("task"),
    "cluster": _("queue"),
    "started": _("started"),
    "stopped": _("ended"),
    "attempt_count": _("attempts"),
    "success": _("successful"),
}
COLUMN_NAMES: dict[str, dict[str, StrOrPromise]] = {
    "auth.user": {
        "groups": _("roles"),
        "is_active": _("may sign in"),
        "is_superuser": _("administrator"),
        "user_permissions": _("further permissions"),
    },
    "axes.accessattempt": {**SIGN_IN_COLUMNS, "failures_since_start": _("failures")},
    "axes.accessfailurelog": {**SIGN_IN_COLUMNS, "locked_out": _("locked out")},
    "axes.accesslog": {**SIGN_IN_COLUMNS, "logout_time": _("signed out")},
    "django_q.success": TASK_COLUMNS,
    "django_q.failure": TASK_COLUMNS,
    "django_q.ormq": {"id": _("number"), "key": _("queue"), "lock": _("taken at")},
}


def name_libraries() -> None:
    """Gives them their names; only what pages show changes, nothing that a migration knows."""
    for label, name in APP_NAMES.items():
        apps.get_app_config(label).verbose_name = name
    for label, (one, many) in TABLE_NAMES.items():
        meta = apps.get_model(label)._meta
        meta.verbose_name, meta.verbose_name_plural = one, many
    for label, columns in COLUMN_NAMES.items():
        for column, name in columns.items():
            apps.get_model(label)._meta.get_field(column).verbose_name = name

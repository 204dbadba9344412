"""Groups of the admin's tables by what they are about, instead of one for each Django app."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.urls import reverse

# each group has the label of the app that gives it its name and address
GROUPS = {
    "auth": ("auth.User", "auth.Group", "forecastsite.ApiKey"),
    "axes": ("axes.AccessAttempt", "axes.AccessFailureLog", "axes.AccessLog"),
    "registry": (
        "registry.Dataset",
        "registry.DatasetVersion",
        "training.TrainingRun",
        "training.RunEvent",
        "registry.ForecastModel",
        "registry.ModelVersion",
        "registry.VersionChange",
    ),
    "prediction": ("prediction.Forecast",),
    "forecastsite": (
        "registry.AuditEntry",
        "forecastsite.Nightly",
        "forecastsite.CleanUp",
        "forecastsite.Verification",
        "registry.Tombstone",
    ),
    "django_q": ("django_q.OrmQ", "django_q.Success", "django_q.Failure"),
}
MERGED_APPS = {"training": "registry"}
GROUP_BY_TABLE = {table: group for group, tables in GROUPS.items() for table in tables}


def find_group(app_label: str, table: str = "") -> str:
    """The group of a table, or of the tables of an app.

    >>> find_group("registry", "AuditEntry"), find_group("registry", "Dataset"), find_group("training")
    ('forecastsite', 'registry', 'registry')
    """
    return GROUP_BY_TABLE.get(f"{app_label}.{table}", MERGED_APPS.get(app_label, app_label))


def build_groups(app_list: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tables of Django's list in their groups; a table that no group names ends the group of its app."""
    tables: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for app in app_list:
        for model in app["models"]:
            name = f"{app['app_label']}.{model['object_name']}"
            group = find_group(app["app_label"], model["object_name"])
            order = GROUPS.get(group, ())
            tables.setdefault(group, []).append((order.index(name) if name in order else len(order), model))
    names = [*GROUPS, *(group for group in tables if group not in GROUPS)]
    return [build_group(name, tables[name]) for name in names if name in tables]


def build_group(label: str, tables: list[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
    """A group as the templates of Django's admin expect an app."""
    return {
        "name": apps.get_app_config(label).verbose_name,
        "app_label": label,
        "app_url": reverse("admin:app_list", args=[label]),
        "has_module_perms": True,
        "models": [model for _place, model in sorted(tables, key=lambda table: table[0])],
    }


def group_context(options: Any) -> dict[str, Any]:
    """Name and address of the group of a table, for the breadcrumbs."""
    label = find_group(options.app_label, options.object_name)
    return {
        "group_name": apps.get_app_config(label).verbose_name,
        "group_url": reverse("admin:app_list", args=[label]),
    }

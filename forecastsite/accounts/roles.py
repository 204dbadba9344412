"""Roles: groups that hold permissions. Users without a role are Viewers, who can see every page.

Administrators (superusers) can do everything; only they create users and assign roles.
"""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.utils.translation import gettext_noop

TRAIN_PERMISSION, FORECAST_PERMISSION = "training.add_trainingrun", "prediction.add_forecast"
RUN_PERMISSION, DELETE_FORECAST_PERMISSION = "training.change_trainingrun", "prediction.delete_forecast"
CHANGE_ALERT = "prediction.change_accuracyalert"
ADD_OVERRIDE, CHANGE_OVERRIDE, SCORE_OVERRIDES = (
    f"prediction.{verb}_override" for verb in ("add", "change", "score")
)
RUN_FORECAST, CHANGE_FORECAST_RUN, DELETE_FORECAST_RUN = (
    f"prediction.{verb}_forecastrun" for verb in ("add", "change", "delete")
)
ADD_SCENARIO, DELETE_SCENARIO = "prediction.add_scenario", "prediction.delete_scenario"
ADD_ORDER, CHANGE_ORDER, DELETE_ORDER, APPROVE_ORDER = (
    f"prediction.{verb}_orderrun" for verb in ("add", "change", "delete", "approve")
)
ADD_POLICY, ADD_BACKTEST = "prediction.add_orderpolicy", "prediction.add_orderbacktest"
DATA_PERMISSIONS = ("registry.add_datasetversion", "registry.change_dataset")
STOCK_PERMISSION = "registry.add_stocksnapshot"
STOCK_PERMISSIONS = (
    STOCK_PERMISSION,
    "registry.delete_stocksnapshot",
    *(f"registry.{verb}_terms" for verb in ("add", "change", "delete")),
)
MODEL_PERMISSIONS = ("registry.change_modelversion", "registry.delete_modelversion")
ARCHIVE_PERMISSION = "registry.archive_modelversion"
ADMIN_PERMISSION = "registry.open_admin"
WEBHOOK_PERMISSION = "forecastsite.add_webhook"
RUN_PLANS = ("registry.run_source", "forecastsite.run_plan")
CHANGE_PLANS = tuple(
    f"{app}.{verb}_{row}"
    for app, row in (("registry", "source"), ("forecastsite", "plan"))
    for verb in ("add", "change", "delete")
)
VIEW_PERMISSIONS = (
    "registry.view_dataset",
    "registry.view_datasetversion",
    "registry.view_stocksnapshot",
    "registry.view_terms",
    "registry.view_source",
    "registry.view_sourcefile",
    "registry.view_forecastmodel",
    "registry.view_modelversion",
    "registry.view_versionchange",
    "registry.view_tombstone",
    "training.view_trainingrun",
    "training.view_runevent",
    "prediction.view_forecast",
    "prediction.view_forecastrun",
    "prediction.view_accuracyalert",
    "prediction.view_override",
    "prediction.view_orderrun",
    "prediction.view_orderline",
    "prediction.view_orderexport",
    "prediction.view_orderpolicy",
    "prediction.view_orderbacktest",
    "forecastsite.view_plan",
    "forecastsite.view_planrun",
    "forecastsite.view_planstep",
)
OPERATION_PERMISSIONS = (
    "forecastsite.view_cleanup",
    "forecastsite.view_nightly",
    "forecastsite.change_nightly",
    "forecastsite.view_storagesample",
    "forecastsite.view_verification",
    "forecastsite.view_apikey",
    "forecastsite.change_apikey",
    "registry.view_auditentry",
    "django_q.view_ormq",
    "django_q.view_success",
    "django_q.view_failure",
    "axes.view_accessattempt",
    "axes.delete_accessattempt",
    "axes.view_accessfailurelog",
    "axes.view_accesslog",
)

ROLES: dict[str, tuple[str, ...]] = {
    gettext_noop("Viewer"): (),
    gettext_noop("Planner"): (
        TRAIN_PERMISSION,
        FORECAST_PERMISSION,
        RUN_FORECAST,
        ADD_SCENARIO,
        CHANGE_ALERT,
        ADD_OVERRIDE,
        STOCK_PERMISSION,
        ADD_ORDER,
        CHANGE_ORDER,
        ADD_BACKTEST,
    ),
    gettext_noop("Curator"): (
        TRAIN_PERMISSION,
        FORECAST_PERMISSION,
        RUN_FORECAST,
        ADD_SCENARIO,
        DELETE_SCENARIO,
        CHANGE_ALERT,
        ADD_OVERRIDE,
        CHANGE_OVERRIDE,
        SCORE_OVERRIDES,
        CHANGE_FORECAST_RUN,
        DELETE_FORECAST_RUN,
        ADD_ORDER,
        CHANGE_ORDER,
        DELETE_ORDER,
        APPROVE_ORDER,
        ADD_BACKTEST,
        ADD_POLICY,
        RUN_PERMISSION,
        DELETE_FORECAST_PERMISSION,
        *DATA_PERMISSIONS,
        *STOCK_PERMISSIONS,
        *MODEL_PERMISSIONS,
        ARCHIVE_PERMISSION,
        ADMIN_PERMISSION,
        WEBHOOK_PERMISSION,
        *RUN_PLANS,
        *CHANGE_PLANS,
        *VIEW_PERMISSIONS,
    ),
    gettext_noop("Operator"): (
        RUN_PERMISSION,
        DELETE_FORECAST_PERMISSION,
        DELETE_FORECAST_RUN,
        DELETE_ORDER,
        MODEL_PERMISSIONS[1],
        ARCHIVE_PERMISSION,
        ADMIN_PERMISSION,
        WEBHOOK_PERMISSION,
        *RUN_PLANS,
        *VIEW_PERMISSIONS,
        *OPERATION_PERMISSIONS,
    ),
}


def create_roles(apps: Apps, ending: str = "") -> None:
    """Creates the groups and adds those of their permissions that exist by now; keeps any others.

    `ending`: only permissions that end with it, so that an upgrade gives back none that was taken away.
    """
    permissions = load_permissions(apps)
    for name, held in ROLES.items():
        group, _made = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        wanted = (one for one in held if one in permissions and one.endswith(ending))
        group.permissions.add(*(permissions[one] for one in wanted))


def load_permissions(apps: Apps) -> dict[str, Any]:
    """Every permission by name; created here, because Django creates them only after all migrations."""
    for label in {name.split(".")[0] for held in ROLES.values() for name in held}:
        config: Any = apps.get_app_config(label)
        config.models_module = getattr(config, "models_module", True)
        create_permissions(config, apps=apps, verbosity=0)
    found = apps.get_model("auth", "Permission").objects.select_related("content_type")
    return {f"{one.content_type.app_label}.{one.codename}": one for one in found}

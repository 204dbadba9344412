"""Which run of a dataset is current: chosen by hand, and rolled back."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext

from prediction.current_forecast import name_target, put_in_use
from prediction.models import CurrentForecast
from prediction.runs.models import ForecastRun
from registry.access.audit import AuditAction, record_action
from registry.datasets.models import Dataset
from registry.model_versions.in_use import version_in_use


def promote_run(run: ForecastRun, reason: str, by: AbstractBaseUser | None) -> None:
    """Makes a run the current one until the version in use or the sales change; raises ValueError."""
    if not reason.strip():
        raise ValueError(gettext("Enter a reason, so that others understand why."))
    with transaction.atomic():
        _put_in_use(run)
        record_action(AuditAction.PROMOTED, run, by, reason.strip())


def roll_back(shown: ForecastRun, by: AbstractBaseUser | None) -> ForecastRun:
    """Makes the run before `shown` the current one; raises ValueError if there is none."""
    with transaction.atomic():
        rows = CurrentForecast.objects.select_for_update().filter(run=shown)
        row = rows.select_related("previous__version__model").first()
        if row is None:
            raise ValueError(gettext("%(name)s is not the current forecast any more.") % {"name": shown})
        if row.previous is None:
            raise ValueError(gettext("There is no earlier forecast to go back to."))
        earlier = row.previous
        _put_in_use(earlier)
        record_action(AuditAction.ROLLED_BACK, earlier, by)
    return earlier


def may_be_current(run: ForecastRun) -> bool:
    """Whether it covers everything, with all sales of its dataset version."""
    return (
        run.is_done
        and run.state == run.State.READY
        and run.as_of is None
        and run.version.model.kind == "global"
    )


def may_go_back(run: ForecastRun) -> bool:
    """Whether it is current and another run was so before."""
    return CurrentForecast.objects.filter(run=run, previous__isnull=False).exists()


def _put_in_use(run: ForecastRun) -> None:
    if not may_be_current(run):
        raise ValueError(gettext("Only a finished forecast of everything can be the current one."))
    dataset = Dataset.objects.get(pk=run.dataset_version.dataset_id)
    version, data = version_in_use(dataset), dataset.current_version
    put_in_use(dataset, run.totals, name_target(version, data) if version and data else "")

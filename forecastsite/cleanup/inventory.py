"""Database rows as input for the policy in registry.storage.retention."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import Q

from prediction.models import CurrentForecast, Forecast, ForecastRun, OrderLine, OrderRun
from registry.model_versions.models import ForecastModel, ModelVersion
from registry.storage.archivable import ArchivableArtifact
from registry.storage.artifacts import Artifact, get_artifact_store
from registry.storage.retention import ForecastRow, RunRow, VersionRow
from training.models import TrainingRun

ROWS_PER_CHUNK = 5000
FORECAST_COLUMNS = ("pk", "created_at", "size", "pinned", "archived_at", "version_id")
NAME_COLUMNS = ("product", "store", "version__name", "origin", "horizon")
VERSION_COLUMNS = (
    "pk",
    "created_at",
    "size",
    "pinned",
    "archived_at",
    "model_id",
    "algorithm",
    "name",
    "wape",
)
# what the tombstone of a forecast needs; a clean-up may delete a hundred thousand of them
FILE_COLUMNS = ("id", "state", "size", "sha256", "pinned", "archive_address", "archived_at")
TOMBSTONE_COLUMNS = (
    *FILE_COLUMNS,
    *("store", "product", "origin", "horizon", "created_at", "run"),
    *("version__model__kind", "version__model__code"),
)


def load_forecast_rows() -> list[ForecastRow]:
    """Every ready forecast but the totals of runs, which go with their run."""
    found = Forecast.objects.ready().filter(run=None).order_by().values_list(*FORECAST_COLUMNS, *NAME_COLUMNS)
    rows = (build_forecast_row(*values) for values in found.iterator(chunk_size=ROWS_PER_CHUNK))
    current = {str(pk) for pk in current_forecasts()}
    return [
        replace(row, protected_by=(*row.protected_by, "current")) if row.id in current else row
        for row in rows
    ]


def current_forecasts() -> set[Any]:
    """Ids of the server's own forecasts that pages show now."""
    return set(CurrentForecast.objects.exclude(forecast=None).values_list("forecast", flat=True))


def build_forecast_row(
    pk: Any, created: Any, size: int, pinned: bool, archived: Any, *rest: Any
) -> ForecastRow:
    """A forecast from the values of FORECAST_COLUMNS and NAME_COLUMNS."""
    version, product, store, name, origin, horizon = rest
    what = " · ".join(part for part in (product, store) if part) or name
    return ForecastRow(
        id=str(pk),
        name=f"{what} · {origin} + {horizon}",
        created=created,
        size=size,
        protected_by=("pinned",) if pinned else (),
        is_archived=archived is not None,
        version=str(version),
    )


def load_run_rows(dataset: int | None = None) -> list[RunRow]:
    """Every done run, or those of one dataset, with the size of all its files."""
    found = ForecastRun.objects.done().select_related("version", "dataset_version__dataset", "sums", "totals")
    rows = found.filter(dataset_version__dataset=dataset) if dataset else found
    protectors = {"current": current_runs(), "order": ForecastRun.ids_needed()}
    return [build_run_row(run, protectors) for run in rows.order_by()]


def build_run_row(run: ForecastRun, protectors: dict[str, set[Any]]) -> RunRow:
    """A run with the names of the `protectors` that contain its id."""
    protected_by = [name for name, protector in protectors.items() if run.pk in protector]
    return RunRow(
        id=str(run.pk),
        name=str(run),
        created=run.created_at,
        size=run.total_size,
        protected_by=(*(["pinned"] if run.pinned else []), *protected_by),
        is_archived=run.is_archived,
        lineage=str(run.dataset_version.dataset_id),
        version=str(run.version_id),
    )


def load_order_rows(dataset: int | None = None) -> list[VersionRow]:
    """Every done order, or those of one dataset; one with approved lines is protected by them."""
    found = OrderRun.objects.done().filter(**({"dataset": dataset} if dataset else {}))
    states = OrderLine.State
    signed = set(
        OrderLine.objects.exclude(state=states.DRAFT).order_by().values_list("run", flat=True).distinct()
    )
    return [
        VersionRow(
            id=str(run.pk),
            name=str(run),
            created=run.created_at,
            size=run.size,
            protected_by=(*(["pinned"] if run.pinned else []), *(["approved"] if run.pk in signed else [])),
            is_archived=run.is_archived,
            lineage=str(run.dataset_id),
        )
        for run in found.select_related("dataset", "stock").order_by()
    ]


def current_runs() -> set[Any]:
    """Ids of the runs that pages show now."""
    return set(CurrentForecast.objects.exclude(run=None).values_list("run", flat=True))


def load_version_rows(model: int | None = None) -> list[VersionRow]:
    """Every ready version, or those of one model, each with what protects it."""
    found = ModelVersion.objects.ready().filter(**({"model": model} if model else {}))
    rows = list(found.order_by().values(*VERSION_COLUMNS))
    protectors = {
        "best": versions_in_use(rows),
        "run": versions_in_training(),
        "forecast": versions_of_unready_forecasts(),
    }
    return [build_version_row(row, protectors) for row in rows]


def build_version_row(row: dict[str, Any], protectors: dict[str, set[Any]]) -> VersionRow:
    """A version from VERSION_COLUMNS, with the names of the `protectors` that contain its id."""
    protected_by = [name for name, protector in protectors.items() if row["pk"] in protector]
    return VersionRow(
        id=str(row["pk"]),
        name=row["name"],
        created=row["created_at"],
        size=row["size"],
        protected_by=(*(["pinned"] if row["pinned"] else []), *protected_by),
        is_archived=row["archived_at"] is not None,
        lineage=f"{row['model_id']}/{row['algorithm']}",
    )


def versions_in_use(rows: list[dict[str, Any]]) -> set[Any]:
    """The version in use of each model; the one with the smallest error if none is in use."""
    best = dict(ForecastModel.objects.values_list("pk", "best"))
    worst_first = sorted(rows, key=lambda row: (row["wape"] is None, row["wape"] or 0), reverse=True)
    smallest = {row["model_id"]: row["pk"] for row in worst_first}
    return {best.get(model) or version for model, version in smallest.items()}


def versions_in_training() -> set[Any]:
    """Versions of active runs; one that is being published has its attempt's token as id."""
    going = TrainingRun.objects.exclude(state__in=TrainingRun.ENDED_STATES)
    return {pk for pair in going.values_list("version", "attempt_token") for pk in pair if pk}


def versions_of_unready_forecasts() -> set[Any]:
    """Versions of forecasts and runs that are pending or damaged, which no plan contains."""
    state = Artifact.State
    ready = Q(state__in=[state.READY, state.DELETING])
    found = Forecast.objects.exclude(ready).values_list("version", flat=True)
    runs = ForecastRun.objects.exclude(ready).exclude(stage=ForecastRun.Stage.FAILED)
    return {*found, *runs.values_list("version", flat=True)}


def runs_without_files() -> set[Any]:
    """Runs and orders that wait, are being made or failed: their row stays although there is no file."""
    return {
        pk
        for kind in (ForecastRun, OrderRun)
        for pk in kind.objects.exclude(stage=kind.Stage.DONE).values_list("pk", flat=True)
    }


def list_archived_leftovers(kind: type[ArchivableArtifact]) -> list[Any]:
    """Archived rows whose local file still exists, because a crash came before its deletion."""
    archived = kind._default_manager.filter(state=Artifact.State.READY, archived_at__isnull=False)
    names = {f"{pk}{kind.SUFFIX}": pk for pk in archived.values_list("pk", flat=True)}
    try:
        local = get_artifact_store().listdir(kind.FOLDER)[1] if names else []
    except FileNotFoundError:
        local = []
    return list(archived.filter(pk__in=[names[name] for name in local if name in names]))

"""Overrides in force, applied to a prediction of everything; and whether a run has those of now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from hashlib import blake2b

from prediction.overrides.models import Override, RunOverride, list_run_days
from prediction.overrides.splitting import Effect, apply_changes
from prediction.runs.models import ForecastRun
from registry.datasets.levels import read_levels
from registry.datasets.models import DatasetVersion
from registry.model_versions.models import ModelVersion
from registry.series.levels import Level, Selection
from registry.series.prediction import Prediction


def list_in_force(
    version: ModelVersion, data: DatasetVersion, horizon: int, as_of: date | None = None
) -> list[Override]:
    """Those that change a forecast from these sales. Only a version of everything knows whole groups."""
    if version.model.kind != "global":
        return []
    origin = as_of or data.last
    days = origin + timedelta(days=1), origin + timedelta(days=horizon)
    return list(Override.objects.in_force(data.dataset_id, *days, on=as_of))


def adjust_prediction(
    prediction: Prediction, data: DatasetVersion, overrides: Sequence[Override]
) -> tuple[Prediction, list[Effect]]:
    """The model's prediction of everything with the overrides, and what each did; raises CorruptArtifact."""
    if not overrides:
        return prediction, []
    levels = read_group_levels(data, [one.selection for one in overrides])
    return apply_changes(prediction, [one.change for one in overrides], levels)


def adjust_alone(prediction: Prediction, data: DatasetVersion, overrides: Sequence[Override]) -> Prediction:
    """The prediction of new series, which are in no run: with percentages, and sums of theirs alone."""
    percent = Override.Kind.PERCENT
    own = [one for one in overrides if one.kind == percent or (one.store, one.product) in prediction.keys]
    return adjust_prediction(prediction, data, own)[0]


def read_group_levels(data: DatasetVersion, selections: Iterable[Selection]) -> Sequence[Level]:
    """The levels of the data if any selection names a group."""
    return read_levels(data) if any(asked.levels for asked in selections) else ()


def save_trail(run: ForecastRun, overrides: Sequence[Override], effects: Sequence[Effect]) -> None:
    """Keeps with the run which overrides it has, in the order of application."""
    run.overrides.all().delete()  # of an attempt that was killed
    rows = [
        RunOverride(
            run=run,
            override=overrides[effect.place],
            place=place,
            series=len(effect.rows),
            before=float(effect.before.sum()),
            after=float(effect.after.sum()),
        )
        for place, effect in enumerate(effects)
    ]
    RunOverride.objects.bulk_create(rows)


def replay_trail(run: ForecastRun, prediction: Prediction) -> list[tuple[Override, Effect]]:
    """What each override of a run did, from the model's prediction; raises CorruptArtifact."""
    uses = list(run.overrides.select_related("override").order_by("override__pk"))
    _final, effects = adjust_prediction(prediction, run.dataset_version, [use.override for use in uses])
    return [(uses[effect.place].override, effect) for effect in effects]


def has_other_overrides(run: ForecastRun) -> bool:
    """Whether other overrides are in force by now than those that the run was made with."""
    if run.version.model.kind != "global":
        return False
    wanted = Override.objects.in_force(run.dataset_version.dataset_id, *list_run_days(run))
    return set(wanted.values_list("pk", flat=True)) != set(run.overrides.values_list("override", flat=True))


def name_overrides(dataset_id: int, after: date) -> str:
    """Text that stands for the overrides of the days after one; empty without any."""
    days = after + timedelta(days=1), date.max
    found = Override.objects.in_force(dataset_id, *days).values_list("pk", flat=True)
    words = ",".join(str(pk) for pk in found)
    return blake2b(words.encode(), digest_size=6).hexdigest() if words else ""

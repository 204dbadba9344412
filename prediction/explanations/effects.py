"""What each input does in a version's test windows, and whether the version is fit for trying plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from prediction.engine import load_bundle, load_panel
from prediction.explanations.directions import measure_directions
from prediction.explanations.inputs import LEVEL, Rows
from prediction.explanations.models import InputEffects
from prediction.explanations.split import split_forecast
from registry.lib.errors import MessageError, gettext_noop
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import CorruptArtifact

if TYPE_CHECKING:
    from registry.series.panel import Panel

WINDOWS, SERIES, DIRECTION_SERIES = 3, 16, 200
MIN_DAYS = 84  # recorded, so that no series has to borrow the past of others
NOTHING_TO_MEASURE = gettext_noop("No series has been sold for long enough.")


def measure_effects(row: InputEffects) -> None:
    """Works out and saves the effects of a version's inputs."""
    try:
        row.save_content(find_effects(row.version))
    except (ValueError, CorruptArtifact) as problem:
        row.save_problem(problem)


def find_effects(version: ModelVersion) -> dict[str, Any]:
    """Mean |part| of each group over the units of the test windows, and the directions at the last day."""
    bundle, panel = load_bundle(version), load_panel(version.dataset_version, version.model.scope)
    origins = [window["origin"] for window in version.metrics.get("windows") or []][-WINDOWS:]
    sums: dict[str, float] = {}
    for origin in origins or [str(panel.origin)]:
        past = panel.as_of(origin)
        rows = choose_series(past, SERIES)
        mean = bundle.forecast(past, version.horizon, rows).mean
        for name, units in split_forecast(bundle, past, rows, mean).items():
            sums[name] = sums.get(name, 0.0) + float(np.abs(units).sum())
        sums[""] = sums.get("", 0.0) + float(mean.sum())
    total = sums.pop("")
    shares = {name: round(units / total, 6) if total else 0.0 for name, units in sums.items()}
    shares.pop(LEVEL, None)
    rows = choose_series(panel, DIRECTION_SERIES)
    directions = measure_directions(bundle, panel.select_series(rows), version.horizon)
    return {"shares": shares, "directions": directions, "series": len(rows), "windows": len(origins)}


def choose_series(panel: Panel, count: int) -> Rows:
    """At most so many series, evenly from the smallest to the largest; raises MessageError without any."""
    known = np.flatnonzero((~np.isnan(panel.open_sales)).sum(axis=1) >= MIN_DAYS)
    if not len(known):
        raise MessageError(NOTHING_TO_MEASURE)
    units = np.nansum(panel.sales[known][:, -364:], axis=1)
    order = known[np.argsort(-units, kind="stable")]
    places = np.unique(np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int))
    return np.sort(order[places])

"""Everything forecast shard by shard for a run, so that memory holds the windows of one shard only.

What is forecast of a shard is kept in a folder that hosts share until the run has ended: an attempt that was
killed is gone on with, on whatever host, from the shard that it was at.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.conf import settings
from django.utils import timezone

from prediction.content_builder import HISTORY_DAYS
from prediction.engine import ScopeForecast, load_bundle, load_fitting
from prediction.promotions import EVENT_COLUMN, PROMO_COLUMN
from prediction.runs.table_file import read_prediction, write_table
from registry.storage.shared_folder import SharedFolder, list_abandoned

if TYPE_CHECKING:
    from prediction.runs.models import ForecastRun
    from registry.model_versions.bundle import Bundle
    from registry.series.panel import Panel
    from registry.series.panels.shards import PanelShards
    from registry.series.prediction import Prediction

FOLDER = "run-shards"
FORGOTTEN = timedelta(days=1)
SHOWN_COLUMN = re.compile(f"({PROMO_COLUMN.pattern})|({EVENT_COLUMN.pattern})", re.IGNORECASE)


def shards_folder(run: ForecastRun) -> SharedFolder:
    """What is forecast so far of a run."""
    return SharedFolder(f"{FOLDER}/{run.pk}")


def remove_forgotten() -> None:
    """Deletes the folders of runs that nobody worked on for a day."""
    before, here = timezone.now() - FORGOTTEN, Path(settings.DATA_DIR) / FOLDER
    for abandoned in list_abandoned(FOLDER, set(), before):
        abandoned.delete()
    for folder in here.iterdir() if here.is_dir() else ():
        if folder.stat().st_mtime < before.timestamp():
            shutil.rmtree(folder, ignore_errors=True)


def forecast_in_shards(
    run: ForecastRun, shards: PanelShards, check: Callable[[], None]
) -> tuple[ScopeForecast, Panel]:
    """The forecast of all series with their newest sales, and what is known ahead of them, in the same order.

    `check` is called after each shard, and may raise.
    """
    from registry.series.panels.joining import join_panels, keep_newest

    remove_forgotten()
    bundle, predictions, pasts, plans = load_bundle(run.version), [], [], []
    fitting = None if run.as_of else load_fitting(run.version, run.dataset_version, run.horizon)
    for number in range(len(shards)):
        panel = hide_later(shards.read(number), run)
        if not len(panel.keys):
            continue
        found = None if fitting is None else select_keys(fitting.of_model(), panel.keys)
        predictions.append(found or forecast_shard(run, number, panel, bundle))
        pasts.append(keep_newest(panel, HISTORY_DAYS, lambda name: bool(SHOWN_COLUMN.fullmatch(name))))
        plans.append(keep_newest(panel, 0, lambda _name: True))
        check()
    panel, rows = join_panels(pasts), np.arange(sum(len(one.keys) for one in pasts))
    everything = join_predictions(predictions)
    found_all = ScopeForecast(run.version, run.dataset_version, bundle, panel, everything, rows)
    return found_all, join_panels(plans)


def hide_later(panel: Panel, run: ForecastRun) -> Panel:
    """The panel of a run as of an earlier day, without what was sold since."""
    if run.as_of is None:
        return panel
    known = panel.as_of(run.as_of)
    return known.select_series(known.find_sold())


def forecast_shard(run: ForecastRun, number: int, panel: Panel, bundle: Bundle) -> Prediction:
    """The prediction of a shard, read back if an attempt before has made it."""
    folder, name = shards_folder(run), f"{number}.parquet"
    try:
        made = read_prediction(pa.BufferReader(folder.fetch(name).read_bytes()))
    except FileNotFoundError:
        made = bundle.forecast(panel, run.horizon)
        folder.path.mkdir(parents=True, exist_ok=True)
        part = folder.path / f"{number}.part"
        write_table(part, made, panel)
        part.rename(folder.path / name)
        folder.share(name)
    found = select_keys(made, panel.keys)
    if found is None:
        raise ValueError(name)
    return found


def select_keys(made: Prediction, keys: list[tuple[str, str]]) -> Prediction | None:
    """The prediction of these series in this order; None where it lacks any."""
    if made.keys == keys:
        return made
    place = {key: row for row, key in enumerate(made.keys)}
    rows = [place.get(key, -1) for key in keys]
    return None if -1 in rows else made.select_series(np.array(rows, np.intp))


def join_predictions(parts: list[Prediction]) -> Prediction:
    """The series of all predictions, one after the other; they are by one bundle, for the same days."""
    first = parts[0]
    assumptions = {one["column"]: one for part in parts for one in part.assumptions}
    return replace(
        first,
        keys=[key for part in parts for key in part.keys],
        mean=np.concatenate([part.mean for part in parts]),
        quantiles=np.concatenate([part.quantiles for part in parts]),
        closed=np.concatenate([part.closed for part in parts]),
        assumptions=list(assumptions.values()),
        bounds=join_optional(parts, "bounds", np.inf),
        steady=join_optional(parts, "steady", 0.0),
    )


def join_optional(parts: list[Prediction], name: str, default: float) -> npt.NDArray[np.float32] | None:
    """What only some predictions have, with the default for the others; None where none has it."""
    found = [getattr(part, name) for part in parts]
    if all(values is None for values in found):
        return None
    filled = [
        np.full(len(part.keys), default, np.float32) if values is None else values
        for part, values in zip(parts, found, strict=True)
    ]
    return np.concatenate(filled)

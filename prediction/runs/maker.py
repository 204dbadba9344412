"""Makes the files of a run: its table, its sums and its totals. Safe to kill at any moment, and to repeat."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from prediction.accuracy.joining import request_comparison
from prediction.content_builder import build_content, list_parts
from prediction.current_forecast import Items, is_readable, read_content
from prediction.engine import ScopeForecast, load_bundle, load_panel, run_forecast
from prediction.items.forecasts import build_items, flag_missed
from prediction.jobs import run_claimed
from prediction.models import Forecast
from prediction.overrides.applying import adjust_prediction, list_in_force, save_trail
from prediction.runs.models import ForecastRun, RunSums
from prediction.runs.sharded import forecast_in_shards, hide_later, shards_folder
from prediction.runs.table_file import write_table
from prediction.runs.week_sums import WeekSummer, write_sums
from registry.datasets.models import DatasetVersion
from registry.lib.errors import MessageError, gettext_noop, split_error
from registry.lib.leases import Heartbeat
from registry.model_versions.models import ModelVersion
from registry.series.levels import Selection
from registry.storage.artifacts import CorruptArtifact

if TYPE_CHECKING:
    from registry.series.panel import Panel

WEEK = timedelta(days=7)
LOST = gettext_noop("Another process has taken over this forecast.")
NOT_SAVED = gettext_noop("The forecast could not be saved: {reason}.")


def make_run(run: ForecastRun) -> Forecast:
    """Makes a claimed run; its totals. A failure ends the run with its reason and is raised again."""
    start = time.monotonic()
    try:
        with Heartbeat(run.renew_lease, LOST) as heartbeat:
            totals, facts = write_files(run, heartbeat)
        facts["seconds"] = round(time.monotonic() - start, 1)
        if not run.finish(**facts):
            raise MessageError(LOST)
        shards_folder(run).delete()
        if run.as_of is not None:  # what was sold since is known already
            request_comparison(run.dataset_version.dataset_id)
    except OSError as problem:
        fail_run(run, NOT_SAVED, {"reason": problem.strerror or str(problem)})
        raise MessageError(NOT_SAVED, reason=problem.strerror or str(problem)) from problem
    except (ValueError, CorruptArtifact) as problem:
        fail_run(run, *split_error(problem))
        raise
    return totals


def fail_run(run: ForecastRun, reason: str, values: dict[str, Any]) -> None:
    """Ends a run with the reason; what it has so far stays only if another process goes on with it."""
    if run.mark_failed(reason, values):
        shards_folder(run).delete()


def start_run(version: ModelVersion, data: DatasetVersion, **facts: Any) -> ForecastRun:
    """Makes a run at once, in this process; a failure is raised, and kept in its row."""
    run = ForecastRun(version=version, dataset_version=data, **facts)
    run.save(force_insert=True)
    run.claim()
    make_run(run)
    return run


def write_files(run: ForecastRun, heartbeat: Heartbeat) -> tuple[Forecast, dict[str, object]]:
    """The totals, and the columns of a run whose files are written."""
    run.remove_parts()  # of an attempt that was killed
    model, plan = forecast_everything(run, heartbeat.check)
    scope_forecast = apply_overrides(run, model)
    prediction = scope_forecast.prediction
    summer = WeekSummer(prediction)
    prediction.keep_sums(list_parts(scope_forecast), summer.add)
    with TemporaryDirectory() as folder:
        table, sums = Path(folder, "table"), Path(folder, "sums")
        rows = write_table(table, prediction, plan)
        past = scope_forecast.panel.sales[:, -run.horizon :]
        write_sums(sums, prediction, summer, np.nansum(past, axis=1).astype(np.float32))
        heartbeat.check()
        run.write_file(table)
        part = RunSums.objects.create(run=run)
        part.write_file(sums)
        part.mark_ready()
    totals = save_totals(run, scope_forecast)
    heartbeat.check()
    facts = {"rows": rows, "series": len(prediction.keys), "seed": prediction.seed}
    return totals, {**facts, "origin": totals.origin}


def apply_overrides(run: ForecastRun, scope_forecast: ScopeForecast) -> ScopeForecast:
    """The forecast of the model with the overrides in force, which are kept with the run."""
    model = replace(scope_forecast.prediction.of_model())  # a cached one may have drawn its sums already
    overrides = list_in_force(run.version, run.dataset_version, run.horizon, run.as_of)
    prediction, effects = adjust_prediction(model, run.dataset_version, overrides)
    save_trail(run, overrides, effects)
    return replace(scope_forecast, prediction=prediction)


def forecast_everything(run: ForecastRun, check: Callable[[], None]) -> tuple[ScopeForecast, Panel]:
    """Every series of the run's version, and what is known ahead; of one as of an earlier day only what was.

    Of several shards one after the other; `check` is called after each.
    """
    from registry.datasets.reader import read_shards

    version, data = run.version, run.dataset_version
    shards = read_shards(data, version.model.scope)
    if len(shards) > 1:
        return forecast_in_shards(run, shards, check)
    if run.as_of is None:
        found = run_forecast(version, Selection(), run.horizon, data)
        return found, found.panel
    bundle, panel = load_bundle(version), load_run_panel(run)
    prediction = bundle.forecast(panel, run.horizon)
    return ScopeForecast(version, data, bundle, panel, prediction, np.arange(len(panel.keys))), panel


def load_run_panel(run: ForecastRun) -> Panel:
    """Sales and plan that a run is made from; without what was sold after the day it is as of."""
    return hide_later(load_panel(run.dataset_version, run.version.model.scope), run)


def save_totals(run: ForecastRun, scope_forecast: ScopeForecast) -> Forecast:
    """The forecast of the total, with a row for each product, store and group."""
    content = build_content(scope_forecast)
    items = build_items(scope_forecast, content.analysis.total)
    row = Forecast.objects.describe_content(scope_forecast, content)
    row.source, row.run, row.created_by = Forecast.Source.SERVER, run, run.created_by
    items = compare_with_earlier(row, items)
    rows = {side: [asdict(item) for item in found] for side, found in items.items()}
    return Forecast.objects.create_pending(row).save_content(content, items=rows)


def compare_with_earlier(row: Forecast, items: Items) -> Items:
    """The items, flagged where the sales missed the server's forecast of a week or more before."""
    earlier = Forecast.objects.made_by_server(row.dataset_version.dataset).ready()
    days = {"origin__lte": row.origin - WEEK, "origin__gte": row.origin - 4 * WEEK}
    before = earlier.filter(**days).order_by("-origin", "-created_at").first()
    if before is None or not is_readable(before):
        return items
    weeks = (row.origin - before.origin).days // 7
    then = read_content(before).items
    return {side: flag_missed(found, then.get(side, []), weeks) for side, found in items.items()}


def run_job(run: ForecastRun) -> None:
    """Claims the run and makes it; does nothing if somebody else has it. Failures are kept in its row."""
    run_claimed(run, make_run)

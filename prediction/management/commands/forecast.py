"""manage.py forecast: forecasts every series of a scope and writes a file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from prediction.engine import Rows, find_newest_sales
from prediction.frame_file import write_whole
from prediction.overrides.applying import list_in_force
from prediction.overrides.models import Override
from prediction.runs.models import ForecastRun
from registry.datasets.levels import parse_group, read_levels
from registry.datasets.models import Dataset
from registry.datasets.scope import SCOPE_KINDS, Scope
from registry.model_versions.models import ForecastModel, ModelVersion
from registry.series.levels import Keys, LevelValue, Selection, rows_by_code
from registry.series.newcomers.introduction import find_newcomers

if TYPE_CHECKING:
    from prediction.shards import ShardForecast

SIDES = ("store", "product")
SUM_NAMES = ("total", "low", "high")
OUTPUT_SUFFIXES = (".csv", ".parquet")
TOO_MANY = "These are the numbers of the model: overrides are left out of a forecast of so many series."
MAX_RUN_SERIES = 50_000  # a run is made in one piece: 1 GB of memory for 30,000 series


class Command(BaseCommand):
    help = "Forecasts every series of a version's scope and writes them as CSV or parquet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", required=True, help="a version's name, or best")
        parser.add_argument("--dataset", default="", help="needed only if there are several")
        parser.add_argument(
            "--scope", default="", help="global, store:CODE, product:CODE or LEVEL:VALUE, such as brand:Bayer"
        )
        parser.add_argument(
            "--by", default="", help="also the total of each store, product or value of a level"
        )
        parser.add_argument("--horizon", type=int, default=28, help="days ahead")
        parser.add_argument("--output", type=Path, default=None, help="a .csv or .parquet file")
        parser.add_argument("--explain", action="store_true", help="also what each input does in the total")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        from prediction.engine import check_horizon

        output: Path | None = options["output"]
        if output and output.suffix.lower() not in OUTPUT_SUFFIXES:
            raise CommandError(
                f"--output {output} must end with {' or '.join(OUTPUT_SUFFIXES)}.", returncode=2
            )
        try:
            asked = parse_scope(options["scope"])
            check_horizon(options["horizon"])
        except ValueError as problem:
            raise CommandError(str(problem), returncode=2) from None
        try:
            version, selection = choose_version(options["model"], options["dataset"], asked)
            run = (
                make_run(version, options["horizon"])
                if output and is_everything(version, selection)
                else None
            )
            shards = iter_run(run) if run else iter_shards(version, selection, options["horizon"])
            facts = collect_facts(version, shards, options["by"], output)
            if options["explain"]:
                facts["explanation"] = explain_selection(version, selection, options["horizon"])
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        except OSError as problem:
            raise CommandError(f"{output} cannot be written: {problem.strerror}.") from None
        facts |= {"scope": str(asked or version.model.scope), "horizon": options["horizon"]}
        facts |= {"run": str(run.pk)} if run else {}
        if (
            run is None
            and not is_small(version)
            and list_in_force(version, find_newest_sales(version), options["horizon"])
        ):
            self.stderr.write(TOO_MANY)
        self.stdout.write(json.dumps(facts, ensure_ascii=False) if options["json"] else format_summary(facts))


def parse_scope(text: str) -> Scope | LevelValue | None:
    """The scope, or the group of a level, that the text names; None for no text. Raises ValueError."""
    kind, colon, _code = text.partition(":")
    if colon and kind not in SCOPE_KINDS:
        return LevelValue.from_text(text)
    return Scope.parse(text) if text else None


def choose_version(
    name: str, dataset: str, asked: Scope | LevelValue | None
) -> tuple[ModelVersion, Selection]:
    """The version to forecast with, and what of it to forecast; raises ValueError."""
    version = find_version(name, dataset, asked if isinstance(asked, Scope) else None)
    if isinstance(asked, LevelValue):
        data = version.model.dataset.current_version or version.dataset_version
        return version, Selection(levels=(parse_group(data, str(asked)),))
    if asked is None or asked in (version.model.scope, Scope()):
        return version, Selection()
    is_store = asked.kind == "store"
    return version, Selection(asked.code) if is_store else Selection(product=asked.code)


def explain_selection(version: ModelVersion, selection: Selection, horizon: int) -> dict[str, Any]:
    """Why the forecast is what it is: units of each day by group of inputs; raises ValueError."""
    from prediction.explanations.question import WhyQuestion

    found = WhyQuestion(version, find_newest_sales(version), selection, horizon).explain()
    return {**found.to_json(), "totals": found.totals}


def is_everything(version: ModelVersion, selection: Selection) -> bool:
    """Whether this is the forecast of all series of a dataset, and a run of them fits into memory."""
    return selection.is_whole and version.model.kind == "global" and is_small(version)


def list_overrides(version: ModelVersion, horizon: int) -> list[Override]:
    """The overrides in force on the days to come."""
    return list_in_force(version, find_newest_sales(version), horizon)


def is_small(version: ModelVersion) -> bool:
    """Whether all series fit into memory at once."""
    return find_newest_sales(version).series <= MAX_RUN_SERIES


def make_run(version: ModelVersion, horizon: int) -> ForecastRun:
    """The forecast run that the file is written from; raises ValueError."""
    from prediction.runs.maker import start_run

    reason = ForecastRun.Reason.COMMAND
    return start_run(version, find_newest_sales(version), horizon=horizon, reason=reason)


def iter_run(run: ForecastRun) -> Iterator[ShardForecast]:
    """Every series of a run, as its table holds them."""
    from prediction.runs.frozen import load_prediction
    from prediction.runs.maker import load_run_panel
    from prediction.shards import ShardForecast

    prediction, panel = load_prediction(run), load_run_panel(run)
    if panel.keys != prediction.keys:
        place = {key: row for row, key in enumerate(panel.keys)}
        panel = panel.select_series(np.array([place[key] for key in prediction.keys], np.intp))
    yield ShardForecast(0, 1, panel, prediction)


def iter_shards(version: ModelVersion, selection: Selection, horizon: int) -> Iterator[ShardForecast]:
    """The forecast of the selected series, and nothing of the others; raises ValueError.

    Shard by shard there is no sum that an override could be split by: they are the numbers of the model.
    """
    from prediction.engine import run_forecast
    from prediction.shards import ShardForecast, forecast_shards

    overrides = list_overrides(version, horizon)
    if selection.is_whole and not (overrides and is_everything(version, selection)):
        yield from forecast_shards(version, find_newest_sales(version), horizon)
        return
    found = run_forecast(version, selection, horizon)
    chosen = found.prediction.select_series(found.rows)
    yield ShardForecast(0, 1, found.panel.select_series(found.rows), chosen)


def choose_grouping(version: ModelVersion, by: str) -> Callable[[Keys], dict[str, Rows]]:
    """What groups the series by store, product or a level; raises ValueError."""
    if by in ("", *SIDES):
        return lambda keys: rows_by_code([key[SIDES.index(by)] for key in keys]) if by else {}
    levels = {level.column: level for level in read_levels(find_newest_sales(version))}
    if by not in levels:
        raise ValueError(f"There is no level {by!r}: use {', '.join([*SIDES, *levels])}.")
    return lambda keys: levels[by].group_rows(keys, np.arange(len(keys)))


def collect_facts(
    version: ModelVersion, shards: Iterator[ShardForecast], by: str, output: Path | None
) -> dict[str, Any]:
    """Writes every shard to the file; the result as scripts read it. Raises ValueError or OSError."""
    from prediction.shards import GroupTotals

    group_keys, totals, new, series = choose_grouping(version, by), GroupTotals(), 0, 0
    model = 0.0
    assumptions: list[dict[str, str]] = []
    with write_whole(output) as write:
        for shard in shards:
            panel, prediction = shard.panel, shard.prediction
            rows = np.arange(len(panel.keys))
            totals.add(
                prediction, {"": rows} | {f"={code}": own for code, own in group_keys(panel.keys).items()}
            )
            write(prediction.to_frame())
            new += int(find_newcomers(panel).sum())
            series += len(rows)
            model += float(prediction.model_mean.sum(dtype=np.float64))
            assumptions += [one for one in prediction.assumptions if one not in assumptions]
    sums = {name: [round(units, 3) for units in found] for name, found in totals.read_intervals().items()}
    data = find_newest_sales(version)
    facts: dict[str, Any] = {
        "model": version.name,
        "dataset": data.dataset.name,
        "hash": data.content_hash,
        "scope": "",
    }
    facts |= {"origin": str(prediction.origin), "horizon": 0, "series": series}
    facts |= dict(zip(SUM_NAMES, sums.pop(""), strict=True))
    facts |= {"model_total": round(model, 3)}
    facts |= {"output": str(output) if output else None, "new": new, "assumptions": assumptions}
    parts = [
        {"value": name[1:]} | dict(zip(SUM_NAMES, found, strict=True))
        for name, found in sorted(sums.items(), key=lambda pair: -pair[1][0])
    ]
    return facts | ({"by": by, "parts": parts} if by else {})


def find_version(name: str, dataset: str, scope: Scope | None) -> ModelVersion:
    """The named version, or for `best` the one in use for the scope; raises ValueError.

    If none is in use, `best` means the one with the smallest error; if none of that scope has been trained,
    the one of everything answers.
    """
    if name != "best":
        return ModelVersion.objects.ready().get_by_name(name, dataset)
    found = Dataset.objects.filter(name=dataset) if dataset else Dataset.objects.all()
    if not found:
        raise ValueError(
            f"There is no dataset {dataset}: see import_sales." if dataset else "There are no datasets yet."
        )
    if len(found) > 1:
        raise ValueError(f"There are {len(found)} datasets: add --dataset NAME.")
    scope = scope or Scope()
    best = find_best(found[0], scope) or find_best(found[0], Scope())
    if best is None:
        raise ValueError(f"{found[0]} has no trained model for {scope}: train one first.")
    return best


def find_best(dataset: Dataset, scope: Scope) -> ModelVersion | None:
    """The version in use for exactly this scope, else the one with the smallest error."""
    model = ForecastModel.objects.filter(dataset=dataset, kind=scope.kind, code=scope.code).first()
    return (model.best or model.versions.ready().best_first().first()) if model else None


def format_summary(facts: dict[str, Any]) -> str:
    """The result as text."""
    text = (
        f"{facts['model']} expects {facts['total']:.0f} units in the {facts['horizon']} days "
        f"after {facts['origin']}, 8 times in 10 between {facts['low']:.0f} and {facts['high']:.0f} "
        f"({facts['series']} series)."
    )
    if abs(facts["model_total"] - facts["total"]) >= 0.5:
        text += f"\nThe model alone expects {facts['model_total']:.0f}; overrides changed that."
    if facts["new"]:
        text += f"\n{facts['new']} of them are new: forecast from similar products, hence the wide range."
    for name, units in facts.get("explanation", {}).get("totals", {}).items():
        text += f"\n{name:>10} {units:+,.0f}"
    return f"{text}\nWritten to {facts['output']}." if facts["output"] else text

"""manage.py forecast: forecasts every series of a scope and writes a file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from prediction.breakdown import group_rows
from registry.datasets.levels import parse_group, read_levels
from registry.datasets.models import Dataset
from registry.datasets.scope import SCOPE_KINDS, Scope
from registry.model_versions.models import ForecastModel, ModelVersion
from registry.series.levels import LevelValue, Selection

if TYPE_CHECKING:
    import pandas as pd

    from prediction.engine import ScopeForecast

OUTPUT_SUFFIXES = (".csv", ".parquet")


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
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        from prediction.engine import check_horizon, run_forecast

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
            outlook = run_forecast(version, selection, options["horizon"])
            parts = list_parts(outlook, options["by"]) if options["by"] else None
            if output:
                write_forecast(outlook, output)
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        except OSError as problem:
            raise CommandError(f"{output} cannot be written: {problem.strerror}.") from None
        facts = build_report(outlook, str(asked or version.model.scope), output)
        facts |= {} if parts is None else {"by": options["by"], "parts": parts}
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


def list_parts(scope_forecast: ScopeForecast, by: str) -> list[dict[str, Any]]:
    """Units of each store, product or value of a level, with their 80% interval; raises ValueError."""
    parts = {place: group_rows(scope_forecast, side) for side, place in enumerate(("store", "product"))}
    levels = {level.column: level for level in read_levels(scope_forecast.data)}
    if by in levels and by not in parts:
        parts[by] = levels[by].group_rows(scope_forecast.panel.keys, scope_forecast.rows)
    if by not in parts:
        raise ValueError(f"There is no level {by!r}: use {', '.join([*parts, *levels])}.")
    sums = {value: scope_forecast.prediction.sum_with_interval(rows) for value, rows in parts[by].items()}
    names = ("total", "low", "high")
    return [
        {"value": value} | {name: round(units, 3) for name, units in zip(names, found, strict=True)}
        for value, found in sorted(sums.items(), key=lambda pair: -pair[1][0])
    ]


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


def write_forecast(scope_forecast: ScopeForecast, path: Path) -> None:
    """Writes the whole file or nothing: to a temporary file, then renamed."""
    frame = scope_forecast.prediction.to_frame()
    keys = [scope_forecast.panel.keys[row] for row in scope_forecast.rows]
    if len(keys) < len(scope_forecast.panel.keys):
        wanted = set(keys)
        frame = frame[[key in wanted for key in zip(frame["store_id"], frame["product_id"], strict=True)]]
    part = path.with_name(f".{path.name}.part")
    try:
        if path.suffix.lower() == ".parquet":
            frame.to_parquet(part, index=False)
        else:
            escape_codes(frame).to_csv(part, index=False, float_format="%.4f", date_format="%Y-%m-%d")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def escape_codes(frame: pd.DataFrame) -> pd.DataFrame:
    """Quotes codes that a spreadsheet would take for a formula."""
    codes = ("store_id", "product_id")
    return frame.assign(
        **{name: frame[name].astype(str).str.replace(r"^(?=[=+\-@\t\r])", "'", regex=True) for name in codes}
    )


def build_report(scope_forecast: ScopeForecast, scope: str, output: Path | None) -> dict[str, Any]:
    """The result as scripts read it."""
    total, low, high = scope_forecast.prediction.sum_with_interval(scope_forecast.rows)
    return {
        "model": scope_forecast.version.name,
        "dataset": scope_forecast.data.dataset.name,
        "hash": scope_forecast.data.content_hash,
        "scope": scope,
        "origin": str(scope_forecast.prediction.origin),
        "horizon": len(scope_forecast.prediction.dates),
        "series": len(scope_forecast.rows),
        "total": round(total, 3),
        "low": round(low, 3),
        "high": round(high, 3),
        "output": str(output) if output else None,
        "new": count_new(scope_forecast),
        "assumptions": scope_forecast.prediction.assumptions,
    }


def count_new(scope_forecast: ScopeForecast) -> int:
    """Series with hardly any sales so far, which are forecast from similar products."""
    from registry.series.newcomers.introduction import find_newcomers

    return int(find_newcomers(scope_forecast.panel.select_series(scope_forecast.rows)).sum())


def format_summary(facts: dict[str, Any]) -> str:
    """The result as text."""
    text = (
        f"{facts['model']} expects {facts['total']:.0f} units in the {facts['horizon']} days "
        f"after {facts['origin']}, 8 times in 10 between {facts['low']:.0f} and {facts['high']:.0f} "
        f"({facts['series']} series)."
    )
    if facts["new"]:
        text += f"\n{facts['new']} of them are new: forecast from similar products, hence the wide range."
    return f"{text}\nWritten to {facts['output']}." if facts["output"] else text

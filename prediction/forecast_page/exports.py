"""Tables for CSV and Excel: the days and parts of a forecast, and the list of forecasts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from prediction.accuracy.so_far import ActualsSoFar, compare_with_actuals
from prediction.breakdown import choose_decimals, round_to_total
from prediction.content import Analysis, ForecastContent, Part
from prediction.models import Forecast
from prediction.trust import assumed_value
from registry.datasets.levels import GROUP_JOINT, group_label, level_label, value_label
from registry.datasets.names import load_names
from registry.labels import column_label, forecast_title
from registry.lib.tables import Column, Table
from registry.series.prediction import FINAL
from registry.series.quantiles import INTERVALS, QUANTILE_NAMES


def day_table(forecast: Forecast, content: ForecastContent) -> Table:
    """One row a day under machine-readable names; used for the CSV file and the last sheet.

    mean, q0.025 ... are the model's, final_mean ... those after overrides, as in a forecast run.
    """
    covered = forecast.coverage
    series = [covered.store, covered.product]
    columns = [Column("store_id"), Column("product_id")]
    if covered.levels:  # only then, so that the columns of other files stay
        columns += [Column("level")]
        series += ["; ".join(str(group) for group in covered.levels)]
    names = ("mean", *QUANTILE_NAMES)
    columns += [Column("date", "day"), *(Column(name, "units") for name in names)]
    columns += [Column(f"{FINAL}{name}", "units") for name in names]
    rows = [
        [*series, date.fromisoformat(day.date), *day.model_numbers, day.mean, *day.quantiles]
        for day in content.forecast
    ]
    return Table(_("Raw"), columns, rows)


def build_sheets(forecast: Forecast, content: ForecastContent) -> list[Table]:
    """The sheets of a workbook: days, summary, stores, products, levels, and the days for programs."""
    sides = {"stores": _("Stores"), "products": _("Products")}
    parts = [
        part_table(sides[side], rows, content.analysis) for side, rows in content.breakdown.items() if rows
    ]
    levels = [
        part_table(level_label(level.column), name_groups(level.parts), content.analysis)
        for level in content.levels
    ]
    return [
        calendar_table(content),
        summary_table(forecast, content),
        *parts,
        *levels,
        day_table(forecast, content),
    ]


def name_groups(parts: list[Part]) -> list[Part]:
    """The parts by the values of a level, with words for those without one."""
    return [replace(part, code=value_label(part.code)) for part in parts]


def summary_table(forecast: Forecast, content: ForecastContent) -> Table:
    """What was forecast, the result, and the model and data behind it."""
    analysis, days = content.analysis, content.forecast
    rows: list[tuple[str, Any]] = [
        (_("What"), forecast_title(forecast)),
        (_("From"), date.fromisoformat(days[0].date)),
        (_("To"), date.fromisoformat(days[-1].date)),
        (_("Units expected"), analysis.total),
        *([(_("By the model alone"), content.model_total)] if content.model_total is not None else []),
        (_("Low (8 in 10)"), analysis.low),
        (_("High (8 in 10)"), analysis.high),
        (_("Same days last year"), analysis.last_year),
        (_("Last known day"), forecast.origin),
        (_("Model"), forecast.version.name),
        (_("Dataset"), str(forecast.dataset_version)),
        (_("Made"), forecast.created_at),
        *((_("Assumed"), name_assumption(item)) for item in content.assumptions),
    ]
    return Table(_("Summary"), [Column(_("What")), Column(_("Value"), units_kind(analysis.total))], rows)


def name_assumption(item: dict[str, str]) -> str:
    """A column and what is assumed of it: Promotion = none."""
    return f"{column_label(item['column'])} = {assumed_value(item['default'])}"


def calendar_table(content: ForecastContent) -> Table:
    """The days for people: weekday, rounded units with their range, what is special; the total below."""
    low, high = INTERVALS["80"]
    whole = content.analysis
    digits = choose_decimals(whole.total)
    kind = "units" if digits else "count"
    columns = [
        Column(_("Day"), "day"),
        Column(_("Weekday")),
        Column(_("Expected"), kind),
        Column(_("Low (8 in 10)"), kind),
        Column(_("High (8 in 10)"), kind),
        Column(_("Note")),
    ]
    shown = round_to_total([day.mean for day in content.forecast], whole.total, digits)
    rows: list[list[Any]] = []
    for day, expected in zip(content.forecast, shown, strict=True):
        when = date.fromisoformat(day.date)
        note = _("closed") if day.closed else _("promotion") if day.promo else ""
        ends = (round_units(day.quantiles[low], digits), round_units(day.quantiles[high], digits))
        rows.append([when, date_format(when, "l"), expected, *ends, note])
    total = [round_units(value, digits) for value in (whole.total, whole.low, whole.high)]
    return Table(_("Day by day"), columns, rows, [_("Total"), "", *total, ""])


def round_units(value: float | None, digits: int) -> float | None:
    """The value as the page shows it; None stays None."""
    return None if value is None else round(value, digits)


def units_kind(usual: float) -> str:
    """Whole units from ten on; decimals where they matter."""
    return "count" if usual >= 10 else "units"


def part_table(title: str, parts: list[Part], whole: Analysis) -> Table:
    """The parts of one side, with the total and its range below them; names only where there are any."""
    kind = units_kind(whole.total / max(1, len(parts)))
    columns = [
        Column(_("Code")),
        Column(_("Name")),
        Column(_("Units expected"), kind),
        Column(_("Low (8 in 10)"), kind),
        Column(_("High (8 in 10)"), kind),
        Column(_("Change against last year"), "share"),
    ]
    rows = [[part.code, part.name, part.total, part.low, part.high, part.change_last_year] for part in parts]
    total = [_("Total"), "", whole.total, whole.low, whole.high, whole.change_last_year]
    if not any(part.name for part in parts):
        columns, rows, total = drop_names(columns), [drop_names(row) for row in rows], drop_names(total)
    return Table(title, columns, rows, total)


def drop_names(cells: list[Any]) -> list[Any]:
    """The cells of a row without the second one, the name.

    >>> drop_names(["P001", "", 12.0])
    ['P001', 12.0]
    """
    return [cells[0], *cells[2:]]


def forecast_list_table(forecasts: Iterable[Forecast]) -> Table:
    """The forecast history, one row a forecast."""
    columns = [
        Column(_("Product")),
        Column(_("Store")),
        Column(_("Group")),
        Column(_("Made"), "day"),
        Column(_("Who")),
        Column(_("Model")),
        Column(_("Dataset")),
        Column(_("Last known day"), "day"),
        Column(_("Days ahead"), "count"),
        Column(_("Units expected"), "units"),
        Column(_("Low (8 in 10)"), "units"),
        Column(_("High (8 in 10)"), "units"),
        Column(_("Days sold since"), "count"),
        Column(_("Units sold since"), "units"),
        Column(_("Units expected of these days"), "units"),
    ]
    rows = [forecast_list_row(forecast, since) for forecast, since in compare_with_actuals(list(forecasts))]
    return Table(_("Forecast history"), columns, rows)


def forecast_list_row(forecast: Forecast, since: ActualsSoFar | None) -> list[Any]:
    names = load_names(forecast.dataset_version)
    return [
        names.format_product(forecast.product) if forecast.product else "",
        names.format_store(forecast.store) if forecast.store else "",
        GROUP_JOINT.join(group_label(group) for group in forecast.selection.levels),
        forecast.created_at,
        str(forecast.created_by or ""),
        forecast.version.name,
        forecast.version.model.dataset.name,
        forecast.origin,
        forecast.horizon,
        forecast.total,
        forecast.low,
        forecast.high,
        *((since.days, since.units, round(since.expected, 3)) if since else (None, None, None)),
    ]

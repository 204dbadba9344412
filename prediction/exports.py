"""Tables for CSV and Excel: the days and parts of a forecast, and the list of forecasts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from prediction.accuracy import ActualsSoFar, compare_with_actuals
from prediction.content import Analysis, ForecastContent, Part
from prediction.models import Forecast
from registry.datasets.names import load_names
from registry.labels import forecast_label
from registry.lib.export import Column, Table
from registry.series.quantiles import INTERVALS, QUANTILE_NAMES


def day_table(forecast: Forecast, content: ForecastContent) -> Table:
    """One row a day under machine-readable names; used for the CSV file and the last sheet."""
    columns = [Column("store_id"), Column("product_id"), Column("date", "day")]
    columns += [Column(name, "units") for name in ("mean", *QUANTILE_NAMES)]
    rows = [
        [forecast.store, forecast.product, date.fromisoformat(day.date), day.mean, *day.quantiles]
        for day in content.forecast
    ]
    return Table(_("Raw data"), columns, rows)


def build_sheets(forecast: Forecast, content: ForecastContent, label: str) -> list[Table]:
    """The sheets of a workbook: summary, days, stores, products, and the days for programs."""
    sides = {"stores": _("Stores"), "products": _("Products")}
    parts = [
        part_table(sides[side], rows, content.analysis) for side, rows in content.breakdown.items() if rows
    ]
    days = calendar_table(content)
    return [summary_table(forecast, content, label), days, *parts, day_table(forecast, content)]


def summary_table(forecast: Forecast, content: ForecastContent, label: str) -> Table:
    """What was forecast, the result, and the model and data behind it."""
    analysis, days = content.analysis, content.forecast
    is_part = forecast.store or forecast.product
    rows: list[tuple[str, Any]] = [
        (_("What"), label if is_part else capfirst(forecast_label(forecast))),
        (_("From"), date.fromisoformat(days[0].date)),
        (_("To"), date.fromisoformat(days[-1].date)),
        (_("Units expected"), analysis.total),
        (_("Low (8 in 10)"), analysis.low),
        (_("High (8 in 10)"), analysis.high),
        (_("Same days last year"), analysis.last_year),
        (_("Last known day"), forecast.origin),
        (_("Model"), forecast.version.name),
        (_("Dataset"), str(forecast.dataset_version)),
        (_("Made"), forecast.created_at),
        *((_("Assumed"), f"{item['column']} = {_(item['default'])}") for item in content.assumptions),
    ]
    return Table(_("Forecast"), [Column(_("What")), Column(_("Value"), units_kind(analysis.total))], rows)


def calendar_table(content: ForecastContent) -> Table:
    """The days for people: weekday, units with their range, and what is special; the total below."""
    low, high = INTERVALS["80"]
    kind = units_kind(content.analysis.total / max(1, len(content.forecast)))
    columns = [
        Column(_("Day"), "day"),
        Column(_("Weekday")),
        Column(_("Units expected"), kind),
        Column(_("Low (8 in 10)"), kind),
        Column(_("High (8 in 10)"), kind),
        Column(_("Note")),
    ]
    rows: list[list[Any]] = []
    for day in content.forecast:
        when = date.fromisoformat(day.date)
        note = _("closed") if day.closed else _("promotion") if day.promo else ""
        units = (day.mean, day.quantiles[low], day.quantiles[high])
        rows.append([when, date_format(when, "l"), *units, note])
    total = content.analysis
    return Table(_("Days"), columns, rows, [_("Total"), "", total.total, total.low, total.high, ""])


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

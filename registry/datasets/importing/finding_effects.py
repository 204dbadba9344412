"""What the action for a finding does to the sales, and pictures of the series with the spot marked."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.findings import Finding
from registry.datasets.importing.sales_summary import shorten_line
from registry.datasets.importing.values import Floats
from registry.lib.days import from_day_number

LINE_POINTS = 60  # of a picture at most
MERGING_ACTIONS = {"sum", "last", "first"}
Mask = npt.NDArray[np.bool_]
Span = tuple[int, int]  # first and last day number


class EffectLog(Protocol):
    """What the effects of the findings about a file need: FindingLog has it."""

    findings: list[Finding]
    left_out: list[tuple[Finding, npt.NDArray[np.int64]]]
    kept_units: float
    excluded: Mask


def build_effect(kind: str, rows: int, total_rows: int, units: tuple[float, float]) -> dict[str, Any]:
    """An effect as JSON: `rows` of all rows, and the units of these rows as a share of all units.

    `units` are those of the rows and those of all rows; the share is None where nothing is sold.

    >>> build_effect("left-out", 3, 4799, (12.0, 12000.0))
    {'kind': 'left-out', 'rows': 3, 'of': 4799, 'share': 0.001}
    """
    part, whole = units
    share = round(float(part / whole), 6) if whole > 0 else None
    return {"kind": kind, "rows": int(rows), "of": int(total_rows), "share": share}


def measure_left_out(log: EffectLog, sales: Floats) -> None:
    """Sets the effect of each finding that leaves rows out; `sales` [N] are those of all rows of the file."""
    log.kept_units = sum_known(sales[~log.excluded] if log.excluded.any() else sales)
    for finding, rows in log.left_out:
        finding.units = units = sum_known(sales[rows])
        finding.effect = build_effect("left-out", len(rows), len(sales), (units, log.kept_units + units))


def measure_merged(log: EffectLog, sales: Floats) -> None:
    """Sets the effect of rows with the same key becoming one; `sales` are those that remain."""
    rows = int((~log.excluded).sum())
    lost = log.kept_units - sum_known(sales)
    for finding in log.findings:
        if finding.action in MERGING_ACTIONS:
            finding.units = lost
            finding.effect = build_effect("merged", rows - len(sales), rows, (lost, log.kept_units))


def measure_gaps(finding: Finding, days: int, series: int) -> None:
    """Sets the effect of days without a row: how many, in how many series or stores."""
    finding.effect = {"kind": "gap", "rows": days, "series": series}


def measure_content(finding: Finding, kind: str, content: CanonicalTable, rows: Mask) -> None:
    """Sets the effect of leaving out or clearing these rows [N] of the content."""
    units = (sum_known(content.sales[rows]), sum_known(content.sales))
    finding.effect = build_effect(kind, int(rows.sum()), content.row_count, units)


def sum_known(sales: Floats) -> float:
    """Units of the known sales; a number that is too large counts as nothing."""
    return float(np.nansum(np.where(np.isinf(sales), 0.0, sales)))


def picture_series(content: CanonicalTable, rows: slice, spot: Span | None = None) -> dict[str, Any]:
    """Store, product, days and a line of one series, whose rows lie together; `spot` is marked."""
    first = rows.start
    names = {
        "store": content.stores.values[content.stores.codes[first]],
        "product": content.products.values[content.products.codes[first]],
    }
    return names | draw_days(content.days[rows], content.sales[rows], spot)


def draw_days(days: npt.NDArray[np.int32], sales: Floats, spot: Span | None) -> dict[str, Any]:
    """The units of these rows by day as a line of LINE_POINTS; `spot` is where to look, else all days.

    `spot` in the result is the first and the last point of it.
    """
    known = ~np.isnan(sales)
    start, end = int(days.min()), int(days.max())
    since, until = spot or (start, end)
    units = np.zeros(end - start + 1)
    units += np.bincount(days[known] - start, weights=sales[known], minlength=len(units))
    width = -(-len(units) // LINE_POINTS)
    found: dict[str, Any] = {
        "from": from_day_number(since).isoformat(),
        "to": from_day_number(until).isoformat(),
        "line": shorten_line(units, LINE_POINTS),
    }
    if spot:
        found["spot"] = [(since - start) // width, (until - start) // width]
    return found

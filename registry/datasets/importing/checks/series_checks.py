"""Checks of whole series: missing days, too few days, constant, changed level, wrong unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.checks.collected import CollectedFindings
from registry.datasets.importing.checks.finding_log import FindingLog
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.facts.series_facts import Series, make_series
from registry.datasets.importing.finding_effects import Span, picture_series, sum_known
from registry.datasets.importing.findings import Example

RowPositions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
RowNumbers = npt.NDArray[np.int32]
MIN_DAYS = 28  # days that a series needs to be learned from
# four weeks that all differ from the four before them by this factor are a new level
LEVEL_WEEKS, LEVEL_FACTOR = 4, 3.0
OUTLIER_FACTOR, USUAL_QUANTILE = 20.0, 0.9
MIN_SOLD_DAYS = 14  # days with sales that a usual day is estimated from


class SeriesChecks:
    """The series of a piece; `row_numbers` [N] is each row's number in the file (0 = not from the file).

    `past` [S] are the facts of rows of these series that are not at hand.
    """

    CODES = ("short", "constant", "outlier", "level-change")

    def __init__(
        self,
        collected: CollectedFindings,
        content: CanonicalTable,
        row_numbers: RowNumbers,
        past: Series | None = None,
    ) -> None:
        self.collected, self.content, self.row_numbers = collected, content, row_numbers
        self.log = collected.log
        self.excluded = np.zeros(content.row_count, dtype=bool)
        self.is_recorded = ~np.isnan(content.sales)
        self.starts = content.series_starts
        self.ends = np.append(self.starts[1:], content.row_count)
        self.past = make_series(len(self.starts)) if past is None else past

    def run_checks(self) -> tuple[CanonicalTable, RowNumbers]:
        """Content and row numbers after all actions."""
        counts = np.add.reduceat(self.is_recorded.astype(np.int32), self.starts) + self.past["recorded"]
        self.flag_series("short", (counts > 0) & (counts < MIN_DAYS), counts.tolist())
        self.flag_constant(counts)
        self.flag_outliers()
        self.flag_level_changes()
        content, numbers = self.content, self.row_numbers
        if self.excluded.any():
            content, numbers = select_rows(content, ~self.excluded), numbers[~self.excluded]
        return content, numbers

    def flag_series(
        self, code: str, wrong: Mask, values: Iterable[object], spots: Mapping[int, Span] | None = None
    ) -> None:
        """Adds a finding about whole series that the file has rows of; `values` [S] are shown with them.

        `spots` are the days to look at, by the number of the series.
        """
        words = list(values)
        places: list[Example] = []
        pictures = self.collected.count_pictures(code)
        count = 0
        skipped = []
        for number in np.flatnonzero(wrong).tolist():
            start, end = int(self.starts[number]), int(self.ends[number])
            rows = self.row_numbers[start:end]
            from_file = rows[rows > 0]
            if not len(from_file):
                continue
            count += 1
            skipped.append((start, end))
            if len(places) < FindingLog.MAX_BAD_ROWS:
                label = f"{self.series_label(start)}: {words[number]}"
                spot = (spots or {}).get(number)
                pictured = len(places) < pictures
                series = picture_series(self.content, slice(start, end), spot) if pictured else None
                if series is not None:
                    series["value"] = str(words[number])
                places.append(Example(int(from_file[0]), self.log.column_label("sales"), label, series))
        if self.collected.add(code, places, count) == "skip":
            left_out = np.zeros_like(self.excluded)
            for start, end in skipped:
                left_out[start:end] = True
            units = sum_known(self.content.sales[left_out])
            self.collected.add_effect(code, "left-out", int(left_out.sum()), units)
            self.log.add_left_out(self.content, left_out)
            self.excluded |= left_out

    def series_label(self, row: int) -> str:
        """Store and product of a row."""
        content = self.content
        store = content.stores.values[content.stores.codes[row]]
        return f"{store} · {content.products.values[content.products.codes[row]]}"

    def flag_constant(self, counts: npt.NDArray[np.int32]) -> None:
        """Flags series that never change: a stock level or a default, hardly sales."""
        sales = self.content.sales
        highest = np.fmax(np.fmax.reduceat(sales, self.starts), self.past["high"])
        lowest = np.fmin(np.fmin.reduceat(sales, self.starts), self.past["low"])
        self.flag_series(
            "constant", (counts >= MIN_DAYS) & (highest == lowest), (f"{value:g}" for value in highest)
        )

    def fill_unrecorded(self) -> npt.NDArray[np.float64]:
        """[N] the sales, zero where none are recorded; a large file without such rows is not copied."""
        sales = self.content.sales
        return sales if not np.isnan(sales).any() else np.where(self.is_recorded, sales, 0.0)

    def flag_outliers(self) -> None:
        """Flags cells far above the usual day of their series, such as grams entered for kilograms."""
        sales = self.fill_unrecorded()
        highest = np.fmax(np.maximum.reduceat(sales, self.starts), self.past["high"])
        total = np.add.reduceat(sales, self.starts) + self.past["units"]
        rest = (total - highest) / np.maximum(self.ends - self.starts + self.past["rows"] - 1, 1)
        outliers: list[int] = []
        # only a series whose highest day is far above its mean needs the slow quantile
        for number in np.flatnonzero(
            (highest >= OUTLIER_FACTOR) & (highest > OUTLIER_FACTOR * rest)
        ).tolist():
            start = int(self.starts[number])
            values = sales[start : self.ends[number]]
            sold = values[values > 0]
            usual = float(np.quantile(sold, USUAL_QUANTILE)) if len(sold) >= MIN_SOLD_DAYS else np.inf
            outliers += [
                start + int(row) for row in np.flatnonzero(values > OUTLIER_FACTOR * max(usual, 1.0))
            ]
        rows = np.array([row for row in outliers if self.row_numbers[row] > 0], np.int64)
        if len(rows):
            pictures = self.collected.count_pictures("outlier")
            places = [
                Example(
                    int(self.row_numbers[row]),
                    self.log.column_label("sales"),
                    f"{sales[row]:g}",
                    self.picture_row(int(row)) if place < pictures else None,
                )
                for place, row in enumerate(rows[: FindingLog.MAX_BAD_ROWS])
            ]
            if self.collected.add("outlier", places, len(rows)) == "empty":
                is_outlier = np.zeros_like(self.excluded)
                is_outlier[rows] = True
                self.collected.add_effect("outlier", "cleared", len(rows), sum_known(sales[rows]))
                self.log.add_left_out(self.content, is_outlier)
                changed = self.content.sales.copy()
                changed[rows] = np.nan
                self.content = replace(self.content, sales=changed)

    def picture_row(self, row: int) -> dict[str, Any]:
        """The series of a row, with its day marked."""
        number = int(np.searchsorted(self.starts, row, side="right")) - 1
        day = int(self.content.days[row])
        rows = slice(int(self.starts[number]), int(self.ends[number]))
        return picture_series(self.content, rows, (day, day)) | {"value": f"{self.content.sales[row]:g}"}

    def flag_level_changes(self) -> None:
        """Flags series with four weeks of sales all far above or below the four weeks before."""
        starts = np.minimum(self.starts + -self.past["rows"] % 7, self.ends)  # where a week begins
        weeks = (self.ends - starts) // 7  # [S] whole weeks of each series
        first = np.repeat(starts, weeks)
        place = np.arange(len(first)) - np.repeat(np.cumsum(weeks) - weeks, weeks)
        sums = np.zeros(self.content.row_count + 1)
        np.cumsum(self.fill_unrecorded(), out=sums[1:])
        begin = first + 7 * place
        means = (sums[begin + 7] - sums[begin]) / 7  # [W] of every week of every series, one after another
        if len(means) < 2 * LEVEL_WEEKS:
            return
        windows = np.lib.stride_tricks.sliding_window_view(means, 2 * LEVEL_WEEKS)
        before, after = windows[:, :LEVEL_WEEKS], windows[:, LEVEL_WEEKS:]
        up = after.min(axis=1) > LEVEL_FACTOR * np.maximum(before.max(axis=1), 1.0)
        down = before.min(axis=1) > LEVEL_FACTOR * np.maximum(after.max(axis=1), 1.0)
        owner = np.repeat(np.arange(len(self.starts)), weeks)
        whole = owner[: len(windows)] == owner[2 * LEVEL_WEEKS - 1 :]  # within one series
        hits = np.flatnonzero((up | down) & whole)
        if not len(hits):
            return
        from_file = np.append(0, np.cumsum(self.row_numbers > 0))  # older changes were told before
        ends = begin[hits + 2 * LEVEL_WEEKS - 1] + 7
        hits = hits[from_file[ends] > from_file[begin[hits]]]
        changed = np.zeros(len(self.starts), dtype=bool)
        changed[owner[hits]] = True
        words: dict[int, str] = {}
        spots: dict[int, Span] = {}
        for hit in hits[::-1].tolist():  # backwards, so that the first change of a series is shown
            words[int(owner[hit])] = f"{before[hit].mean():.3g} → {after[hit].mean():.3g}"
            change = int(begin[hit]) + 7 * LEVEL_WEEKS
            spots[int(owner[hit])] = (int(self.content.days[change]), int(self.content.days[change + 27]))
        labels = (words.get(number, "") for number in range(len(self.starts)))
        self.flag_series("level-change", changed, labels, spots)


def select_rows(content: CanonicalTable, rows: Mask) -> CanonicalTable:
    """The content of the marked rows [N]."""
    return take_rows(content, np.flatnonzero(rows))


def take_rows(content: CanonicalTable, places: RowPositions) -> CanonicalTable:
    """The content of some rows, in their order."""
    return CanonicalTable(
        content.days[places],
        content.stores[places],
        content.products[places],
        content.sales[places],
        content.extras.map_columns(lambda column: column[places]),
    )


def require_daily(file: str, distinct: npt.NDArray[np.int64]) -> None:
    """Raises SalesFileError for weekly and monthly data: daily forecasts cannot be learned from them.

    `distinct` are the days with sales in order.
    """
    if len(distinct) < 4:
        return
    steps = np.diff(distinct)
    if not (steps % 7).any():
        kind = _("weekly")
    elif steps.min() >= 28:
        kind = _("monthly")
    else:
        return
    words = {"file": file, "kind": kind, "days": int(np.median(steps))}
    raise SalesFileError(
        _("%(file)s holds %(kind)s sales (a row every %(days)d days): daily sales are needed.") % words
    )

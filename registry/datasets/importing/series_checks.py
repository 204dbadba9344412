"""Checks of whole series: missing days, too few days, constant, changed level, wrong unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from registry.datasets.importing.canonical import Canonical
from registry.datasets.importing.errors import SalesError
from registry.datasets.importing.finding_log import Check
from registry.datasets.importing.findings import Example
from registry.datasets.importing.gaps import Gaps

Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int32]
ENOUGH = 28  # days of a series from which something can be learned
WEEKS, STEP = 4, 3.0  # so many weeks above or below as many before, by that factor, are a new level
TIMES, USUAL = 20.0, 0.9


class History:
    """The series of a dataset; `numbers` [N] is each row's number in the file (0 = not from the file)."""

    def __init__(self, check: Check, content: Canonical, numbers: Numbers) -> None:
        self.check, self.content, self.numbers = check, content, numbers
        self.out = np.zeros(content.rows, dtype=bool)
        self.sold = ~np.isnan(content.sales)
        self.starts = content.series
        self.ends = np.append(self.starts[1:], content.rows)

    def checked(self) -> tuple[Canonical, Numbers]:
        """The content after what is done about the findings; raises SalesError for weekly or monthly data."""
        daily(self.check.raw.name, self.content.days[self.sold])
        counts = np.add.reduceat(self.sold.astype(np.int32), self.starts)
        self.series("short", (counts > 0) & (counts < ENOUGH), counts.tolist())
        self.constant(counts)
        self.outliers()
        self.levels()
        content, numbers = self.content, self.numbers
        if self.out.any():
            content, numbers = kept(content, ~self.out), numbers[~self.out]
            if not content.rows or np.isnan(content.sales).all():
                raise SalesError(_("%(file)s has no usable row.") % {"file": self.check.raw.name})
        return Gaps(self.check, content, numbers).filled()

    def series(self, code: str, wrong: Mask, values: Iterable[object]) -> None:
        """A finding about whole series; those that the file does not touch are not its business."""
        words = list(values)
        places: list[Example] = []
        count = 0
        skipped = []
        for number in np.flatnonzero(wrong).tolist():
            start, end = int(self.starts[number]), int(self.ends[number])
            rows = self.numbers[start:end]
            told = rows[rows > 0]
            if not len(told):
                continue
            count += 1
            skipped.append((start, end))
            if len(places) < Check.MOST_BAD:
                label = f"{self.name(start)}: {words[number]}"
                places.append(Example(int(told[0]), self.check.label("sales"), label))
        if count and self.check.note(code, places, count) == "skip":
            for start, end in skipped:
                self.out[start:end] = True

    def name(self, row: int) -> str:
        """The series of a row, in words."""
        content = self.content
        store = content.stores.values[content.stores.codes[row]]
        return f"{store} · {content.products.values[content.products.codes[row]]}"

    def constant(self, counts: npt.NDArray[np.int32]) -> None:
        """Series of one number only: a stock level or a default, hardly sales."""
        sales = self.content.sales
        highest = np.fmax.reduceat(sales, self.starts)
        lowest = np.fmin.reduceat(sales, self.starts)
        self.series("constant", (counts >= ENOUGH) & (highest == lowest), (f"{value:g}" for value in highest))

    def outliers(self) -> None:
        """Cells a hundred times the usual of their series, as when grams are written for kilograms."""
        sales = np.where(self.sold, self.content.sales, 0.0)
        highest = np.maximum.reduceat(sales, self.starts)
        total = np.add.reduceat(sales, self.starts)
        rest = (total - highest) / np.maximum(self.ends - self.starts - 1, 1)
        found: list[int] = []
        for number in np.flatnonzero((highest >= TIMES) & (highest > TIMES * rest)).tolist():
            start = int(self.starts[number])
            values = sales[start : self.ends[number]]
            usual = float(np.quantile(values[values > 0], USUAL)) if (values > 0).sum() >= 14 else np.inf
            found += [start + int(row) for row in np.flatnonzero(values > TIMES * max(usual, 1.0))]
        rows = np.array([row for row in found if self.numbers[row] > 0], np.int64)
        if len(rows):
            places = [
                Example(int(self.numbers[row]), self.check.label("sales"), f"{sales[row]:g}")
                for row in rows[: Check.MOST_BAD]
            ]
            if self.check.note("outlier", places, len(rows)) == "empty":
                changed = self.content.sales.copy()
                changed[rows] = np.nan
                self.content = replace(self.content, sales=changed)

    def levels(self) -> None:
        """Series whose sales of four weeks all lie far above or below those of the four weeks before."""
        weeks = (self.ends - self.starts) // 7
        first = np.repeat(self.starts, weeks)
        place = np.arange(len(first)) - np.repeat(np.cumsum(weeks) - weeks, weeks)
        sums = np.append(0.0, np.cumsum(np.where(self.sold, self.content.sales, 0.0)))
        begin = first + 7 * place
        means = (sums[begin + 7] - sums[begin]) / 7
        if len(means) < 2 * WEEKS:
            return
        windows = np.lib.stride_tricks.sliding_window_view(means, 2 * WEEKS)
        before, after = windows[:, :WEEKS], windows[:, WEEKS:]
        up = after.min(axis=1) > STEP * np.maximum(before.max(axis=1), 1.0)
        down = before.min(axis=1) > STEP * np.maximum(after.max(axis=1), 1.0)
        owner = np.repeat(np.arange(len(self.starts)), weeks)
        whole = owner[: len(windows)] == owner[2 * WEEKS - 1 :]
        hits = np.flatnonzero((up | down) & whole)
        changed = np.zeros(len(self.starts), dtype=bool)
        changed[owner[hits]] = True
        words: dict[int, str] = {}
        for hit in hits[::-1].tolist():
            words[int(owner[hit])] = f"{before[hit].mean():.3g} → {after[hit].mean():.3g}"
        self.series("level-change", changed, (words.get(number, "") for number in range(len(self.starts))))


def kept(content: Canonical, rows: Mask) -> Canonical:
    """Only some rows."""
    places = np.flatnonzero(rows)
    return Canonical(
        content.days[places],
        content.stores[places],
        content.products[places],
        content.sales[places],
        content.extras.mapped(lambda column: column[places]),
    )


def daily(file: str, days: npt.NDArray[np.int32]) -> None:
    """Raises SalesError for weekly and monthly data: a forecast of days cannot be learned from them."""
    distinct = np.flatnonzero(np.bincount(days - days.min())) if len(days) else days
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
    raise SalesError(
        _("%(file)s holds %(kind)s sales (a row every %(days)d days): bring sales of single days.") % words
    )

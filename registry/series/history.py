"""Sales history as running sums, from which every level and weekday mean is one subtraction."""

from __future__ import annotations

import copy
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from registry.series.tensor_math import running_sums

SCALE_DAYS = (56, 112, 364, 1456)
MIN_LEVEL_DAYS = 21  # recorded days that make a level trustworthy


@dataclass(frozen=True)
class HiddenDays:
    """What learning hides of each of B windows, so that gaps in the newest days are nothing unusual.

    Sales of the columns [start, end) count as not recorded; equal ends hide nothing.
    """

    start: Tensor  # [B]
    end: Tensor  # [B]
    is_closure: Tensor  # [B] bool: the store is shown as closed on these days
    covariates_end: Tensor  # [B] first column whose past covariates are not known

    def __getitem__(self, part: slice) -> HiddenDays:
        """Those of some of the windows."""
        return HiddenDays(*(getattr(self, one.name)[part] for one in fields(self)))

    @property
    def edges(self) -> tuple[Tensor, Tensor]:
        """Start and end, to be compared with columns [B, n]: [B, 1] both."""
        return self.start[:, None], self.end[:, None]

    def covers(self, columns: Tensor) -> Tensor:
        """Whether sales of the columns [B, n] are hidden: bool [B, n]."""
        start, end = self.edges
        return (columns >= start) & (columns < end)


class SalesHistory:
    """Sales [S, W] with running sums; days ahead are unknown until a forecast is written there.

    Means are of recorded open days. `rows` [B] are series, columns count days from the panel's start.
    """

    def __init__(self, sales: Tensor):
        self.sales = sales  # NaN = no record or closed
        amount, seen = sales.nan_to_num(), (~sales.isnan()).float()
        # [S, W + 1]: entry t sums columns < t, so the sum over [a, b) is entry b - entry a
        self.total, self.count = running_sums(amount), running_sums(seen)
        self.zeros = running_sums((sales == 0).float())
        # [S, W + 1]: entry t sums columns t - 1, t - 8, t - 15, ...: one weekday only
        self.weekday_total, self.weekday_count = running_sums(amount, 7), running_sums(seen, 7)

    def select_series(self, rows: Tensor) -> SalesHistory:
        """The history of these series, in this order, in tables of its own."""
        chosen = copy.copy(self)
        for name, table in vars(self).items():
            setattr(chosen, name, table[rows])
        return chosen

    def write_day(self, column: int, values: Tensor, nothing: Tensor) -> None:
        """Writes a day that was forecast: its sales [S], NaN = closed, and the chance of no sale [S]."""
        self.sales[:, column] = values
        seen = (~values.isnan()).float()
        amount = values.nan_to_num()
        self.total[:, column + 1] = self.total[:, column] + amount
        self.count[:, column + 1] = self.count[:, column] + seen
        self.zeros[:, column + 1] = self.zeros[:, column] + nothing * seen
        week = max(0, column - 6)  # column + 1 - 7, and 0 stands for "before the start"
        self.weekday_total[:, column + 1] = self.weekday_total[:, week] * (column >= 6) + amount
        self.weekday_count[:, column + 1] = self.weekday_count[:, week] * (column >= 6) + seen

    def mean_between(
        self, rows: Tensor, since: Tensor, until: Tensor, hidden: HiddenDays | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mean of the days in [since, until) and how many are recorded: [B, n] all."""
        low, high = since.clamp(min=0), until.clamp(min=0)
        edges = hidden.edges if hidden else None
        count = _sum_between(self.count, rows, low, high, edges)
        return _sum_between(self.total, rows, low, high, edges) / count.clamp(min=1), count

    def mean_level(
        self, rows: Tensor, at: Tensor, days: int, hidden: HiddenDays | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mean of the last `days` days before `at` [B] and how many are recorded: [B], [B]."""
        # `at` is the first unknown column: days in [at - days, at)
        mean, count = self.mean_between(rows, (at - days)[:, None], at[:, None], hidden)
        return mean[:, 0], count[:, 0]

    def recent_level(self, rows: Tensor, at: Tensor, hidden: HiddenDays | None = None) -> Tensor:
        """The recent level, or one over a longer span while too few recent days are recorded: [B]."""
        found, enough = self.mean_level(rows, at, SCALE_DAYS[0], hidden)
        for days in SCALE_DAYS[1:]:
            older, count = self.mean_level(rows, at, days, hidden)
            found = torch.where(enough < MIN_LEVEL_DAYS, older, found)
            enough = torch.where(enough < MIN_LEVEL_DAYS, count, enough)
        return found

    def zero_share(self, rows: Tensor, at: Tensor, days: int, hidden: HiddenDays | None = None) -> Tensor:
        """Share of the last `days` recorded days before `at` that sold nothing; 0 without any: [B]."""
        low, high = (at - days).clamp(min=0)[:, None], at[:, None]
        edges = hidden.edges if hidden else None
        zeros, count = (_sum_between(table, rows, low, high, edges) for table in (self.zeros, self.count))
        return (zeros / count.clamp(min=1))[:, 0]

    def weekday_mean(
        self, rows: Tensor, day: Tensor, at: Tensor, weeks: int, hidden: HiddenDays | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mean of the last `weeks` days on the weekday of `day` [B, P] and how many: [B, P] both."""
        # [B, P] whole weeks, in days, back to the newest same weekday before `at`
        back = torch.div(day - at[:, None], 7, rounding_mode="floor") * 7 + 7
        last = (day - back + 1).clamp(min=0)  # running sums are shifted by one
        first = (last - 7 * weeks).clamp(min=0)
        edges = None
        if hidden:
            edges = (_same_weekday(last, hidden.start), _same_weekday(last, hidden.end))
        count = _sum_between(self.weekday_count, rows, first, last, edges)
        return _sum_between(self.weekday_total, rows, first, last, edges) / count.clamp(min=1), count


def _sum_between(
    table: Tensor, rows: Tensor, low: Tensor, high: Tensor, hidden: tuple[Tensor, Tensor] | None
) -> Tensor:
    """Sums over the entries from low to high [B, n] of running sums, less those between the hidden edges."""
    row = rows[:, None]
    found = table[row, high] - table[row, low]
    if hidden is not None:
        start, end = (torch.maximum(torch.minimum(edge, high), low) for edge in hidden)
        found = found - (table[row, end] - table[row, start])
    return found


def _same_weekday(last: Tensor, edge: Tensor) -> Tensor:
    """The entries of the weekday of `last` [B, P] that sum all its days before `edge` [B]: [B, P]."""
    weeks = torch.div(last - edge[:, None] + 6, 7, rounding_mode="floor").clamp(min=0)
    return (last - 7 * weeks).clamp(min=0)

"""Windows: what a model sees of one series at one origin, cut from the panel by index arithmetic.

A window at column t sees sales of columns < t only, known covariates and the calendar also of later ones.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from registry.series import calendar
from registry.series.covariates import Encoder, closed_days
from registry.series.panel import Panel
from registry.series.quantiles import OUTPUT_COUNT
from registry.series.tensor_math import running_sums, zero_probability

YEAR_DAYS = 364  # back to the same weekday last year
AROUND = 3  # days before and after the block whose known covariates are included
PROFILE_WEEKS = (1, 4, 8, 16, 26)
PROFILE_COLUMNS = len(PROFILE_WEEKS) + 6  # the last columns of `ahead`: weekday means, then last year
LEVEL_DAYS = (7, 28, 112, 364)
SCALE_DAYS = (56, 112, 364, 1456)
NEW_SERIES_DAYS = 56  # days after which a series is no longer new
MIN_LEVEL_DAYS = 21  # recorded days that make a level trustworthy


@dataclass
class Batch:
    """B windows, sales divided by `scale`: L past days, P days of a block; C, K, A, E, T count features.

    Field names are stored in every bundle (golden tensors): never rename them.
    """

    past: Tensor  # [B, L, C]  sales (asinh), recorded, known and past covariates
    around: Tensor  # [B, P + 2 * AROUND, K]  known covariates of the block and its neighbours
    ahead: Tensor  # [B, P, A]  calendar, weekday profile and last year, day by day
    level: Tensor  # [B, E]  size, trend, share of zeros, age
    static: Tensor  # [B, T]
    entity: Tensor  # [B, 3]  series, store, product; 0 = unknown
    base: Tensor  # [B, P]  the usual sales of that weekday, from which a forecast starts
    recent: Tensor  # [B, L]  past sales (scaled), NaN where not recorded
    scale: Tensor  # [B]
    closed: Tensor  # [B, P]  bool
    target: Tensor  # [B, P]  sales to forecast (scaled); NaN = unknown or closed


@dataclass(frozen=True)
class Shape:
    """Sizes that an algorithm builds its layers from; stored in every bundle."""

    past_days: int  # L
    block: int  # P
    past: int  # C
    around: int  # K
    ahead: int  # A
    level: int  # E
    static: int  # T
    entities: tuple[int, int, int]
    outputs: int  # Q: the mean, then the quantiles


class Windows:
    """The panel as tensors, to be cut at any (series, column)."""

    def __init__(self, panel: Panel, encoder: Encoder, past_days: int, block: int, ahead: int = 0):
        self.panel, self.past_days, self.block = panel, past_days, block
        width = panel.days + ahead + block + AROUND
        # W = width: calendar [W, F], closed [S, W], known [S, W, K], past covariates [S, D, X], static [S, T]
        closed, assumed = closed_days(panel, width)
        known, assumed_known = encoder.known_features(panel, closed)
        self.assumptions = assumed + assumed_known
        days = panel.start + np.arange(width).astype("timedelta64[D]")
        self.calendar = torch.from_numpy(calendar.calendar_features(days, panel.country, encoder.yearly))
        self.closed, self.known = torch.from_numpy(closed), torch.from_numpy(known)
        self.past_covariates = torch.from_numpy(encoder.past_features(panel))
        self.static = torch.from_numpy(encoder.static_features(panel))
        self.entity = torch.from_numpy(encoder.encode_entities(panel))
        self.unit, self.has_last_year = encoder.unit, encoder.last_year
        self.usual_weeks = encoder.usual_weeks
        self.entity_counts = (len(encoder.keys), len(encoder.stores), len(encoder.products))
        self._build_running_sums(panel, closed, width)

    def with_size(self, past_days: int, block: int) -> Windows:
        """The same tables with windows of another size; `block` must not exceed this one's."""
        if block > self.block:
            raise ValueError(f"Windows of {block} days do not fit into tables made for {self.block}.")
        twin = copy.copy(self)  # shallow: all members of a bundle share (and overwrite) the same tables
        twin.past_days, twin.block = past_days, block
        return twin

    def _build_running_sums(self, panel: Panel, closed: NDArray[np.bool_], width: int) -> None:
        """Running sums, from which every level and weekday mean is one subtraction."""
        sales = np.full((len(panel.keys), width), np.nan, np.float32)
        sales[:, : panel.days] = np.where(closed[:, : panel.days], np.nan, panel.sales)
        # [S, W], NaN = no record or closed; days ahead stay NaN until a forecast is written there
        self.sales = torch.from_numpy(sales)
        listed = np.cumsum(~np.isnan(panel.sales), axis=1) > 0
        # [S] column of the first record; panel.days = none
        self.first_record = torch.from_numpy(np.where(listed.any(1), listed.argmax(1), panel.days))
        amount, seen = self.sales.nan_to_num(), (~self.sales.isnan()).float()
        # [S, W + 1]: entry t sums columns < t, so the sum over [a, b) is entry b - entry a
        self.running_total, self.running_count, self.running_zeros = (
            running_sums(amount),
            running_sums(seen),
            running_sums((self.sales == 0).float()),
        )
        # [S, W + 1]: entry t sums columns t - 1, t - 8, t - 15, ...: one weekday only
        self.weekday_total, self.weekday_count = running_sums(amount, 7), running_sums(seen, 7)

    def _append_day(self, column: int, nothing: Tensor) -> None:
        """Extends the running sums by one day; `nothing` [S] is the chance of no sale."""
        value = self.sales[:, column]
        seen = (~value.isnan()).float()
        amount = value.nan_to_num()
        self.running_total[:, column + 1] = self.running_total[:, column] + amount
        self.running_count[:, column + 1] = self.running_count[:, column] + seen
        self.running_zeros[:, column + 1] = self.running_zeros[:, column] + nothing * seen
        week = max(0, column - 6)  # column + 1 - 7, and 0 stands for "before the start"
        self.weekday_total[:, column + 1] = self.weekday_total[:, week] * (column >= 6) + amount
        self.weekday_count[:, column + 1] = self.weekday_count[:, week] * (column >= 6) + seen

    def append_forecast(self, column: int, forecast: Tensor) -> None:
        """Writes a forecast [S, P, Q] at `column`: the next block sees its mean as if it had been sold.

        A day that sells nothing every other time counts as half a day without sales.
        """
        values = forecast[..., 0]
        nothing = zero_probability(forecast[..., 1:], self.unit)  # [S, P]
        for step in range(values.shape[1]):
            self.sales[:, column + step] = values[:, step].masked_fill(
                self.closed[:, column + step], torch.nan
            )
            self._append_day(column + step, nothing[:, step])

    @property
    def shape(self) -> Shape:
        """Sizes of every part of a batch, taken from one real window."""
        one = self.cut_batch(torch.zeros(1, dtype=torch.long), torch.tensor([self.panel.days]))
        return Shape(
            past_days=self.past_days,
            block=self.block,
            past=one.past.shape[2],
            around=one.around.shape[2],
            ahead=one.ahead.shape[2],
            level=one.level.shape[1],
            static=one.static.shape[1],
            entities=self.entity_counts,
            outputs=OUTPUT_COUNT,
        )

    def mean_level(self, rows: Tensor, at: Tensor, days: int) -> tuple[Tensor, Tensor]:
        """Mean of recorded open days among the last `days` before `at`, and their count: [B], [B]."""
        since = (at - days).clamp(min=0)  # [B]; `at` is the first unknown column: days in [at - days, at)
        count = self.running_count[rows, at] - self.running_count[rows, since]
        return (self.running_total[rows, at] - self.running_total[rows, since]) / count.clamp(min=1), count

    def compute_scale(self, rows: Tensor, at: Tensor) -> Tensor:
        """[B]: the recent level, or one over a longer span while too few recent days are recorded."""
        found, enough = self.mean_level(rows, at, SCALE_DAYS[0])
        for days in SCALE_DAYS[1:]:
            older, count = self.mean_level(rows, at, days)
            found = torch.where(enough < MIN_LEVEL_DAYS, older, found)
            enough = torch.where(enough < MIN_LEVEL_DAYS, count, enough)
        # at least one unit: a series that sold nothing lately must not be divided by 0
        return found.clamp(min=self.unit).float()

    def usual_sales(self, rows: Tensor, day: Tensor, at: Tensor, weeks: int) -> tuple[Tensor, Tensor]:
        """Mean of the last `weeks` same weekdays before `at`, and how many were recorded: [B, P], [B, P]."""
        # [B, P] whole weeks, in days, back to the newest same weekday before `at`
        back = torch.div(day - at[:, None], 7, rounding_mode="floor") * 7 + 7
        last = (day - back + 1).clamp(min=0)  # running sums are shifted by one
        first = (last - 7 * weeks).clamp(min=0)
        row = rows[:, None]
        count = self.weekday_count[row, last] - self.weekday_count[row, first]
        total = self.weekday_total[row, last] - self.weekday_total[row, first]
        return total / count.clamp(min=1), count

    def cut_batch(self, rows: Tensor, at: Tensor) -> Batch:
        """Windows of series `rows` [B] whose first unknown column is `at` [B]."""
        scale = self.compute_scale(rows, at)
        row, start = rows[:, None], at[:, None]
        back = start + torch.arange(-self.past_days, 0)  # [B, L] columns of the past
        inside = back >= 0  # [B, L] False before the panel starts: every feature is 0 there (sales NaN)
        recent = self.sales[row, back.clamp(min=0)].masked_fill(~inside, torch.nan) / scale[:, None]
        day = start + torch.arange(self.block)
        # [B, P + 2 * AROUND]
        near = (start + torch.arange(-AROUND, self.block + AROUND)).clamp(min=0)
        base, ahead = self._ahead_features(rows, at, day, scale)
        closed = self.closed[row, day]
        target = self.sales[row, day].masked_fill(closed, torch.nan) / scale[:, None]
        seen = ~recent.isnan()
        # channels of past [B, L, C]: sales, recorded, K known, X past covariates; C = 2 + K + X
        # asinh: like log for large values, yet defined at 0
        past = [torch.asinh(recent.nan_to_num())[..., None], seen[..., None].float()]
        past += [self.known[row, back.clamp(min=0)] * inside[..., None]]
        if self.past_covariates.shape[2]:
            past += [
                self.past_covariates[row, back.clamp(0, self.past_covariates.shape[1] - 1)]
                * inside[..., None]
            ]
        return Batch(
            past=torch.cat(past, dim=2),
            around=self.known[row, near],
            ahead=ahead,
            level=self._level_features(rows, at, scale),
            static=self.static[rows],
            entity=self.entity[rows],
            base=base,
            recent=recent,
            scale=scale,
            closed=closed,
            target=target,
        )

    def _ahead_features(self, rows: Tensor, at: Tensor, day: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """base [B, P] and the features of each day ahead [B, P, A]; day [B, P] are their columns."""
        size = scale[:, None].double()  # [B, 1], as is `overall`, the recent level over the scale
        overall = (self.mean_level(rows, at, SCALE_DAYS[0])[0].float() / scale)[:, None].double()
        columns, base = [], overall
        for weeks in PROFILE_WEEKS:
            mean, count = self.usual_sales(rows, day, at, weeks)
            mean = torch.where(count > 0, mean / size, overall)  # weekdays never recorded: the level
            base = mean if weeks == self.usual_weeks else base
            columns.append(torch.asinh(mean))
        for value, known in self._last_year(rows, at, day, size):
            columns += [torch.asinh(value), known]
        # [B, P, PROFILE_COLUMNS]: 5 weekday means, then 3 x (value, known) of last year
        table = torch.stack([column.expand(day.shape).float() for column in columns], dim=2)
        return base.expand(day.shape).float(), torch.cat([self.calendar[day], table], dim=2)

    def _last_year(self, rows: Tensor, at: Tensor, day: Tensor, size: Tensor) -> list[tuple[Tensor, Tensor]]:
        """(value, 1 if known) of last year's day, its week, and its week over the level then: [B, P] all.

        Values are divided by the scale.
        """
        if not self.has_last_year:  # in hardly any learning window: the model could not learn its use
            nothing = torch.zeros_like(day, dtype=torch.float64)
            return [(nothing, nothing)] * 3
        then = day - YEAR_DAYS
        value = self.sales[rows[:, None], then.clamp(min=0)].masked_fill(then < 0, torch.nan).double() / size
        week, count = self._mean_between(rows, then - 3, then + 4)
        # [B, 1]: eight weeks before the same day last year
        level, level_count = self._mean_between(
            rows, (at - YEAR_DAYS - 56)[:, None], (at - YEAR_DAYS)[:, None]
        )
        # [B, P] how high this week stood above the level then; capped: a level near 0 would blow it up
        season = (week / level.clamp(min=self.unit * 0.1)).clamp(max=5)
        both = (count > 0) & (level_count >= MIN_LEVEL_DAYS)
        return [
            (value.nan_to_num(), (~value.isnan()).double()),
            (week / size, (count > 0).double()),
            (torch.where(both, season, 1.0), both.double()),
        ]

    def _mean_between(self, rows: Tensor, since: Tensor, until: Tensor) -> tuple[Tensor, Tensor]:
        """Mean of recorded days in [since, until) and their count: [B, n] all."""
        row, low, high = rows[:, None], since.clamp(min=0), until.clamp(min=0)
        count = self.running_count[row, high] - self.running_count[row, low]
        return (self.running_total[row, high] - self.running_total[row, low]) / count.clamp(min=1), count

    def _level_features(self, rows: Tensor, at: Tensor, scale: Tensor) -> Tensor:
        """[B, E]: the size and how it developed, how much is recorded, how new the series is."""
        # E = 10: scale, 4 levels, 2 shares recorded (7 and 28 days), share of zeros, age, last year's level
        columns = [torch.log1p(scale / self.unit) / 5]
        for days in LEVEL_DAYS:
            mean, count = self.mean_level(rows, at, days)
            columns.append(torch.asinh(mean.float() / scale) * (days < YEAR_DAYS or self.has_last_year))
            # the share recorded, of short spans only: that of long ones would tell the date
            columns += [(count / days).float()] if days <= NEW_SERIES_DAYS else []
        since = (at - 56).clamp(min=0)
        recorded = (self.running_count[rows, at] - self.running_count[rows, since]).clamp(min=1)
        columns.append(((self.running_zeros[rows, at] - self.running_zeros[rows, since]) / recorded).float())
        columns.append(((at - self.first_record[rows]).clamp(0, NEW_SERIES_DAYS) / NEW_SERIES_DAYS).float())
        then, _count = self._mean_between(rows, (at - YEAR_DAYS - 28)[:, None], (at - YEAR_DAYS)[:, None])
        columns.append(torch.asinh(then[:, 0].float() / scale) * self.has_last_year)
        return torch.stack(columns, dim=1)


def find_positions(windows: Windows, first: int, last: int) -> tuple[Tensor, Tensor]:
    """Every (series, column) in [first, last] whose series has a record before the column: [N], [N].

    In order of series, as WindowSampler needs them.
    """
    born = windows.first_record.numpy()
    low = np.maximum(first, born + 1)
    counts = np.maximum(0, last - low + 1)  # [S] windows of each series
    rows = np.repeat(np.arange(len(born)), counts)
    # [N] 0, 1, 2, ... anew for each series
    steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return torch.from_numpy(rows), torch.from_numpy(low[rows] + steps)

"""Windows: what a model sees of one series at one origin, cut from the panel by index arithmetic.

A window at column t sees sales of columns < t only, known covariates and the calendar also of later ones.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from registry.series import calendar
from registry.series.bounds import daily_bounds
from registry.series.calendar import YEAR_DAYS
from registry.series.covariates import Encoder, closed_days
from registry.series.history import MIN_LEVEL_DAYS, SCALE_DAYS, HiddenDays, SalesHistory
from registry.series.panel import Panel
from registry.series.quantiles import OUTPUT_COUNT
from registry.series.tensor_math import zero_probability

CLOSING_FEATURES = 3  # the first known covariates: closed, and nearness of closed days
AROUND = 3  # days before and after the block whose known covariates are included
PROFILE_WEEKS = (1, 4, 8, 16, 26)
PROFILE_COLUMNS = len(PROFILE_WEEKS) + 6  # the last columns of `ahead`: weekday means, then last year
OLDER_WEEKS = 104  # weeks whose weekday means stand in where none of the newest is recorded
LEVEL_DAYS = (7, 28, 112, 364)
NEW_SERIES_DAYS = 56  # days after which a series is no longer new


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
        self.known_columns = encoder.known
        self.tells_unknown = encoder.tells_unknown
        self.usual_weeks = encoder.usual_weeks
        self.entity_counts = (len(encoder.keys), len(encoder.stores), len(encoder.products))
        sales = np.full((len(panel.keys), width), np.nan, np.float32)
        sales[:, : panel.days] = panel.open_sales
        bounds = np.full(len(panel.keys), np.inf, np.float32)
        if encoder.tells_unknown:
            bounds = daily_bounds(panel.own_sales, panel.keys, encoder.unit, encoder.largest)
            # a day beyond the bounds is a one-off, which must not lift the level for weeks
            np.minimum(sales, bounds[:, None], out=sales)
        self.bounds = torch.from_numpy(bounds)  # [S] units a day that no forecast exceeds
        self.history = SalesHistory(torch.from_numpy(sales))
        listed = np.cumsum(~np.isnan(panel.sales), axis=1) > 0
        # [S] column of the first record; panel.days = none
        self.first_record = torch.from_numpy(np.where(listed.any(1), listed.argmax(1), panel.days))

    def with_size(self, past_days: int, block: int) -> Windows:
        """The same tables with windows of another size; `block` must not exceed this one's."""
        if block > self.block:
            raise ValueError(f"Windows of {block} days do not fit into tables made for {self.block}.")
        twin = copy.copy(self)  # shallow: all members of a bundle share (and overwrite) the same tables
        twin.past_days, twin.block = past_days, block
        return twin

    def append_forecast(self, column: int, forecast: Tensor) -> None:
        """Writes a forecast [S, P, Q] at `column`: the next block sees its mean as if it had been sold.

        A day that sells nothing every other time counts as half a day without sales.
        """
        values = forecast[..., 0]
        nothing = zero_probability(forecast[..., 1:], self.unit)  # [S, P]
        for step in range(values.shape[1]):
            sold = values[:, step].masked_fill(self.closed[:, column + step], torch.nan)
            self.history.write_day(column + step, sold, nothing[:, step])

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

    def cut_batch(self, rows: Tensor, at: Tensor, hidden: HiddenDays | None = None) -> Batch:
        """Windows of series `rows` [B] whose first unknown column is `at` [B], without what is hidden."""
        # at least one unit: a series that sold nothing lately must not be divided by 0
        scale = self.history.recent_level(rows, at, hidden).clamp(min=self.unit).float()
        row, start = rows[:, None], at[:, None]
        back = start + torch.arange(-self.past_days, 0)  # [B, L] columns of the past
        recent = self._past_sales(row, back, hidden) / scale[:, None]
        day = start + torch.arange(self.block)
        # [B, P + 2 * AROUND]
        near = start + torch.arange(-AROUND, self.block + AROUND)
        base, ahead = self._ahead_features(rows, at, day, scale, hidden)
        closed = self.closed[row, day]
        target = self.history.sales[row, day].masked_fill(closed, torch.nan) / scale[:, None]
        # channels of past [B, L, C]: sales, recorded, K known, X past covariates; C = 2 + K + X
        # asinh: like log for large values, yet defined at 0
        past = [torch.asinh(recent.nan_to_num())[..., None], (~recent.isnan())[..., None].float()]
        # False before the panel starts: every feature is 0 there (sales NaN)
        past += [self._known_covariates(row, back, hidden) * (back >= 0)[..., None]]
        past += [self._past_covariates(row, back, hidden)]
        return Batch(
            past=torch.cat(past, dim=2),
            around=self._known_covariates(row, near, hidden),
            ahead=ahead,
            level=self._level_features(rows, at, scale, hidden),
            static=self.static[rows],
            entity=self.entity[rows],
            base=base,
            recent=recent,
            scale=scale,
            closed=closed,
            target=target,
        )

    def _past_sales(self, row: Tensor, columns: Tensor, hidden: HiddenDays | None) -> Tensor:
        """Sales of the columns [B, n], NaN where not recorded, hidden or before the panel: [B, n]."""
        sales = self.history.sales[row, columns.clamp(min=0)].masked_fill(columns < 0, torch.nan)
        return sales if hidden is None else sales.masked_fill(hidden.covers(columns), torch.nan)

    def _known_covariates(self, row: Tensor, columns: Tensor, hidden: HiddenDays | None) -> Tensor:
        """Known covariates of the columns [B, n], with closing features 1 in a hidden closure: [B, n, K]."""
        known = self.known[row, columns.clamp(min=0)]
        if hidden is not None:
            shut = hidden.covers(columns) & hidden.is_closure[:, None]
            known[..., :CLOSING_FEATURES].masked_fill_(shut[..., None], 1.0)
        return known

    def _past_covariates(self, row: Tensor, columns: Tensor, hidden: HiddenDays | None) -> Tensor:
        """Past covariates of the columns [B, n]; 0 where not known, after the origin too: [B, n, X]."""
        days = self.past_covariates.shape[1]
        found = self.past_covariates[row, columns.clamp(0, days - 1)]
        if not self.tells_unknown:  # bundles of schema 2 have learned with the last known value repeated
            return found * (columns >= 0)[..., None]
        known = (columns >= 0) & (columns < days)
        if hidden is not None:
            known &= columns < hidden.covariates_end[:, None]
        return found * known[..., None]

    def _ahead_features(
        self, rows: Tensor, at: Tensor, day: Tensor, scale: Tensor, hidden: HiddenDays | None
    ) -> tuple[Tensor, Tensor]:
        """base [B, P] and the features of each day ahead [B, P, A]; day [B, P] are their columns."""
        size = scale[:, None].double()  # [B, 1], as is `overall`, the recent level over the scale
        level, count = self.history.mean_level(rows, at, SCALE_DAYS[0], hidden)
        overall = (level.float() / scale)[:, None].double()
        if self.tells_unknown:  # nothing recorded lately: the level of longer ago, which is the scale
            overall = torch.where(count[:, None] > 0, overall, 1.0)
        columns, base = [], overall
        for weeks, units in self._weekday_means(rows, at, day, hidden):
            mean = torch.where(units.isnan(), overall, units / size)  # weekdays never recorded: the level
            base = mean if weeks == self.usual_weeks else base
            columns.append(torch.asinh(mean))
        for value, known in self._last_year(rows, at, day, size, hidden):
            columns += [torch.asinh(value), known]
        # [B, P, PROFILE_COLUMNS]: 5 weekday means, then 3 x (value, known) of last year
        table = torch.stack([column.expand(day.shape).float() for column in columns], dim=2)
        return base.expand(day.shape).float(), torch.cat([self.calendar[day], table], dim=2)

    def _weekday_means(
        self, rows: Tensor, at: Tensor, day: Tensor, hidden: HiddenDays | None
    ) -> Iterator[tuple[int, Tensor]]:
        """(weeks, mean of that weekday over so many weeks, NaN = not recorded): [B, P], for PROFILE_WEEKS.

        A mean without a record is that of the next longer span.
        """
        spans = (*PROFILE_WEEKS, OLDER_WEEKS) if self.tells_unknown else PROFILE_WEEKS
        means = []
        for weeks in spans:
            mean, count = self.history.weekday_mean(rows, day, at, weeks, hidden)
            means.append(mean.masked_fill(count == 0, torch.nan))
        if self.tells_unknown:
            for place in range(len(PROFILE_WEEKS) - 1, -1, -1):
                means[place] = torch.where(means[place].isnan(), means[place + 1], means[place])
        yield from zip(PROFILE_WEEKS, means, strict=False)

    def _last_year(
        self, rows: Tensor, at: Tensor, day: Tensor, size: Tensor, hidden: HiddenDays | None
    ) -> list[tuple[Tensor, Tensor]]:
        """(value, 1 if known) of last year's day, its week, and its week over the level then: [B, P] all.

        Values are divided by the scale.
        """
        if not self.has_last_year:  # in hardly any learning window: the model could not learn its use
            nothing = torch.zeros_like(day, dtype=torch.float64)
            return [(nothing, nothing)] * 3
        then = day - YEAR_DAYS
        value = self._past_sales(rows[:, None], then, hidden).double() / size
        week, count = self.history.mean_between(rows, then - 3, then + 4, hidden)
        # [B, 1]: eight weeks before the same day last year
        level, level_count = self.history.mean_between(
            rows, (at - YEAR_DAYS - 56)[:, None], (at - YEAR_DAYS)[:, None], hidden
        )
        # [B, P] how high this week stood above the level then; capped: a level near 0 would blow it up
        season = (week / level.clamp(min=self.unit * 0.1)).clamp(max=5)
        both = (count > 0) & (level_count >= MIN_LEVEL_DAYS)
        return [
            (value.nan_to_num(), (~value.isnan()).double()),
            (week / size, (count > 0).double()),
            (torch.where(both, season, 1.0), both.double()),
        ]

    def _level_features(self, rows: Tensor, at: Tensor, scale: Tensor, hidden: HiddenDays | None) -> Tensor:
        """[B, E]: the size and how it developed, how much is recorded, how new the series is."""
        # E = 10: scale, 4 levels, 2 shares recorded (7 and 28 days), share of zeros, age, last year's level
        columns = [torch.log1p(scale / self.unit) / 5]
        levels = [self.history.mean_level(rows, at, days, hidden) for days in LEVEL_DAYS]
        for days, (mean, count) in zip(LEVEL_DAYS, self._fill_levels(levels, scale), strict=True):
            columns.append(torch.asinh(mean.float() / scale) * (days < YEAR_DAYS or self.has_last_year))
            # the share recorded, of short spans only: that of long ones would tell the date
            columns += [(count / days).float()] if days <= NEW_SERIES_DAYS else []
        columns.append(self.history.zero_share(rows, at, 56, hidden).float())
        first = self.first_record[rows]
        if hidden is not None:  # hidden from the start: the series looks as young as it is then
            first = torch.where(hidden.start == 0, torch.maximum(first, hidden.end), first)
        columns.append(((at - first).clamp(0, NEW_SERIES_DAYS) / NEW_SERIES_DAYS).float())
        then, _count = self.history.mean_between(
            rows, (at - YEAR_DAYS - 28)[:, None], (at - YEAR_DAYS)[:, None], hidden
        )
        columns.append(torch.asinh(then[:, 0].float() / scale) * self.has_last_year)
        return torch.stack(columns, dim=1)

    def _fill_levels(self, levels: list[tuple[Tensor, Tensor]], scale: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The levels, where nothing is recorded that of the next longer span, at last the scale: [B] each."""
        if not self.tells_unknown:
            return levels
        filled, older = [], scale
        for mean, count in reversed(levels):
            older = torch.where(count > 0, mean.float(), older)
            filled.append((older, count))
        return filled[::-1]


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

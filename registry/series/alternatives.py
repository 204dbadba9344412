"""Alternatives: the same series under other plans and calendars, to see what these do to a forecast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from registry.series.calendar import (
    HOLIDAY_COLUMNS,
    SEASON_COLUMNS,
    WEEKDAY_COLUMNS,
    calendar_features,
    weekday_numbers,
)
from registry.series.history import HiddenDays
from registry.series.windows import Windows


@dataclass(frozen=True)
class Alternatives:
    """N rows, each a row of a panel of plans under a calendar of its own.

    plans [N]: rows of that panel. twins [N]: the row of the real plan by the real calendar; what it has and
    expects of days that were forecast already is what all of them see of these. weekdays [N, 7]: what each
    weekday counts as. weeks [N] >= 0: how much later the season is. has_holidays [N]: False = no public
    holiday is near.
    """

    plans: NDArray[np.intp]
    twins: NDArray[np.intp]
    weekdays: NDArray[np.int64]
    weeks: NDArray[np.int64]
    has_holidays: NDArray[np.bool_]


class AlternativeWindows(Windows):
    """Windows of alternatives: what came before a block is the same for all of them."""

    def __init__(self, plans: Windows, chosen: Alternatives, yearly: bool):
        self.__dict__.update(vars(plans))
        rows = torch.from_numpy(chosen.plans)
        for name in ("closed", "known", "past_covariates", "static", "entity", "bounds", "first_record"):
            setattr(self, name, getattr(plans, name)[rows])
        self.history, self.panel = plans.history.select_series(rows), plans.panel.select_series(chosen.plans)
        width = self.closed.shape[1] + 7 * int(chosen.weeks.max())
        days = self.panel.start + np.arange(width).astype("timedelta64[D]")
        self.calendar = torch.from_numpy(calendar_features(days, self.panel.country, yearly))
        self.weekday = torch.from_numpy(weekday_numbers(days))  # [W]
        self.twins = torch.from_numpy(chosen.twins)
        self.weekdays, self.later = torch.from_numpy(chosen.weekdays), 7 * torch.from_numpy(chosen.weeks)
        self.has_holidays = torch.from_numpy(chosen.has_holidays)

    def with_size(self, past_days: int, block: int) -> Windows:
        """As Windows.with_size(), with plans of its own, since they change from block to block."""
        twin = super().with_size(past_days, block)
        twin.known, twin.closed = self.known.clone(), self.closed.clone()
        return twin

    def append_forecast(self, column: int, forecast: Tensor) -> None:
        """Writes the forecast of the real plan, and that plan: both are past for the following days."""
        days = slice(column, column + forecast.shape[1])
        for table in (self.known, self.closed):
            table[:, days] = table[self.twins, days]
        super().append_forecast(column, forecast[self.twins])

    def _ahead_features(
        self, rows: Tensor, at: Tensor, day: Tensor, scale: Tensor, hidden: HiddenDays | None
    ) -> tuple[Tensor, Tensor]:
        base, ahead = super()._ahead_features(rows, at, day, scale, hidden)
        own = self.calendar[day]  # [B, P, F]
        weekday = torch.nn.functional.one_hot(self._count_as(rows, day), 7)
        own[..., WEEKDAY_COLUMNS] = weekday.to(own.dtype)
        own[..., SEASON_COLUMNS] = self.calendar[day + self.later[rows, None]][..., SEASON_COLUMNS]
        own[..., HOLIDAY_COLUMNS] *= self.has_holidays[rows, None, None]
        return base, torch.cat([own, ahead[..., own.shape[2] :]], dim=2)

    def _weekday_means(
        self, rows: Tensor, at: Tensor, day: Tensor, hidden: HiddenDays | None
    ) -> Iterator[tuple[int, Tensor]]:
        """Those of the weekday that a day counts as, in the same week ahead."""
        first = at[:, None]
        week = torch.div(day - first, 7, rounding_mode="floor") * 7
        moved = first + week + (self._count_as(rows, day) - self.weekday[first]) % 7
        return super()._weekday_means(rows, at, moved, hidden)

    def _last_year(
        self, rows: Tensor, at: Tensor, day: Tensor, size: Tensor, hidden: HiddenDays | None
    ) -> list[tuple[Tensor, Tensor]]:
        return super()._last_year(rows, at, day + self.later[rows, None], size, hidden)

    def _count_as(self, rows: Tensor, day: Tensor) -> Tensor:
        """The weekday that each day [B, P] counts as: [B, P]."""
        return self.weekdays[rows[:, None], self.weekday[day]]

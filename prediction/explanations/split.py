"""Splits the mean of each day into what its inputs do: exact Shapley values of the whole bundle. Pure.

A group of inputs is a player; a coalition is a forecast in which the others are as usual, made by all
members of the bundle and its calibration. So level and parts add up to the forecast itself, day by day.
Where a member forecasts in blocks, those before are as they were forecast: a promotion counts on the days
that it is near, not in what weeks of promotions do to the level.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prediction.explanations.inputs import (
    CALENDAR_GROUPS,
    GROUPS,
    LEVEL,
    PLAN_GROUPS,
    SEASON,
    WEEKDAY,
    Chosen,
    find_active,
    open_weekdays,
    remove_groups,
    turn_weekdays,
)
from prediction.runs.attribution import list_subsets, split_change
from registry.series.panel import Panel
from registry.series.panels.column_groups import HOLIDAY

if TYPE_CHECKING:
    from registry.model_versions.bundle import Bundle
    from registry.series.newcomers.introduction import Introduction

SEASON_WEEKS = (0, 13, 26, 39)  # a quarter of a year apart: their waves of a year cancel out
MAX_ROWS = 2048  # alternatives that are forecast at once, to bound memory
Rows = NDArray[np.intp]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Alternative:
    """One forecast of a series: the groups of its plan that are on, and how its calendar is moved."""

    copy: int  # row of the introduced panel
    plan: Chosen
    turn: int
    weeks: int


@dataclass(frozen=True)
class SeriesGame:
    """The players of a series, and what must be forecast to value each coalition."""

    active: Sequence[str]  # groups of the plan
    turns: int  # ways to turn the weekdays

    @property
    def players(self) -> list[str]:
        return [*CALENDAR_GROUPS, *self.active]

    def list_alternatives(self, copy: int) -> list[Alternative]:
        """Every forecast that any coalition needs, of a row of the introduced panel."""
        return [
            Alternative(copy, plan, turn, weeks)
            for plan in list_subsets(self.active)
            for turn in range(self.turns)
            for weeks in SEASON_WEEKS
        ]

    def split(self, means: Values) -> dict[str, Values]:
        """Level and the part of each player, of means [alternatives, H]: [H] each."""
        plans = list_subsets(self.active)
        table = means.reshape(len(plans), self.turns, len(SEASON_WEEKS), means.shape[1])
        place = {plan: number for number, plan in enumerate(plans)}

        def value(chosen: Chosen) -> Values:
            found = table[place[chosen - {*CALENDAR_GROUPS}]]
            found = found[:1] if WEEKDAY in chosen else found
            found = found[:, :1] if SEASON in chosen else found
            return np.asarray(found.mean(axis=(0, 1)))

        parts = split_change(self.players, value)
        return {LEVEL: value(frozenset())} | {name: np.asarray(part, float) for name, part in parts.items()}


def split_forecast(bundle: Bundle, panel: Panel, rows: Rows, mean: NDArray[Any]) -> dict[str, Values]:
    """Level and the part of each group in the forecast `mean` [S, H] of these rows of the panel: [S, H] each.

    Groups that the data lacks, or that are as usual on all days, have no part.
    """
    found = split_means(bundle, panel, rows, mean.shape[1])
    # the forecast itself was made in another batch: what rounding makes of it belongs to the level
    found[LEVEL] = found[LEVEL] + mean.astype(np.float64) - sum(found.values())
    return found


def split_means(bundle: Bundle, panel: Panel, rows: Rows, horizon: int) -> dict[str, Values]:
    """The same of the means that the bundle forecasts for the days ahead."""
    from registry.series.newcomers.introduction import introduce

    introduction = introduce(panel, rows, bundle.encoder.tells_unknown)
    wide, size = introduction.panel, introduction.size
    found = {name: np.zeros((size, horizon)) for name in (LEVEL, *GROUPS)}
    own = wide.select_series(np.arange(size))
    if bundle.has_seen_sales or np.nansum(own.open_sales):
        active, opened = find_active(own, bundle.encoder, horizon), open_weekdays(own)
        games = [SeriesGame(*facts) for facts in zip(active, map(len, opened), strict=True)]
        means = _forecast_games(bundle, introduction, games, horizon)
        for row, own_means in enumerate(means):
            for name, values in games[row].split(own_means).items():
                found[name][row] = values
    return {name: values for name, values in found.items() if name == LEVEL or values.any()}


def _forecast_games(
    bundle: Bundle, introduction: Introduction, games: Sequence[SeriesGame], horizon: int
) -> list[Values]:
    """The means of the alternatives of each game, of a new series over all its copies: [alternatives, H]."""
    copies = [[int(one) for one in introduction.copies.get(row, [row])] for row in range(len(games))]
    means = [np.zeros((0, horizon))] * len(games)
    owners = [row for row, own in enumerate(copies) for _copy in own]
    asked = [games[row].list_alternatives(copy) for row, own in enumerate(copies) for copy in own]
    for part in _cut_chunks([len(own) for own in asked]):
        found = _forecast_alternatives(bundle, introduction.panel, [asked[place] for place in part], horizon)
        for place, own_means in zip(part, found, strict=True):
            row = owners[place]
            share = own_means / len(copies[row])
            means[row] = means[row] + share if len(means[row]) else share
    return means


def _cut_chunks(sizes: Sequence[int]) -> Iterator[list[int]]:
    """Places that are forecast together."""
    chunk, count = list[int](), 0
    for place, size in enumerate(sizes):
        if chunk and count + size > MAX_ROWS:
            yield chunk
            chunk, count = [], 0
        chunk.append(place)
        count += size
    if chunk:
        yield chunk


def _forecast_alternatives(
    bundle: Bundle, panel: Panel, asked: Sequence[list[Alternative]], horizon: int
) -> list[Values]:
    """The means of each list of alternatives: [alternatives, H]."""
    from registry.series.alternatives import Alternatives, AlternativeWindows
    from registry.series.rollout import build_windows
    from registry.series.windows import AROUND

    flat = [one for own in asked for one in own]
    plans = {(one.copy, one.plan): None for one in flat}
    place = {key: number for number, key in enumerate(plans)}
    real = {}  # copy -> the last of its plans has all groups; its first row is neither turned nor moved
    for number, one in enumerate(flat):
        if not one.turn and not one.weeks:
            real[one.copy] = number
    own = panel.select_series(np.array([copy for copy, _plan in plans], np.intp))
    sizes = bundle.window_sizes
    ahead = horizon + 2 * max(block for _past, block in sizes) + AROUND
    off = {group: np.array([group not in plan for _copy, plan in plans]) for group in PLAN_GROUPS}
    windows = build_windows(remove_groups(own, bundle.encoder, off, ahead), bundle.encoder, sizes, horizon)
    opened = open_weekdays(own)
    chosen = Alternatives(
        plans=np.array([place[one.copy, one.plan] for one in flat], np.intp),
        twins=np.array([real[one.copy] for one in flat], np.intp),
        weekdays=np.array([turn_weekdays(opened[place[one.copy, one.plan]], one.turn) for one in flat]),
        weeks=np.array([one.weeks for one in flat]),
        has_holidays=np.array([HOLIDAY in one.plan for one in flat]),
    )
    alternative = AlternativeWindows(windows, chosen, bundle.encoder.yearly)
    means = bundle.forecast_windows(alternative, horizon)[..., 0].astype(np.float64)
    return np.split(means, np.cumsum([len(own) for own in asked])[:-1])

"""The groups of inputs that a forecast is split by, and what each is compared with. Pure: no Django.

A plan without a group has its columns as they usually are: no promotion, the usual price, open as that
weekday is, no holiday.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.series.calendar import HOLIDAY_COLUMNS, calendar_features, weekday_numbers
from registry.series.covariates import Encoder, closed_days, closing_habit
from registry.series.panel import Floats, Panel
from registry.series.panels.column_groups import HOLIDAY, OPEN, OTHER, PRICE, PROMOTION, find_group

LEVEL = "level"  # what remains without all groups
WEEKDAY, SEASON = "weekday", "season"
CALENDAR_GROUPS = (WEEKDAY, SEASON)
PLAN_GROUPS = (HOLIDAY, PROMOTION, PRICE, OTHER)
GROUPS = (*CALENDAR_GROUPS, *PLAN_GROUPS)
USUAL_DAYS = 90  # newest days whose middle value is usual
NOTHING = {"", "0", "-", "no", "none", "false", "否", "无"}  # texts of a column that name nothing
Rows = NDArray[np.intp]
Chosen = frozenset[str]


def remove_groups(panel: Panel, encoder: Encoder, off: Mapping[str, NDArray[np.bool_]], days: int) -> Panel:
    """The panel with the usual values ahead, for so many days at least, where a group is off [S]."""
    width = panel.days + days
    known = {name: _widen(values, width) for name, values in panel.known.items()}
    for column in encoder.known:
        name = column["name"]
        rows = np.flatnonzero(off[find_group(name)])
        if name in known and len(rows):
            known[name][rows, panel.days :] = _usual_value(panel, column, rows)[:, None]
    rows = np.flatnonzero(off[HOLIDAY])
    if len(rows):
        opened = known.get(OPEN, np.full((len(panel.keys), width), np.nan, np.float32))
        ahead = panel.start + np.arange(panel.days, opened.shape[1]).astype("timedelta64[D]")
        opened[rows, panel.days :] = ~closing_habit(panel)[rows][:, weekday_numbers(ahead)]
        known[OPEN] = opened
    return replace(panel, known=known)


def find_active(panel: Panel, encoder: Encoder, horizon: int) -> list[list[str]]:
    """The groups of the plan that are not as usual on any day ahead, of each series."""
    from registry.series.windows import AROUND  # torch: seconds

    size, days = len(panel.keys), horizon + AROUND
    names = [group for group in PLAN_GROUPS if group == HOLIDAY or _has_columns(encoder, group)]
    wide = panel.select_series(np.tile(np.arange(size), 1 + len(names)))
    place = np.repeat(np.arange(1 + len(names)), size)
    off = {group: place == 1 + names.index(group) if group in names else place < 0 for group in PLAN_GROUPS}
    wide = remove_groups(wide, encoder, off, days)
    closed, _assumed = closed_days(wide, panel.days + days)
    known, _assumed = encoder.known_features(wide, closed)
    found = known.reshape(1 + len(names), size, *known.shape[1:])
    differs = (found != found[:1]).any(axis=(2, 3))  # [1 + groups, S]
    if _is_near_holiday(panel, days):
        differs[1 + names.index(HOLIDAY)] = True
    return [[name for number, name in enumerate(names, 1) if differs[number, row]] for row in range(size)]


def find_column(panel: Panel, group: str) -> str | None:
    """The first column of promotions or prices, one of numbers before one of texts; None without one."""
    found = [name for name in panel.known if find_group(name) == group]
    return min(found, key=lambda name: name in panel.categories, default=None)


def promotion_values(panel: Panel, name: str) -> tuple[float, float]:
    """What stands in a column of promotions when there is none, and when there is one.

    Of texts or sizes the most usual one counts.
    """
    past = panel.known[name][:, : panel.days]
    seen, counts = np.unique(past[~np.isnan(past)], return_counts=True)
    texts = panel.categories.get(name)
    is_on = [bool(value) if texts is None else not is_nothing(texts[int(value)]) for value in seen]
    usual = {on: seen[np.argmax(np.where(np.array(is_on) == on, counts, -1))] for on in set(is_on)}
    return float(usual.get(False, 0.0 if texts is None else np.nan)), float(usual.get(True, 1.0))


def is_nothing(text: str) -> bool:
    """Whether a text of a column names nothing."""
    return text.strip().lower() in NOTHING


def usual_prices(panel: Panel, name: str, rows: Rows) -> Floats:
    """The middle of the newest prices of these series: [R], NaN = none is known."""
    return _usual_value(panel, {"name": name, "kind": "ratio"}, rows)


def open_weekdays(panel: Panel) -> list[list[int]]:
    """The weekdays, 0 = Monday, on which each series is usually sold."""
    habit = closing_habit(panel)
    return [[day for day in range(7) if not closed[day]] or [*range(7)] for closed in habit]


def turn_weekdays(opened: Sequence[int], turn: int) -> list[int]:
    """What each weekday counts as when open days move on by `turn`; closed ones count as open by a turn.

    >>> turn_weekdays([0, 1, 2, 3, 4, 5], 1)
    [1, 2, 3, 4, 5, 0, 1]
    """
    places = {day: opened[(place + turn) % len(opened)] for place, day in enumerate(opened)}
    return [places.get(day, opened[turn % len(opened)] if turn else day) for day in range(7)]


def _has_columns(encoder: Encoder, group: str) -> bool:
    return any(find_group(column["name"]) == group for column in encoder.known)


def _is_near_holiday(panel: Panel, days: int) -> bool:
    """Whether the calendar knows a public holiday near one of the days ahead."""
    ahead = panel.origin + np.arange(1, days + 1).astype("timedelta64[D]")
    return bool(calendar_features(ahead, panel.country)[:, HOLIDAY_COLUMNS].any())


def _usual_value(panel: Panel, column: dict[str, Any], rows: Rows) -> Floats:
    """What a column usually is, for these series: [R]; NaN where nothing is known, which is the default."""
    name, group = column["name"], find_group(column["name"])
    if column["kind"] == "text":
        texts = panel.categories.get(name, [])
        nothing = [code for code, text in enumerate(texts) if is_nothing(text)]
        usual = texts.index(column["usual"]) if column["usual"] in texts else np.nan
        return np.full(len(rows), nothing[0] if nothing else usual, np.float32)
    if group == PROMOTION or (group == HOLIDAY and column["kind"] == "flag"):
        return np.zeros(len(rows), np.float32)
    past = panel.known[name][rows][:, : panel.days]
    newest = np.where(panel.closed[rows], np.float32(np.nan), past)[:, -USUAL_DAYS:]
    middle = np.full(len(rows), np.nan, np.float32)
    given = ~np.isnan(newest).all(axis=1)
    middle[given] = np.nanmedian(newest[given], axis=1)
    return middle


def _widen(values: Floats, width: int) -> Floats:
    """A copy with at least so many columns, the further ones NaN."""
    wide = np.full((len(values), max(width, values.shape[1])), np.nan, np.float32)
    wide[:, : values.shape[1]] = values
    return wide

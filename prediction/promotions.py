"""Promotions and named events of the chosen series, past and planned."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from prediction.content import Event
from prediction.explanations.inputs import is_nothing

if TYPE_CHECKING:
    from prediction.engine import Rows, ScopeForecast
    from registry.series.panel import Panel

PROMO_COLUMN = re.compile(r"(on_?)?promo(tion)?|促销", re.IGNORECASE)
EVENT_COLUMN = re.compile(
    r"(event|campaign|promo(tion)?|holiday)(_?(name|label|title))?|(活动|促销|节日)(名称|活动)?",
    re.IGNORECASE,
)


def promotion_flags(scope_forecast: ScopeForecast, start: int, stop: int) -> list[bool | None]:
    """For each day whether at least half of the chosen series were on promotion; None = unknown."""
    flags = read_flags(scope_forecast.panel, scope_forecast.rows, start, stop)
    if flags is None:
        return [None] * (stop - start)
    recorded, on = (~np.isnan(flags)).sum(axis=0).tolist(), (flags > 0).sum(axis=0).tolist()
    days = [2 * yes >= known if known else None for yes, known in zip(on, recorded, strict=True)]
    return days + [None] * (stop - start - len(days))  # the plan may end before the forecast


def find_promotion_days(panel: Panel, rows: Rows, start: int, stop: int) -> npt.NDArray[np.bool_]:
    """Whether at least half of the series were or will be on promotion on each day: [stop - start]."""
    days, flags = np.zeros(stop - start, bool), read_flags(panel, rows, start, stop)
    if flags is not None:
        recorded, on = (~np.isnan(flags)).sum(axis=0), (flags > 0).sum(axis=0)
        days[: flags.shape[1]] = (on > 0) & (2 * on >= recorded)
    return days


def read_flags(panel: Panel, rows: Rows, start: int, stop: int) -> npt.NDArray[Any] | None:
    """The promotion column of these series as far as it reaches, > 0 on promotion; None without one."""
    name = next((name for name in panel.known if PROMO_COLUMN.fullmatch(name)), None)
    if name is None:
        return None
    flags = panel.known[name][rows, start:stop]
    return flag_texts(flags, panel.categories[name]) if name in panel.categories else flags


def flag_texts(codes: npt.NDArray[Any], texts: list[str]) -> npt.NDArray[Any]:
    """1 where a text names something, 0 where it says none; NaN = not given.

    >>> flag_texts(np.array([0.0, 1.0, np.nan]), ["11.11", "none"]).tolist()
    [1.0, 0.0, nan]
    """
    names = np.array([not is_nothing(text) for text in texts], np.float32)
    known = ~np.isnan(codes)
    return np.where(known, names[np.where(known, codes, 0).astype(np.intp)], np.nan)


def list_events(scope_forecast: ScopeForecast, start: int, stop: int) -> list[Event]:
    """The named events of at least half of the chosen series between two columns of the panel."""
    panel = scope_forecast.panel
    codes, texts = read_events(panel, scope_forecast.rows, start, stop)
    found, day = [], panel.start + np.timedelta64(start, "D")
    for name, run in groupby(name_days(codes, texts) if texts else []):
        length = len(list(run))
        if name:
            found.append(Event(name, str(day), str(day + np.timedelta64(length - 1, "D"))))
        day += np.timedelta64(length, "D")
    return found


def read_events(panel: Panel, rows: Rows, start: int, stop: int) -> tuple[npt.NDArray[Any], list[str]]:
    """The first column of event names, as codes into its texts; no texts without such a column."""
    for column, values in panel.known.items():
        if not EVENT_COLUMN.fullmatch(column):
            continue
        given = values[rows, start:stop]
        if column in panel.categories:
            return given, panel.categories[column]
        dates = np.unique(given[~np.isnan(given) & (given != np.round(given))])  # 11.11 is read as a number
        if dates.size:
            codes = np.where(np.isin(given, dates), np.searchsorted(dates, given), np.nan)
            return codes, [f"{value:.2f}" for value in dates]
    return np.zeros((len(rows), 0)), []


def name_days(codes: npt.NDArray[Any], texts: list[str]) -> list[str]:
    """The text of each day that at least half of the rows share; empty without one.

    >>> name_days(np.array([[0.0, 1.0, np.nan], [0.0, np.nan, np.nan]]), ["11.11", "12.12"])
    ['11.11', '12.12', '']
    """
    counts = np.stack([(codes == code).sum(axis=0) for code in range(len(texts))])  # [texts, days]
    for code, text in enumerate(texts):
        if is_nothing(text):
            counts[code] = 0
    top = counts.argmax(axis=0)
    enough = (counts.max(axis=0) > 0) & (2 * counts.max(axis=0) >= len(codes))
    return [texts[code] if shared else "" for code, shared in zip(top, enough, strict=True)]

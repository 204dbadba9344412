"""What an import makes of the sales, so that a person sees at once when a file was read wrongly."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.facts.sales_facts import SalesFacts
from registry.lib.days import from_day_number

LINE_POINTS = 90  # of the picture at most
MIN_RHYTHM_DAYS = 28  # days that a weekday's usual sales need
MONDAY_OFFSET = 3  # day number 0 is 1 January 1970, a Thursday


def summarize_sales(facts: SalesFacts, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Days, silent days, units, median of a day with sales, weekdays, biggest codes, and a line, as JSON.

    `items` is the catalog. `weekdays` holds the mean units of Monday to Sunday, or nothing for few days.
    """
    first, last = facts.date_range
    units = facts.days.units[first - facts.days.first : last - facts.days.first + 1]
    sold = units[units != 0]
    return {
        "first": from_day_number(first).isoformat(),
        "last": from_day_number(last).isoformat(),
        "days": len(units),
        "silent": len(units) - len(sold),
        "units": round(float(units.sum()), 3),
        "median": round(float(np.median(sold)), 3) if len(sold) else 0.0,
        "weekdays": mean_by_weekday(units, first),
        "store": find_biggest(items, "store"),
        "product": find_biggest(items, "product"),
        "line": shorten_line(units, LINE_POINTS),
    }


def mean_by_weekday(units: npt.NDArray[np.float64], first: int) -> list[float]:
    """Mean units [D] of each weekday, Monday first; nothing for less than four weeks.

    >>> mean_by_weekday(np.tile([0.0, 0, 0, 7, 0, 0, 0], 4), 4)
    [0.0, 0.0, 0.0, 7.0, 0.0, 0.0, 0.0]
    >>> mean_by_weekday(np.ones(27), 0)
    []
    """
    if len(units) < MIN_RHYTHM_DAYS:
        return []
    weekday = (np.arange(len(units)) + first + MONDAY_OFFSET) % 7
    means = np.bincount(weekday, weights=units, minlength=7) / np.bincount(weekday, minlength=7)
    return [round(float(mean), 2) for mean in means]


def find_biggest(items: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Code, name and share of units of the store or product that sold most; nothing if it is the only one."""
    found = [item for item in items if item["kind"] == kind]
    total = sum(item["total"] for item in found)
    if len(found) < 2 or total <= 0:
        return {}
    biggest = max(found, key=lambda item: item["total"])
    return {
        "code": biggest["code"],
        "name": biggest["name"],
        "share": round(biggest["total"] / total, 4),
    }


def shorten_line(units: npt.NDArray[np.float64], most: int) -> list[float]:
    """The mean of each of at most `most` equally long parts.

    >>> shorten_line(np.array([1.0, 3, 5, 7, 9]), 3)
    [2.0, 6.0, 9.0]
    """
    width = -(-len(units) // most) or 1
    starts = np.arange(0, len(units), width)
    if not len(starts):
        return []
    counts = np.diff(np.append(starts, len(units)))
    return [round(float(mean), 2) for mean in np.add.reduceat(units, starts) / counts]

"""Several rows for one date, store and product: lines of receipts, which add up, or copies of a row."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.covariate_roles import KNOWN_AHEAD_PATTERN
from registry.datasets.importing.extra_columns import ColumnData, ExtraColumns
from registry.datasets.importing.values import CategoricalColumn, Codes, Floats

# receipt, order, time and hour in the languages of tills
LINE_PATTERN = re.compile(
    r"receipt|ticket|transaction|invoice|order.?(id|no|num|name)|^(order|check|docket|sale.?id|line|register)$"
    r"|beleg|bon(nr|nummer| ?nr|.?num)|^bon$|rechnung|kvitt|paragon|scontrino|recibo|cup[oó]n fiscal|factur"
    r"|fi[sş] ?(no|numar)|doklad|nyugta|чек|кассов|レシート|伝票|小票|流水|订单|單號|单号|영수증|ใบเสร็จ"
    r"|^(time|hour|minute|timestamp)|[_ ](time|hour)$|uhrzeit|stunde|godzina|^heure|^hora|^ora$|orario|^tid"
    r"|^tijd|^uur|^klok|^saat|^hodina|^čas|^час|врем|時刻|時間|时间|时刻|小时|시간|เวลา",
    re.IGNORECASE,
)
MIN_DISTINCT_SHARE = 0.5  # of different values, in a column that numbers the lines
MIN_REPEATED_SHARE = 0.2  # of rows that are lines of one day, where no receipt or time says so
MIN_LINES_SHARE = 0.5  # of rows on days with more than two rows, in a file of lines
MIX = np.uint64(0x9E3779B97F4A7C15)
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RepeatedRows:
    """What rows with the same date, store and product are."""

    kind: str  # "lines", "copies" or "unclear"
    line_columns: tuple[str, ...] = ()  # receipt, time and the like, useless once the lines are added up


@dataclass(frozen=True)
class RowDetails:
    """What may tell one line from another: extra columns, and [N] codes of dates that have a time."""

    extras: ExtraColumns
    moments: Codes | None = None

    def classify(self, rows: Rows, again: Mask, sales: Floats) -> RepeatedRows:
        """What the rows with `again` are: `rows` [N] in order of their keys, `again` where a key repeats."""
        is_repeated = again.copy()
        is_repeated[:-1] |= again[1:]
        places = rows[is_repeated]
        groups = np.cumsum(~again)[is_repeated].astype(np.uint64)
        whole = mix_bits(groups, sales[places])
        named = tuple(name for name in self.extras if LINE_PATTERN.search(name.strip()))
        if self.moments is not None:
            whole = mix_bits(whole, self.moments[places])
        tells = self.moments is not None or bool(named)
        numbering = list(named)
        is_usual = is_repeated.sum() > MIN_REPEATED_SHARE * len(rows)  # and not some corrections
        for name in self.extras:
            values = to_numbers(self.extras[name])[places]
            whole = mix_bits(whole, values)
            if name not in named and is_usual and numbers_lines(name, groups, values):
                tells = True
                numbering.append(name)
        counts = np.unique(whole, return_counts=True)[1]
        copies = int((counts - 1).sum())
        sizes = np.bincount(np.unique(groups, return_inverse=True)[1])
        many = sizes[sizes > 2].sum() > MIN_LINES_SHARE * len(rows)
        if copies:
            is_pasted = counts.min() == counts.max()  # every row stands there as often as the others
            if many and not tells and not is_pasted:
                return RepeatedRows("lines")
            return RepeatedRows("copies" if copies == again.sum() else "unclear")
        return RepeatedRows("lines" if tells or many else "unclear", tuple(numbering))


def numbers_lines(name: str, groups: npt.NDArray[np.uint64], values: npt.NDArray[np.generic]) -> bool:
    """Whether a column numbers the lines: different for the rows of a day, and hardly ever the same."""
    if KNOWN_AHEAD_PATTERN.search(name) or (values.dtype.kind == "f" and (values % 1 != 0).any()):
        return False
    if len(np.unique(values)) < max(MIN_DISTINCT_SHARE * len(values), 3):
        return False
    return len(np.unique(mix_bits(groups, values))) == len(values)


def to_numbers(column: ColumnData) -> npt.NDArray[np.generic]:
    """The codes of a text column, the numbers of another."""
    return column.codes if isinstance(column, CategoricalColumn) else column


def mix_bits(bits: npt.NDArray[np.uint64], values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint64]:
    """[N] a hash of what went before and of more values; equal values give equal bits."""
    if values.dtype.kind == "f":
        plain = np.where(np.isnan(values.astype(float)), np.nan, values.astype(float) + 0.0).view(np.uint64)
    else:
        plain = values.astype(np.uint64)
    mixed = (bits ^ (plain + MIX + (bits << np.uint64(6)) + (bits >> np.uint64(2)))) * MIX
    return np.asarray(mixed ^ (mixed >> np.uint64(29)), np.uint64)

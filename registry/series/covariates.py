"""Covariates: known, past and static columns as numbers for a network, encoded alike at every forecast.

The Encoder is the scaler of a bundle: plain JSON, fitted once on the learning days.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.series.bounds import largest_by_product
from registry.series.calendar import is_holiday, weekday_numbers
from registry.series.panel import Floats, Panel

MAX_CATEGORIES = 12  # most common texts of a column that get a feature each
ONE_YEAR, LAST_YEAR_MIN_DAYS, TWO_YEARS = 380, 400, 730  # days of sales
# Weeks whose mean per weekday is its usual sales. A panel of less than two years cannot tell season from
# level, and a short mean would carry the weeks before Christmas into January. Sparse sales have no level to
# carry, and networks learn nothing from the longer mean there.
USUAL_WEEKS, USUAL_WEEKS_YOUNG = 8, 26
HABIT_WEEKS, NEWEST_WEEKS = 26, 4  # weeks that tell on which weekdays a store is closed
CLOSED_SHARE = 0.8  # of these weeks, from which on being closed is a habit
CLOSED_REACH = 7  # days from a closed day at which it no longer matters


@dataclass
class Encoder:
    """known/past/static: [{"name", "kind": "flag"|"ratio"|"score"|"text", ...}], and the codes seen.

    Stored as JSON in every bundle: never rename a field.
    """

    known: list[dict[str, Any]] = field(default_factory=list)
    past: list[dict[str, Any]] = field(default_factory=list)
    static: list[dict[str, Any]] = field(default_factory=list)
    stores: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    keys: list[list[str]] = field(default_factory=list)
    unit: float = 1.0
    yearly: bool = True  # the position in the year means something
    last_year: bool = True  # enough learning windows have a last year
    usual_weeks: int = USUAL_WEEKS  # one of windows.PROFILE_WEEKS
    # Learned with days hidden at random: unknown days count as unknown, not as 0 or as the last known day.
    tells_unknown: bool = False
    largest: dict[str, float] = field(default_factory=dict)  # product -> its largest day, see bounds.py

    @classmethod
    def fit(cls, panel: Panel) -> Encoder:
        """Looks at days up to the panel's origin only."""
        known = [
            _describe_column(n, v[:, : panel.days], panel) for n, v in panel.known.items() if n != "open"
        ]
        sold = panel.sales[panel.sales > 0]  # its median is the unit: 1 for counts, less for weights
        encoder = cls(
            known=[column for column in known if column],
            past=[{"name": name} for name in panel.past],
            static=[
                c for c in (_describe_column(n, v[:, None], panel) for n, v in panel.static.items()) if c
            ],
            stores=sorted({store for store, _ in panel.keys}),
            products=sorted({product for _, product in panel.keys}),
            keys=[list(key) for key in panel.keys],
            unit=min(1.0, float(np.median(sold))) if sold.size else 1.0,
            yearly=panel.days >= ONE_YEAR,
            last_year=panel.days >= LAST_YEAR_MIN_DAYS,
            usual_weeks=USUAL_WEEKS if panel.days >= TWO_YEARS or panel.is_sparse else USUAL_WEEKS_YOUNG,
            tells_unknown=True,
            largest=largest_by_product(panel.open_sales, panel.keys),
        )
        for column in [c for c in encoder.known if c["kind"] in {"ratio", "score"}]:
            values = _encode_column(column, panel.known[column["name"]][:, : panel.days], panel)
            column["seen"] = [float(values.min()), float(values.max())]
        return encoder

    def encode_entities(self, panel: Panel) -> NDArray[np.int64]:
        """[S, 3]: index + 1 of series, store and product; 0 = never seen while learning."""
        series = {tuple(key): i + 1 for i, key in enumerate(self.keys)}
        store = {code: i + 1 for i, code in enumerate(self.stores)}
        product = {code: i + 1 for i, code in enumerate(self.products)}
        rows = [(series.get(key, 0), store.get(key[0], 0), product.get(key[1], 0)) for key in panel.keys]
        return np.array(rows, np.int64)

    def static_features(self, panel: Panel) -> Floats:
        """The static columns, encoded: float32 [S, T]."""
        size = len(panel.keys)
        parts = [
            _encode_column(c, _get_column(panel.static, c["name"], (size,))[:, None], panel)[:, 0]
            for c in self.static
        ]
        return np.concatenate(parts, axis=1) if parts else np.zeros((size, 0), np.float32)

    def known_features(self, panel: Panel, closed: NDArray[np.bool_]) -> tuple[Floats, list[dict[str, str]]]:
        """float32 [S, W, K] for the columns of `closed` [S, W], and the defaults assumed for gaps."""
        width, assumed = closed.shape[1], []
        parts = [_near_closed(closed)]
        for column in self.known:
            given = _resize_columns(_get_column(panel.known, column["name"], (len(panel.keys), 0)), width)
            if np.isnan(given[:, panel.days :]).any():
                assumed.append({"column": column["name"], "default": _describe_default(column)})
            parts.append(_encode_column(column, _fill_ahead(column, given, panel), panel))
        return np.concatenate(parts, axis=2), assumed

    def past_features(self, panel: Panel) -> Floats:
        """float32 [S, D, X]: each past column over its mean so far, 0 where empty; then 1 where known."""
        shape = panel.sales.shape
        columns = [_get_column(panel.past, column["name"], shape) for column in self.past]
        parts = [_relative_to_mean(column) for column in columns]
        if self.tells_unknown:
            parts += [(~np.isnan(column)).astype(np.float32) for column in columns]
        return np.stack(parts, axis=2) if parts else np.zeros((*shape, 0), np.float32)


def closed_days(panel: Panel, width: int) -> tuple[NDArray[np.bool_], list[dict[str, str]]]:
    """bool [S, width]: as recorded; ahead as planned in the open column, else by weekday habit and holidays.

    Also returns what had to be assumed.
    """
    closed = np.zeros((len(panel.keys), width), bool)
    closed[:, : panel.days] = panel.closed
    ahead = np.arange(panel.days, width)
    if not ahead.size:
        return closed, []
    days = panel.start + ahead.astype("timedelta64[D]")
    closed[:, ahead] = closing_habit(panel)[:, weekday_numbers(days)]
    planned = _resize_columns(_get_column(panel.known, "open", (len(panel.keys), 0)), width)[:, ahead]
    is_planned = ~np.isnan(planned)
    closed[:, ahead] = np.where(is_planned, planned < 0.5, closed[:, ahead] | _closed_holidays(panel, days))
    assumed = (
        [] if is_planned.all() or not panel.closed.any() else [{"column": "open", "default": "weekday habit"}]
    )
    return closed, assumed


def closing_habit(panel: Panel) -> NDArray[np.bool_]:
    """[S, 7]: weekdays, Monday first, on which the store is closed; False if not seven days are known.

    The last four weeks in which it opened decide: closed on all of them, or on three after half a year of
    hardly ever being open. A store that has not opened for most of half a year is closed every day.
    """
    weeks = min(HABIT_WEEKS, panel.days // 7)
    if not weeks:
        return np.zeros((len(panel.keys), 7), bool)
    closed = panel.closed[:, panel.days - 7 * weeks :].reshape(len(panel.keys), weeks, 7)
    closed = closed[:, ::-1]  # newest week first
    traded = ~closed.all(axis=2)  # [S, weeks]
    newest = traded & (np.cumsum(traded, axis=1) <= NEWEST_WEEKS)
    shut = (closed & newest[..., None]).sum(axis=1) / np.maximum(1, newest.sum(axis=1))[:, None]  # [S, 7]
    habit = (shut == 1) | ((shut >= 0.75) & (closed.mean(axis=1) > CLOSED_SHARE))
    habit |= (traded.mean(axis=1) < 1 - CLOSED_SHARE)[:, None]
    # a week of the table begins on the weekday of its first day
    first = int(weekday_numbers(panel.dates[-7:])[0])
    return np.roll(habit, first, axis=1)


def _closed_holidays(panel: Panel, days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """[S, N]: holidays among `days`, for stores that were closed on more than half of the past ones."""
    past = is_holiday(panel.dates, panel.country)
    if not past.any():
        return np.zeros((len(panel.keys), len(days)), bool)
    shuts = np.asarray(panel.closed[:, past].mean(axis=1) > 0.5)
    return shuts[:, None] & is_holiday(days, panel.country)[None]


def _near_closed(closed: NDArray[np.bool_]) -> Floats:
    """[S, W, 3]: closed, and nearness of the next and the last closed day (1 = neighbour, 0 = far)."""
    since, until = (
        np.full(closed.shape, CLOSED_REACH, np.float32),
        np.full(closed.shape, CLOSED_REACH, np.float32),
    )
    # farthest first, so that the nearest closed day overwrites the others
    for days in range(CLOSED_REACH - 1, 0, -1):
        since[:, days:][closed[:, :-days]] = days
        until[:, :-days][closed[:, days:]] = days
    return np.stack(
        [
            closed.astype(np.float32),
            1 - (until - 1) / (CLOSED_REACH - 1),
            1 - (since - 1) / (CLOSED_REACH - 1),
        ],
        axis=2,
    )


def _describe_column(name: str, values: Floats, panel: Panel) -> dict[str, Any] | None:
    """How to encode a column, by its values; None when they never change."""
    seen = values[~np.isnan(values)]
    if not seen.size or seen.min() == seen.max():
        return None
    if name in panel.categories:
        codes, counts = np.unique(seen, return_counts=True)
        common = codes[np.argsort(-counts, kind="stable")][: MAX_CATEGORIES + 1]
        labels = [panel.categories[name][int(code)] for code in common]
        # the rarest of these gets no feature: it is told by zeros in all others
        return {"name": name, "kind": "text", "labels": labels[:-1] or labels, "usual": labels[0]}
    if set(np.unique(seen).tolist()) <= {0.0, 1.0}:
        return {"name": name, "kind": "flag"}
    # prices: only their change over time matters, which a static column [S, 1] does not have
    if seen.min() > 0 and values.shape[1] > 1:
        return {"name": name, "kind": "ratio"}
    return {"name": name, "kind": "score", "mean": float(seen.mean()), "std": float(seen.std())}


def _encode_column(column: dict[str, Any], values: Floats, panel: Panel) -> Floats:
    """[S, W] -> [S, W, n], n > 1 for texts only; NaN as 0 (= nothing special)."""
    kind = column["kind"]
    if kind == "text":
        codes = {label: i for i, label in enumerate(panel.categories.get(column["name"], []))}
        # -9: a text that this panel does not have matches nothing
        wanted = np.array([codes.get(label, -9) for label in column["labels"]], np.float32)
        return (values[:, :, None] == wanted).astype(np.float32)
    if kind == "ratio":
        with np.errstate(invalid="ignore", divide="ignore"):
            # [S, W] over its own usual value [S, 1] up to the origin; 3x: a discount of a third is about -1.2
            values = 3 * np.log(values / _usual_value(values, panel.days))
    if kind == "score":
        values = (values - column["mean"]) / (column["std"] or 1.0)
    # clipped, since a typing error in a price must not drown the other inputs, and since nobody knows what
    # a price does that was never asked while learning
    low, high = column.get("seen", (-5, 5))
    return np.nan_to_num(np.clip(values, low, high), nan=0.0)[:, :, None].astype(np.float32)


def _usual_value(values: Floats, days: int) -> Floats:
    """[S, 1] median of the values up to the origin; of those planned for a series that has none before."""
    usual = _row_median(values[:, :days])
    is_new = np.isnan(values[:, :days]).all(axis=1)
    usual[is_new] = _row_median(values[is_new])
    return usual


def _row_median(values: Floats) -> Floats:
    """[S, 1] median of the given values; 1 for rows without any.

    >>> _row_median(np.array([[3, np.nan, 1, 2], [4, 1, np.nan, np.nan]], np.float32)).ravel().tolist()
    [2.0, 2.5]
    """
    ordered = np.sort(values, axis=1)  # NaN last; four times as fast as nanmedian
    given = (~np.isnan(values)).sum(axis=1, keepdims=True)
    low, high = (
        np.take_along_axis(ordered, np.maximum(0, n), axis=1) for n in ((given - 1) // 2, given // 2)
    )
    return np.where(given > 0, (low + high) / 2, np.float32(1)).astype(np.float32)


def _fill_ahead(column: dict[str, Any], values: Floats, panel: Panel) -> Floats:
    """The values [S, W] with defaults for unplanned days ahead: last price, mean, 0 or usual text."""
    ahead = np.isnan(values[:, panel.days :])
    if not ahead.any():
        return values
    filled = values.copy()
    if column["kind"] == "ratio":
        default = _last_given(values[:, : panel.days])[:, None]  # [S, 1]
    elif column["kind"] == "text":
        labels = panel.categories.get(column["name"], [])
        usual = labels.index(column["usual"]) if column["usual"] in labels else np.nan
        default = np.full((1, 1), usual, np.float32)
    else:
        default = np.full((1, 1), column.get("mean", 0.0), np.float32)
    filled[:, panel.days :] = np.where(ahead, default, filled[:, panel.days :])
    return filled


def _last_given(values: Floats) -> Floats:
    """[S]: the last value that is not NaN in each row; NaN if there is no such value."""
    given = ~np.isnan(values)
    last = values.shape[1] - 1 - np.argmax(given[:, ::-1], axis=1)
    return values[np.arange(len(values)), last]


def _describe_default(column: dict[str, Any]) -> str:
    """The default of a column for days ahead, in words that the forecast page translates."""
    words = {"ratio": "last known", "text": str(column.get("usual", "")), "flag": "0", "score": "average"}
    return words[column["kind"]]


def _relative_to_mean(values: Floats) -> Floats:
    """asinh of each value over the mean of all up to its day, so that later days do not show: [S, D].

    >>> np.sinh(_relative_to_mean(np.array([[2, np.nan, 6]], np.float32))).round(1).tolist()
    [[1.0, 0.0, 1.5]]
    """
    known = np.cumsum(~np.isnan(values), axis=1)
    mean = np.cumsum(np.nan_to_num(values), axis=1, dtype=np.float64) / np.maximum(1, known)
    return np.nan_to_num(np.arcsinh(values / np.where(mean == 0, 1, mean))).astype(np.float32)


def _get_column(table: dict[str, Floats], name: str, shape: tuple[int, ...]) -> Floats:
    """The column, or all NaN of that shape when this panel does not have it."""
    return table[name] if name in table else np.full(shape, np.nan, np.float32)


def _resize_columns(values: Floats, width: int) -> Floats:
    """The values cut, or padded with NaN, to `width` columns."""
    if values.shape[1] >= width:
        return values[:, :width]
    pad = np.full((values.shape[0], width - values.shape[1]), np.nan, np.float32)
    return np.concatenate([values, pad], axis=1)

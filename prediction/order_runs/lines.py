"""The lines of an order: every series of a forecast run, with its quantity, its figures and its notes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np

from prediction.order_runs.inputs import build_stock, build_terms, load_terms, read_batches
from prediction.orders.proposal import VERDICTS, Lines, propose_lines
from prediction.orders.stock import NEVER
from prediction.orders.terms import Policy, Terms
from prediction.runs.frozen import load_prediction
from prediction.runs.models import ForecastRun
from registry.datasets.stock.models import StockSnapshot
from registry.datasets.stock.resolving import ProductTerms
from registry.lib.errors import MessageError, gettext_noop
from registry.series.panel import Floats
from registry.series.paths import PATHS, Rows
from registry.series.prediction import Prediction

MAX_STOCK_AGE = 3  # days between the count and the last known sales
TOO_OLD = gettext_noop(
    "The stock was counted on {day}, {days} days before the last sales: import newer stock, or allow its age."
)
TOO_NEW = gettext_noop("The stock was counted on {day}, after all days of the forecast: import newer sales.")
NOTES = {
    "no-stock": gettext_noop("It is not in the stock, so nothing is ordered: count it."),
    "below-zero": gettext_noop("Its stock is below 0 and counts as 0: count it again."),
    "no-terms": gettext_noop(
        "It has no terms: three days from order to shelf and an order a week are assumed."
    ),
    "too-far": gettext_noop("The forecast ends before the next order arrives, so nothing is ordered."),
    "short-life": gettext_noop("It keeps for fewer days than the next order takes: shelves will be empty."),
}


@dataclass(frozen=True)
class OrderLines:
    """Keys, terms and notes of each line beside its figures [S]; terms are by product."""

    keys: list[tuple[str, str]]
    terms: dict[str, ProductTerms]
    figures: Lines
    notes: list[list[str]]

    def iterate(self) -> Iterator[dict[str, Any]]:
        """Each line as plain data, in order of store and product."""
        columns = {field.name: getattr(self.figures, field.name).tolist() for field in fields(Lines)}
        for row, (store, product) in enumerate(self.keys):
            found = {name: values[row] for name, values in columns.items()}
            found["verdict"] = VERDICTS[found["verdict"]]
            head = {"store_id": store, "product_id": product, "supplier": self.terms[product].supplier}
            yield {**head, **found, "notes": " ".join(self.notes[row])}


def build_lines(
    run: ForecastRun, stock: StockSnapshot, policy: Policy, max_age: int = MAX_STOCK_AGE
) -> OrderLines:
    """The lines of every series of a run. A service level of the terms counts before that of the policy.

    Raises MessageError for stock that is too old, and CorruptArtifact.
    """
    prediction = load_prediction(run)
    keys, offset = list(prediction.keys), check_days(run, stock, len(prediction.dates), max_age)
    found = load_terms(run.dataset_version, [product for _store, product in keys])
    terms = build_terms(keys, found, stock.as_of)
    batches, below = read_batches(stock)
    days = len(prediction.dates) - offset
    notes = list_notes(keys, found, terms, days, (batches.keys(), below))
    is_open = np.array([not {"no-stock", "too-far"} & set(codes) for codes in notes])
    levels = np.array([found[product].service_level or policy.level for _store, product in keys])
    figures = _blank_lines(len(keys))
    shelf = build_stock(keys, batches)
    for level in np.unique(levels[is_open]):
        rows = np.flatnonzero(is_open & (levels == level))
        last = int(terms.next_arrival[rows].max())
        part = propose_lines(
            shelf.select(rows),
            terms.select(rows),
            Policy(policy.kind, float(level), policy.nearest),
            partial(_read_days, prediction, rows, slice(offset, offset + last)),
            PATHS,
        )
        for field in fields(Lines):
            getattr(figures, field.name)[rows] = getattr(part, field.name)
    return OrderLines(keys, found, figures, notes)


def check_days(run: ForecastRun, stock: StockSnapshot, days: int, max_age: int) -> int:
    """Days of the forecast that were over when the stock was counted; raises MessageError."""
    offset = (stock.as_of - (run.origin or run.dataset_version.last)).days
    if -offset > max_age:
        raise MessageError(TOO_OLD, day=str(stock.as_of), days=-offset)
    if offset >= days:
        raise MessageError(TOO_NEW, day=str(stock.as_of))
    return max(0, offset)


def list_notes(
    keys: list[tuple[str, str]],
    found: dict[str, ProductTerms],
    terms: Terms,
    days: int,
    counted: tuple[Collection[tuple[str, str]], Collection[tuple[str, str]]],
) -> list[list[str]]:
    """Codes of NOTES for each line: whatever was assumed, or keeps it from being ordered.

    counted: the series in the stock, and those of them below 0.
    """
    short = (terms.shelf_life < NEVER) & (terms.shelf_life < terms.next_arrival - terms.arrival)
    checks = {
        "no-stock": [key not in counted[0] for key in keys],
        "below-zero": [key in counted[1] for key in keys],
        "no-terms": [not found[product].has_delivery for _store, product in keys],
        "too-far": (terms.next_arrival > days).tolist(),
        "short-life": short.tolist(),
    }
    return [[code for code, is_so in checks.items() if is_so[row]] for row in range(len(keys))]


def _read_days(prediction: Prediction, rows: Rows, days: slice, places: Rows) -> Floats:
    """Sample paths of the lines at these places of `rows`: [N, P, D]."""
    drawn: Floats = prediction.draw_paths(rows[places])[:, :, days]
    return drawn


def _blank_lines(size: int) -> Lines:
    """Lines that order nothing."""
    whole: dict[str, Any] = {"run_out_day": np.full(size, -1, np.int64), "verdict": np.zeros(size, np.int64)}
    names = [field.name for field in fields(Lines)]
    return Lines(**{name: whole.get(name, np.zeros(size, np.float32)) for name in names})

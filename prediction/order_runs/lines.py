"""The lines of an order: every series of a forecast run, with its quantity, its figures and its notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prediction.order_runs.history import History, read_history
from prediction.order_runs.inputs import build_stock, build_terms, load_terms, read_batches
from prediction.order_runs.notes import CLOSING, LineFacts, list_notes
from prediction.orders.classes import ClassPolicies, classify_money, classify_weeks
from prediction.orders.proposal import VERDICTS, Lines, propose_lines
from prediction.orders.stock import Floats, Stock
from prediction.orders.terms import Policy, Terms
from prediction.runs.frozen import load_prediction
from prediction.runs.models import ForecastRun
from registry.datasets.stock.models import StockSnapshot
from registry.datasets.stock.resolving import ProductTerms
from registry.lib.errors import MessageError, gettext_noop
from registry.series.paths import PATHS, Rows
from registry.series.prediction import Prediction

TOO_OLD = gettext_noop(
    "The stock was counted on {day}, {days} days before the last sales: import newer stock, or allow its age."
)
TOO_NEW = gettext_noop("The stock was counted on {day}, after all days of the forecast: import newer sales.")
Key = tuple[str, str]


@dataclass(frozen=True)
class OrderInputs:
    """What an order is made from, beside the forecast run: stock, policy, and how old the stock may be."""

    stock: StockSnapshot
    policies: ClassPolicies = field(default_factory=ClassPolicies)
    max_age: int = 3
    earlier_packs: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class OrderLines:
    """Keys, terms, classes, policies and notes of each line beside its figures [S]; terms are by product."""

    keys: list[Key]
    terms: dict[str, ProductTerms]
    figures: Lines
    classes: list[str]
    kinds: list[str]
    levels: list[float]
    notes: list[list[str]]

    def iterate(self) -> Iterator[dict[str, Any]]:
        """Each line as plain data, in order of store and product."""
        columns = {one.name: getattr(self.figures, one.name).tolist() for one in fields(Lines)}
        for row, (store, product) in enumerate(self.keys):
            found = {name: values[row] for name, values in columns.items()}
            found["verdict"] = VERDICTS[found["verdict"]]
            head = {"store_id": store, "product_id": product, "supplier": self.terms[product].supplier}
            tail = {"class": self.classes[row], "notes": " ".join(self.notes[row])}
            yield {**head, **found, **tail}


def build_lines(run: ForecastRun, given: OrderInputs) -> OrderLines:
    """The lines of every series of a run or of the stock. A service level of the terms counts before that
    of the policy.

    Raises MessageError for stock that is too old, and CorruptArtifact.
    """
    prediction, stock = load_prediction(run), given.stock
    offset = check_days(run, stock, len(prediction.dates), given.max_age)
    batches, below = read_batches(stock)
    row_of = {key: row for row, key in enumerate(prediction.keys)}
    keys = sorted({*row_of, *batches})
    places = np.array([row_of.get(key, -1) for key in keys], np.intp)
    found = load_terms(run.dataset_version, [product for _store, product in keys])
    terms = build_terms(keys, found, stock.as_of)
    history = read_history(run.dataset_version, keys, run.origin or run.dataset_version.last)
    counted = frozenset(batches), frozenset(below)
    days = len(prediction.dates) - offset
    notes = list_notes(
        LineFacts(
            keys, places.tolist(), *counted, found, terms, history, days, stock.as_of, given.earlier_packs
        )
    )
    is_open = np.array([not CLOSING & set(codes) for codes in notes], bool)
    classes = classify_lines(keys, found, history)
    chosen = [choose_policy(found[product], given.policies.choose(name)) for (_store, product), name in
              zip(keys, classes, strict=True)]  # fmt: skip
    reader = PathReader(prediction, places, offset)
    figures = propose_all(build_stock(keys, batches), terms, chosen, is_open, reader)
    kinds, levels = [one.kind for one in chosen], [one.level for one in chosen]
    return OrderLines(keys, found, figures, classes, list(map(str, kinds)), levels, notes)


def choose_policy(terms: ProductTerms, policy: Policy) -> Policy:
    """The policy of a line: with the service level of its terms, if they have one."""
    return policy if terms.service_level is None else Policy(policy.kind, terms.service_level, policy.nearest)


def classify_lines(keys: list[Key], found: Mapping[str, ProductTerms], history: History) -> list[str]:
    """The class of each line, such as AX, by its sales of half a year at its price, else cost, else units."""
    worth = [found[product].price or found[product].unit_cost or 1.0 for _store, product in keys]
    money = classify_money(history.weeks.sum(axis=1) * np.array(worth, np.float32))
    pairs = zip(money.tolist(), classify_weeks(history.weeks).tolist(), strict=True)
    return [of_money + of_weeks for of_money, of_weeks in pairs]


def propose_all(
    shelf: Stock, terms: Terms, policies: list[Policy], is_open: NDArray[np.bool_], paths: PathReader
) -> Lines:
    """The figures of all lines: those of open ones policy by policy, others with what stands there."""
    figures = _blank_lines(len(is_open))
    figures.on_hand[:] = shelf.available
    groups: dict[Policy, list[int]] = {}
    for row in np.flatnonzero(is_open).tolist():
        groups.setdefault(policies[row], []).append(row)
    for policy, members in groups.items():
        rows = np.array(members, np.intp)
        read = partial(paths.read, rows, int(terms.next_arrival[rows].max()))
        part = propose_lines(shelf.select(rows), terms.select(rows), policy, read, PATHS)
        for one in fields(Lines):
            getattr(figures, one.name)[rows] = getattr(part, one.name)
    return figures


@dataclass(frozen=True)
class PathReader:
    """Sample paths of lines; `places` are the rows of the prediction, `offset` its days that are over."""

    prediction: Prediction
    places: Rows
    offset: int

    def read(self, rows: Rows, days: int, chosen: Rows) -> Floats:
        """Of the lines at the places `chosen` of `rows`, on so many days: [N, P, D]."""
        drawn = self.prediction.draw_paths(self.places[rows[chosen]])
        found: Floats = drawn[:, :, self.offset : self.offset + days]
        return found


def check_days(run: ForecastRun, stock: StockSnapshot, days: int, max_age: int) -> int:
    """Days of the forecast that were over when the stock was counted; raises MessageError."""
    offset = (stock.as_of - (run.origin or run.dataset_version.last)).days
    if -offset > max_age:
        raise MessageError(TOO_OLD, day=str(stock.as_of), days=-offset)
    if offset >= days:
        raise MessageError(TOO_NEW, day=str(stock.as_of))
    return max(0, offset)


def _blank_lines(size: int) -> Lines:
    """Lines that order nothing."""
    whole: dict[str, Any] = {"run_out_day": np.full(size, -1, np.int64), "verdict": np.zeros(size, np.int64)}
    names = [one.name for one in fields(Lines)]
    return Lines(**{name: whole.get(name, np.zeros(size, np.float32)) for name in names})

"""The lines of an order as a page asks for them: filtered, sorted, with what people did to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from django.http import QueryDict
from numpy.typing import NDArray

from prediction.order_runs.lines_file import LineTable, load_lines
from prediction.order_runs.models import OrderEdit, OrderLine, OrderRun
from prediction.orders.classes import CLASSES
from prediction.orders.proposal import URGENT
from registry.datasets.names import load_names
from registry.lib.request_values import read_text
from registry.lib.small_cache import SmallCache

STATES = (OrderLine.State.DRAFT, OrderLine.State.APPROVED, OrderLine.State.EXPORTED)
SHOWN = ("ordered", "urgent", "noted", "changed", "all")
SORTS = ("item", "quantity", "cost", "cover", "chance")
DEFAULT_SORT = "-chance"
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class LineQuery:
    """Words to find, a supplier (None = any), a store, which lines, their state and class, and the order."""

    words: str = ""
    supplier: str | None = None
    store: str = ""
    shown: str = "ordered"
    state: str = ""
    of_class: str = ""
    sort: str = DEFAULT_SORT

    @classmethod
    def from_address(cls, given: QueryDict) -> Self:
        """Whatever makes no sense in the address is left out."""
        sort, shown = read_text(given, "sort"), read_text(given, "show")
        state, of_class = read_text(given, "state"), read_text(given, "class")
        supplier = read_text(given, "supplier", 120)
        return cls(
            words=read_text(given, "q"),
            supplier=None if not supplier else supplier.removeprefix("="),
            store=read_text(given, "store"),
            shown=shown if shown in SHOWN else SHOWN[0],
            state=state if state in STATES else "",
            of_class=of_class if of_class in CLASSES else "",
            sort=sort if sort.removeprefix("-") in SORTS else DEFAULT_SORT,
        )

    def next_sort(self, column: str) -> str:
        """What a click on the column sorts by: the largest first, then the other way round."""
        first, other = (column, f"-{column}") if column == "item" else (f"-{column}", column)
        return other if self.sort == first else first


@dataclass(frozen=True)
class LineStates:
    """Quantity as it is now, state (a place in STATES) and whether it was changed: [S] each."""

    quantity: NDArray[np.float64]
    state: NDArray[np.int8]
    is_changed: NDArray[np.bool_]


@dataclass(frozen=True)
class OrderTable:
    """The frozen lines with names, suppliers and unit costs."""

    lines: LineTable
    labels: list[tuple[str, str]]
    texts: list[str]
    suppliers: NDArray[np.str_]
    stores: NDArray[np.str_]
    cost: NDArray[np.float64]

    def find(self, query: LineQuery, states: LineStates) -> Rows:
        """The lines asked for, in the order asked for."""
        found = self._choose_shown(query.shown, states)
        if query.supplier is not None:
            found &= self.suppliers == query.supplier
        if query.store:
            found &= self.stores == query.store
        if query.state:
            found &= states.state == STATES.index(OrderLine.State(query.state))
        if query.of_class:
            found &= np.array([name == query.of_class for name in self.lines.classes], bool)
        rows = np.flatnonzero(found)
        if words := query.words.casefold().split():
            keep = [all(word in self.texts[row] for word in words) for row in rows.tolist()]
            rows = rows[np.array(keep, bool)]
        return self._sort(rows, query, states)

    def list_suppliers(self, states: LineStates) -> list[dict[str, Any]]:
        """Each supplier with the lines, units and cost ordered from it, and how many of them are where."""
        is_ordered = states.quantity > 0
        found = []
        for name in np.unique(self.suppliers[is_ordered]).tolist():
            rows = np.flatnonzero(is_ordered & (self.suppliers == name))
            counts = np.bincount(states.state[rows], minlength=len(STATES)).tolist()
            sums = {
                "lines": len(rows),
                "units": float(states.quantity[rows].sum()),
                "cost": self.sum_cost(rows, states),
            }
            found.append(
                {"name": name, **sums, "draft": counts[0], "approved": counts[1], "exported": counts[2]}
            )
        return sorted(found, key=lambda one: (-one["cost"], one["name"]))

    def sum_cost(self, rows: Rows, states: LineStates) -> float:
        """What these lines cost."""
        return float((states.quantity[rows] * self.cost[rows]).sum())

    def _choose_shown(self, shown: str, states: LineStates) -> NDArray[np.bool_]:
        if shown == "all":
            return np.ones(len(self.texts), bool)
        if shown == "noted":
            return np.array([bool(codes) for codes in self.lines.notes], bool)
        if shown == "changed":
            return states.is_changed.copy()
        is_ordered = (states.quantity > 0) | states.is_changed
        return is_ordered & (self.lines.figures["verdict"] == URGENT) if shown == "urgent" else is_ordered

    def _sort(self, rows: Rows, query: LineQuery, states: LineStates) -> Rows:
        """Equal ones in order of store and product."""
        column, is_descending = query.sort.removeprefix("-"), query.sort.startswith("-")
        if column == "item":
            return rows[::-1] if is_descending else rows
        columns: dict[str, NDArray[Any]] = {
            "quantity": states.quantity,
            "cost": states.quantity * self.cost,
            "cover": self.lines.figures["cover_days"],
            "chance": self.lines.figures["run_out_chance"],
        }
        values = columns[column][rows]
        return rows[np.argsort(-values if is_descending else values, kind="stable")]


TABLE_CACHE: SmallCache[OrderTable] = SmallCache(3)
STATES_CACHE: SmallCache[LineStates] = SmallCache(6)


def load_table(run: OrderRun) -> OrderTable:
    """The lines of a done order; raises CorruptArtifact."""
    return TABLE_CACHE.get((run.pk, run.sha256), lambda: build_table(run))


def build_table(run: OrderRun) -> OrderTable:
    """The same, read from the file."""
    lines, names = load_lines(run), load_names(run.forecast_run.dataset_version)
    labels = [(names.format_store(store), names.format_product(product)) for store, product in lines.keys]
    return OrderTable(
        lines=lines,
        labels=labels,
        texts=[f"{store} {product}".casefold() for store, product in labels],
        suppliers=np.array([terms.supplier for terms in lines.terms], np.str_),
        stores=np.array([store for store, _product in lines.keys], np.str_),
        cost=np.array([terms.unit_cost or 0.0 for terms in lines.terms], float),
    )


def load_states(run: OrderRun, table: OrderTable) -> LineStates:
    """What people did to the lines, as of the row's revision."""
    return STATES_CACHE.get((run.pk, run.revision), lambda: build_states(run, table))


def build_states(run: OrderRun, table: OrderTable) -> LineStates:
    """The same, read from the database."""
    quantity = table.lines.quantity.astype(np.float64)
    state, is_changed = np.zeros(len(quantity), np.int8), np.zeros(len(quantity), bool)
    codes = {str(name): code for code, name in enumerate(STATES)}
    for place, units, name in run.line_states.order_by().values_list("place", "quantity", "state"):
        quantity[place], state[place] = units, codes[name]
    edited = OrderEdit.objects.filter(line__run=run).order_by().values_list("line__place", flat=True)
    is_changed[list(edited.distinct())] = True
    return LineStates(quantity, state, is_changed)


def choose_places(rows: Rows, ticked: Sequence[str], takes_all: bool) -> list[int]:
    """The lines that a bulk verb is about: all found, or the ticked ones among them."""
    found: list[int] = rows.tolist()
    if takes_all:
        return found
    wanted = {int(text) for text in ticked if text.isdecimal() and len(text) < 10}
    return [place for place in found if place in wanted]

"""Why the quantity of a line differs from the order before: exact shares of the inputs that changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from prediction.order_runs.inputs import build_stock, build_terms, read_batches
from prediction.order_runs.lines_file import LineTable, load_lines
from prediction.order_runs.models import OrderRun
from prediction.orders.proposal import propose_lines
from prediction.orders.terms import Policy
from prediction.runs.attribution import Inputs, split_change
from prediction.runs.changes import InputMixer, RunPair
from prediction.runs.frozen import load_prediction
from registry.lib.errors import MessageError, gettext_noop
from registry.series.paths import PATHS

if TYPE_CHECKING:
    from prediction.orders.stock import Floats
    from registry.series.prediction import Prediction

TOO_SHORT = gettext_noop("The forecasts of both orders share too few days to compare them.")
Key = tuple[str, str]
Side = bool  # True: of the new order, False: of the one before


@dataclass(frozen=True)
class LineChange:
    """Units proposed before and now; the parts are those of the inputs that changed, and add up."""

    previous: OrderRun
    before: float
    now: float
    parts: dict[str, float]


def explain_change(run: OrderRun, place: int) -> LineChange | None:
    """The change of a line; None if there is no order before with this line.

    Raises CorruptArtifact if a file is gone, and ValueError if the forecasts cannot be mixed.
    """
    related = ("forecast_run__version__model", "forecast_run__dataset_version__dataset", "stock")
    previous = OrderRun.objects.done().filter(pk__in=[run.previous_id]).select_related(*related).first()
    key = load_lines(run).keys[place]
    if previous is None or key not in load_lines(previous).keys:
        return None
    mixer = LineMixer(run, previous, key)
    before, now = (float(mixer.line(side).quantity[mixer.places[side]]) for side in (False, True))
    inputs = mixer.list_inputs()
    parts = split_change(inputs, mixer.order) if inputs else {}
    units = {name: round(float(part), 3) for name, part in parts.items()}
    return LineChange(previous, before, now, units)


class LineMixer:
    """Orders one line with old and new inputs in any mixture.

    A day passes with the sales: their forecast begins on another day. Where the sales are the same it passes
    with the stock, which was counted on another day.
    """

    def __init__(self, run: OrderRun, previous: OrderRun, key: Key) -> None:
        self.orders = {True: run, False: previous}
        self.key = key
        self.places = {side: self.line(side).keys.index(key) for side in (False, True)}

    def line(self, side: Side) -> LineTable:
        """The lines of an order."""
        return load_lines(self.orders[side])

    def list_inputs(self) -> list[str]:
        """The inputs that differ."""
        new, old = self.orders[True], self.orders[False]
        found = list(self.forecast_inputs)
        if self.has_overrides:
            found.append("override")
        if new.stock_id != old.stock_id:
            found.append("stock")
        terms = [(self.line(side).terms[place], self.policy(side)) for side, place in self.places.items()]
        return [*found, "terms"] if terms[0] != terms[1] else found

    def policy(self, side: Side) -> Policy:
        """The policy of the line."""
        table, place = self.line(side), self.places[side]
        return Policy(table.kinds[place], table.levels[place])  # type: ignore[arg-type]

    @cached_property
    def mixer(self) -> InputMixer:
        """Forecasts the series from mixed sales, plans and models."""
        runs = (self.orders[side].forecast_run for side in (True, False))
        return InputMixer(RunPair(*runs), [self.key])

    @cached_property
    def forecast_inputs(self) -> list[str]:
        """Those of sales, plan and model that differ."""
        new, old = self.orders[True], self.orders[False]
        return [] if new.forecast_run_id == old.forecast_run_id else self.mixer.list_inputs()

    @cached_property
    def frozen(self) -> dict[Side, Prediction]:
        """The forecast of the series as it was frozen for each order; raises MessageError without one."""
        found = {side: load_prediction(order.forecast_run) for side, order in self.orders.items()}
        if any(self.key not in one.keys for one in found.values()):  # only in the stock
            raise MessageError(TOO_SHORT)
        return {
            side: one.select_series(np.array([one.keys.index(self.key)], np.intp))
            for side, one in found.items()
        }

    @cached_property
    def ratios(self) -> dict[Side, Floats]:
        """What people made of each day of the model's forecast: times so much [H]."""
        found = {}
        for side, one in self.frozen.items():
            model = one.of_model().mean[0]
            found[side] = np.divide(one.mean[0], model, out=np.ones_like(model), where=model > 0)
        return found

    @cached_property
    def has_overrides(self) -> bool:
        """Whether people changed either of two forecasts of the series."""
        new, old = self.orders[True], self.orders[False]
        is_changed = any((ratio != 1).any() for ratio in self.ratios.values())
        return is_changed and new.forecast_run_id != old.forecast_run_id

    def predict(self, new: Inputs) -> tuple[Prediction, Floats]:
        """The forecast of the series with these inputs new, and what its paths are multiplied by: [H]."""
        mixed, side = [name for name in self.forecast_inputs if name in new], "override" in new
        is_pure = len(mixed) in (0, len(self.forecast_inputs))
        if not self.forecast_inputs or (is_pure and (bool(mixed) == side or not self.has_overrides)):
            whole = self.frozen[bool(mixed) if self.forecast_inputs else side]
            return whole, np.ones(len(whole.dates), np.float32)
        found = self.frozen[bool(mixed)].of_model() if is_pure else self.mixer.predict(frozenset(mixed))
        days = ((found.dates - self.frozen[side].dates[0]) / np.timedelta64(1, "D")).astype(int)
        known = (days >= 0) & (days < len(self.ratios[side]))
        return found, np.where(known, self.ratios[side][np.clip(days, 0, len(self.ratios[side]) - 1)], 1)

    def order(self, new: Inputs) -> Floats:
        """The quantity with these inputs new and the others as before: one number."""
        clock = "sales" if "sales" in self.forecast_inputs else "stock"
        as_of = self.orders[
            clock in new or self.orders[True].stock_id == self.orders[False].stock_id
        ].stock.as_of
        batches = self.batches["stock" in new]
        if self.key not in batches:
            return np.float32(0)  # type: ignore[return-value]
        side, (prediction, ratio) = "terms" in new, self.predict(new)
        product_terms = {self.key[1]: self.line(side).terms[self.places[side]]}
        terms = build_terms([self.key], product_terms, as_of)
        offset = max(0, int((np.datetime64(as_of) - prediction.origin) / np.timedelta64(1, "D")))
        last = offset + int(terms.next_arrival[0])
        if last > len(prediction.dates):
            raise MessageError(TOO_SHORT)
        paths = (prediction.draw_paths() * ratio)[:, :, offset:last]
        shelf = build_stock([self.key], batches)
        found: Floats = propose_lines(shelf, terms, self.policy(side), lambda rows: paths, PATHS).quantity[0]
        return found

    @cached_property
    def batches(self) -> dict[Side, dict[Key, list[tuple[float, int, int]]]]:
        """The batches of the line in both stocks."""
        found = {side: read_batches(order.stock)[0] for side, order in self.orders.items()}
        return {
            side: {key: rows for key, rows in batches.items() if key == self.key}
            for side, batches in found.items()
        }

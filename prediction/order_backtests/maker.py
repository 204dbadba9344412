"""Works out a back-test: learns on what was known before, forecasts each order day, replays the rules."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from prediction.engine import load_panel
from prediction.jobs import run_claimed
from prediction.order_backtests.models import OrderBacktest
from prediction.order_runs.inputs import load_terms
from prediction.order_runs.lines import choose_policy
from prediction.order_runs.models import current_policy
from prediction.orders.backtest import Groups, compare_rules
from prediction.orders.classes import WEEK, classify_money, classify_weeks
from prediction.orders.daily import DailyReplay
from prediction.orders.measures import Prices
from prediction.orders.replay import Plan
from prediction.orders.stock import NEVER
from prediction.orders.terms import Terms
from registry.datasets.models import Dataset
from registry.datasets.scope import Scope
from registry.datasets.stock.resolving import ProductTerms
from registry.lib.errors import MessageError, gettext_noop, split_error
from registry.lib.leases import Heartbeat
from registry.model_versions.in_use import version_in_use
from registry.storage.artifacts import CorruptArtifact

if TYPE_CHECKING:
    from registry.model_versions.bundle import Bundle
    from registry.series.panel import Floats, Panel
    from registry.series.prediction import Prediction

MAX_SERIES = 3000  # of more a sample, always the same
PATHS = 200
HISTORY_WEEKS = 26
LOST = gettext_noop("Another process has taken over this back-test.")
NO_MODEL = gettext_noop("A back-test learns with the method of the model in use: train a model first.")
TOO_SHORT = gettext_noop("There are too few days of sales before the {weeks} weeks: choose fewer weeks.")
NOTHING = gettext_noop("Nothing was on sale when the {weeks} weeks began.")
Learn = Callable[[OrderBacktest, "Panel"], "Bundle"]  # learns as the version in use did, on these sales


def prepare_backtest(dataset: Dataset, **facts: Any) -> OrderBacktest:
    """An unsaved back-test of the newest sales; raises MessageError if no version is in use."""
    version, data = version_in_use(dataset), dataset.current_version
    if version is None or data is None:
        raise MessageError(NO_MODEL)
    links = {"dataset_version": data, "policy": current_policy(dataset)}
    return OrderBacktest(
        dataset=dataset, algorithm=version.algorithm, config=version.config, **links, **facts
    )


def run_backtest(test: OrderBacktest, learn: Learn) -> None:
    """Claims a back-test and works it out; a failure is kept in its row."""
    run_claimed(test, lambda claimed: make_backtest(claimed, learn))


def make_backtest(test: OrderBacktest, learn: Learn) -> None:
    """Works out a claimed back-test. A failure ends it with its reason and is raised again."""
    start = time.monotonic()
    try:
        with Heartbeat(test.renew_lease, LOST) as heartbeat:
            result = work_out(test, learn, heartbeat)
        if not test.finish(result=result, seconds=round(time.monotonic() - start, 1)):
            raise MessageError(LOST)
    except (ValueError, CorruptArtifact) as problem:
        test.mark_failed(*split_error(problem))
        raise


def work_out(test: OrderBacktest, learn: Learn, heartbeat: Heartbeat) -> dict[str, Any]:
    """The result as plain data: what compare_rules tells, and which days and series it is about."""
    panel, arrival = load_panel(test.dataset_version, Scope()), test.lead_days - 1
    first = panel.days - test.replay_days
    if first < HISTORY_WEEKS * WEEK // 2:
        raise MessageError(TOO_SHORT, weeks=test.weeks)
    rows, of_series = choose_series(panel, first)
    if not len(rows):
        raise MessageError(NOTHING, weeks=test.weeks)
    chosen = panel.select_series(rows)
    learned_until = chosen.start + np.timedelta64(first - 1, "D")
    bundle = learn(test, chosen.as_of(learned_until))
    heartbeat.check()
    found = load_terms(test.dataset_version, [product for _store, product in chosen.keys])
    terms = [found[product] for _store, product in chosen.keys]
    plan = Plan(first, test.replay_days, arrival, test.review_days, collect(terms, "shelf_life", NEVER))
    reader = OriginForecasts(bundle, chosen, arrival + test.review_days)
    replay = DailyReplay(
        chosen.open_sales, plan, build_terms(terms, plan), build_prices(terms), reader.read_paths, PATHS
    )
    groups = Groups(
        classify_series(chosen.open_sales[:, :first], terms), [store for store, _product in chosen.keys]
    )
    policies = test.policy.to_policies()
    own = [choose_policy(one, policies.choose(name)) for one, name in zip(terms, groups.classes, strict=True)]
    result = compare_rules(replay, own, test.own_rule, groups, heartbeat.check)
    last = learned_until + np.timedelta64(test.replay_days, "D")
    days = {"learned_until": str(learned_until), "last": str(last), "orders": len(plan.order_columns)}
    unknown = float(np.isnan(chosen.open_sales[:, first:]).mean())
    return {**result, **days, "series": len(rows), "of_series": of_series, "unknown_days": round(unknown, 4)}


def choose_series(panel: Panel, first: int) -> tuple[np.ndarray[Any, Any], int]:
    """Rows on sale in the four weeks before the replay, at most MAX_SERIES, and how many there are."""
    listed = np.flatnonzero((~np.isnan(panel.open_sales[:, max(0, first - 28) : first])).any(axis=1))
    if len(listed) <= MAX_SERIES:
        return listed, len(listed)
    drawn = np.random.default_rng(0).choice(listed, MAX_SERIES, replace=False)
    return np.sort(drawn), len(listed)


def collect(terms: list[ProductTerms], name: str, default: float) -> Any:
    """A field of the terms of each series."""
    values = [getattr(one, name) for one in terms]
    return np.array([default if value is None else value for value in values])


def build_terms(terms: list[ProductTerms], plan: Plan) -> Terms:
    """Packs, limits and costs of the terms; the days of the plan for all."""
    prices = build_prices(terms)
    return Terms.build(
        len(terms),
        plan.arrival,
        plan.arrival + plan.review,
        pack=collect(terms, "pack", 1.0),
        min_order=collect(terms, "min_order", 0.0),
        shelf_min=collect(terms, "shelf_min", 0.0),
        shelf_max=collect(terms, "shelf_max", np.inf),
        shelf_life=plan.shelf_life,
        holding=prices.holding,
        shortage=prices.margin,
        waste=prices.waste,
        unit_cost=prices.unit_cost,
    )


def build_prices(terms: list[ProductTerms]) -> Prices:
    """Money of each series; a margin of 1 where no price above the cost is known."""
    cost, price = collect(terms, "unit_cost", 0.0), collect(terms, "price", 0.0)
    waste = collect(terms, "waste_cost", np.nan)
    margin = np.where(price > cost, price - cost, 1.0)
    return Prices(cost, margin, collect(terms, "holding_cost", 0.01), np.where(np.isnan(waste), cost, waste))


def classify_series(sales: Floats, terms: list[ProductTerms]) -> list[str]:
    """The class of each series by its sales before the replay."""
    weeks = min(HISTORY_WEEKS, sales.shape[1] // WEEK)
    sums = np.nan_to_num(sales[:, -weeks * WEEK :]).reshape(len(sales), weeks, WEEK).sum(axis=2)
    worth = np.array([one.price or one.unit_cost or 1.0 for one in terms], np.float32)
    pairs = zip(classify_money(sums.sum(axis=1) * worth).tolist(), classify_weeks(sums).tolist(), strict=True)
    return [money + regularity for money, regularity in pairs]


class OriginForecasts:
    """Forecasts of the order days, each made from what was known then; paths are drawn when asked for."""

    def __init__(self, bundle: Bundle, panel: Panel, days: int) -> None:
        self.bundle, self.panel, self.days = bundle, panel, days
        self.made: dict[int, tuple[Prediction, np.ndarray[Any, Any]]] = {}

    def forecast(self, origin: int) -> tuple[Prediction, np.ndarray[Any, Any]]:
        """The forecast after a column, and the place of each series in it, -1 = none."""
        if origin not in self.made:
            day = self.panel.start + np.timedelta64(origin, "D")
            prediction = self.bundle.forecast(self.panel.as_of(day), self.days)
            place = {key: row for row, key in enumerate(prediction.keys)}
            self.made[origin] = prediction, np.array([place.get(key, -1) for key in self.panel.keys], np.intp)
        return self.made[origin]

    def read_paths(self, origin: int, rows: np.ndarray[Any, Any]) -> Floats:
        """Sample paths after a column: [N, R, days]; 0 for a series without a forecast."""
        prediction, places = self.forecast(origin)
        found = np.zeros((PATHS, len(rows), self.days), np.float32)
        is_known = places[rows] >= 0
        found[:, is_known] = prediction.draw_paths(places[rows][is_known], PATHS)
        return found

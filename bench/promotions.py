"""What explanations say that promotions do, beside what matched past days show.

    python -m bench.promotions
    python -m bench.promotions rossmann --algorithms trees kan --budget 60
    python -m bench.promotions truth --algorithms trees kan tide

Matched days are of the same store and weekday, open and outside holidays: those on promotion against those
without. Explanations are of the days ahead of the last origin, on the same conditions. Budgets count
processor seconds, so that other work on the machine changes nothing.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from bench import data
from prediction.explanations.inputs import find_column
from prediction.explanations.split import split_forecast
from registry.model_versions.bundle import Bundle
from registry.series.calendar import is_holiday, weekday_numbers
from registry.series.panel import Panel
from registry.series.panels.column_groups import OTHER, PRICE, PROMOTION
from training.learning.pipeline import TrainingConfig, TrainingPipeline

LIFT, CLOSE = 2.6, 0.15  # of the generator: exp(2.6 x price cut); what counts as near
TRUTH_DAYS, MIN_PROMOTED = 28, 3
REACH = 1  # days beside a holiday that are left out, too
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
Values = NDArray[np.float64]


def learn(panel: Panel, algorithm: str, horizon: int, budget: float) -> Bundle:
    """A version of the algorithm; the budget is of processor time."""
    with mock.patch("time.monotonic", time.process_time):
        learning = TrainingPipeline(panel, TrainingConfig(algorithm, horizon=horizon, budget=budget))
        for _progress in learning:
            pass
    return learning.result.bundle


def usual_days(panel: Panel, first: int, last: int) -> NDArray[np.bool_]:
    """Days of these columns that are no holiday of the calendar or of the data, nor beside one: [S, days]."""
    days = panel.start + np.arange(first - REACH, last + REACH).astype("timedelta64[D]")
    special = np.tile(is_holiday(days, panel.country), (len(panel.keys), 1))
    for name in ("holiday", "state_holiday"):
        values = panel.known.get(name)
        if values is not None and name not in panel.categories:
            own = np.zeros_like(special)
            low, high = max(0, first - REACH), min(values.shape[1], last + REACH)
            start = low - (first - REACH)
            own[:, start : start + high - low] = np.nan_to_num(values[:, low:high]) > 0
            special |= own
    near = special.copy()
    for shift in range(1, REACH + 1):
        near[:, shift:] |= special[:, :-shift]
        near[:, :-shift] |= special[:, shift:]
    return ~near[:, REACH : near.shape[1] - REACH]


def match_days(panel: Panel) -> dict[int, float]:
    """The lift of promotions by weekday on past days, matched by store and weekday; -1: all of them."""
    promo = panel.known[str(find_column(panel, PROMOTION))][:, : panel.days] > 0
    counted = usual_days(panel, 0, panel.days) & ~panel.closed & ~np.isnan(panel.sales)
    weekday, more, base = weekday_numbers(panel.dates), np.zeros(7), np.zeros(7)
    for row in range(len(panel.keys)):
        for day in range(7):
            same = counted[row] & (weekday == day)
            on, off = panel.sales[row, same & promo[row]], panel.sales[row, same & ~promo[row]]
            if len(on) and len(off):
                more[day] += len(on) * (on.mean() - off.mean())
                base[day] += len(on) * off.mean()
    return {**{day: more[day] / base[day] for day in range(7) if base[day]}, -1: more.sum() / base.sum()}


def explain_days(bundle: Bundle, past: Panel, horizon: int) -> dict[int, float]:
    """The same of the explanations of the days ahead: promotion over all else."""
    rows = np.arange(len(past.keys))
    mean = bundle.forecast(past, horizon, rows).mean
    part = split_forecast(bundle, past, rows, mean).get(PROMOTION, np.zeros(mean.shape))
    ahead = slice(past.days, past.days + horizon)
    on = past.known[str(find_column(past, PROMOTION))][:, ahead] > 0
    counted = on & usual_days(past, past.days, past.days + horizon) & (mean > 0)
    days = past.origin + np.arange(1, horizon + 1).astype("timedelta64[D]")
    weekday = np.tile(weekday_numbers(days), (len(rows), 1))
    found = {-1: counted} | {day: counted & (weekday == day) for day in range(7)}
    return {day: part[own].sum() / (mean - part)[own].sum() for day, own in found.items() if own.any()}


def report(name: str, algorithms: list[str], budget: float) -> str:
    """A table: the lift of promotions by weekday."""
    panel, horizon = data.read_panel(name), data.get_data_set(name).horizon
    past = panel.as_of(panel.origin - np.timedelta64(horizon, "D"))
    bundles = [learn(past, algorithm, horizon, budget) for algorithm in algorithms]
    if len(bundles) > 1:  # and all of them together, as a blend of equal weights
        members = [replace(one.members[0], weight=1 / len(bundles)) for one in bundles]
        bundles.append(replace(bundles[0], members=members))
        algorithms = [*algorithms, "blend"]
    matched = match_days(past)
    found = [explain_days(bundle, past, horizon) for bundle in bundles]
    lines = [
        "| days | matched past days | " + " | ".join(algorithms) + " |",
        "|---|--:|" + "--:|" * len(found),
    ]
    for day in (*range(7), -1):
        if day in matched and all(day in one for one in found):
            label = "all" if day < 0 else WEEKDAYS[day]
            cells = " | ".join(f"{one[day]:+.1%}" for one in found)
            lines.append(f"| {label} | {matched[day]:+.1%} | {cells} |")
    apart = " | ".join(f"{one[-1] / matched[-1] - 1:+.0%}" for one in found)
    return "\n".join([*lines, f"| explained against matched | | {apart} |"])


def make_chain() -> Panel:
    """The generated chain, with a column of noise that is known ahead."""
    frame = data.make_sample(stores=10, products=50, days=1096)
    frame["noise"] = np.random.default_rng(5).normal(size=len(frame)).astype("float32")
    names = ("store_id", "product_id", "category")
    frame = frame.drop(columns=["product_name"]).assign(**{name: frame[name].astype(str) for name in names})
    roles = {**dict.fromkeys(("open", "promo", "price", "noise"), "known"), "category": "static"}
    return Panel.from_frame(frame, roles, "DE")


def check_truth(algorithms: list[str], budget: float) -> str:
    """A table: how often the lift of a promotion with its price is that of the generator, within 15%."""
    panel = make_chain()
    past = panel.as_of(panel.origin - np.timedelta64(TRUTH_DAYS, "D"))
    ahead = slice(past.days, past.days + TRUTH_DAYS)
    promo, price = np.nan_to_num(panel.known["promo"]) > 0, panel.known["price"]
    chosen = np.flatnonzero(promo[:, ahead].sum(axis=1) >= MIN_PROMOTED)
    chosen = np.sort(np.random.default_rng(0).choice(chosen, min(80, len(chosen)), replace=False))
    newest = slice(past.days - 120, past.days)
    usual = np.nanmedian(np.where(promo[chosen, newest], np.nan, price[chosen, newest]), axis=1)
    cut = np.clip(np.nan_to_num(1 - price[chosen, ahead] / usual[:, None]), 0, 1)
    lines = ["| method | lift | added units | noise |", "|---|--:|--:|--:|"]
    bundles = [learn(past, algorithm, TRUTH_DAYS, budget) for algorithm in algorithms]
    if len(bundles) > 1:
        members = [replace(one.members[0], weight=1 / len(bundles)) for one in bundles]
        bundles, algorithms = [*bundles, replace(bundles[0], members=members)], [*algorithms, "blend"]
    for algorithm, bundle in zip(algorithms, bundles, strict=True):
        mean = bundle.forecast(past, TRUTH_DAYS, chosen).mean
        parts = split_forecast(bundle, past, chosen, mean)
        added = parts[PROMOTION] + parts[PRICE]
        counted = promo[chosen, ahead] & (mean > 0)
        base = np.where(counted, mean - added, 0)
        found = np.where(counted, added, 0).sum(axis=1) / base.sum(axis=1)
        true = (base * np.expm1(LIFT * cut)).sum(axis=1) / base.sum(axis=1)
        lift = (abs((1 + found) / (1 + true) - 1) < CLOSE).mean()
        sizes = {name: abs(units).mean() for name, units in parts.items()}
        units, noise = (abs(found / true - 1) < CLOSE).mean(), sizes[OTHER] / sum(sizes.values())
        lines.append(f"| {algorithm} | {lift:.1%} | {units:.1%} | {noise:.2%} |")
    return "\n".join(lines)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", default="rossmann")
    parser.add_argument("--algorithms", nargs="+", default=["trees", "kan"])
    parser.add_argument("--budget", type=float, default=60.0)
    given = parser.parse_args()
    if given.name == "truth":
        print(check_truth(given.algorithms, given.budget))
    else:
        print(report(given.name, given.algorithms, given.budget))


if __name__ == "__main__":
    main()

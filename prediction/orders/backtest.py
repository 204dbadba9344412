"""What the last weeks would have cost by our policy, the own rule and others. Pure numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from prediction.orders.daily import DailyReplay, Rule
from prediction.orders.replay import Replay
from prediction.orders.rules import CoverDays, LastWeeks, MinMax
from prediction.orders.terms import Policy

CURVE_LEVELS = (0.7, 0.8, 0.9, 0.95, 0.98)
CURVE_COVER = (0.75, 1.0, 1.25, 1.5, 2.0)  # times the days that an order must last
NORMAL_LEVEL = 0.95
DIGITS = 4
OURS, OWN, FORESIGHT = "ours", "own", "foresight"
RuleKind = Literal["cover", "minmax", "weeks"]
Notify = Callable[[], None]  # called between two replays; may raise to end the work


@dataclass(frozen=True)
class OwnRule:
    """The rule that the buyer orders by: so many days of cover; from the least to the most days; or what the
    last four weeks sold."""

    kind: RuleKind = "cover"
    least: float = 14
    most: float = 21

    def build(self, review: int) -> Rule:
        """The rule as the replay takes it."""
        if self.kind == "minmax":
            return MinMax(self.least, self.most)
        return LastWeeks(review) if self.kind == "weeks" else CoverDays(self.least)


@dataclass(frozen=True)
class Groups:
    """Names of a group for each series, such as its class or store."""

    classes: Sequence[str]
    stores: Sequence[str]


def compare_rules(
    replay: DailyReplay,
    policies: Sequence[Policy],
    own: OwnRule,
    groups: Groups,
    notify: Notify = lambda: None,
) -> dict[str, Any]:
    """Plain data: figures of every rule, the curves of service against stock, and figures by group."""
    plan = replay.plan
    plays: dict[str, Callable[[], Replay]] = {
        OURS: lambda: replay.play_ours(policies),
        OWN: lambda: replay.play_rule(own.build(plan.review)),
        "weeks": lambda: replay.play_rule(LastWeeks(plan.review)),
        "normal": lambda: replay.play_normal(NORMAL_LEVEL),
        FORESIGHT: replay.play_foresight,
    }
    if own.kind == "weeks":
        del plays["weeks"]
    done = {}
    for name, play in plays.items():
        done[name] = play()
        notify()
    figures = {name: describe(replay, one) for name, one in done.items()}
    matched_days, matched = replay.match_cover(figures[OURS]["stock_units"])
    notify()
    return {
        "rules": figures,
        "matched": {"days": round(matched_days, 1), **round_figures(asdict(matched))},
        "curve": draw_curves(replay, figures, notify),
        "classes": split_figures(replay, done, groups.classes),
        "stores": split_figures(replay, done, groups.stores),
    }


def draw_curves(replay: DailyReplay, figures: dict[str, Any], notify: Notify) -> dict[str, list[list[float]]]:
    """Points (mean stock in days, share of units sold) of our policy and of days of cover."""
    lasting = replay.plan.arrival + replay.plan.review
    curves: dict[str, list[list[float]]] = {OURS: [], "cover": []}
    for level in CURVE_LEVELS:
        curves[OURS].append(_point(describe(replay, replay.play_ours(Policy("fill", level)))))
        notify()
    for times in CURVE_COVER:
        curves["cover"].append(_point(describe(replay, replay.play_rule(CoverDays(times * lasting)))))
    return {name: sorted(points) for name, points in curves.items()} | {
        name: [_point(figures[name])] for name in (OWN, FORESIGHT)
    }


def split_figures(
    replay: DailyReplay, done: dict[str, Replay], names: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    """{group: {rule: figures}} of our policy and the own rule, the groups that sell most first."""
    found = {}
    for name in sorted(set(names)):
        rows = np.flatnonzero(np.array([one == name for one in names]))
        found[name] = {rule: describe(replay, done[rule], rows) for rule in (OURS, OWN)}
    return dict(sorted(found.items(), key=lambda item: -item[1][OURS]["demand"]))


def describe(replay: DailyReplay, played: Replay, rows: Any = None) -> dict[str, float]:
    """The figures of a replay as plain data."""
    return round_figures(asdict(replay.measure(played, rows)))


def round_figures(figures: dict[str, float]) -> dict[str, float]:
    """Few digits, as they are kept."""
    return {name: round(float(value), DIGITS) for name, value in figures.items()}


def _point(figures: dict[str, float]) -> list[float]:
    return [figures["stock_days"], figures["fill_rate"]]

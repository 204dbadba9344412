"""Trials: what becomes of each method that `auto` tries, while it runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from registry import algorithms
from registry.series.metrics import replace_nan
from training.learning.defaults import count_methods, enough_budget


@dataclass
class Trial:
    """One method. Its fields are stored with the run: never rename one."""

    name: str
    state: str = "waiting"  # waiting, learning, learned, tested, refitting, used, unused, skipped
    done: float = 0.0  # share of its learning
    error: float | None = None  # on check days, of the last round
    test_error: float | None = None  # on the days held back
    share: float | None = None  # of the forecast

    def record_round(self, step: str, done: float, errors: dict[str, Any]) -> None:
        """It has learned another round, or from all days, which is the step "refit"."""
        self.state, self.done = ("learning" if step == "learn" else "refitting"), round(done, 3)
        if step == "learn" and errors.get("check") is not None:
            self.error = errors["check"]

    def record_end(self, step: str) -> None:
        """It has learned enough."""
        self.state, self.done = ("learned" if step == "learn" else "used"), 1.0

    def record_test(self, error: float) -> None:
        """Its error on the days held back is known."""
        self.state, self.test_error = "tested", error


@dataclass
class Trials:
    """All methods in the order in which they get their turn, and those that time does not allow."""

    methods: list[Trial]
    skipped: list[str] = field(default_factory=list)
    enough: int = 0  # seconds of budget in which all of them could be tried
    choice: dict[str, Any] = field(
        default_factory=dict
    )  # the best method alone, its error, and that of the best blend

    @classmethod
    def plan(cls, names: Iterable[str], skipped: Iterable[str], enough: int) -> Trials:
        """Before the start: everybody waits."""
        return cls([Trial(name) for name in names], list(skipped), enough)

    def __getitem__(self, name: str) -> Trial:
        return next(trial for trial in self.methods if trial.name == name)

    def record_choice(self, weights: dict[str, float], choice: dict[str, Any]) -> None:
        """What the test has decided: the share of each method in the forecast."""
        self.choice = choice
        for trial in self.methods:
            trial.share = weights.get(trial.name)
            trial.state = "unused" if trial.share == 0 else trial.state

    def to_json(self) -> dict[str, Any]:
        """Plain values for the run's row."""
        found: dict[str, Any] = replace_nan(asdict(self))
        return found


def select_methods(
    name: str, budget: float, cells: int
) -> tuple[list[algorithms.AlgorithmEntry], Trials | None]:
    """The algorithms to learn in this time from so many series times days; for `auto` also their record."""
    entries = algorithms.select_candidates(name, count_methods(budget, cells))
    if name != algorithms.AUTO.name:
        return entries, None
    names = [entry.name for entry in entries]
    skipped = [entry.name for entry in algorithms.list_algorithms() if entry.name not in names]
    timed = len(skipped) + sum(entry.auto_priority > 0 for entry in entries)
    return entries, Trials.plan(names, skipped, enough_budget(timed, cells))

"""Learning: from a panel to a bundle, in steps that a page can show. Pure: no Django.

1. prepare   encode covariates, hold back the last windows
2. learn     on the days before them; with `auto`, as many candidates as the time allows
3. test      score the held-back windows, beside repeating last week; choose who forecasts; calibrate
4. refit     go on learning with all days
5. save      pack the bundle
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from registry import algorithms
from registry.model_versions.bundle import Bundle
from registry.series import metrics
from registry.series.calibration import Calibration, Held
from registry.series.covariates import Encoder
from registry.series.error_breakdown import Trial, slices
from registry.series.panel import Floats, Panel
from registry.series.quantiles import MEDIAN, all_whole, whole_median
from registry.series.windows import Windows
from training.learning.candidate import LEAST_PAST, Candidate, usual_block
from training.learning.checkpoint import Checkpoint
from training.learning.ensemble import blend, choose

MOST_HELD = 0.3  # share of the days that may be held back
LEARN, REFIT = 0.58, 0.34  # shares of the budget; the rest is for tests and saving
gettext_noop = str  # marks words for the translators; there is no Django here
PREPARED = gettext_noop("{series} series, {days} days of sales")
ROUND = gettext_noop("{method}, round {round}: error {error:.1%}")
CHECKED = gettext_noop("{method}, round {round}: error {error:.1%}, on check days {check:.1%}")
SCORED = gettext_noop("{method}: error {error:.1%} on the days held back")
SAVING = gettext_noop("Saving the model")
SLICE = 16.0  # seconds of learning below which a candidate of `auto` is not worth trying
LEAST_TRIED = 2
HURRIED = 20.0  # budget that sets the length of a refit when somebody wants the result now
TRIED, TESTED, REFITTED = 0.62, 0.72, 0.98  # progress at the end of learn, test and refit


@dataclass(frozen=True)
class Plan:
    """What to learn and how long. Same plan + same panel = same numbers."""

    algorithm: str
    config: dict[str, Any] = field(default_factory=dict)
    horizon: int = 28
    budget: float = 60.0
    seed: int = 0
    windows: int = 3
    threads: int = 1
    data_hash: str = ""


@dataclass(frozen=True)
class Epoch:
    """Where a training stands; errors are shares of sales."""

    step: str
    round: int = 0
    progress: float = 0.0
    seconds_left: float | None = None
    train_error: float | None = None
    check_error: float | None = None
    text: str = ""  # with {places} for the values
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Learned:
    """The result: the bundle, and the scores of the held-back windows."""

    bundle: Bundle
    metrics: dict[str, Any]


class Learning:
    """Iterate to learn; afterwards `learned` holds the result. Raises ValueError with one sentence.

    With the checkpoint of an interrupted learning it goes on from there and gives the same numbers.
    """

    learned: Learned

    def __init__(self, panel: Panel, plan: Plan, checkpoint: Checkpoint | None = None):
        self.panel, self.plan, self.started = panel, plan, time.monotonic()
        self.checkpoint = checkpoint or Checkpoint()
        self.rounds, self.progress = 0, 0.0
        most = max(LEAST_TRIED, int(plan.budget * LEARN / SLICE))
        entries = algorithms.candidates(plan.algorithm, most)
        asked = [algorithms.build_config(entry.name, plan.config) for entry in entries]
        configs = [replace(config, block=config.block or usual_block(panel)) for config in asked]
        need = LEAST_PAST + 2 * plan.horizon
        if panel.days < need:
            raise ValueError(
                f"There are {panel.days} days of sales, but forecasting {plan.horizon} days ahead "
                f"needs {need}: add older days or forecast fewer days."
            )
        encoder = Encoder.fit(panel)
        block = min(plan.horizon, max(config.block for config in configs))
        tables = Windows(panel, encoder, LEAST_PAST, block)
        self.candidates = [
            Candidate(entry, config, panel, encoder, tables, plan.horizon, plan.seed)
            for entry, config in zip(entries, configs, strict=True)
        ]
        windows = max(1, min(plan.windows, int(MOST_HELD * panel.days / plan.horizon)))
        self.first = panel.days - windows * plan.horizon
        self.columns = range(self.first, panel.days, plan.horizon)
        self.actual = [actual_sales(panel, column, plan.horizon) for column in self.columns]

    def __iter__(self) -> Iterator[Epoch]:
        torch.set_num_threads(self.plan.threads)
        torch.set_flush_denormal(True)  # numbers next to nothing cost a hundred times the others
        yield self._epoch("prepare", 0.01, PREPARED, series=len(self.panel.keys), days=self.panel.days)
        yield from self._learn()
        for number, candidate in enumerate(self.candidates, start=1):
            candidate.held = [candidate.forecast(column) for column in self.columns]
            progress = TRIED + (TESTED - TRIED) * number / len(self.candidates)
            yield self._epoch(
                "test", progress, SCORED, method=candidate.entry.name, error=self._error(candidate)
            )
        weights = choose([candidate.held for candidate in self.candidates], self.actual, self._alone)
        scores = self._scores()
        chosen = [(c, w) for c, w in zip(self.candidates, weights, strict=True) if w > 0]
        for candidate, weight in chosen:
            seconds = min(self.plan.budget, HURRIED if self.checkpoint.enough else math.inf) * REFIT * weight
            yield from self._fit(candidate, self.panel.days, seconds, ("refit", (REFITTED - TESTED) * weight))
        yield self._epoch("save", 0.99, SAVING)
        self.learned = Learned(
            self._bundle(chosen, blend([c.held for c in self.candidates], weights)), scores
        )

    def _learn(self) -> Iterator[Epoch]:
        """All candidates that take time get an equal part of it."""
        part = 1 / max(1, sum(candidate.takes_time for candidate in self.candidates))
        for number, candidate in enumerate(self.candidates, start=1):
            own = part * candidate.takes_time
            seconds = self.plan.budget * LEARN * own
            yield from self._fit(candidate, self.first, seconds, ("learn", (TRIED - 0.02) * own))
            if self.checkpoint.enough:  # what was not begun is left out
                self.candidates = self.candidates[:number]
                break

    def _fit(
        self, candidate: Candidate, end: int, seconds: float, stage: tuple[str, float]
    ) -> Iterator[Epoch]:
        """Lets a candidate learn for some seconds; `stage` is the step and its share of the progress."""
        step, share = stage
        since = self.progress
        candidate.part = self.checkpoint.part()
        for sign in candidate.learn(end, seconds, self.plan.threads, refit=step == "refit"):
            self.rounds += 1
            said: dict[str, Any] = {"method": candidate.entry.name, "round": self.rounds}
            said |= {"error": sign.error, "check": sign.check}
            words = ROUND if sign.check is None else CHECKED
            yield self._epoch(step, since + share * sign.share, words, **said)

    def _scores(self) -> dict[str, Any]:
        """Each window chosen and calibrated by the others, so that error and coverage are honest."""
        windows, naive, sold, trials = [], [], [], []
        sales = np.where(self.panel.closed, np.nan, self.panel.sales)
        for index, (column, actual) in enumerate(zip(self.columns, self.actual, strict=True)):
            rest = [i for i in range(len(self.actual)) if i != index] or [index]
            others = [[c.held[i] for i in rest] for c in self.candidates]
            known = [self.actual[i] for i in rest]
            weights = choose(others, known, self._alone)
            held: list[Held] = list(zip(known, blend(others, weights), strict=True))
            held = held if len(self.actual) > 1 else []  # nothing else to calibrate on
            raw = blend([[c.held[index]] for c in self.candidates], weights)[0]
            calibration = Calibration.fit(held, self.panel.keys)
            forecast = calibration.apply(raw)
            trials.append(Trial(actual, forecast[..., 0], forecast[..., 1:], calibration))
            past = sales[:, :column]
            day = str(self.panel.start + np.timedelta64(column - 1, "D"))
            windows.append({"origin": day} | metrics.score(actual, forecast[..., 0], forecast[..., 1:], past))
            repeated = repeat_last_week(past, self.plan.horizon)
            naive.append(metrics.score(actual, repeated, np.repeat(repeated[..., None], 7, axis=2), past))
            sold.append(float(np.nansum(actual)))
        result = metrics.overall(windows, sold)
        result |= {"seasonal_naive": metrics.overall(naive, sold), "windows": windows}
        result |= slices(trials, self.panel.keys, sales[:, : self.first])
        scores: dict[str, Any] = metrics.plain(result | {"leaderboard": self._leaderboard()})
        return scores

    @property
    def _alone(self) -> list[int]:
        """Places of the candidates that cost no time: what the others are held against."""
        return [place for place, candidate in enumerate(self.candidates) if not candidate.takes_time]

    def _leaderboard(self) -> list[dict[str, Any]]:
        """Every candidate that was tested, best first."""
        rows = [{"algorithm": c.entry.name, "wape": self._error(c)} for c in self.candidates]
        return sorted(rows, key=lambda row: row["wape"])

    def _error(self, candidate: Candidate) -> float:
        """Of the candidate's median over all held-back windows."""
        actual, held = np.stack(self.actual), np.stack(candidate.held)
        held = whole_median(held) if all_whole(actual) else held
        return metrics.wape(actual, held[..., 1 + MEDIAN])

    def _bundle(self, chosen: list[tuple[Candidate, float]], held: list[Floats]) -> Bundle:
        last = self.panel.start + np.timedelta64(self.columns[-1] - 1, "D")
        return Bundle(
            members=[candidate.member(weight) for candidate, weight in chosen],
            encoder=self.candidates[0].encoder,
            calibration=Calibration.fit(list(zip(self.actual, held, strict=True)), self.panel.keys),
            horizon=self.plan.horizon,
            seed=self.plan.seed,
            data_hash=self.plan.data_hash,
            country=self.panel.country,
            test_origin=str(last),
            test_mean=np.asarray(held[-1])[..., 0],
        )

    def _epoch(self, step: str, progress: float, text: str, **values: Any) -> Epoch:
        self.progress = max(self.progress, progress)
        spent = time.monotonic() - self.started + self.checkpoint.before
        left = spent * (1 - progress) / progress if progress > 0.05 else self.plan.budget
        number = self.rounds if step in ("learn", "refit") else 0
        error = values.get("error") if number else None
        return Epoch(step, number, self.progress, left, error, values.get("check"), text, values)


def actual_sales(panel: Panel, column: int, days: int) -> Floats:
    """Sales of the days from `column`: [S, days], NaN where closed, unknown or not yet listed."""
    part = slice(column, column + days)
    return np.where(panel.closed[:, part], np.float32(np.nan), panel.sales[:, part])


def repeat_last_week(past: Floats, horizon: int) -> Floats:
    """Seasonal naive: the newest known value of the same weekday in the last 8 weeks, else 0: [S, horizon].

    >>> repeat_last_week(np.arange(14, dtype=np.float32)[None], 3)[0].tolist()
    [7.0, 8.0, 9.0]
    """
    week = np.zeros((len(past), 7), np.float32)
    for back in range(min(8, past.shape[1] // 7), 0, -1):
        stop = past.shape[1] - 7 * (back - 1)
        value = past[:, stop - 7 : stop]
        week = np.where(np.isnan(value), week, value)
    return np.tile(week, -(-horizon // 7))[:, :horizon]

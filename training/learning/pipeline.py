"""The training pipeline: from a panel to a bundle, in steps that a page can show. Pure: no Django.

1. prepare   encode covariates, hold back the last windows
2. learn     on the days before the holdout; with `auto`, as many candidates as the time allows
3. test      score the holdout windows, and repeating last week; weigh the candidates; calibrate
4. refit     continue learning with all days
5. save      build the bundle
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from registry import algorithms
from registry.algorithms import FitProgress
from registry.lib.errors import MessageError, gettext_noop
from registry.model_versions.bundle import Bundle
from registry.series import metrics
from registry.series.covariates import Encoder
from registry.series.joint import fit_joint
from registry.series.panel import Floats, Panel
from registry.series.panels.shards import PanelShards
from registry.series.windows import Windows
from training.learning import progress as reports
from training.learning.candidate import Candidate
from training.learning.checkpoint import Checkpoint, FitState
from training.learning.defaults import (
    LEARN_SHARE,
    MIN_PAST_DAYS,
    REFIT_SHARE,
    TEST_WINDOWS,
    count_test_windows,
    default_block,
    required_days,
)
from training.learning.distributed import ALONE, ProcessGroup
from training.learning.ensemble import (
    EnsembleChoice,
    WindowForecasts,
    choose_ensemble,
    weighted_mean,
    window_wape,
)
from training.learning.fits import Fit, FitPlan, Turn
from training.learning.holdout import Holdout
from training.learning.progress import Progress, describe_round, describe_score
from training.learning.rotation import ShardTables, add_series
from training.learning.trials import select_methods

TOO_FEW_DAYS = gettext_noop(
    "There are {have} days of sales, but forecasting {days} days ahead needs {need}: add older days or "
    "forecast fewer days."
)
FINISHING_BUDGET = 20.0  # seconds of budget for a refit when somebody wants the result now
LEARN_END, TEST_END, REFIT_END = 0.62, 0.72, 0.98  # progress at the end of learn, test and refit
ROUNDS_TO_TELL_TIME = 2  # rounds of learning before anybody can tell how long the rest takes


@dataclass(frozen=True)
class TrainingConfig:
    """What to learn and for how long. Same config and same panel = same numbers."""

    algorithm: str
    knobs: dict[str, Any] = field(default_factory=dict)
    horizon: int = 28
    budget: float = 60.0
    seed: int = 0
    windows: int = TEST_WINDOWS
    threads: int = 1
    data_hash: str = ""


@dataclass(frozen=True)
class TrainingResult:
    """The bundle, the scores of the holdout windows, and these windows with their forecasts."""

    bundle: Bundle
    metrics: dict[str, Any]
    holdout: Holdout | None = None


class TrainingPipeline:
    """Iterate to learn; afterwards `result` is set. Raises MessageError for data that cannot be learned from.

    From the checkpoint of an interrupted training it resumes and gives the same numbers.
    """

    result: TrainingResult

    def __init__(
        self,
        sales: Panel | PanelShards,
        training_config: TrainingConfig,
        checkpoint: Checkpoint | None = None,
        group: ProcessGroup = ALONE,
    ):
        panel = sales if isinstance(sales, Panel) else sales.read(0)  # of several shards one: an even sample
        panel = panel.select_series(panel.find_sold())  # nothing can be learned of what never sold
        self.panel, self.training_config, self.started = panel, training_config, time.monotonic()
        self.checkpoint, self.group = checkpoint or Checkpoint(), group
        self.round_count, self.progress = 0, 0.0  # rounds of all candidates
        self.learning_since = self.started
        cells = len(panel.keys) * panel.days
        entries, self.trials = select_methods(training_config.algorithm, training_config.budget, cells)
        asked = [algorithms.build_config(entry.name, training_config.knobs) for entry in entries]
        configs = [replace(config, block=config.block or default_block(panel)) for config in asked]
        horizon, need = training_config.horizon, required_days(training_config.horizon)
        if panel.days < need:
            raise MessageError(TOO_FEW_DAYS, have=panel.days, days=horizon, need=need)
        encoder = Encoder.fit(panel)
        shards = None if isinstance(sales, Panel) or len(sales) == 1 else sales
        for part in shards.iter_panels(1) if shards else ():
            add_series(encoder, part)
        self.series_count = len(encoder.keys)
        block = min(horizon, max(config.block for config in configs))
        tables = Windows(panel, encoder, MIN_PAST_DAYS, block)
        parts = ShardTables(shards, encoder, MIN_PAST_DAYS, block) if shards else None
        self.candidates = [
            Candidate(entry, config, panel, encoder, tables, horizon, training_config.seed, parts, group)
            for entry, config in zip(entries, configs, strict=True)
        ]
        windows = count_test_windows(panel.days, horizon, training_config.windows)
        self.holdout = Holdout.cut(panel, windows, horizon)

    def follow(self) -> None:
        """Learns with the process that leads the group until that ends. Raises ProcessLost."""
        self._prepare_torch()
        candidates = {candidate.entry.name: candidate for candidate in self.candidates}
        for order in self.group.iter_orders():
            candidate = candidates[order.method]
            candidate.best_step, candidate.fit_state = order.best_step, FitState()
            for _round in candidate.learn_before(order.end, order.seconds, order.threads, order.refit):
                pass

    def _prepare_torch(self) -> None:
        torch.set_num_threads(self.training_config.threads)
        torch.set_flush_denormal(True)  # denormal numbers are a hundred times slower than others

    def __iter__(self) -> Iterator[Progress]:
        self._prepare_torch()
        size, count = len(self.panel.keys), self.series_count
        yield self._build_progress("prepare", 0.01, reports.PREPARED, series=count, days=self.panel.days)
        if size < count:
            yield self._build_progress("prepare", 0.01, reports.TESTED_PART, part=size, series=count)
        self.learning_since = time.monotonic()
        yield from self._learn_candidates()
        yield from self._test_candidates()
        forecasts = [candidate.holdout_forecasts for candidate in self.candidates]
        away = [place for place, candidate in enumerate(self.candidates) if candidate.has_run_away]
        choice = choose_ensemble(forecasts, self.holdout.actuals, self._baseline_indexes, away)
        scores = self._score_choice(choice)
        chosen = [(c, w) for c, w in zip(self.candidates, choice.weights, strict=True) if w > 0]
        overlapping = self._forecast_overlapping(chosen)
        fits = [Fit(candidate, self.panel.days, weight, refit=True) for candidate, weight in chosen]
        yield from self._run_fits(fits, self._refit_seconds, "refit", REFIT_END - TEST_END)
        yield self._build_progress("save", 0.99, reports.SAVING)
        bundle = self._build_bundle(chosen, weighted_mean(forecasts, choice.weights), overlapping)
        self.result = TrainingResult(bundle, scores, self.holdout)

    @property
    def _refit_seconds(self) -> float:
        """Seconds to learn from all days, for all chosen candidates together."""
        most = FINISHING_BUDGET if self.checkpoint.should_finish else math.inf
        return min(self.training_config.budget, most) * REFIT_SHARE

    def _learn_candidates(self) -> Iterator[Progress]:
        """Candidates that take time share it equally; those that were not begun are left out."""
        share = 1 / max(1, sum(candidate.needs_budget for candidate in self.candidates))
        fits = [
            Fit(one, self.holdout.first, share * one.needs_budget, refit=False) for one in self.candidates
        ]
        seconds = self.training_config.budget * LEARN_SHARE
        yield from self._run_fits(fits, seconds, "learn", LEARN_END - 0.02)
        self._leave_out([fit.candidate for fit in fits if not fit.has_begun])
        self.candidates = [fit.candidate for fit in fits if fit.has_begun]

    def _leave_out(self, candidates: list[Candidate]) -> None:
        for candidate in candidates:
            if self.trials:
                self.trials[candidate.entry.name].state = "skipped"

    def _test_candidates(self) -> Iterator[Progress]:
        """Each candidate forecasts the holdout windows."""
        for number, candidate in enumerate(self.candidates, start=1):
            candidate.holdout_forecasts = [
                candidate.forecast_window(column) for column in self.holdout.columns
            ]
            candidate.forecast_window(self.panel.days)  # the days ahead, which nobody can score yet
            error = window_wape(candidate.holdout_forecasts, self.holdout.actuals)
            if self.trials:
                self.trials[candidate.entry.name].record_test(error)
            progress = LEARN_END + (TEST_END - LEARN_END) * number / len(self.candidates)
            text, values = describe_score(candidate.entry.name, error)
            yield self._build_progress("test", progress, text, **values)
            if candidate.has_run_away:
                yield self._build_progress("test", progress, reports.RAN_AWAY, method=candidate.entry.name)

    def _run_fits(self, fits: list[Fit], seconds: float, step: str, share: float) -> Iterator[Progress]:
        """Learns within some seconds; `share` is that of the step in the progress."""
        since = self.progress
        plan = FitPlan.build(fits, seconds, self.training_config.threads, self.checkpoint)
        with closing(plan.run(lambda: step == "learn" and self.checkpoint.should_finish)) as signs:
            for fit, sign in signs:
                progress = since + share * plan.done
                if isinstance(sign, FitProgress):
                    self.round_count += 1
                    fit.candidate.round_count += 1
                    text, values = describe_round(fit.name, fit.candidate.round_count, sign)
                    if self.trials:
                        self.trials[fit.name].record_round(step, sign.share, values)
                    yield self._build_progress(step, progress, text, **values)
                elif self.trials and sign is Turn.BEGINS:
                    self.trials[fit.name].record_round(step, 0.0, {})
                    yield self._build_progress(step, progress, reports.STARTED, method=fit.name)
                elif self.trials:
                    self.trials[fit.name].record_end(step)

    def _score_choice(self, choice: EnsembleChoice) -> dict[str, Any]:
        """The metrics of what was chosen, and a leaderboard of all candidates."""
        forecasts = [candidate.holdout_forecasts for candidate in self.candidates]
        scores = self.holdout.score_forecasts(forecasts, choice.window_weights)
        names = [candidate.entry.name for candidate in self.candidates]
        errors = {
            name: window_wape(one, self.holdout.actuals) for name, one in zip(names, forecasts, strict=True)
        }
        shares = dict(zip(names, choice.weights, strict=True))
        scores["leaderboard"] = [
            row | {"share": shares[row["algorithm"]]} for row in metrics.rank_by_error(errors)
        ]
        if self.trials:
            told = {"method": names[choice.single], "error": choice.single_error}
            told |= {"blend_error": choice.blend_error, "is_blend": choice.is_blend}
            self.trials.record_choice(shares, told)
            scores["trials"] = {"skipped": self.trials.skipped, "enough": self.trials.enough}
            scores["trials"] |= self.trials.choice
        result: dict[str, Any] = metrics.replace_nan(scores)
        return result

    @property
    def _baseline_indexes(self) -> list[int]:
        """Indexes of the candidates that cost no time: baselines for the others."""
        return [place for place, candidate in enumerate(self.candidates) if not candidate.needs_budget]

    def _forecast_overlapping(self, chosen: list[tuple[Candidate, float]]) -> dict[int, Floats]:
        """Forecasts of overlapping windows by their first day, before their days are learned."""
        return {
            column - self.holdout.first: np.asarray(
                sum(np.float32(weight) * candidate.forecast_window(column) for candidate, weight in chosen)
            )
            for column in self.holdout.overlapping
        }

    def _build_bundle(
        self, chosen: list[tuple[Candidate, float]], holdout: WindowForecasts, overlapping: dict[int, Floats]
    ) -> Bundle:
        last = self.panel.start + np.timedelta64(self.holdout.columns[-1] - 1, "D")
        pairs = list(zip(self.holdout.actuals, holdout, strict=True))
        calibration, dependence = fit_joint(pairs, self.panel.keys, overlapping)
        return Bundle(
            members=[candidate.build_member(weight) for candidate, weight in chosen],
            encoder=self.candidates[0].encoder,
            calibration=calibration,
            dependence=dependence,
            horizon=self.training_config.horizon,
            seed=self.training_config.seed,
            data_hash=self.training_config.data_hash,
            country=self.panel.country,
            test_origin=str(last),
            test_mean=np.asarray(holdout[-1])[..., 0],
        )

    def _build_progress(self, step: str, progress: float, text: str, **values: Any) -> Progress:
        self.progress = max(self.progress, progress)
        number = values.get("round", 0)
        error = values.get("error") if number else None
        trials = self.trials.to_json() if self.trials else None
        left = self._seconds_left(step)
        return Progress(step, number, self.progress, left, error, values.get("check"), text, values, trials)

    def _seconds_left(self, step: str) -> float | None:
        """Seconds to the end, from the speed of learning so far; None before two rounds are known."""
        if step == "prepare" or (step == "learn" and self.round_count < ROUNDS_TO_TELL_TIME):
            return None
        spent = time.monotonic() - self.learning_since + self.checkpoint.seconds_before
        return spent * (1 - self.progress) / max(self.progress, 0.01)

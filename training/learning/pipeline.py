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
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from registry import algorithms
from registry.lib.errors import MessageError, gettext_noop
from registry.model_versions.bundle import Bundle
from registry.series import metrics
from registry.series.calibration import Calibration, HoldoutForecast
from registry.series.covariates import Encoder
from registry.series.error_breakdown import HoldoutWindow, error_breakdown
from registry.series.panel import Floats, Panel
from registry.series.quantiles import MEDIAN_INDEX, QUANTILE_LEVELS, is_count_data, round_median
from registry.series.windows import Windows
from training.learning.candidate import Candidate
from training.learning.checkpoint import Checkpoint
from training.learning.defaults import MIN_PAST_DAYS, default_block, required_days
from training.learning.ensemble import ensemble_weights, weighted_mean
from training.learning.progress import PREPARED, RAN_AWAY, SAVING, Progress, describe_round, describe_score

MAX_HOLDOUT_SHARE = 0.3  # share of the days that are held back at most
LEARN_SHARE, REFIT_SHARE = 0.58, 0.34  # shares of the budget; the rest is for tests and saving
TOO_FEW_DAYS = gettext_noop(
    "There are {have} days of sales, but forecasting {days} days ahead needs {need}: add older days or "
    "forecast fewer days."
)
MIN_CANDIDATE_SECONDS = 16.0  # of learning, below which `auto` tries fewer candidates
MIN_CANDIDATES = 2
FINISHING_BUDGET = 20.0  # seconds of budget for a refit when somebody wants the result now
LEARN_END, TEST_END, REFIT_END = 0.62, 0.72, 0.98  # progress at the end of learn, test and refit


@dataclass(frozen=True)
class TrainingConfig:
    """What to learn and for how long. Same config and same panel = same numbers."""

    algorithm: str
    knobs: dict[str, Any] = field(default_factory=dict)
    horizon: int = 28
    budget: float = 60.0
    seed: int = 0
    windows: int = 3
    threads: int = 1
    data_hash: str = ""


@dataclass(frozen=True)
class TrainingResult:
    """The bundle, and the scores of the holdout windows."""

    bundle: Bundle
    metrics: dict[str, Any]


class TrainingPipeline:
    """Iterate to learn; afterwards `result` is set. Raises MessageError for data that cannot be learned from.

    From the checkpoint of an interrupted training it resumes and gives the same numbers.
    """

    result: TrainingResult

    def __init__(self, panel: Panel, training_config: TrainingConfig, checkpoint: Checkpoint | None = None):
        self.panel, self.training_config, self.started = panel, training_config, time.monotonic()
        self.checkpoint = checkpoint or Checkpoint()
        self.round_count, self.progress = 0, 0.0
        most = max(MIN_CANDIDATES, int(training_config.budget * LEARN_SHARE / MIN_CANDIDATE_SECONDS))
        entries = algorithms.select_candidates(training_config.algorithm, most)
        asked = [algorithms.build_config(entry.name, training_config.knobs) for entry in entries]
        configs = [replace(config, block=config.block or default_block(panel)) for config in asked]
        need = required_days(training_config.horizon)
        if panel.days < need:
            raise MessageError(TOO_FEW_DAYS, have=panel.days, days=training_config.horizon, need=need)
        encoder = Encoder.fit(panel)
        block = min(training_config.horizon, max(config.block for config in configs))
        tables = Windows(panel, encoder, MIN_PAST_DAYS, block)
        self.candidates = [
            Candidate(entry, config, panel, encoder, tables, training_config.horizon, training_config.seed)
            for entry, config in zip(entries, configs, strict=True)
        ]
        windows = max(
            1, min(training_config.windows, int(MAX_HOLDOUT_SHARE * panel.days / training_config.horizon))
        )
        self.first_holdout = panel.days - windows * training_config.horizon
        self.holdout_columns = range(self.first_holdout, panel.days, training_config.horizon)
        self.holdout_actuals = [
            actual_sales(panel, column, training_config.horizon) for column in self.holdout_columns
        ]

    def __iter__(self) -> Iterator[Progress]:
        torch.set_num_threads(self.training_config.threads)
        torch.set_flush_denormal(True)  # denormal numbers are a hundred times slower than others
        yield self._build_progress(
            "prepare", 0.01, PREPARED, series=len(self.panel.keys), days=self.panel.days
        )
        yield from self._learn_candidates()
        for number, candidate in enumerate(self.candidates, start=1):
            candidate.holdout_forecasts = [
                candidate.forecast_window(column) for column in self.holdout_columns
            ]
            candidate.forecast_window(self.panel.days)  # the days ahead, which nobody can score yet
            progress = LEARN_END + (TEST_END - LEARN_END) * number / len(self.candidates)
            text, values = describe_score(candidate.entry.name, self._holdout_error(candidate))
            yield self._build_progress("test", progress, text, **values)
            if candidate.has_run_away:
                yield self._build_progress("test", progress, RAN_AWAY, method=candidate.entry.name)
        forecasts, weights = self._weigh(list(range(len(self.holdout_actuals))))
        scores = self._score_holdout()
        chosen = [(c, w) for c, w in zip(self._usable_candidates, weights, strict=True) if w > 0]
        for candidate, weight in chosen:
            seconds = (
                min(
                    self.training_config.budget,
                    FINISHING_BUDGET if self.checkpoint.should_finish else math.inf,
                )
                * REFIT_SHARE
                * weight
            )
            yield from self._fit_candidate(
                candidate, self.panel.days, seconds, ("refit", (REFIT_END - TEST_END) * weight)
            )
        yield self._build_progress("save", 0.99, SAVING)
        self.result = TrainingResult(self._build_bundle(chosen, weighted_mean(forecasts, weights)), scores)

    def _learn_candidates(self) -> Iterator[Progress]:
        """Candidates that take time share it equally."""
        part = 1 / max(1, sum(candidate.needs_budget for candidate in self.candidates))
        for number, candidate in enumerate(self.candidates, start=1):
            own = part * candidate.needs_budget
            seconds = self.training_config.budget * LEARN_SHARE * own
            yield from self._fit_candidate(
                candidate, self.first_holdout, seconds, ("learn", (LEARN_END - 0.02) * own)
            )
            if self.checkpoint.should_finish:  # candidates that were not started are left out
                self.candidates = self.candidates[:number]
                break

    def _fit_candidate(
        self, candidate: Candidate, end: int, seconds: float, stage: tuple[str, float]
    ) -> Iterator[Progress]:
        """Learns one candidate for some seconds; `stage` is the step and its share of the progress."""
        step, share = stage
        since = self.progress
        candidate.fit_state = self.checkpoint.next_fit()
        for sign in candidate.learn_before(end, seconds, self.training_config.threads, refit=step == "refit"):
            self.round_count += 1
            text, values = describe_round(candidate.entry.name, self.round_count, sign)
            yield self._build_progress(step, since + share * sign.share, text, **values)

    def _score_holdout(self) -> dict[str, Any]:
        """The metrics; each window is weighed and calibrated by the others, or its scores would flatter."""
        windows, naive, sold, trials = [], [], [], []
        sales = np.where(self.panel.closed, np.nan, self.panel.sales)
        for index, (column, actual) in enumerate(
            zip(self.holdout_columns, self.holdout_actuals, strict=True)
        ):
            rest = [i for i in range(len(self.holdout_actuals)) if i != index] or [index]
            known = [self.holdout_actuals[i] for i in rest]
            others, weights = self._weigh(rest)
            held: list[HoldoutForecast] = list(zip(known, weighted_mean(others, weights), strict=True))
            held = held if len(self.holdout_actuals) > 1 else []  # no other window to calibrate on
            own = [[candidate.holdout_forecasts[index]] for candidate in self._usable_candidates]
            raw = weighted_mean(own, weights)[0]
            calibration = Calibration.fit(held, self.panel.keys)
            forecast = calibration.calibrate_forecast(raw)
            trials.append(HoldoutWindow(actual, forecast[..., 0], forecast[..., 1:], calibration))
            past = sales[:, :column]
            day = str(self.panel.start + np.timedelta64(column - 1, "D"))
            windows.append(
                {"origin": day} | metrics.score_window(actual, forecast[..., 0], forecast[..., 1:], past)
            )
            repeated = repeat_last_week(past, self.training_config.horizon)
            # a forecast without intervals: all its quantiles equal the point
            points = np.repeat(repeated[..., None], len(QUANTILE_LEVELS), axis=2)  # [S, H, Q - 1]
            naive.append(metrics.score_window(actual, repeated, points, past))
            sold.append(float(np.nansum(actual)))
        result = metrics.aggregate_scores(windows, sold)
        result |= {"seasonal_naive": metrics.aggregate_scores(naive, sold), "windows": windows}
        result |= error_breakdown(trials, self.panel.keys, sales[:, : self.first_holdout])
        scores: dict[str, Any] = metrics.replace_nan(result | {"leaderboard": self._build_leaderboard()})
        return scores

    @property
    def _usable_candidates(self) -> list[Candidate]:
        """The candidates without those that ran away; if all did, their bounds have to do."""
        return [candidate for candidate in self.candidates if not candidate.has_run_away] or self.candidates

    def _weigh(self, windows: list[int]) -> tuple[list[list[Floats]], list[float]]:
        """Forecasts of the usable candidates for some holdout windows, and the weights that suit them."""
        usable = self._usable_candidates
        forecasts = [[candidate.holdout_forecasts[index] for index in windows] for candidate in usable]
        # candidates that cost no time are baselines, not part of a blend
        baselines = [place for place, candidate in enumerate(usable) if not candidate.needs_budget]
        actual = [self.holdout_actuals[index] for index in windows]
        return forecasts, ensemble_weights(forecasts, actual, baselines)

    def _build_leaderboard(self) -> list[dict[str, Any]]:
        """The error of every candidate, best first."""
        return metrics.rank_by_error({c.entry.name: self._holdout_error(c) for c in self.candidates})

    def _holdout_error(self, candidate: Candidate) -> float:
        """WAPE of the candidate's median over all holdout windows."""
        # [W, S, H], [W, S, H, Q]
        actual, held = np.stack(self.holdout_actuals), np.stack(candidate.holdout_forecasts)
        held = round_median(held) if is_count_data(actual) else held
        return metrics.wape(actual, held[..., 1 + MEDIAN_INDEX])

    def _build_bundle(self, chosen: list[tuple[Candidate, float]], holdout: list[Floats]) -> Bundle:
        last = self.panel.start + np.timedelta64(self.holdout_columns[-1] - 1, "D")
        return Bundle(
            members=[candidate.build_member(weight) for candidate, weight in chosen],
            encoder=self.candidates[0].encoder,
            calibration=Calibration.fit(
                list(zip(self.holdout_actuals, holdout, strict=True)), self.panel.keys
            ),
            horizon=self.training_config.horizon,
            seed=self.training_config.seed,
            data_hash=self.training_config.data_hash,
            country=self.panel.country,
            test_origin=str(last),
            test_mean=np.asarray(holdout[-1])[..., 0],
        )

    def _build_progress(self, step: str, progress: float, text: str, **values: Any) -> Progress:
        self.progress = max(self.progress, progress)
        spent = time.monotonic() - self.started + self.checkpoint.seconds_before
        left = spent * (1 - progress) / progress if progress > 0.05 else self.training_config.budget
        number = self.round_count if step in ("learn", "refit") else 0
        error = values.get("error") if number else None
        return Progress(step, number, self.progress, left, error, values.get("check"), text, values)


def actual_sales(panel: Panel, column: int, days: int) -> Floats:
    """Sales of the days from `column`: [S, days], NaN where closed, unknown or not yet listed."""
    part = slice(column, column + days)
    return np.where(panel.closed[:, part], np.float32(np.nan), panel.sales[:, part])


def repeat_last_week(past: Floats, horizon: int) -> Floats:
    """Seasonal naive: the newest known value of the weekday in the last 8 weeks, else 0: [S, horizon].

    >>> repeat_last_week(np.arange(14, dtype=np.float32)[None], 3)[0].tolist()
    [7.0, 8.0, 9.0]
    """
    week = np.zeros((len(past), 7), np.float32)
    # oldest first, so that newer weeks overwrite it
    for back in range(min(8, past.shape[1] // 7), 0, -1):
        stop = past.shape[1] - 7 * (back - 1)
        value = past[:, stop - 7 : stop]
        week = np.where(np.isnan(value), week, value)
    return np.tile(week, -(-horizon // 7))[:, :horizon]

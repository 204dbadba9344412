"""Learning: from a panel to a bundle, in steps that a page can show. Pure: no Django.

1. prepare   encode covariates, choose the block, hold back the last windows
2. learn     on the days before them
3. test      score the held-back windows, beside repeating last week; calibrate the intervals on them
4. refit     go on learning with all days
5. save      pack the bundle
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from registry import algorithms
from registry.series import metrics, rollout
from registry.series.bundle import Bundle
from registry.series.calibration import Calibration, Held
from registry.series.covariates import Encoder
from registry.series.panel import Floats, Panel
from registry.series.windows import Windows, origins
from training import loop

LEAST_PAST = 14  # days before the first window that a model can learn from
MOST_HELD = 0.3  # share of the days that may be held back
LEARN, REFIT = 0.62, 0.28  # shares of the budget; the rest is for tests and saving
SPARSE = 0.4  # share of zeros from which small blocks, fed back, lose the level


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
    text: str = ""


@dataclass(frozen=True)
class Learned:
    """The result: the bundle, and the scores of the held-back windows."""

    bundle: Bundle
    metrics: dict[str, Any]


class Learning:
    """Iterate to learn; afterwards `learned` holds the result. Raises ValueError with one sentence."""

    learned: Learned

    def __init__(self, panel: Panel, plan: Plan):
        self.panel, self.plan, self.started = panel, plan, time.monotonic()
        self.config = algorithms.build_config(plan.algorithm, plan.config)
        need = LEAST_PAST + 2 * plan.horizon
        if panel.days < need:
            raise ValueError(
                f"There are {panel.days} days of sales, but forecasting {plan.horizon} days ahead "
                f"needs {need}: add older days or forecast fewer days."
            )
        self.held = max(1, min(plan.windows, int(MOST_HELD * panel.days / plan.horizon)))
        self.block = self._block()

    def _block(self) -> int:
        if self.config.block:
            return min(self.config.block, self.plan.horizon)
        recent = self.panel.sales[:, -364:][~self.panel.closed[:, -364:]]
        sparse = (recent == 0).sum() > SPARSE * max(1, (~np.isnan(recent)).sum())
        return min(self.plan.horizon, 28 if sparse else 7)

    def __iter__(self) -> Iterator[Epoch]:
        torch.set_num_threads(self.plan.threads)
        yield self._epoch("prepare", 0.01, f"{len(self.panel.keys)} series, {self.panel.days} days")
        first = self.panel.days - self.held * self.plan.horizon
        encoder = Encoder.fit(self.panel)
        windows = Windows(self.panel, encoder, self.config.past_days, self.block)
        torch.manual_seed(self.plan.seed)
        model = algorithms.get(self.plan.algorithm).module(self.config, windows.shape)
        yield from self._fit(model, windows, first, ("learn", 0.02, LEARN))
        held: list[Held] = []
        for index in range(self.held):
            held.append(self._test(model, encoder, first + index * self.plan.horizon))
            yield self._epoch(
                "test", 0.66 + 0.06 * index / self.held, f"Tested on window {index + 1} of {self.held}"
            )
        scores = self._scores(held, first)
        yield self._epoch(
            "refit", 0.72, f"Error {scores['wape']:.3f}, last week's {scores['seasonal_naive']['wape']:.3f}"
        )
        yield from self._fit(model, windows, self.panel.days, ("refit", 0.72, REFIT - 0.02))
        yield self._epoch("save", 0.99, "Saving")
        self.learned = Learned(self._bundle(model, windows, encoder, held), scores)

    def _fit(
        self, model: nn.Module, windows: Windows, end: int, stage: tuple[str, float, float]
    ) -> Iterator[Epoch]:
        """Learns on windows whose days all lie before column `end`."""
        step, since, share = stage
        rows, columns = origins(windows, LEAST_PAST, end - self.block)
        if not len(rows):
            raise ValueError(
                "No series has enough days to learn from: add older days or forecast fewer days."
            )
        seconds = self.plan.budget * (LEARN if step == "learn" else REFIT)
        sampler = loop.WindowSampler(windows, rows, columns, self.plan.seed + (step == "refit"))
        schedule = self._schedule(model, sampler, seconds, refit=step == "refit")
        check = self._check_batch(windows, end) if step == "learn" else None
        for number, sign in enumerate(loop.fit(model, sampler, schedule, check), start=1):
            left = f"{sign.error:.3f}" + (
                f", on check days {sign.check:.3f}" if sign.check is not None else ""
            )
            yield self._epoch(
                step,
                since + share * sign.share,
                f"Round {number}: error {left}",
                number,
                (sign.error, sign.check),
            )

    def _schedule(
        self, model: nn.Module, sampler: loop.WindowSampler, seconds: float, refit: bool
    ) -> loop.Schedule:
        if not isinstance(self.config, algorithms.NetworkConfig):
            return loop.Schedule(0, seconds, 0.0, 0)
        fitting = loop.planned_steps(model, sampler.draw(self.config.batch), seconds, self.plan.threads)
        steps = min(fitting, self.config.steps or fitting)
        return loop.Schedule(steps, seconds, self.config.rate * (0.3 if refit else 1.0), self.config.batch)

    def _check_batch(self, windows: Windows, end: int) -> Any:
        """Fixed windows inside the held-back days, for the learning curve only."""
        rows, columns = origins(windows, end, self.panel.days - self.block)
        return loop.WindowSampler(windows, rows, columns, self.plan.seed).draw(1024) if len(rows) else None

    def _test(self, model: nn.Module, encoder: Encoder, column: int) -> Held:
        """Forecast and actual of the window that starts at `column`, made without a look at it."""
        seen = self.panel.until(self.panel.start + np.timedelta64(column - 1, "D"))
        frame = (self.config.past_days, self.block, self.plan.horizon)
        raw, _windows = rollout.forecast(model, seen, encoder, frame)
        return actual_sales(self.panel, column, self.plan.horizon), raw

    def _scores(self, held: list[Held], first: int) -> dict[str, Any]:
        """Each window calibrated on the others, so that coverage is honest too."""
        windows, naive, sold = [], [], []
        for index, (actual, raw) in enumerate(held):
            others = held[:index] + held[index + 1 :]
            forecast = Calibration.fit(others, self.panel.keys).apply(raw)
            column = first + index * self.plan.horizon
            past = np.where(self.panel.closed, np.nan, self.panel.sales)[:, :column]
            day = str(self.panel.start + np.timedelta64(column - 1, "D"))
            windows.append({"origin": day} | metrics.score(actual, forecast[..., 0], forecast[..., 1:], past))
            repeated = repeat_last_week(past, self.plan.horizon)
            naive.append(metrics.score(actual, repeated, np.repeat(repeated[..., None], 7, axis=2), past))
            sold.append(float(np.nansum(actual)))
        result = metrics.overall(windows, sold)
        return result | {"seasonal_naive": metrics.overall(naive, sold), "windows": windows}

    def _bundle(self, model: nn.Module, windows: Windows, encoder: Encoder, held: list[Held]) -> Bundle:
        last = self.panel.start + np.timedelta64(self.panel.days - self.plan.horizon - 1, "D")
        return Bundle(
            algorithm=self.plan.algorithm,
            config=algorithms.as_dict(self.config),
            shape=windows.shape,
            encoder=encoder,
            calibration=Calibration.fit(held, self.panel.keys),
            horizon=self.plan.horizon,
            seed=self.plan.seed,
            data_hash=self.plan.data_hash,
            country=self.panel.country,
            tensors={name: tensor.detach().clone() for name, tensor in model.state_dict().items()},
            test_origin=str(last),
            test_mean=held[-1][1][..., 0],
        )

    def _epoch(
        self,
        step: str,
        progress: float,
        text: str,
        number: int = 0,
        errors: tuple[float | None, ...] = (None, None),
    ) -> Epoch:
        spent = time.monotonic() - self.started
        left = spent * (1 - progress) / progress if progress > 0.05 else self.plan.budget
        return Epoch(step, number, progress, left, errors[0], errors[1], text)


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

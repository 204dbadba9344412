"""The one learning loop. It yields after every round and knows neither Django nor any algorithm.

Seeded windows, AdamW with a cosine rate, clipped gradients, an average of the weights over the last steps
(EMA), early stopping on check days, a guard against losses that are not finite, and a hard stop when the
time is up.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from registry.algorithms import CustomFit, FitProgress
from registry.series.quantiles import MEDIAN_INDEX, QUANTILE_LEVELS
from registry.series.windows import Batch, Windows
from training.learning.checkpoint import FitState, LearnerState

MIN_ROUNDS, MAX_ROUND_SECONDS = (
    20,
    6.0,
)  # signs of life per fit, and more when their planned seconds would be longer
SPREAD_WINDOWS = 4096  # windows that tell how wild the sales are
WARM_UP_SHARE = 0.03
MAX_GRADIENT_NORM = 1.0
EMA_DECAY = 0.995
PATIENCE, MIN_GAIN = 0.5, 0.001  # share of the rounds without that gain on check days until learning ends
MEAN_WEIGHT = 0.3  # of the mean's loss beside the quantiles'
WILD_SPREAD = 10.0  # spread of the sales from which the mean's loss would drown that of the quantiles
# Seconds of a step on one core of the reference machine: fixed, per operation, per number written, per flop.
# Only a plan, so that the same budget always gives the same number of steps (and the same model); the clock
# stops a fit on a slower machine.
SECONDS_PER_STEP, SECONDS_PER_CALL, SECONDS_PER_NUMBER, SECONDS_PER_FLOP = 6.5e-3, 12e-6, 0.47e-9, 5e-12
PLANNED_SHARE = 0.8  # share of the time that the plan fills


@dataclass(frozen=True)
class FitSchedule:
    """How long to learn and how hard."""

    steps: int
    seconds: float
    learning_rate: float
    batch_size: int


class WindowSampler:
    """Seeded random windows among the given (series, column) pairs, which are in order of series.

    A series comes by the square root of its size: between equal shares (MASE) and equal units (WAPE). With
    `even` every window comes alike.
    """

    def __init__(
        self,
        windows: Windows,
        positions: tuple[Tensor, Tensor],
        seed: int,
        check: Batch | None = None,
        uniform: bool = False,
    ):
        self.windows, self.check = windows, check
        self.rows, self.columns = rows, columns = positions
        self.generator = torch.Generator().manual_seed(seed)
        series, self.counts = torch.unique_consecutive(rows, return_counts=True)
        self.starts = self.counts.cumsum(0) - self.counts
        last = int(columns.max())
        size = windows.mean_level(series, torch.full_like(series, last), last)[0].clamp(min=windows.unit)
        self.cumulative_shares = (self.counts if uniform else self.counts * size.sqrt()).double().cumsum(0)

    def __len__(self) -> int:
        """How many windows there are."""
        return len(self.rows)

    def draw(self, size: int) -> Batch:
        """This many windows."""
        chance = torch.rand(2, size, generator=self.generator, dtype=torch.float64)
        series = torch.searchsorted(
            self.cumulative_shares, chance[0] * self.cumulative_shares[-1], right=True
        )
        series = series.clamp(max=len(self.counts) - 1)
        pick = self.starts[series] + (chance[1] * self.counts[series]).long()
        return self.windows.cut_batch(self.rows[pick], self.columns[pick])


def mean_loss_weight(batch: Batch) -> float:
    """Weight of the mean's loss: where single orders are huge its gradient would leave the quantiles none."""
    usual = batch.base.clamp(min=0.05)
    spread = float(((batch.target - usual) ** 2 / usual).nanmean())
    return MEAN_WEIGHT / (1 + spread / WILD_SPREAD) if math.isfinite(spread) else MEAN_WEIGHT


def pinball_loss(error: Tensor) -> Tensor:
    """Pinball loss of errors at each level [..., Q - 1], averaged over the levels: [...]."""
    levels = torch.tensor(QUANTILE_LEVELS)
    return torch.maximum(levels * error, (levels - 1) * error).mean(dim=-1)


def forecast_loss(output: Tensor, batch: Batch, weight: float = MEAN_WEIGHT) -> Tensor:
    """Pinball loss of the quantiles plus `weight` x Poisson loss of the mean, over known open days."""
    known = ~batch.target.isnan()
    target = batch.target.nan_to_num()
    quantiles = pinball_loss(target[..., None] - output[..., 1:])
    mean = output[..., 0].clamp(min=1e-4)
    poisson = mean - target * mean.log()
    return ((quantiles + weight * poisson) * known).sum() / known.sum().clamp(min=1)


class _OperationCounter(TorchDispatchMode):
    """Counts the operations of a step and the numbers they write."""

    calls = numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.calls += 1
        tensors = result if isinstance(result, (tuple, list)) else (result,)
        self.numbers += sum(tensor.numel() for tensor in tensors if isinstance(tensor, Tensor))
        return result


def planned_steps(model: nn.Module, batch: Batch, seconds: float, threads: int) -> int:
    """How many steps fit into the time by plan: from the work of one step, not from the clock."""
    flops = FlopCounterMode(display=False)
    with flops, _OperationCounter() as work:
        forecast_loss(model(batch), batch).backward()
    model.zero_grad(set_to_none=True)
    step = (
        SECONDS_PER_STEP
        + SECONDS_PER_CALL * work.calls
        + SECONDS_PER_NUMBER * work.numbers
        + SECONDS_PER_FLOP * flops.get_total_flops()
    )
    return max(20, int(PLANNED_SHARE * seconds * threads**0.5 / step))


class LossNotFinite(ValueError):
    """The loss became not-a-number before anything was learned."""


def fit_model(
    model: nn.Module, sampler: WindowSampler, schedule: FitSchedule, state: FitState
) -> Iterator[FitProgress]:
    """Learns in place, telling each round; afterwards the model holds the averaged weights.

    With check days these are the weights of the round that did best on them, and learning ends when
    PATIENCE of all rounds did not do better. A module with a `fit` of its own is asked instead.
    `part` keeps what an interrupted fit needs to go on, and knows when somebody wants it to end early.
    """
    if isinstance(model, CustomFit):
        if not state.restore(model):
            yield from state.record_rounds(model.fit(sampler, schedule.seconds))
            state.finish(model)
        else:
            yield from state.rounds
        return
    average, best = copy.deepcopy(model), copy.deepcopy(model)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=schedule.learning_rate, weight_decay=0.01, fused=True
    )
    learner = LearnerState(model, average, best, optimizer, sampler.generator)
    weight = mean_loss_weight(
        sampler.draw(SPREAD_WINDOWS)
    )  # before the restoring, which puts the generator where it was
    state.restore(model, learner)
    yield from state.rounds
    if state.done:
        return
    started, running = time.monotonic() - state.spent, state.error
    rounds = max(MIN_ROUNDS, min(int(schedule.seconds / MAX_ROUND_SECONDS), schedule.steps // MIN_ROUNDS))
    every = max(1, schedule.steps // rounds)
    for step in range(state.step, schedule.steps):
        spent = time.monotonic() - started
        for group in optimizer.param_groups:
            group["lr"] = schedule.learning_rate * _learning_rate_factor(step / schedule.steps)
        value, miss = _train_step(model, optimizer, sampler.draw(schedule.batch_size), weight)
        if not math.isfinite(value):
            if step < every:
                raise LossNotFinite(
                    f"The loss became not-a-number in step {step + 1}: check the scale of the sales."
                )
            break
        _update_average(average, model, min(EMA_DECAY, step / (step + 10)))
        running = miss if step == 0 else 0.95 * running + 0.05 * miss
        state.step, state.error, state.spent = step + 1, running, spent
        if (step + 1) % every == 0:
            share = max((step + 1) / schedule.steps, spent / schedule.seconds)
            yield state.record_round(
                FitProgress(min(1.0, share), running, _evaluate_average(learner, sampler.check, state))
            )
        if state.is_save_due:
            state.save(model, learner)
        if (
            spent > schedule.seconds
            or state.stale >= PATIENCE * rounds
            or (state.should_finish and step + 1 >= every)
        ):
            break
    model.load_state_dict((best if state.best_step else average).state_dict())
    state.finish(model)


def _evaluate_average(learner: LearnerState, batch: Batch | None, state: FitState) -> float | None:
    """Error of the averaged weights on check days; they are kept when they are clearly the best so far.

    Judged by the miss of the median, and the more days sell nothing, of all quantiles: there a median that
    expects nothing would be best at once.
    """
    if batch is None:
        return None
    with torch.inference_mode():
        output = learner.average.eval()(batch)
    miss = _median_error(output, batch)
    nothing = float((batch.target == 0).sum() / (~batch.target.isnan()).sum().clamp(min=1))
    judged = miss + nothing * _quantile_error(output, batch)
    if judged < state.lowest * (1 - MIN_GAIN):
        state.lowest, state.stale, state.best_step = judged, 0, state.step
        learner.best.load_state_dict(learner.average.state_dict())
    else:
        state.stale += 1
    return miss


def _learning_rate_factor(share: float) -> float:
    """Warm up, then half a cosine down to 2% of the rate."""
    if share < WARM_UP_SHARE:
        return (share + 0.001) / WARM_UP_SHARE
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))


def _median_error(output: Tensor, batch: Batch) -> float:
    off = (batch.target - output[..., 1 + MEDIAN_INDEX].clamp(min=0)) * batch.scale[:, None]
    return float(off.abs().nansum()) / _total_sales(batch)


def _quantile_error(output: Tensor, batch: Batch) -> float:
    """The wQL of one block."""
    off = (batch.target[..., None] - output[..., 1:].clamp(min=0)) * batch.scale[:, None, None]
    return float(2 * pinball_loss(off).nansum()) / _total_sales(batch)


def _total_sales(batch: Batch) -> float:
    return float((batch.target * batch.scale[:, None]).nansum().clamp(min=1e-9))


def _train_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch, weight: float
) -> tuple[float, float]:
    """One learning step: its loss (NaN when the gradient is not finite) and its error."""
    model.train()
    optimizer.zero_grad(set_to_none=True)
    output = model(batch)
    value = forecast_loss(output, batch, weight)
    value.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
    if torch.isfinite(norm):
        optimizer.step()
    return float(value.detach()) if torch.isfinite(norm) else math.nan, _median_error(output.detach(), batch)


def _update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """average = keep x average + (1 - keep) x model."""
    with torch.no_grad():
        for old, new in zip(average.parameters(), model.parameters(), strict=True):
            old.lerp_(new, 1 - decay)
        for kept, fresh in zip(average.buffers(), model.buffers(), strict=True):
            kept.copy_(fresh)

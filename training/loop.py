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

from registry.algorithms import Round, SelfLearning
from registry.series.quantiles import LEVELS, MEDIAN
from registry.series.windows import Batch, Windows
from training.checkpoint import Learner, Part

ROUNDS = 20  # signs of life per fit
WARM_UP = 0.03
CLIP = 1.0
EMA = 0.995
PATIENCE, GAIN = 5, 0.001  # rounds without that gain on check days until learning ends
MEAN_WEIGHT = 0.3  # of the mean's loss beside the quantiles'
# Seconds of a step on one core of the reference machine: fixed, per operation, per number written, per flop.
# Only a plan, so that the same budget always gives the same number of steps (and the same model); the clock
# stops a fit on a slower machine.
PER_STEP, PER_CALL, PER_NUMBER, PER_FLOP = 8e-3, 12e-6, 0.47e-9, 5e-12
MARGIN = 0.8  # share of the time that the plan fills


@dataclass(frozen=True)
class Schedule:
    """How long to learn and how hard."""

    steps: int
    seconds: float
    rate: float
    batch: int


class WindowSampler:
    """Seeded random windows among the given (series, column) pairs."""

    def __init__(
        self, windows: Windows, rows: Tensor, columns: Tensor, seed: int, check: Batch | None = None
    ):
        self.windows, self.rows, self.columns, self.check = windows, rows, columns, check
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        """How many windows there are."""
        return len(self.rows)

    def draw(self, size: int) -> Batch:
        """Windows with at least one known target each, as far as there are any."""
        pick = torch.randint(len(self.rows), (size,), generator=self.generator)
        return self.windows.cut(self.rows[pick], self.columns[pick])


def loss(output: Tensor, batch: Batch) -> Tensor:
    """Pinball loss of the quantiles plus Poisson loss of the mean, over known open days.

    Windows count by the square root of their size: between equal shares (MASE) and equal units (WAPE).
    """
    known = ~batch.target.isnan()
    target = batch.target.nan_to_num()
    weight = known * batch.scale.sqrt()[:, None]
    weight = weight / weight.sum().clamp(min=1e-9)
    error = target[..., None] - output[..., 1:]
    levels = torch.tensor(LEVELS)
    pinball = torch.maximum(levels * error, (levels - 1) * error).mean(dim=2)
    mean = output[..., 0].clamp(min=1e-4)
    poisson = mean - target * mean.log()
    return ((pinball + MEAN_WEIGHT * poisson) * weight).sum()


class _Work(TorchDispatchMode):
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
    with flops, _Work() as work:
        loss(model(batch), batch).backward()
    model.zero_grad(set_to_none=True)
    step = PER_STEP + PER_CALL * work.calls + PER_NUMBER * work.numbers + PER_FLOP * flops.get_total_flops()
    return max(20, int(MARGIN * seconds * threads**0.5 / step))


class NotFinite(ValueError):
    """The loss became not-a-number before anything was learned."""


def fit(model: nn.Module, sampler: WindowSampler, schedule: Schedule, part: Part) -> Iterator[Round]:
    """Learns in place and yields up to ROUNDS times; afterwards the model holds the averaged weights.

    With check days these are the weights of the round that did best on them, and learning ends when
    PATIENCE rounds did not do better. A module with a `fit` of its own is asked instead.
    `part` keeps what an interrupted fit needs to go on, and knows when somebody wants it to end early.
    """
    if isinstance(model, SelfLearning):
        if not part.restore(model):
            yield from part.watch(model.fit(sampler, schedule.seconds))
            part.finish(model)
        else:
            yield from part.rounds
        return
    average, best = copy.deepcopy(model), copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=schedule.rate, weight_decay=0.01)
    learner = Learner(model, average, best, optimizer, sampler.generator)
    part.restore(model, learner)
    yield from part.rounds
    if part.done:
        return
    started, every, running = time.monotonic() - part.spent, max(1, schedule.steps // ROUNDS), part.error
    for step in range(part.step, schedule.steps):
        spent = time.monotonic() - started
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate * _rate(step / schedule.steps)
        value, miss = _step(model, optimizer, sampler.draw(schedule.batch))
        if not math.isfinite(value):
            if step < every:
                raise NotFinite(
                    f"The loss became not-a-number in step {step + 1}: check the scale of the sales."
                )
            break
        _blend(average, model, min(EMA, step / (step + 10)))
        running = miss if step == 0 else 0.95 * running + 0.05 * miss
        part.step, part.error, part.spent = step + 1, running, spent
        if (step + 1) % every == 0:
            share = max((step + 1) / schedule.steps, spent / schedule.seconds)
            yield part.tell(Round(min(1.0, share), running, _check(learner, sampler.check, part)))
        if part.due:
            part.save(model, learner)
        if spent > schedule.seconds or part.stale >= PATIENCE or (part.enough and step + 1 >= every):
            break
    model.load_state_dict((best if part.best_step else average).state_dict())
    part.finish(model)


def _check(learner: Learner, batch: Batch | None, part: Part) -> float | None:
    """Error of the averaged weights on check days; they are kept when it is clearly the lowest so far."""
    if batch is None:
        return None
    with torch.inference_mode():
        miss = _miss(learner.average.eval()(batch), batch)
    if miss < part.lowest * (1 - GAIN):
        part.lowest, part.stale, part.best_step = miss, 0, part.step
        learner.best.load_state_dict(learner.average.state_dict())
    else:
        part.stale += 1
    return miss


def _rate(share: float) -> float:
    """Warm up, then half a cosine down to 2% of the rate."""
    if share < WARM_UP:
        return (share + 0.001) / WARM_UP
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))


def _miss(output: Tensor, batch: Batch) -> float:
    off = (batch.target - output[..., 1 + MEDIAN].clamp(min=0)) * batch.scale[:, None]
    return float(off.abs().nansum() / (batch.target * batch.scale[:, None]).nansum().clamp(min=1e-9))


def _step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> tuple[float, float]:
    """One learning step: its loss (NaN when the gradient is not finite) and its error."""
    model.train()
    optimizer.zero_grad(set_to_none=True)
    output = model(batch)
    value = loss(output, batch)
    value.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), CLIP)
    if torch.isfinite(norm):
        optimizer.step()
    return float(value.detach()) if torch.isfinite(norm) else math.nan, _miss(output.detach(), batch)


def _blend(average: nn.Module, model: nn.Module, keep: float) -> None:
    """average = keep x average + (1 - keep) x model."""
    with torch.no_grad():
        for old, new in zip(average.parameters(), model.parameters(), strict=True):
            old.lerp_(new, 1 - keep)
        for kept, fresh in zip(average.buffers(), model.buffers(), strict=True):
            kept.copy_(fresh)

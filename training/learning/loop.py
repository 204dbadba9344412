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
from training.learning.checkpoint import Learner, Part

ROUNDS, LONGEST = 20, 6.0  # signs of life per fit, and more when their planned seconds would be longer
SAMPLE = 4096  # windows that tell how wild the sales are
WARM_UP = 0.03
CLIP = 1.0
EMA = 0.995
PATIENCE, GAIN = 0.5, 0.001  # share of the rounds without that gain on check days until learning ends
MEAN_WEIGHT = 0.3  # of the mean's loss beside the quantiles'
WILD = 10.0  # spread of the sales from which the mean's loss would drown that of the quantiles
# Seconds of a step on one core of the reference machine: fixed, per operation, per number written, per flop.
# Only a plan, so that the same budget always gives the same number of steps (and the same model); the clock
# stops a fit on a slower machine.
PER_STEP, PER_CALL, PER_NUMBER, PER_FLOP = 6.5e-3, 12e-6, 0.47e-9, 5e-12
MARGIN = 0.8  # share of the time that the plan fills


@dataclass(frozen=True)
class Schedule:
    """How long to learn and how hard."""

    steps: int
    seconds: float
    rate: float
    batch: int


class WindowSampler:
    """Seeded random windows among the given (series, column) pairs, which are in order of series.

    A series comes by the square root of its size: between equal shares (MASE) and equal units (WAPE). With
    `even` every window comes alike.
    """

    def __init__(
        self,
        windows: Windows,
        places: tuple[Tensor, Tensor],
        seed: int,
        check: Batch | None = None,
        even: bool = False,
    ):
        self.windows, self.check = windows, check
        self.rows, self.columns = rows, columns = places
        self.generator = torch.Generator().manual_seed(seed)
        series, self.counts = torch.unique_consecutive(rows, return_counts=True)
        self.starts = self.counts.cumsum(0) - self.counts
        last = int(columns.max())
        size = windows.level(series, torch.full_like(series, last), last)[0].clamp(min=windows.unit)
        self.reach = (self.counts if even else self.counts * size.sqrt()).double().cumsum(0)

    def __len__(self) -> int:
        """How many windows there are."""
        return len(self.rows)

    def draw(self, size: int) -> Batch:
        """This many windows."""
        chance = torch.rand(2, size, generator=self.generator, dtype=torch.float64)
        series = torch.searchsorted(self.reach, chance[0] * self.reach[-1], right=True)
        series = series.clamp(max=len(self.counts) - 1)
        pick = self.starts[series] + (chance[1] * self.counts[series]).long()
        return self.windows.cut(self.rows[pick], self.columns[pick])


def mean_weight(batch: Batch) -> float:
    """Weight of the mean's loss: where single orders are huge its gradient would leave the quantiles none."""
    usual = batch.base.clamp(min=0.05)
    spread = float(((batch.target - usual) ** 2 / usual).nanmean())
    return MEAN_WEIGHT / (1 + spread / WILD) if math.isfinite(spread) else MEAN_WEIGHT


def pinball(error: Tensor) -> Tensor:
    """Pinball loss of errors at each level [..., Q - 1], averaged over the levels: [...]."""
    levels = torch.tensor(LEVELS)
    return torch.maximum(levels * error, (levels - 1) * error).mean(dim=-1)


def loss(output: Tensor, batch: Batch, weight: float = MEAN_WEIGHT) -> Tensor:
    """Pinball loss of the quantiles plus `weight` x Poisson loss of the mean, over known open days."""
    known = ~batch.target.isnan()
    target = batch.target.nan_to_num()
    quantiles = pinball(target[..., None] - output[..., 1:])
    mean = output[..., 0].clamp(min=1e-4)
    poisson = mean - target * mean.log()
    return ((quantiles + weight * poisson) * known).sum() / known.sum().clamp(min=1)


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
    """Learns in place, telling each round; afterwards the model holds the averaged weights.

    With check days these are the weights of the round that did best on them, and learning ends when
    PATIENCE of all rounds did not do better. A module with a `fit` of its own is asked instead.
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
    optimizer = torch.optim.AdamW(model.parameters(), lr=schedule.rate, weight_decay=0.01, fused=True)
    learner = Learner(model, average, best, optimizer, sampler.generator)
    weight = mean_weight(sampler.draw(SAMPLE))  # before the restoring, which puts the generator where it was
    part.restore(model, learner)
    yield from part.rounds
    if part.done:
        return
    started, running = time.monotonic() - part.spent, part.error
    rounds = max(ROUNDS, min(int(schedule.seconds / LONGEST), schedule.steps // ROUNDS))
    every = max(1, schedule.steps // rounds)
    for step in range(part.step, schedule.steps):
        spent = time.monotonic() - started
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate * _rate(step / schedule.steps)
        value, miss = _step(model, optimizer, sampler.draw(schedule.batch), weight)
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
        if spent > schedule.seconds or part.stale >= PATIENCE * rounds or (part.enough and step + 1 >= every):
            break
    model.load_state_dict((best if part.best_step else average).state_dict())
    part.finish(model)


def _check(learner: Learner, batch: Batch | None, part: Part) -> float | None:
    """Error of the averaged weights on check days; they are kept when they are clearly the best so far.

    Judged by the miss of the median, and the more days sell nothing, of all quantiles: there a median that
    expects nothing would be best at once.
    """
    if batch is None:
        return None
    with torch.inference_mode():
        output = learner.average.eval()(batch)
    miss = _miss(output, batch)
    nothing = float((batch.target == 0).sum() / (~batch.target.isnan()).sum().clamp(min=1))
    judged = miss + nothing * _missed_quantiles(output, batch)
    if judged < part.lowest * (1 - GAIN):
        part.lowest, part.stale, part.best_step = judged, 0, part.step
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
    return float(off.abs().nansum()) / _sold(batch)


def _missed_quantiles(output: Tensor, batch: Batch) -> float:
    """The wQL of one block."""
    off = (batch.target[..., None] - output[..., 1:].clamp(min=0)) * batch.scale[:, None, None]
    return float(2 * pinball(off).nansum()) / _sold(batch)


def _sold(batch: Batch) -> float:
    return float((batch.target * batch.scale[:, None]).nansum().clamp(min=1e-9))


def _step(
    model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch, weight: float
) -> tuple[float, float]:
    """One learning step: its loss (NaN when the gradient is not finite) and its error."""
    model.train()
    optimizer.zero_grad(set_to_none=True)
    output = model(batch)
    value = loss(output, batch, weight)
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

"""The learning loop of all networks: yields after every round, knows neither Django nor any algorithm.

Seeded windows, AdamW with a cosine rate, clipped gradients, averaged weights (EMA), early stopping on check
days, a guard against losses that are not finite, and a hard stop when the time is up.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from registry.algorithms import FitProgress
from registry.lib.errors import MessageError, gettext_noop
from registry.series.history import HiddenDays
from registry.series.panels.column_groups import FREE, list_directions
from registry.series.quantiles import MEDIAN_INDEX
from registry.series.windows import CLOSING_FEATURES, Batch, Windows
from training.learning.checkpoint import FitState, LearnerState
from training.learning.distributed import ALONE, ProcessGroup
from training.learning.hiding import Hiding
from training.learning.losses import forecast_loss, mean_loss_weight, pinball_loss
from training.learning.prefetch import Drawn, iter_batches, spare_thread
from training.learning.rotation import ShardRotation

MIN_ROUNDS, MAX_ROUND_SECONDS = 20, 6.0  # at least so many rounds, and none planned to take longer
SPREAD_WINDOWS = 4096  # windows that measure how wild the sales are
MAX_DELAY = 3.0  # times the seconds of a fit, after which it ends without having done a round
WARM_UP_SHARE = 0.03
MAX_GRADIENT_NORM = 1.0
EMA_DECAY = 0.995
MIN_SALES = 1e-9  # units of a batch, up to which nothing was sold
NOT_FINITE = gettext_noop("The loss became not-a-number in step {step}: check the scale of the sales.")


@dataclass(frozen=True)
class FitSchedule:
    """How long to learn, and how fast."""

    steps: int
    seconds: float
    learning_rate: float
    batch_size: int

    @property
    def rounds(self) -> int:
        """Planned number of reports of progress."""
        return max(MIN_ROUNDS, min(int(self.seconds / MAX_ROUND_SECONDS), self.steps // MIN_ROUNDS))

    @property
    def steps_per_round(self) -> int:
        """Learning steps between two reports."""
        return max(1, self.steps // self.rounds)

    def learning_rate_at(self, step: int) -> float:
        """The rate of that step: warm up, then half a cosine."""
        return self.learning_rate * _learning_rate_factor(step / self.steps)


class WindowSampler:
    """Seeded random windows among the given (series, column) pairs, which are in order of series.

    A series is drawn by the square root of its size: between equal shares (MASE) and equal units (WAPE).
    With a `hiding` some windows lose days (hiding.py). Of a group each process draws the windows of all, and
    cuts its own.
    """

    def __init__(
        self,
        windows: Windows,
        positions: tuple[Tensor, Tensor],
        seed: int,
        check: Batch | None = None,
        hiding: Hiding | None = None,
    ):
        self.windows, self.check, self.hiding = windows, check, hiding
        self.group: ProcessGroup = ALONE
        self.rows, self.columns = rows, columns = positions
        self.generator = torch.Generator().manual_seed(seed)
        # [G] series that have windows, and how many each; rows and columns are [N]
        series, self.counts = torch.unique_consecutive(rows, return_counts=True)
        self.starts = self.counts.cumsum(0) - self.counts
        last = int(columns.max())
        level, _count = windows.history.mean_level(series, torch.full_like(series, last), last)
        self.cumulative_shares = (self.counts * level.clamp(min=windows.unit).sqrt()).double().cumsum(0)

    def __len__(self) -> int:
        """How many windows there are."""
        return len(self.rows)

    @property
    def directions(self) -> list[int]:
        """Which way each known covariate [K] pushes sales: 1 up, -1 down, 0 either way."""
        panel = self.windows.panel
        return [FREE] * CLOSING_FEATURES + list_directions(
            self.windows.known_columns, panel.known, panel.sales
        )

    def seek(self, step: int) -> None:
        """Every step draws from all windows alike."""

    def draw(self, size: int) -> Batch:
        """A batch of that many windows, with repetition; of a group, those of this process."""
        return self._cut(*self._draw_places(size * self.group.size), self.group.share_of(size))

    def draw_for_all(self, size: int) -> Batch:
        """A batch of that many windows, the same in all processes of a group."""
        return self._cut(*self._draw_places(size), slice(None))

    def _draw_places(self, size: int) -> tuple[Tensor, Tensor, HiddenDays | None]:
        """Series and columns of windows, and what they lose."""
        # row 0 picks the series by its share, row 1 the window within it
        chance = torch.rand(2, size, generator=self.generator, dtype=torch.float64)
        series = torch.searchsorted(
            self.cumulative_shares, chance[0] * self.cumulative_shares[-1], right=True
        )
        series = series.clamp(max=len(self.counts) - 1)
        pick = self.starts[series] + (chance[1] * self.counts[series]).long()
        rows, columns = self.rows[pick], self.columns[pick]
        hidden = self.hiding.draw(self.windows, rows, columns, self.generator) if self.hiding else None
        return rows, columns, hidden

    def _cut(self, rows: Tensor, columns: Tensor, hidden: HiddenDays | None, part: slice) -> Batch:
        return self.windows.cut_batch(rows[part], columns[part], hidden[part] if hidden else None)


class LossNotFinite(MessageError):
    """The loss became not-a-number before anything was learned."""


def fit_network(
    model: nn.Module, sampler: WindowSampler | ShardRotation, schedule: FitSchedule, state: FitState
) -> Iterator[FitProgress]:
    """Learns in place and yields each round; at the end the model holds the averaged weights.

    With check days these are the weights of the best round, and learning ends when no later one improves it.
    `state` resumes an interrupted fit and says whether somebody wants the result now. All processes of the
    sampler's group call this at the same time.
    """
    learner = _start_learner(model, schedule, sampler.group)
    # before the restore, which puts the sampler's generator back to where the interrupted fit left it
    weight = mean_loss_weight(sampler.draw_for_all(SPREAD_WINDOWS))
    learner.generator.set_state(sampler.generator.get_state())
    state.restore(model, learner)
    if sampler.group.size > 1:
        state.share(model, learner)
    yield from state.rounds
    if state.done:
        return
    sampler.generator.set_state(learner.generator.get_state())
    sampler.seek(state.step)
    with spare_thread() as in_thread:
        batches = iter_batches(sampler, schedule.batch_size, schedule.steps - state.step, in_thread)
        with closing(batches):
            yield from _learn_steps(learner, batches, (schedule, state), sampler.check, weight)
    best = learner.best if state.stopping.best_step else learner.average
    model.load_state_dict(best.state_dict())
    state.finish(model)


def _learn_steps(
    learner: LearnerState,
    batches: Iterator[Drawn],
    course: tuple[FitSchedule, FitState],
    check_batch: Batch | None,
    weight: float,
) -> Iterator[FitProgress]:
    """Learns from the batches until they or the time end; yields each round."""
    schedule, state = course
    started = time.monotonic() - state.spent
    for step, (batch, generator_state) in enumerate(batches, start=state.step):
        spent = time.monotonic() - started
        is_over = learner.group.leads and _should_stop(schedule, state)
        if is_over and learner.group.size == 1:
            break
        learner.generator.set_state(generator_state)
        done = _train_step(learner, batch, schedule.learning_rate_at(step), weight, is_over)
        if done is None:
            break
        loss, error = done
        if not math.isfinite(loss):
            if step < schedule.steps_per_round:
                raise LossNotFinite(NOT_FINITE, step=step + 1)
            break  # what was learned before the accident is still good
        if learner.group.leads:
            _update_average(learner, step)
        state.record_step(error, spent)
        if state.step % schedule.steps_per_round == 0:
            share = max(state.step / schedule.steps, spent / schedule.seconds)
            check = _evaluate_average(learner, check_batch, state)
            yield state.record_round(FitProgress(min(1.0, share), state.error, check))
        if state.is_save_due:
            state.save(learner.model, learner)


def _start_learner(model: nn.Module, schedule: FitSchedule, group: ProcessGroup = ALONE) -> LearnerState:
    """The model with its optimizer and the copies that average its weights."""
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=schedule.learning_rate, weight_decay=0.01, fused=True
    )
    average, best = copy.deepcopy(model), copy.deepcopy(model)
    return LearnerState(model, average, best, optimizer, torch.Generator(), group)


def _should_stop(schedule: FitSchedule, state: FitState) -> bool:
    """Whether nothing improves, or time is up or somebody wants the result and a round is done.

    On a very slow machine even the first round ends after some time.
    """
    if state.stopping.should_stop(schedule.rounds) or state.spent > MAX_DELAY * schedule.seconds:
        return True
    is_over = state.spent > schedule.seconds or state.should_finish
    return is_over and state.step >= schedule.steps_per_round


def _evaluate_average(learner: LearnerState, batch: Batch | None, state: FitState) -> float | None:
    """Error of the averaged weights on check days, which are copied when they are the best so far.

    Judged by the error of the median, plus that of all quantiles the more days sell nothing: there a median
    of zero would be best at once.
    """
    if batch is None:
        return None
    with torch.inference_mode():
        output = learner.average.eval()(batch)
    sold = max(_total_sales(batch), MIN_SALES)  # without sales every error counts, and the least is the best
    miss = _median_miss(output, batch) / sold
    nothing = float((batch.target == 0).sum() / (~batch.target.isnan()).sum().clamp(min=1))
    if state.stopping.record_loss(miss + nothing * _quantile_miss(output, batch) / sold, state.step):
        learner.best.load_state_dict(learner.average.state_dict())
    return miss if sold > MIN_SALES else math.nan


def _learning_rate_factor(share: float) -> float:
    """Warm up, then half a cosine down to 2% of the rate."""
    if share < WARM_UP_SHARE:
        return (share + 0.001) / WARM_UP_SHARE
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))


def _median_miss(output: Tensor, batch: Batch) -> float:
    """Sum of all errors of the median in units."""
    off = (batch.target - output[..., 1 + MEDIAN_INDEX].clamp(min=0)) * batch.scale[:, None]
    return float(off.abs().nansum())


def _quantile_miss(output: Tensor, batch: Batch) -> float:
    """Sum of all errors of the quantiles in units, as wQL counts them."""
    off = (batch.target[..., None] - output[..., 1:].clamp(min=0)) * batch.scale[:, None, None]
    return float(2 * pinball_loss(off).nansum())


def _total_sales(batch: Batch) -> float:
    """Known sales of a batch in units."""
    return float((batch.target * batch.scale[:, None]).nansum())


def _train_step(
    learner: LearnerState, batch: Batch, learning_rate: float, weight: float, is_over: bool
) -> tuple[float, float] | None:
    """One learning step: its loss (NaN when the gradient is not finite) and its error.

    None, with nothing learned, when the process that leads says that it `is_over`.
    """
    for group in learner.optimizer.param_groups:
        group["lr"] = learning_rate
    learner.model.train()
    learner.optimizer.zero_grad(set_to_none=True)
    output = learner.model(batch)
    value = forecast_loss(output, batch, weight)
    value.backward()
    miss, sold = _median_miss(output.detach(), batch), _total_sales(batch)
    known = float((~batch.target.isnan()).sum())
    known, over, miss, sold = learner.group.average_gradients(
        learner.model, [known, float(is_over), miss, sold]
    )
    if over:
        return None
    norm = nn.utils.clip_grad_norm_(learner.model.parameters(), MAX_GRADIENT_NORM)
    is_finite = bool(torch.isfinite(norm))
    if is_finite:
        learner.optimizer.step()
    error = miss / sold if sold > MIN_SALES else math.nan
    return float(value.detach()) if is_finite else math.nan, error


def _update_average(learner: LearnerState, step: int) -> None:
    """average = decay x average + (1 - decay) x model, for every weight."""
    # The first steps count little: a fixed 0.995 would remember the random start for hundreds of steps.
    decay = min(EMA_DECAY, step / (step + 10))
    with torch.no_grad():
        torch._foreach_lerp_(list(learner.average.parameters()), list(learner.model.parameters()), 1 - decay)
        for kept, fresh in zip(learner.average.buffers(), learner.model.buffers(), strict=True):
            kept.copy_(fresh)

"""Candidate: one algorithm on one panel, which learns, forecasts and becomes a bundle member. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from registry import algorithms
from registry.algorithms import AlgorithmEntry, CustomFit, FitProgress, NetworkConfig
from registry.lib.errors import MessageError, gettext_noop
from registry.model_versions import golden
from registry.model_versions.bundle import EnsembleMember
from registry.series import rollout
from registry.series.covariates import Encoder
from registry.series.ended import find_ended, trailing_zeros
from registry.series.newcomers.introduction import introduce
from registry.series.panel import Floats, Panel
from registry.series.windows import Batch, Windows, find_positions
from training.learning import loop
from training.learning.checkpoint import FitState
from training.learning.defaults import MIN_PAST_DAYS
from training.learning.distributed import ALONE, FitOrder, ProcessGroup
from training.learning.hiding import Hiding
from training.learning.rotation import ShardRotation, ShardTables
from training.learning.step_plan import planned_steps

CHECK_WINDOWS = 2048  # windows at most that decide when learning stops
REFIT_STEP_SHARE = 0.5  # of the best number of steps, at most, when a model is refitted with the holdout days
REFIT_RATE_SHARE = 0.3  # of the learning rate, in a refit


@dataclass
class Candidate:
    """An algorithm with its windows, its module and its holdout forecasts."""

    entry: AlgorithmEntry
    config: algorithms.Config
    panel: Panel
    encoder: Encoder
    shared_windows: Windows
    horizon: int
    seed: int
    shards: ShardTables | None = None  # of all series, where the panel holds a part of them
    group: ProcessGroup = ALONE
    holdout_forecasts: list[Floats] = field(
        default_factory=list
    )  # [S, H, Q] of each holdout window, not calibrated
    has_run_away: bool = False  # a forecast had to be cut to what its series could sell
    round_count: int = 0  # rounds of all its fits
    best_step: int = 0  # steps of the best round on check days; 0 = not known
    fit_state: FitState = field(default_factory=FitState)  # of the current fit

    @property
    def needs_budget(self) -> bool:
        """Whether learning takes time; the others are always tried."""
        return self.entry.auto_priority > 0

    @property
    def is_network(self) -> bool:
        """Whether it learns by gradient."""
        return isinstance(self.config, NetworkConfig)

    @cached_property
    def block(self) -> int:
        """Days forecast in one step."""
        return min(self.config.block, self.horizon)

    @cached_property
    def windows(self) -> Windows:
        """The windows of this size, in the tables that all candidates share."""
        return self.shared_windows.with_size(self.config.past_days, self.block)

    @cached_property
    def model(self) -> nn.Module:
        """The module, its weights initialised from the seed."""
        torch.manual_seed(self.seed)
        return self.entry.module_class(self.config, self.windows.shape)

    def learn_before(
        self, end: int, seconds: float, threads: float, refit: bool = False
    ) -> Iterator[FitProgress]:
        """Learns on windows that end before column `end`; raises MessageError when there are none."""
        check = self._draw_check_windows(end) if self.group.leads else None
        sampler = self._build_sampler(self.windows, end, self.seed + refit, check)
        if sampler is None:
            raise MessageError(
                gettext_noop(
                    "No series has enough days to learn from: add older days or forecast fewer days."
                )
            )
        if isinstance(self.model, CustomFit):
            yield from self._fit_custom(self.model, sampler, seconds)  # in one process
        else:
            self.group.give_order(FitOrder(self.entry.name, self.best_step, end, seconds, threads, refit))
            yield from self._fit_network(sampler, end, (seconds, threads, refit))
        self.best_step = self.fit_state.stopping.best_step

    def _build_sampler(
        self, windows: Windows, end: int, seed: int, check: Batch | None = None
    ) -> loop.WindowSampler | None:
        """Draws learning windows that end before column `end`; None when there are none."""
        places = find_positions(windows, MIN_PAST_DAYS, end - self.block)
        places = without_ended(windows.panel, places, end)
        if not len(places[0]):
            return None
        # what fits itself (trees) cannot run away, and errs more after windows with gaps
        hiding = None if isinstance(self.model, CustomFit) else Hiding(self.horizon)
        return loop.WindowSampler(windows, places, seed, check, hiding=hiding)

    def _fit_network(
        self, sampler: loop.WindowSampler, end: int, course: tuple[float, float, bool]
    ) -> Iterator[FitProgress]:
        """The rounds of a network, which learns from all shards if there are several."""
        sampler.group = self.group
        # dropout draws from torch's one generator: whatever was learned before changes no number
        torch.manual_seed(sampler.generator.initial_seed())
        schedule = self.build_schedule(sampler, *course)
        if self.shards is None or not schedule.steps:
            yield from loop.fit_network(self.model, sampler, schedule, self.fit_state)
            return
        tables, seed = self.shards, sampler.generator.initial_seed()

        def build(shard: int) -> loop.WindowSampler:
            windows = tables.read(shard).with_size(self.config.past_days, self.block)
            return self._build_sampler(windows, end, seed) or sampler

        with closing(ShardRotation(len(tables.shards), build, seed, sampler.check)) as rotation:
            rotation.group = self.group
            rotation.plan_visits(schedule.steps, schedule.seconds)
            yield from loop.fit_network(self.model, rotation, schedule, self.fit_state)

    def _fit_custom(
        self, module: CustomFit, sampler: loop.WindowSampler, seconds: float
    ) -> Iterator[FitProgress]:
        """The rounds of a module with its own `fit`; a finished fit is read from its checkpoint."""
        if self.fit_state.restore(self.model):
            yield from self.fit_state.rounds
            return
        for one in module.fit(sampler, seconds):
            yield self.fit_state.record_round(one)
        self.fit_state.finish(self.model)

    def build_schedule(
        self, sampler: loop.WindowSampler, seconds: float, threads: float, refit: bool = False
    ) -> loop.FitSchedule:
        """Steps, seconds, learning rate and batch size of a fit."""
        if not isinstance(self.config, NetworkConfig):
            return loop.FitSchedule(0, seconds, 0.0, 0)
        steps = planned_steps(self.model, sampler.draw(self.config.batch), seconds, threads)
        if refit and self.best_step:  # learning ended early: more would be too much
            steps = min(steps, max(20, int(REFIT_STEP_SHARE * self.best_step)))
        rate = self.config.rate * (REFIT_RATE_SHARE if refit else 1.0)
        return loop.FitSchedule(min(steps, self.config.steps or steps), seconds, rate, self.config.batch)

    def _draw_check_windows(self, end: int) -> Batch | None:
        """Fixed windows after `end`, all of a small panel, which decide when to stop.

        None in a refit: no days are held back.
        """
        places = find_positions(self.windows, end, self.panel.days - self.block)
        if not len(places[0]):
            return None
        if len(places[0]) <= CHECK_WINDOWS:
            return self.windows.cut_batch(*places)
        generator = torch.Generator().manual_seed(self.seed)
        pick = torch.randint(len(places[0]), (CHECK_WINDOWS,), generator=generator)
        return self.windows.cut_batch(places[0][pick], places[1][pick])

    def forecast_window(self, column: int) -> Floats:
        """Forecast of the window that starts at `column`, from the days before it: [S, H, Q]."""
        seen = self.panel.as_of(self.panel.start + np.timedelta64(column - 1, "D"))
        sizes = (self.config.past_days, self.block, self.horizon)
        introduction = introduce(seen)
        forecast, windows = rollout.forecast_panel(self.model, introduction.panel, self.encoder, sizes)
        self.has_run_away |= rollout.has_reached_bounds(forecast, windows)
        return introduction.merge(forecast)

    def build_member(self, weight: float) -> EnsembleMember:
        """The bundle member with this weight in the forecast."""
        tensors = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        return EnsembleMember(
            self.entry.name,
            algorithms.config_to_dict(self.config),
            self.windows.shape,
            weight,
            tensors,
            golden.record_golden(self.model, self.windows),
        )


def without_ended(panel: Panel, places: tuple[Tensor, Tensor], end: int) -> tuple[Tensor, Tensor]:
    """Without the windows of series after their end: their zeros would pull the others down.

    All windows if none is left; nobody needs to learn what is forecast as 0 by rule.
    """
    sales = panel.open_sales[:, :end]
    silent = np.where(find_ended(sales), np.argmax(trailing_zeros(sales), axis=1), panel.days)
    rows, columns = places
    sells = columns <= torch.from_numpy(silent)[rows]
    return (rows[sells], columns[sells]) if sells.any() else places

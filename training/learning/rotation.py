"""Rotation: learning windows from the shards of a scope in turn, the next one read meanwhile. Pure.

A shard is an even sample of all series, so the network learns from one for some steps and goes on to the
next. Two are in memory at a time, however many there are. Which shard a step learns from follows from its
number and the seed, so an interrupted fit goes on with the same windows.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from registry.series.bounds import largest_by_product
from registry.series.covariates import Encoder
from registry.series.panel import Panel
from registry.series.panels.shards import PanelShards
from registry.series.windows import Batch, Windows
from training.learning.distributed import ALONE, ProcessGroup
from training.learning.prefetch import prepare_thread

SECONDS_PER_VISIT = 4.0  # of a fit, for each shard that it learns from: reading takes about as long
NOT_PLANNED = 1 << 62  # steps: before the steps are planned, every batch is of the first shard


class ShardSampler(Protocol):
    """Draws windows of one shard."""

    generator: torch.Generator
    group: ProcessGroup

    def draw(self, size: int) -> Batch: ...

    def draw_for_all(self, size: int) -> Batch: ...


def add_series(encoder: Encoder, panel: Panel) -> None:
    """Makes the series of a further shard known; its columns stay as the first shard tells them."""
    encoder.keys += [list(key) for key in panel.keys]
    encoder.stores = sorted({*encoder.stores, *(store for store, _product in panel.keys)})
    encoder.products = sorted({*encoder.products, *(product for _store, product in panel.keys)})
    for product, most in largest_by_product(panel.open_sales, panel.keys).items():
        encoder.largest[product] = max(encoder.largest.get(product, 0.0), most)


@dataclass(frozen=True)
class ShardTables:
    """Reads the shards of a scope as windows that are encoded alike."""

    shards: PanelShards
    encoder: Encoder
    past_days: int
    block: int

    def read(self, shard: int) -> Windows:
        """The windows of one shard."""
        return Windows(self.shards.read(shard), self.encoder, self.past_days, self.block)


class ShardRotation:
    """A sampler over `count` shards, which `build` makes one by one; close it to end its thread."""

    def __init__(self, count: int, build: Callable[[int], ShardSampler], seed: int, check: Batch | None):
        self.build, self.check = build, check
        self.group: ProcessGroup = ALONE
        self.generator = torch.Generator().manual_seed(seed)
        self.order = np.random.default_rng(seed).permutation(count).tolist()
        self.step, self.stay = 0, NOT_PLANNED
        self.pool = ThreadPoolExecutor(1, "shards", initializer=prepare_thread)
        self.ready: dict[int, Future[ShardSampler]] = {}  # by visit

    def plan_visits(self, steps: int, seconds: float) -> None:
        """Spreads the steps over as many shards as there is time to read, and over all at most."""
        visits = max(1, min(len(self.order), steps, int(seconds / SECONDS_PER_VISIT)))
        self.stay = -(-steps // visits)

    def seek(self, step: int) -> None:
        """The next batch is that of this step of the fit."""
        self.step = step

    def draw(self, size: int) -> Batch:
        """A batch of the shard whose turn it is."""
        sampler = self._enter(self.step // self.stay)
        self.step += 1
        return sampler.draw(size)

    def draw_for_all(self, size: int) -> Batch:
        """A batch of the shard whose turn it is, the same in all processes of a group."""
        return self._enter(self.step // self.stay).draw_for_all(size)

    def _enter(self, visit: int) -> ShardSampler:
        """The sampler of a visit; that of the next one is made meanwhile, those before are forgotten."""
        wanted = [visit, visit + 1] if self.stay != NOT_PLANNED else [visit]
        self.ready = {one: self.ready[one] for one in wanted if one in self.ready}
        for one in wanted:
            if one not in self.ready:
                self.ready[one] = self.pool.submit(self.build, self.order[one % len(self.order)])
        sampler = self.ready[visit].result()
        sampler.generator, sampler.group = self.generator, self.group
        return sampler

    def close(self) -> None:
        """Waits for the thread and frees the shards."""
        self.pool.shutdown(cancel_futures=True)
        self.ready.clear()

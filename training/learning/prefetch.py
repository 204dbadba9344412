"""Prefetch: the next batches are cut in a thread of their own while the network learns from the present one.

They come in the order of the sampler's generator, so the numbers are the same as without it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor

from registry.series.windows import Batch

BATCHES_AHEAD = 2
Drawn = tuple[Batch, Tensor]  # a batch, and the generator's state after it


class SeededSampler(Protocol):
    """Draws batches with its own generator."""

    generator: torch.Generator

    def draw(self, size: int) -> Batch: ...


def iter_batches(sampler: SeededSampler, size: int, count: int, in_thread: bool) -> Generator[Drawn]:
    """`count` batches of that size, each with the state of the generator from which the next one is drawn.

    In a thread some are drawn before they are asked for; close the iterator to wait for it.
    """
    if not in_thread:
        for _number in range(count):
            yield _draw_next(sampler, size)
        return
    with ThreadPoolExecutor(1, "batches", initializer=prepare_thread) as pool:
        drawn: deque[Future[Drawn]] = deque()
        try:
            for number in range(count):
                while len(drawn) <= min(BATCHES_AHEAD, count - number - 1):
                    drawn.append(pool.submit(_draw_next, sampler, size))
                yield drawn.popleft().result()
        finally:
            for batch in drawn:
                batch.cancel()


@contextmanager
def spare_thread() -> Iterator[bool]:
    """Leaves one of torch's threads to the batches; whether there is one to spare."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads - 1))
    try:
        yield threads > 1
    finally:
        torch.set_num_threads(threads)


def _draw_next(sampler: SeededSampler, size: int) -> Drawn:
    return sampler.draw(size), sampler.generator.get_state()


def prepare_thread(threads: int = 1) -> None:
    """Settings of torch in a thread of its own."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # holds for a thread only

"""Fits: which method learns when. Networks take turns; what fits itself, such as trees, learns beside them.

A network alone keeps little more than one core busy. Trees draw from a generator of their own, so that both
give the same numbers together as one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from queue import Empty, SimpleQueue

import torch

from registry.algorithms import FitProgress
from training.learning.candidate import Candidate
from training.learning.checkpoint import Checkpoint, FitState
from training.learning.prefetch import prepare_thread

NETWORK_THREADS = 0.6  # of all threads, that steps of a network are planned for while trees learn beside it
MOST_SECONDS = 2.0  # times its share of the seconds, that what learns beside networks takes at most
WAIT_SECONDS = 0.2  # between two looks whether the thread still learns


class Turn(Enum):
    """A fit begins or ends."""

    BEGINS = "begins"
    ENDS = "ends"


@dataclass
class Fit:
    """One method that learns on the days before column `end`; `share` is its part of all fits."""

    candidate: Candidate
    end: int
    share: float
    refit: bool
    seconds: float = 0.0
    threads: float = 1.0  # that steps are planned for
    state: FitState = field(default_factory=FitState)
    has_begun: bool = False
    done: float = 0.0  # share of its learning

    def learn(self) -> Iterator[FitProgress]:
        """Its rounds."""
        self.has_begun, self.candidate.fit_state = True, self.state
        for one in self.candidate.learn_before(self.end, self.seconds, self.threads, self.refit):
            self.done = one.share
            yield one
        self.done = 1.0

    @property
    def name(self) -> str:
        """That of the method."""
        return self.candidate.entry.name

    @property
    def fits_itself(self) -> bool:
        """Whether it takes time and is no network."""
        return self.candidate.needs_budget and not self.candidate.is_network


Sign = tuple[Fit, FitProgress | Turn]


@dataclass
class FitPlan:
    """Fits in their order; those in `beside` learn in a thread of their own while the others take turns."""

    fits: list[Fit]
    threads: int
    beside: list[Fit] = field(default_factory=list)

    @classmethod
    def build(cls, fits: list[Fit], seconds: float, threads: int, checkpoint: Checkpoint) -> FitPlan:
        """Shares out the seconds: those of all turns, and again those of the thread."""
        plan = cls(fits, threads)
        turns = [fit for fit in fits if not fit.fits_itself]
        if threads > 1 and any(fit.candidate.is_network for fit in turns):
            plan.beside = [fit for fit in fits if fit.fits_itself]
        for fit in fits:
            fit.state = checkpoint.next_fit()
            together = plan.beside if fit in plan.beside else [one for one in fits if one not in plan.beside]
            part = fit.share / max(1e-9, sum(one.share for one in together))
            fit.seconds = seconds * (min(part, MOST_SECONDS * fit.share) if fit in plan.beside else part)
            fit.threads = NETWORK_THREADS * threads if plan.beside else threads
        return plan

    @property
    def done(self) -> float:
        """Share of all learning."""
        return sum(fit.share * fit.done for fit in self.fits)

    def run(self, should_finish: Callable[[], bool]) -> Generator[Sign]:
        """Yields rounds, begins and ends; after a turn the others are not begun if it `should_finish`."""
        # A module takes its first weights from torch's one generator, and a checkpoint puts it back: both
        # only here, where no network learns.
        beside = [fit for fit in self.beside if fit.candidate.model and not fit.state.has_file]
        with share_threads(self.threads if beside else 0) as most:
            side = SideThread(beside, most)
            with side.running():
                for fit in [fit for fit in self.fits if fit not in beside]:
                    yield fit, Turn.BEGINS
                    for one in fit.learn():
                        yield from side.read()
                        yield fit, one
                    yield fit, Turn.ENDS
                    if should_finish():
                        break
                yield from side.read_to_end()


class SideThread:
    """Fits one after the other in a thread, and keeps what they tell until it is read."""

    def __init__(self, fits: list[Fit], threads: int) -> None:
        self.fits, self.threads = fits, threads
        self.signs: SimpleQueue[Sign] = SimpleQueue()
        self.is_stopped = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Learns meanwhile; leaving early stops it."""
        with ThreadPoolExecutor(1, "fits") as pool:
            self.future = pool.submit(self._learn)
            try:
                yield
            finally:
                self.is_stopped = True

    def _learn(self) -> None:
        prepare_thread(self.threads)
        for fit in self.fits:
            self.signs.put((fit, Turn.BEGINS))
            for one in fit.learn():
                self.signs.put((fit, one))
                if self.is_stopped:
                    return
            self.signs.put((fit, Turn.ENDS))

    def read(self) -> Iterator[Sign]:
        """What was told since; raises what went wrong."""
        if self.future.done():
            self.future.result()
        while not self.signs.empty():
            yield self.signs.get()

    def read_to_end(self) -> Iterator[Sign]:
        """All that is told until the last fit ends."""
        while not self.future.done():
            try:
                yield self.signs.get(timeout=WAIT_SECONDS)
            except Empty:
                continue
        yield from self.read()


@contextmanager
def share_threads(threads: int) -> Iterator[int]:
    """Leaves half of torch's threads to what learns beside, and yields how many; of 0 none are shared.

    One that cuts batches is not counted: it waits most of the time.
    """
    before, aside = torch.get_num_threads(), threads // 2
    if threads:
        torch.set_num_threads(threads - aside + 1)
    try:
        yield max(1, aside)
    finally:
        torch.set_num_threads(before)

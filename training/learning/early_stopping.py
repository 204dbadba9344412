"""When to stop learning: the error on check days has not improved for too many rounds. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

PATIENCE = 0.5  # share of all rounds without a gain after which learning ends
MIN_GAIN = 0.001  # a round counts as better from this share of the lowest loss on


@dataclass
class EarlyStopping:
    """The best round so far. Its fields are keys of the checkpoint header: never rename them."""

    lowest: float = math.inf  # loss of the best round on check days
    stale: int = 0  # rounds since the best one
    best_step: int = 0  # steps taken by the end of the best round; 0 = no check days

    def record_loss(self, loss: float, step: int) -> bool:
        """Counts a round; True when it is clearly the best so far.

        >>> stopping = EarlyStopping()
        >>> stopping.record_loss(0.5, step=10), stopping.record_loss(0.4999, step=20), stopping
        (True, False, EarlyStopping(lowest=0.5, stale=1, best_step=10))
        """
        if loss < self.lowest * (1 - MIN_GAIN):
            self.lowest, self.stale, self.best_step = loss, 0, step
            return True
        self.stale += 1
        return False

    def should_stop(self, rounds: int) -> bool:
        """True once PATIENCE of all planned rounds brought no gain.

        >>> EarlyStopping(stale=9).should_stop(20), EarlyStopping(stale=10).should_stop(20)
        (False, True)
        """
        return self.stale >= PATIENCE * rounds

"""Season: what last year did to everything, to a store and to a product; steadier than of one series."""

from __future__ import annotations

import torch
from torch import Tensor, nn

YEAR = 364  # same weekday, last year
POOLS = 4  # columns of features


class Season:
    """Running sums of the sales of pools of series."""

    def __init__(self, keys: list[tuple[str, str]], amount: Tensor, seen: Tensor):
        self.pools = pools(keys)
        self.total = running(pooled(amount, self.pools))
        self.count = running(pooled(seen, self.pools))

    def features(self, rows: Tensor, at: Tensor, day: Tensor, yearly: bool) -> list[Tensor]:
        """POOLS columns [B, P]: logarithm of last year's week over the eight weeks before last year's origin,
        of all series, of the store and of the product together, and of last year's day over its week."""
        if not yearly:
            return [torch.zeros_like(day, dtype=torch.float32)] * POOLS
        then, since = day - YEAR, (at - YEAR)[:, None]
        columns = []
        for pool in self.pools[rows].T:
            week, _count = self._mean(pool, then - 3, then + 4)
            level, count = self._mean(pool, since - 56, since)
            columns.append(torch.where(count > 0, log_ratio(week, level), 0.0))
        every = self.pools[rows][:, 0]
        week, _count = self._mean(every, then - 3, then + 4)
        one, count = self._mean(every, then, then + 1)
        return [*columns, torch.where(count > 0, log_ratio(one, week), 0.0)]

    def _mean(self, pool: Tensor, since: Tensor, until: Tensor) -> tuple[Tensor, Tensor]:
        """Mean sales of a pool's series in [since, until), both [B, n], and the days recorded of it;
        none when it begins before the panel."""
        row, low, high = pool[:, None], since.clamp(min=0), until.clamp(min=0)
        count = (self.count[row, high] - self.count[row, low]) * (since >= 0)
        return (self.total[row, high] - self.total[row, low]) / count.clamp(min=1), count


def running(values: Tensor, stride: int = 1) -> Tensor:
    """Sums of all columns before each, or of those a multiple of `stride` before: [S, D] -> [S, D + 1].

    >>> running(torch.tensor([[1.0, 2.0, 3.0]])).tolist()
    [[0.0, 1.0, 3.0, 6.0]]
    >>> running(torch.tensor([[1.0, 2.0, 3.0]]), 2).tolist()
    [[0.0, 1.0, 2.0, 4.0]]
    """
    size, days = values.shape
    padded = nn.functional.pad(values, (0, -days % stride)).view(size, -1, stride)
    return nn.functional.pad(padded.cumsum(dim=1).view(size, -1)[:, :days], (1, 0))


def pools(keys: list[tuple[str, str]]) -> Tensor:
    """[S, 3]: the pool of everything, of each series' store and of its product.

    >>> pools([("A", "x"), ("A", "y"), ("B", "x")]).tolist()
    [[0, 1, 3], [0, 1, 4], [0, 2, 3]]
    """
    found: dict[tuple[str, str], int] = {}
    for place in (0, 1):
        for key in keys:
            found.setdefault(("store" if place == 0 else "product", key[place]), len(found) + 1)
    return torch.tensor([[0, found["store", store], found["product", product]] for store, product in keys])


def pooled(values: Tensor, pool: Tensor) -> Tensor:
    """Sums over the series of each pool: [S, D] -> [pools, D]."""
    result = torch.zeros(int(pool.max()) + 1, values.shape[1])
    for members in pool.T:
        result.index_add_(0, members, values)
    return result


def log_ratio(part: Tensor, whole: Tensor) -> Tensor:
    """Logarithm of part / whole, within e^-2 to e^2.

    >>> log_ratio(torch.tensor([2.0, 0.0]), torch.tensor([2.0, 1.0])).tolist()
    [0.0, -2.0]
    """
    return torch.log(part.clamp(min=1e-6) / whole.clamp(min=1e-6)).clamp(-2, 2)

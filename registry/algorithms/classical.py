"""Classical: ETS, Theta and Croston's method, each series by itself; listed when statsforecast is installed.

Hyndman et al., "A state space framework for automatic forecasting using exponential smoothing" (2002);
Assimakopoulos & Nikolopoulos, "The theta model" (2000);
Syntetos & Boylan, "The accuracy of intermittent demand estimates" (2005).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from registry.algorithms import Batch, Config, Round, Sampler, Shape, knob, register
from registry.series.layers import misses
from registry.series.quantiles import LEVELS

WEEK, PER_SECOND, FEWEST, MOST = 7, 20, 64, 4096  # windows whose weights are sought, by plan and not by clock
ENOUGH = 3  # windows of a series for weights of its own
WEIGHTS = 5  # of level, trend and season; damping of the trend; share of the slope that is the first trend
LAST = 5  # in the order of `auto`


@dataclass(frozen=True, kw_only=True)
class ClassicalConfig(Config):
    """How much of each series is looked at."""

    past_days: int = knob(112, "Days of past sales the model looks at.", 28, 728)
    block: int = knob(28, "Days forecast in one step, then fed back.", 7, 90)


class Smoothing(nn.Module):
    """Level, trend and weekdays, smoothed with weights that suit each series."""

    weights: Tensor  # [series + 1, WEIGHTS]; the middle of all where too few windows were seen
    offsets: Tensor  # [Q - 1] miss over scale at each level

    def __init__(self, config: ClassicalConfig, shape: Shape):
        super().__init__()
        self.block, self.steps = shape.block, config.steps
        self.register_buffer("weights", torch.zeros(shape.entities[0] + 1, WEIGHTS))
        self.register_buffer("offsets", torch.zeros(len(LEVELS)))

    def suit(self, sales: NDArray[np.float64]) -> tuple[float, ...]:
        """The weights for these sales."""
        raise NotImplementedError

    def fit(self, sampler: Sampler, seconds: float) -> Iterator[Round]:
        """Weights that suit most windows of a series, then how far off all windows are."""
        started, batch = time.monotonic(), sampler.draw(MOST)
        found: dict[int, list[tuple[float, ...]]] = {}
        wanted = self.steps or max(FEWEST, min(MOST, int(PER_SECOND * seconds)))
        for number, entity in enumerate(batch.entity[:wanted, 0].tolist()):
            found.setdefault(entity, []).append(self.suit(filled(batch.recent[number])))
            if time.monotonic() - started > seconds:
                break
        every = [weights for several in found.values() for weights in several]
        self.weights[:] = torch.from_numpy(np.median(every, axis=0))
        for entity, several in found.items():
            if len(several) >= ENOUGH:
                self.weights[entity] = torch.from_numpy(np.median(several, axis=0))
        offsets, error = misses(batch, self.point(batch))
        self.offsets.copy_(offsets)
        yield Round(1.0, error)

    def point(self, batch: Batch) -> Tensor:  # -> [B, P]
        weights = self.weights[batch.entity[:, 0]]
        level, trend, season = smooth(batch.recent, *weights.unbind(1))
        damped = weights[:, 3:4] ** torch.arange(1, self.block + 1)  # [B, P]
        return level[:, None] + trend[:, None] * damped.cumsum(1) + season[:, torch.arange(self.block) % WEEK]

    def forward(self, batch: Batch) -> Tensor:  # -> [B, P, Q]
        point = self.point(batch)[..., None]
        return torch.cat([point, point + self.offsets], dim=2).clamp(min=0)


class ETS(Smoothing):
    """The additive model that AutoETS chooses by AICc."""

    def suit(self, sales: NDArray[np.float64]) -> tuple[float, ...]:
        from statsforecast.models import AutoETS

        found = AutoETS(season_length=WEEK, model="AZA").fit(sales).model_["par"][:4]
        alpha, beta, gamma, phi = np.where(np.isnan(found), (0, 0, 0, 1), found).tolist()
        return alpha, beta, gamma, phi, float(not np.isnan(found[1]))


class Theta(Smoothing):
    """A line and a curve of doubled bends: smoothing with half of the slope as drift."""

    def suit(self, sales: NDArray[np.float64]) -> tuple[float, ...]:
        from statsforecast.models import Theta

        return float(Theta(season_length=WEEK).fit(sales).model_["par"]["alpha"]), 0.0, 0.0, 1.0, 0.5


class Croston(Smoothing):
    """Size and distance of sales smoothed apart (SBA), spread over the week as usual."""

    def suit(self, sales: NDArray[np.float64]) -> tuple[float, ...]:
        return (0.1, 0.0, 0.0, 1.0, 0.0)  # its own, fixed

    def point(self, batch: Batch) -> Tensor:  # -> [B, P]
        from statsforecast.models import CrostonSBA

        model = CrostonSBA()
        rate = [float(model.forecast(y=filled(row), h=1)["mean"][0]) for row in batch.recent]
        usual = weekdays(batch.recent)[:, torch.arange(self.block) % WEEK]
        return torch.tensor(rate)[:, None] * usual / usual.mean(dim=1, keepdim=True).clamp(min=1e-6)


def filled(recent: Tensor) -> NDArray[np.float64]:
    """[L] without holes: the usual sales of that weekday."""
    usual = weekdays(recent[None])[0, torch.arange(-len(recent), 0) % WEEK]
    return np.asarray(torch.where(recent.isnan(), usual, recent).numpy(), np.float64)


def weekdays(recent: Tensor) -> Tensor:
    """[B, L] -> [B, 7] means, that of the first day ahead first; the mean of all for an unknown one."""
    weeks = recent[:, recent.shape[1] % WEEK :].unflatten(1, (-1, WEEK))
    return torch.where(weeks.isnan().all(1), recent.nanmean(1, keepdim=True), weeks.nanmean(1)).nan_to_num()


def smooth(sales: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Level [B], trend [B] and weekdays [B, 7] after sales [B, L]; a day without a record changes nothing."""
    alpha, beta, gamma, phi, share = weights
    usual, days = weekdays(sales), torch.arange(sales.shape[1]) - (sales.shape[1] - 1) / 2
    mean = usual.mean(1)
    season = list((usual - mean[:, None]).unbind(1))
    trend = share * ((sales - mean[:, None]).nan_to_num() * days).sum(1) / (days**2).sum()
    level = mean + trend * days[0]
    for day in range(-sales.shape[1], 0):
        error = (sales[:, day] - level - phi * trend - season[day % WEEK]).nan_to_num()
        level = level + phi * trend + alpha * error
        trend = phi * trend + beta * error
        season[day % WEEK] = season[day % WEEK] + gamma * error
    return level, trend, torch.stack(season, dim=1)


if find_spec("statsforecast"):  # the extra `classical`
    register("ets", "ETS", "Exponential smoothing of each series; steady sales.", ClassicalConfig, LAST)(ETS)
    register("theta", "Theta", "Smoothing with a drift, each series.", ClassicalConfig, LAST)(Theta)
    register("croston", "Croston", "For products that sell on few days.", ClassicalConfig, LAST)(Croston)

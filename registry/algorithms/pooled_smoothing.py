"""Pooled smoothing: each series' own level, with weights, effects and spread that all series share.

Exponential smoothing, weekdays shrunk towards none, effects of known covariates and a negative binomial.
Snyder, Ord & Beaumont, "Forecasting the intermittent demand for slow-moving inventories" (2012).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from registry.algorithms import Config, FitProgress, Sampler, knob, register
from registry.series.quantiles import MEDIAN_INDEX, QUANTILE_LEVELS
from registry.series.windows import AROUND, CLOSING_FEATURES, Batch, Shape

Floats = NDArray[np.float64]
WEEK, WINDOWS_PER_STEP, STEPS, STEPS_PER_SECOND = 7, 1024, 200, 20
RATE, RIDGE = 0.05, 1e-3
LEAST, MOST, MOST_EFFECT = 0.01, 1e6, 3.0  # units a day; logarithm of what covariates do to a day
FIRST = {  # and in logarithms while learning
    "half_life": 28.0,  # days after which a day of the past counts half
    "level_days": 4.0,  # that the mean of all past days counts beside the newest ones
    "weekday_units": 20.0,  # sold as on any other day, that each weekday counts beside its own
    "spread": 0.3,  # of a series without a past of its own: variance beyond Poisson over squared mean
    "spread_share": 0.5,  # of the past's spread that is left when level and covariates are known
    "spread_units": 20.0,  # that this spread counts beside what the series itself shows
}


@dataclass(frozen=True, kw_only=True)
class PooledSmoothingConfig(Config):
    """How much of each series is used."""

    past_days: int = knob(182, "Days of past sales the model looks at.", 28, 728, "Days of history")


@register(
    "pooled_smoothing",
    "Pooled smoothing",
    "One level for each series, all else learned from all of them; for slow sellers and short histories.",
    PooledSmoothingConfig,
    turn=6,
)
class PooledSmoothing(nn.Module):
    """Half a dozen numbers and an effect of each known covariate."""

    is_count: Tensor

    def __init__(self, config: PooledSmoothingConfig, shape: Shape):
        super().__init__()
        self.steps, self.covariates, self.block = config.steps, shape.around, shape.block
        self.effects = nn.Parameter(torch.zeros(shape.around))
        self.logs = nn.ParameterDict({name: torch.tensor(math.log(value)) for name, value in FIRST.items()})
        self.register_buffer("is_count", torch.tensor(True))

    def fit(self, sampler: Sampler, seconds: float) -> Iterator[FitProgress]:
        """Maximum likelihood on random windows; the number of steps is planned, so that equal means equal."""
        steps = self.steps or min(STEPS, max(20, int(STEPS_PER_SECOND * seconds)))
        learner = torch.optim.Adam(self.parameters(), lr=RATE)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(learner, steps)
        for step in range(1, steps + 1):
            batch = sampler.draw(WINDOWS_PER_STEP)
            learner.zero_grad()
            (self._measure_loss(batch) + RIDGE * self.effects.square().sum()).backward()
            learner.step()
            falling.step()
            if step == steps:
                sales = (batch.target * _count_units(batch)[:, None]).nan_to_num()
                self.is_count.fill_(bool((sales - sales.round()).abs().max() < 1e-3))
            if step % 20 == 0 or step == steps:
                check = None if sampler.check is None else self._measure_error(sampler.check)
                yield FitProgress(step / steps, self._measure_error(batch), check)

    def describe_days(self, batch: Batch) -> tuple[Tensor, Tensor]:  # -> [B, P] both
        """Mean of each day ahead in units of the encoder, and variance beyond Poisson over squared mean."""
        value = {name: log.exp() for name, log in self.logs.items()}
        past = batch.recent * _count_units(batch)[:, None]  # [B, L]
        known, sold = (~past.isnan()).float(), past.nan_to_num()
        usual = self._effect_of(batch.past[..., 2 : 2 + self.covariates])  # [B, L]
        ahead = self._effect_of(batch.around[:, AROUND : AROUND + self.block])  # [B, P]
        rate = (sold.sum(1) / (known * usual).sum(1).clamp(min=LEAST))[:, None].clamp(LEAST, MOST)  # [B, 1]
        weekday = torch.arange(-past.shape[1], 0) % WEEK  # 0 = that of the first day ahead
        day = nn.functional.one_hot(weekday, WEEK).float()  # [L, 7]
        fill = value["weekday_units"]
        season = (sold @ day + fill) / ((known * usual * rate) @ day + fill)  # [B, 7]
        usual = usual * season[:, weekday]
        weight = known * torch.exp2(torch.arange(1 - past.shape[1], 1) / value["half_life"])
        fill, own = value["level_days"], (weight * sold).sum(1)
        level = (own + fill * rate[:, 0]) / ((weight * usual).sum(1) + fill)
        mean = level[:, None] * ahead * season[:, torch.arange(self.block) % WEEK]
        expected = rate * usual
        beyond = (known * ((sold - expected) ** 2 - expected)).sum(1).clamp(min=0)
        weight_all = value["spread_units"] * rate[:, 0]
        least = (known * expected**2).sum(1) + weight_all
        spread = (value["spread_share"] * beyond + weight_all * value["spread"]) / least
        return mean.clamp(LEAST, MOST), spread.clamp(1e-3, 10.0)[:, None].expand_as(mean)

    def _effect_of(self, covariates: Tensor) -> Tensor:
        found = covariates[..., CLOSING_FEATURES:] @ self.effects[CLOSING_FEATURES:]
        return found.clamp(-MOST_EFFECT, MOST_EFFECT).exp()

    def _measure_loss(self, batch: Batch) -> Tensor:
        """Mean negative log likelihood of the known days ahead."""
        mean, spread = self.describe_days(batch)
        known = ~batch.target.isnan()
        sold = (batch.target * _count_units(batch)[:, None])[known].clamp(0, MOST)
        mean, size = mean[known], 1 / spread[known]
        found = torch.lgamma(sold + size) - torch.lgamma(size) - torch.lgamma(sold + 1)
        found = found - size * torch.log1p(mean / size) + sold * torch.log(mean / (mean + size))
        return -found.mean() if len(sold) else self.effects.sum() * 0

    def _measure_error(self, batch: Batch) -> float:
        median = self(batch)[..., 1 + MEDIAN_INDEX]  # without a gradient
        sold = float(batch.target.nansum())
        return float((batch.target - median).abs().nansum()) / sold if sold > 0 else math.nan

    def forward(self, batch: Batch) -> Tensor:  # -> [B, P, Q]
        mean, spread = (part.detach().double().numpy() for part in self.describe_days(batch))
        found = find_quantiles(mean, spread, bool(self.is_count))
        outputs = torch.from_numpy(np.concatenate([mean[..., None], found], axis=2)).float()
        return outputs / _count_units(batch)[:, None, None]


def _count_units(batch: Batch) -> Tensor:
    """How many units of the encoder the scale of each window is: [B]."""
    return torch.expm1(5 * batch.level[:, 0]).clamp(min=1.0)


def find_quantiles(mean: Floats, spread: Floats, is_count: bool) -> Floats:
    """Quantiles [..., Q - 1] of a negative binomial, or of a gamma distribution for what is not counted.

    Those of counts lie between whole numbers, such that rounding leaves each count its probability.
    """
    from scipy import special, stats

    levels, size = np.array(QUANTILE_LEVELS), 1 / spread[..., None]
    if not is_count:
        shape = mean[..., None] / (1 + spread * mean)[..., None]
        return np.asarray(special.gammaincinv(shape, levels) * (1 + spread * mean)[..., None])
    chance = size / (size + mean[..., None])
    count = stats.nbinom.ppf(levels, size, chance)
    upper = special.betainc(size, count + 1, chance)
    lower = np.where(count > 0, special.betainc(size, np.maximum(count, 1), chance), 0)
    return np.asarray(np.maximum(count - 0.5 + (levels - lower) / (upper - lower), 0))

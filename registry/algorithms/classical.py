"""Classical: ETS, Theta and Croston's method, series by series; registered if statsforecast is installed.

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

from registry.algorithms import Config, FitProgress, Sampler, knob, register
from registry.series.layers import residual_quantiles
from registry.series.quantiles import QUANTILE_LEVELS
from registry.series.windows import Batch, Shape

WEEK, MAX_WINDOWS = 7, 4096
WINDOWS_PER_SECOND = 10  # windows to fit: by plan, not by clock, so that equal budgets give equal models
WEIGHT_SETS = 16
WEIGHT_COUNT = 5  # of level, trend and weekdays; damping; share of the slope that is the first trend
PHI_INDEX, TURN = 3, 5  # of the damping among the weights; in the order of `auto`


@dataclass(frozen=True, kw_only=True)
class ClassicalConfig(Config):
    """How much of each series is used."""

    past_days: int = knob(112, "Days of past sales the model looks at.", 28, 728, "Days of history")
    block: int = knob(28, "Days forecast at once, then fed back.", 7, 90, "Days per step")


class Smoothing(nn.Module):
    """Level, trend and weekdays, smoothed with the learned weights that suit a window best."""

    weights: Tensor  # [WEIGHT_SETS, WEIGHT_COUNT]
    offsets: Tensor  # [Q - 1] error over scale at each quantile level

    def __init__(self, config: ClassicalConfig, shape: Shape):
        super().__init__()
        self.block, self.steps = shape.block, config.steps
        self.register_buffer("weights", torch.zeros(WEIGHT_SETS, WEIGHT_COUNT))
        self.register_buffer("offsets", torch.zeros(len(QUANTILE_LEVELS)))

    def fit_weights(self, sales: NDArray[np.float64]) -> tuple[float, ...]:
        """The weights of one window [L]."""
        raise NotImplementedError

    def fit(self, sampler: Sampler, seconds: float) -> Iterator[FitProgress]:
        """Fits the weights of some windows, then measures the errors of all."""
        started, batch, found = time.monotonic(), sampler.draw(MAX_WINDOWS), []
        for recent in batch.recent[: self.steps or max(WEIGHT_SETS, int(WINDOWS_PER_SECOND * seconds))]:
            found.append(self.fit_weights(fill_gaps(recent)))
            if time.monotonic() - started > seconds:
                break
        even = np.linspace(0, len(found) - 1, WEIGHT_SETS).round().astype(int)  # spread by alpha
        self.weights.copy_(torch.tensor(sorted(found))[even])
        offsets, error = residual_quantiles(batch, self.predict_point(batch))
        self.offsets.copy_(offsets)
        yield FitProgress(1.0, error)

    def predict_point(self, batch: Batch) -> Tensor:  # -> [B, P]
        states, miss = smooth_sales(batch.recent, self.weights)  # all [B, WEIGHT_SETS]
        row, best = torch.arange(len(miss)), miss.argmin(dim=1)
        level, trend, *season = (state[row, best][:, None] for state in states)  # [B, 1] each
        # damped trend: the slope of day h is phi^h, so h days add phi + phi^2 + ... + phi^h
        damped = self.weights[best, PHI_INDEX, None] ** torch.arange(1, self.block + 1)  # [B, P]
        return level + trend * damped.cumsum(1) + torch.cat(season, 1)[:, torch.arange(self.block) % WEEK]

    def forward(self, batch: Batch) -> Tensor:  # -> [B, P, Q]
        point = self.predict_point(batch)[..., None]
        return torch.cat([point, point + self.offsets], dim=2).clamp(min=0)


class ETS(Smoothing):
    """The additive model that AutoETS chooses by AICc."""

    def fit_weights(self, sales: NDArray[np.float64]) -> tuple[float, ...]:
        from statsforecast.models import AutoETS

        found = AutoETS(season_length=WEEK, model="AZA").fit(sales).model_["par"][:4]
        alpha, beta, gamma, phi = np.where(np.isnan(found), (0, 0, 0, 1), found).tolist()
        return alpha, beta, gamma, phi, float(not np.isnan(found[1]))


class Theta(Smoothing):
    """A line and a curve with doubled bends: smoothing with half of the slope as drift."""

    def fit_weights(self, sales: NDArray[np.float64]) -> tuple[float, ...]:
        from statsforecast.models import Theta

        return float(Theta(season_length=WEEK).fit(sales).model_["par"]["alpha"]), 0.0, 0.0, 1.0, 0.5


class Croston(Smoothing):
    """Size and interval of sales smoothed separately (SBA), spread over the week as usual."""

    def fit_weights(self, sales: NDArray[np.float64]) -> tuple[float, ...]:
        return (0.1, 0.0, 0.0, 1.0, 0.0)  # fixed by the method

    def predict_point(self, batch: Batch) -> Tensor:  # -> [B, P]
        from statsforecast.models import CrostonSBA

        model = CrostonSBA()
        rate = [float(model.forecast(y=fill_gaps(row), h=1)["mean"][0]) for row in batch.recent]
        usual = weekday_means(batch.recent)[:, torch.arange(self.block) % WEEK]
        return torch.tensor(rate)[:, None] * usual / usual.mean(dim=1, keepdim=True).clamp(min=1e-6)


def fill_gaps(recent: Tensor) -> NDArray[np.float64]:
    """[L] with gaps filled by the usual sales of that weekday."""
    usual = weekday_means(recent[None])[0, torch.arange(-len(recent), 0) % WEEK]
    return np.asarray(torch.where(recent.isnan(), usual, recent).numpy(), np.float64)


def weekday_means(recent: Tensor) -> Tensor:
    """[B, L] -> [B, 7] means, that of the first day ahead first; the mean of all for an unknown one."""
    weeks = recent[:, recent.shape[1] % WEEK :].unflatten(1, (-1, WEEK))  # [B, weeks, 7], cut at the front
    return torch.where(weeks.isnan().all(1), recent.nanmean(1, keepdim=True), weeks.nanmean(1)).nan_to_num()


def smooth_sales(sales: Tensor, weights: Tensor) -> tuple[list[Tensor], Tensor]:
    """Level, trend and 7 weekdays after sales [B, L] for each set of weights, and its squared errors one day
    ahead: [B, WEIGHT_SETS] all. A day without a record changes nothing."""
    alpha, beta, gamma, phi, share = weights.unbind(1)  # [WEIGHT_SETS] each
    usual, days = weekday_means(sales), torch.arange(sales.shape[1]) - (sales.shape[1] - 1) / 2
    mean = usual.mean(1, keepdim=True)
    slope = ((sales - mean).nan_to_num() * days).sum(1, keepdim=True) / (days**2).sum()  # least squares
    season = [(one[:, None] - mean).expand(-1, len(weights)) for one in usual.unbind(1)]
    trend, miss = share * slope, torch.zeros(len(sales), len(weights))
    level = mean + trend * days[0]
    for day in range(-sales.shape[1], 0):  # negative, so that day % 7 is its weekday in that order
        error = (sales[:, day, None] - level - phi * trend - season[day % WEEK]).nan_to_num()
        level, trend = level + phi * trend + alpha * error, phi * trend + beta * error
        season[day % WEEK] = season[day % WEEK] + gamma * error
        miss += error**2
    return [level, trend, *season], miss


if find_spec("statsforecast"):  # the extra `classical`
    register("ets", "ETS", "Exponential smoothing of each series; steady sales.", ClassicalConfig, TURN)(ETS)
    register("theta", "Theta", "Smoothing with a drift, each series.", ClassicalConfig, TURN)(Theta)
    register("croston", "Croston", "For products that sell on few days.", ClassicalConfig, TURN)(Croston)

from __future__ import annotations

import numpy as np
import pytest

from registry.series import metrics
from registry.series.calibration import Calibration
from registry.series.quantiles import QUANTILE_LEVELS


def test_scores_follow_their_definitions_and_leave_unknown_days_out():
    actual = np.array([[10.0, np.nan, 20.0]])
    mean = np.array([[11.0, 5.0, 18.0]])
    quantiles = np.repeat(mean[..., None], 7, axis=2)
    past = np.array([[1.0] * 7 + [3.0] * 7])
    scores = metrics.score_window(actual, mean, quantiles, past)
    assert scores["wape"] == pytest.approx(3 / 30)
    assert scores["bias"] == pytest.approx(-1 / 30)
    assert scores["mase"] == pytest.approx(1.5 / 2)
    assert scores["rmsse"] == pytest.approx(np.sqrt(2.5) / 2)
    assert scores["smape"] == pytest.approx(200 * np.mean([1 / 21, 2 / 38]))
    assert scores["coverage"]["80"] == 0


def test_the_quantile_loss_of_a_point_is_its_absolute_error():
    actual, point = np.array([[10.0, 20.0]]), np.array([[12.0, 15.0]])
    assert metrics.wql(actual, np.repeat(point[..., None], 7, axis=2)) == pytest.approx(7 / 30)


def test_calibrated_intervals_cover_new_windows_as_promised():
    rng = np.random.default_rng(5)
    level = rng.uniform(5, 50, (200, 1))

    def window():
        actual = rng.normal(level, 0.3 * level, (200, 28)).clip(0)
        spread = 0.05 * level[..., None] * np.linspace(-2, 2, 7)  # far too narrow
        return actual, np.concatenate([level[..., None], level[..., None] + spread], 2).repeat(28, 1)[:, :28]

    fitted = Calibration.fit([window(), window()], [(f"S{i % 10}", f"P{i // 10}") for i in range(200)])
    actual, raw = window()
    coverage = metrics.coverage(actual, fitted.calibrate_forecast(raw.astype(np.float32))[..., 1:])
    assert coverage["80"] == pytest.approx(0.8, abs=0.02) and coverage["95"] == pytest.approx(0.95, abs=0.02)


def test_every_quantile_level_is_named_once():
    assert sorted(set(QUANTILE_LEVELS)) == list(QUANTILE_LEVELS)

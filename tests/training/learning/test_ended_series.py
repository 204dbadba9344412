"""What a series sells after its end teaches nobody anything."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from registry.series.panel import Panel
from registry.series.windows import find_positions
from training.learning.candidate import without_ended
from training.learning.pipeline import TrainingConfig, TrainingPipeline

DAYS, END = 200, 150


def build_candidate(ended: list[int]):
    """Three series of five to seven units a day; those listed sell nothing from day END on."""
    sales = np.tile(5.0 + np.arange(DAYS) % 3, (3, 1)).astype(np.float32)
    sales[ended, END:] = 0
    keys = [("S", f"P{number}") for number in range(3)]
    panel = Panel(np.datetime64("2026-01-01"), keys, sales, np.zeros(sales.shape, bool))
    (candidate,) = TrainingPipeline(panel, TrainingConfig("trees", horizon=7)).candidates
    return candidate, find_positions(candidate.windows, 14, DAYS - 7)


def test_windows_after_the_end_of_a_series_are_not_learned():
    candidate, places = build_candidate([1])
    rows, columns = without_ended(candidate.panel, places, DAYS)
    assert int(columns[rows == 1].max()) == END
    for row in (0, 2):
        assert torch.equal(columns[rows == row], places[1][places[0] == row])


@pytest.mark.parametrize(("ended", "days"), [([], DAYS), ([1], END + 20)])
def test_all_windows_are_learned_as_long_as_no_series_has_ended(ended, days):
    candidate, places = build_candidate(ended)
    left = without_ended(candidate.panel, places, days)
    assert all(torch.equal(one, other) for one, other in zip(left, places, strict=True))

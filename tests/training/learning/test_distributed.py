"""Processes that learn together take the steps of one process whose batches hold the windows of all."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from registry.series.windows import Batch, Windows
from tests.helpers.process_groups import in_group
from training.learning.candidate import Candidate
from training.learning.distributed import ALONE, ProcessGroup
from training.learning.pipeline import TrainingConfig, TrainingPipeline

STEPS, BATCH = 200, 32
# dropout draws other nodes for a batch of another size
PLAN = TrainingConfig(
    "kan", {"steps": STEPS, "batch": BATCH, "dropout": 0}, horizon=14, budget=6000, windows=1
)


@pytest.fixture(autouse=True)
def learn_to_the_end(monkeypatch):
    monkeypatch.setattr("training.learning.early_stopping.PATIENCE", 99)
    monkeypatch.setattr("registry.series.layers.ENTITY_DROPOUT", 0)  # which is by chance, too


@pytest.fixture
def with_64_bits(monkeypatch):
    """AdamW takes full steps along gradients that are nearly 0, so 32 bits leave their sign to rounding."""
    cut, build = Windows.cut_batch, Candidate.model.func

    def cut_64_bits(*given):
        batch = cut(*given)
        parts = {one.name: getattr(batch, one.name) for one in fields(batch)}
        return Batch(
            **{name: part.double() if part.is_floating_point() else part for name, part in parts.items()}
        )

    monkeypatch.setattr(Windows, "cut_batch", cut_64_bits)
    monkeypatch.setattr(Candidate.model, "func", lambda candidate: build(candidate).double())


def fit(panel, plan: TrainingConfig, group: ProcessGroup = ALONE) -> dict[str, torch.Tensor]:
    """The weights after the first fit, which are the averaged ones."""
    pipeline = TrainingPipeline(panel, plan, group=group)
    candidate = pipeline.candidates[0]
    end = panel.days  # no check days: the last weights count
    list(candidate.learn_before(end, plan.budget, 1))
    assert candidate.fit_state.step == STEPS
    return candidate.model.state_dict()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["kan", *(pytest.param(name, marks=pytest.mark.repeats) for name in ("tide", "tcn"))]
)
def test_two_processes_reach_the_weights_of_one_with_the_doubled_batch(panel, with_64_bits, name):
    plan = replace(PLAN, algorithm=name)
    double = replace(plan, knobs=plan.knobs | {"batch": 2 * BATCH})
    expected = fit(panel, double)
    found, _other = in_group(
        lambda group: fit(panel, plan, group),
        lambda group: TrainingPipeline(panel, plan, group=group).follow(),
    )
    largest = max(float((found[key] - weight).abs().max()) for key, weight in expected.items())
    print(f"{name}: largest difference of a weight {largest:.1e}")
    assert largest < 1e-4

"""An interrupted learning goes on from its checkpoint and gives the numbers of one that was left alone."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from registry import algorithms
from tests.helpers.trials import repeats
from training.learning import loop
from training.learning.checkpoint import Checkpoint, read_checkpoint
from training.learning.early_stopping import EarlyStopping
from training.learning.pipeline import TrainingConfig, TrainingPipeline

pytestmark = pytest.mark.slow


def plan(name: str = "kan") -> TrainingConfig:
    """Ends by its steps, not by the clock."""
    small = (
        {"batch": 64} if issubclass(algorithms.get_entry(name).config_class, algorithms.NetworkConfig) else {}
    )
    return TrainingConfig(name, {"steps": 40, **small}, horizon=14, budget=600, windows=2)


@pytest.fixture(scope="module")
def whole(panel):
    """The result of a method that was not interrupted, learned once."""
    return cache(lambda name: result(TrainingPipeline(panel, plan(name))))


def result(learning: TrainingPipeline) -> tuple[bytes, dict]:
    list(learning)
    return learning.result.bundle.to_bytes(), learning.result.metrics


def interrupted(panel, plan: TrainingConfig, folder: Path, after: int) -> None:
    """Learns until that many signs of life, then is gone."""
    for number, _epoch in enumerate(
        TrainingPipeline(panel, plan, Checkpoint(folder, save_seconds=0)), start=1
    ):
        if number == after:
            return


@pytest.mark.parametrize(
    ("name", "after"),
    [
        *(("kan", after) for after in (2, 13, 30)),
        *((name, 13) for name in ("trees", "seasonal_naive")),
        *(pytest.param(name, at, marks=repeats) for name in ("trees", "seasonal_naive") for at in (2, 30)),
    ],
)
def test_a_learning_that_was_interrupted_gives_the_same_numbers(panel, whole, tmp_path, name, after):
    interrupted(panel, plan(name), tmp_path, after)
    assert result(TrainingPipeline(panel, plan(name), Checkpoint(tmp_path))) == whole(name)


def test_trying_several_methods_goes_on_too(panel, tmp_path, monkeypatch):
    three = [algorithms.get_entry(name) for name in ("seasonal_naive", "kan", "tide")]
    monkeypatch.setattr(algorithms, "select_candidates", lambda name, most: three)
    auto = TrainingConfig("auto", {}, horizon=14, budget=6000, windows=2)
    monkeypatch.setattr("training.learning.candidate.planned_steps", lambda *given: 20)
    whole = result(TrainingPipeline(panel, auto))
    interrupted(panel, auto, tmp_path, 32)
    assert result(TrainingPipeline(panel, auto, Checkpoint(tmp_path))) == whole


def test_what_was_learned_is_not_learned_again(panel, tmp_path, monkeypatch):
    monkeypatch.setattr("training.learning.early_stopping.PATIENCE", 99)
    monkeypatch.setattr("training.learning.candidate.REFIT_STEP_SHARE", 2)
    interrupted(panel, plan(), tmp_path, 15)
    steps = []
    step = loop._train_step
    monkeypatch.setattr(loop, "_train_step", lambda *given: steps.append(1) or step(*given))
    told = list(TrainingPipeline(panel, plan(), Checkpoint(tmp_path)))
    assert len(steps) == 80 - 27
    assert [epoch.round for epoch in told if epoch.step == "learn"] == list(range(1, 21))


def test_a_damaged_or_foreign_checkpoint_is_not_used(panel, whole, tmp_path):
    interrupted(panel, plan("tide"), tmp_path, 10)
    assert result(TrainingPipeline(panel, plan(), Checkpoint(tmp_path))) == whole("kan")
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:-100])
    assert result(TrainingPipeline(panel, plan(), Checkpoint(tmp_path))) == whole("kan")


def test_a_full_disk_costs_the_checkpoint_not_the_training(panel, whole, tmp_path, monkeypatch):
    def full(file, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.learning.checkpoint.write_atomic", full)
    learned = result(TrainingPipeline(panel, plan(), Checkpoint(tmp_path, save_seconds=0)))
    assert learned == whole("kan")


def test_a_file_is_whole_or_not_there(panel, tmp_path):
    interrupted(panel, plan(), tmp_path, 10)
    assert [file.name for file in tmp_path.iterdir()] == ["001.safetensors"]
    head, _tensors = read_checkpoint(tmp_path / "001.safetensors")
    assert set(head) == {"step", "error", "spent", "lowest", "stale", "best_step", "done", "rounds"}
    assert (head["step"], head["done"], len(head["rounds"])) == (17, False, 8)


def test_finishing_now_ends_early_and_still_tests_and_publishes(panel):
    learning = TrainingPipeline(panel, plan(), Checkpoint(is_finish_requested=lambda: True))
    told = [epoch.step for epoch in learning]
    assert told.count("learn") == 1
    assert told[-1] == "save"
    assert learning.result.metrics["wape"] > 0


def test_finishing_now_leaves_out_methods_that_were_not_begun(panel):
    learning = TrainingPipeline(
        panel,
        TrainingConfig("auto", {}, horizon=14, budget=5, windows=1),
        Checkpoint(is_finish_requested=lambda: True),
    )
    list(learning)
    assert len(learning.result.metrics["leaderboard"]) == 1


def test_a_restored_fit_remembers_its_best_round(panel, tmp_path):
    interrupted(panel, plan(), tmp_path, 10)
    head, _tensors = read_checkpoint(tmp_path / "001.safetensors")
    state = Checkpoint(tmp_path).next_fit()
    candidate = TrainingPipeline(panel, plan()).candidates[0]
    learner = loop._start_learner(candidate.model, loop.FitSchedule(40, 600, 0.003, 64))
    assert state.restore(candidate.model, learner)
    assert state.stopping == EarlyStopping(head["lowest"], head["stale"], head["best_step"])
    assert 0 < state.stopping.best_step <= state.step == head["step"]

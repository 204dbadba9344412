"""An interrupted learning goes on from its checkpoint and gives the numbers of one that was left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry import algorithms
from training.learning.checkpoint import Checkpoint, read
from training.learning.pipeline import Learning, Plan


def plan(name: str = "kan") -> Plan:
    """Ends by its steps, not by the clock."""
    small = {"batch": 64} if issubclass(algorithms.get(name).config, algorithms.NetworkConfig) else {}
    return Plan(name, {"steps": 40, **small}, horizon=14, budget=600, windows=2)


def result(learning: Learning) -> tuple[bytes, dict]:
    list(learning)
    return learning.learned.bundle.to_bytes(), learning.learned.metrics


def interrupted(panel, plan: Plan, folder: Path, after: int) -> None:
    """Learns until that many signs of life, then is gone."""
    for number, _epoch in enumerate(Learning(panel, plan, Checkpoint(folder, every=0)), start=1):
        if number == after:
            return


@pytest.mark.parametrize("name", ["kan", "trees", "seasonal_naive"])
@pytest.mark.parametrize("after", [2, 13, 30])
def test_a_learning_that_was_interrupted_gives_the_same_numbers(panel, tmp_path, name, after):
    whole = result(Learning(panel, plan(name)))
    interrupted(panel, plan(name), tmp_path, after)
    assert result(Learning(panel, plan(name), Checkpoint(tmp_path))) == whole


def test_trying_several_methods_goes_on_too(panel, tmp_path, monkeypatch):
    three = [algorithms.get(name) for name in ("seasonal_naive", "kan", "tide")]
    monkeypatch.setattr(algorithms, "candidates", lambda name, most: three)
    auto = Plan("auto", {}, horizon=14, budget=6000, windows=2)
    monkeypatch.setattr("training.learning.loop.planned_steps", lambda *given: 20)
    whole = result(Learning(panel, auto))
    interrupted(panel, auto, tmp_path, 32)
    assert result(Learning(panel, auto, Checkpoint(tmp_path))) == whole


def test_what_was_learned_is_not_learned_again(panel, tmp_path, monkeypatch):
    from training.learning import loop

    monkeypatch.setattr(loop, "PATIENCE", 99)
    monkeypatch.setattr("training.learning.candidate.REFIT_STEPS", 2)
    interrupted(panel, plan(), tmp_path, 15)
    steps = []
    step = loop._step
    monkeypatch.setattr(loop, "_step", lambda *given: steps.append(1) or step(*given))
    told = list(Learning(panel, plan(), Checkpoint(tmp_path)))
    assert len(steps) == 80 - 27
    assert [epoch.round for epoch in told if epoch.step == "learn"] == list(range(1, 21))


def test_a_damaged_or_foreign_checkpoint_is_not_used(panel, tmp_path):
    whole = result(Learning(panel, plan()))
    interrupted(panel, plan("tide"), tmp_path, 10)
    assert result(Learning(panel, plan(), Checkpoint(tmp_path))) == whole
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:-100])
    assert result(Learning(panel, plan(), Checkpoint(tmp_path))) == whole


def test_a_full_disk_costs_the_checkpoint_not_the_training(panel, tmp_path, monkeypatch):
    def full(file, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.learning.checkpoint.write", full)
    assert result(Learning(panel, plan(), Checkpoint(tmp_path, every=0))) == result(Learning(panel, plan()))


def test_a_file_is_whole_or_not_there(panel, tmp_path):
    interrupted(panel, plan(), tmp_path, 10)
    assert [file.name for file in tmp_path.iterdir()] == ["001.safetensors"]
    head, _tensors = read(tmp_path / "001.safetensors")
    assert (head["step"], head["done"], len(head["rounds"])) == (17, False, 8)


def test_finishing_now_ends_early_and_still_tests_and_publishes(panel):
    learning = Learning(panel, plan(), Checkpoint(asked=lambda: True))
    told = [epoch.step for epoch in learning]
    assert told.count("learn") == 1
    assert told[-1] == "save"
    assert learning.learned.metrics["wape"] > 0


def test_finishing_now_leaves_out_methods_that_were_not_begun(panel):
    learning = Learning(
        panel, Plan("auto", {}, horizon=14, budget=5, windows=1), Checkpoint(asked=lambda: True)
    )
    list(learning)
    assert len(learning.learned.metrics["leaderboard"]) == 1

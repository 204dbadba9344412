"""Trees learn in a thread beside the networks, and both give the same numbers as one after the other."""

from __future__ import annotations

import pytest
import torch

from registry.algorithms import FitProgress
from registry.algorithms.trees import Trees
from registry.lib.errors import MessageError
from training.learning.checkpoint import Checkpoint
from training.learning.fits import Fit, FitPlan, Turn
from training.learning.pipeline import TrainingConfig, TrainingPipeline

pytestmark = pytest.mark.slow

SMALL = {"kan": {"steps": 20, "batch": 16, "width": 8}, "trees": {"steps": 20, "rows": 1000}}


@pytest.fixture(autouse=True)
def one_thread_after():
    yield
    torch.set_num_threads(1)


def plan_fits(panel, names: tuple[str, ...], threads: int, checkpoint: Checkpoint | None = None) -> FitPlan:
    """Fits of small methods on the days before the last week."""
    torch.set_num_threads(threads)
    candidates = [
        TrainingPipeline(panel, TrainingConfig(name, SMALL.get(name, {}), horizon=7)).candidates[0]
        for name in names
    ]
    fits = [Fit(one, panel.days - 7, share=one.needs_budget / 2, refit=False) for one in candidates]
    return FitPlan.build(fits, 100.0, threads, checkpoint or Checkpoint())


def learned(plan: FitPlan) -> list[dict]:
    """The weights of each method in the end."""
    list(plan.run(lambda: False))
    return [
        {name: one.clone() for name, one in fit.candidate.model.state_dict().items()} for fit in plan.fits
    ]


def are_equal(one: list[dict], other: list[dict]) -> bool:
    return all(
        torch.equal(tensor, theirs[name])
        for own, theirs in zip(one, other, strict=True)
        for name, tensor in own.items()
    )


def test_methods_that_learn_together_learn_what_they_learn_one_after_the_other(panel):
    together = plan_fits(panel, ("seasonal_naive", "trees", "kan"), 2)
    assert [fit.name for fit in together.beside] == ["trees"]
    alone = plan_fits(panel, ("seasonal_naive", "trees", "kan"), 1)
    assert not alone.beside
    assert are_equal(learned(together), learned(alone))


def test_all_is_told_once_and_in_order(panel):
    plan = plan_fits(panel, ("seasonal_naive", "trees", "kan"), 2)
    told = list(plan.run(lambda: False))
    assert plan.done == 1.0
    for name in ("seasonal_naive", "trees", "kan"):
        own = [sign for fit, sign in told if fit.name == name]
        assert (own[0], own[-1]) == (Turn.BEGINS, Turn.ENDS)
        assert all(isinstance(sign, FitProgress) for sign in own[1:-1])


def test_each_core_has_all_seconds_but_no_method_more_than_twice_its_share(panel):
    two = plan_fits(panel, ("trees", "kan"), 2)
    assert [fit.seconds for fit in two.fits] == [100.0, 100.0]
    assert [fit.seconds for fit in plan_fits(panel, ("trees", "kan"), 1).fits] == [50.0, 50.0]
    four = plan_fits(panel, ("trees", "kan", "tide", "lstm"), 2)
    for fit in four.fits:
        fit.share = 0.25
    again = FitPlan.build(four.fits, 100.0, 2, Checkpoint())
    assert [round(fit.seconds) for fit in again.fits] == [50, 33, 33, 33]


def test_trees_alone_learn_with_all_threads(panel):
    assert not plan_fits(panel, ("seasonal_naive", "trees"), 2).beside


def test_what_was_learned_before_an_interruption_is_not_learned_beside_the_network(panel, tmp_path):
    whole = learned(plan_fits(panel, ("trees", "kan"), 2))
    signs = plan_fits(panel, ("trees", "kan"), 2, Checkpoint(tmp_path, save_seconds=0)).run(lambda: False)
    for fit, sign in signs:
        if fit.name == "trees" and sign is Turn.ENDS:
            break
    signs.close()
    assert (tmp_path / "001.safetensors").exists()
    assert are_equal(learned(plan_fits(panel, ("trees", "kan"), 2, Checkpoint(tmp_path))), whole)


def test_leaving_early_ends_the_thread(panel):
    signs = plan_fits(panel, ("trees", "kan"), 2).run(lambda: False)
    next(signs)
    signs.close()
    assert torch.get_num_threads() == 2


def test_what_goes_wrong_in_the_thread_is_told(panel, monkeypatch):
    def fail(*given):
        raise MessageError("no trees today")
        yield

    monkeypatch.setattr(Trees, "fit", fail)
    with pytest.raises(MessageError, match="no trees today"):
        list(plan_fits(panel, ("trees", "kan"), 2).run(lambda: False))

"""Batches cut ahead in a thread are those that would have been drawn one by one, and change no number."""

from __future__ import annotations

from dataclasses import replace
from threading import current_thread, main_thread

import pytest
import torch

from training.learning.checkpoint import Checkpoint
from training.learning.pipeline import TrainingConfig, TrainingPipeline
from training.learning.prefetch import iter_batches, spare_thread

PLAN = TrainingConfig("kan", {"steps": 40, "batch": 64, "width": 16}, horizon=14, budget=600, windows=1)


class Numbers:
    """A sampler whose batches are single numbers."""

    def __init__(self, fails_at: int = 99) -> None:
        self.generator = torch.Generator().manual_seed(3)
        self.drawn, self.threads, self.fails_at = 0, set(), fails_at

    def draw(self, size: int) -> torch.Tensor:
        self.drawn += 1
        self.threads.add(current_thread())
        if self.drawn == self.fails_at:
            raise ValueError("no more")
        return torch.rand(size, generator=self.generator)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_batches_and_states_are_those_of_drawing_one_by_one(count):
    plain, ahead = Numbers(), Numbers()
    one_by_one = list(iter_batches(plain, 4, count, in_thread=False))
    in_thread = list(iter_batches(ahead, 4, count, in_thread=True))
    assert len(in_thread) == count and ahead.drawn == count
    for (batch, state), (other, other_state) in zip(one_by_one, in_thread, strict=True):
        assert torch.equal(batch, other) and torch.equal(state, other_state)
    assert plain.threads <= {main_thread()} and main_thread() not in ahead.threads


def test_the_state_of_a_batch_is_the_one_from_which_the_next_is_drawn():
    first, second = list(iter_batches(Numbers(), 4, 2, in_thread=True))
    again = Numbers()
    again.generator.set_state(first[1])
    assert torch.equal(again.draw(4), second[0])


def test_an_iterator_that_is_closed_draws_no_more():
    numbers = Numbers()
    batches = iter_batches(numbers, 4, 1000, in_thread=True)
    next(batches)
    batches.close()
    assert numbers.drawn <= 4


def test_what_goes_wrong_in_the_thread_is_told_to_the_learner():
    with pytest.raises(ValueError, match="no more"):
        list(iter_batches(Numbers(fails_at=3), 4, 10, in_thread=True))


def test_a_thread_is_spared_for_the_batches_only_where_there_are_two():
    before = torch.get_num_threads()
    try:
        for threads, left, is_spared in ((1, 1, False), (2, 1, True), (4, 3, True)):
            torch.set_num_threads(threads)
            with spare_thread() as in_thread:
                assert (torch.get_num_threads(), in_thread) == (left, is_spared)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def learn(panel, config: TrainingConfig, checkpoint: Checkpoint | None = None) -> bytes:
    learning = TrainingPipeline(panel, config, checkpoint)
    list(learning)
    return learning.result.bundle.to_bytes()


@pytest.fixture
def one_thread_after():
    yield
    torch.set_num_threads(1)


@pytest.mark.slow
def test_two_threads_learn_the_same_bytes_as_one_also_after_an_interruption(
    panel, tmp_path, one_thread_after
):
    whole, two = learn(panel, PLAN), replace(PLAN, threads=2)
    assert learn(panel, two) == whole
    for number, _progress in enumerate(TrainingPipeline(panel, two, Checkpoint(tmp_path, save_seconds=0))):
        if number == 9:
            break
    assert learn(panel, two, Checkpoint(tmp_path)) == whole

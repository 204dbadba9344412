"""What a child and `manage.py train` do: learn, save, publish, or fail with one sentence and keep nothing."""

from __future__ import annotations

import pytest
from django.core.files.storage import storages

from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import CorruptArtifact
from tests.helpers.fake_training import FakeLearning, epoch
from training import leases
from training.models import TrainingRun
from training.runner import LeaseLost, batch_progress, train_and_publish

pytestmark = pytest.mark.django_db


def test_a_training_is_recorded_saved_and_published(claimed, learner):
    version = train_and_publish(claimed)
    row = TrainingRun.objects.get(pk=claimed.pk)
    assert (row.state, row.version) == ("done", version)
    assert version.name == "seasonal_naive_global_v1"
    assert (version.wape, version.metrics["seasonal_naive"]) == (0.2, {"wape": 0.3})
    assert ModelVersion.objects.get().read() == b"weights"
    assert row.events.filter(kind="epoch").count() == 3


def test_the_learner_is_told_everything_that_was_asked(ask, learner):
    told = []

    class Listening(FakeLearning):
        def __init__(self, panel, plan, checkpoint, group):
            super().__init__(panel, plan, checkpoint)
            told.append(plan)

    learner(Listening)
    asked = {"horizon": 7, "budget": 5, "seed": 3, "config": {"past_days": 28}}
    train_and_publish(leases.claim_run(ask(**asked).pk, 1, "here"))
    plan = told[0]
    assert (plan.algorithm, plan.horizon, plan.budget, plan.seed) == ("seasonal_naive", 7, 5.0, 3)
    assert (plan.knobs, plan.data_hash) == ({"past_days": 28}, "0" * 64)


def test_a_run_taken_over_while_learning_keeps_nothing(claimed, learner):
    class Slow(FakeLearning):
        def __iter__(self):
            yield epoch(1)
            claimed.transition(claimed.owned_by_this_attempt, [], attempt_token=None)
            yield epoch(2)

    learner(Slow)
    with pytest.raises(LeaseLost):
        train_and_publish(claimed)
    assert not ModelVersion.objects.exists()


def test_a_run_taken_over_while_saving_throws_its_file_away(claimed, learner, monkeypatch):
    monkeypatch.setattr(TrainingRun, "finish_with_version", lambda run, version: False)
    with pytest.raises(LeaseLost):
        train_and_publish(claimed)
    assert not ModelVersion.objects.exists()
    assert not storages["artifacts"].exists(f"models/{claimed.attempt_token}.safetensors")


def test_a_damaged_dataset_file_is_told_in_one_sentence(claimed):
    with pytest.raises(CorruptArtifact, match=r"pharmacies v1 is missing: delete it and make it again\."):
        train_and_publish(claimed)


def test_fast_epochs_are_written_together():
    groups = list(batch_progress(epoch(number) for number in range(1, 8)))
    assert [len(group) for group in groups] == [1, 6]

"""Which dataset versions may be deleted."""

from __future__ import annotations

import pytest

from registry.datasets.models import DatasetVersion
from training.models import TrainingRun


def reloaded(row: DatasetVersion) -> DatasetVersion:
    """The row without what it has cached."""
    return DatasetVersion.objects.get(pk=row.pk)


def test_a_version_that_nothing_uses_says_what_its_deletion_removes(sales) -> None:
    older = DatasetVersion.objects.create(
        dataset=sales.dataset, number=0, state="ready", size=2048, first=sales.first, last=sales.last
    )
    assert (
        older.deletion_notice().replace("\xa0", " ")
        == "It and its file (2.0 KB) will be deleted permanently."
    )
    TrainingRun.objects.create(dataset_version=older, algorithm="seasonal_naive", state="failed")
    assert older.deletion_notice().endswith("The record of 1 training goes with it.")
    with pytest.raises(ValueError, match="It is the current version"):
        reloaded(sales).deletion_notice()


def test_a_version_with_models_stays(version, sales) -> None:
    with pytest.raises(ValueError, match="Models were trained on it"):
        sales.deletion_notice()


@pytest.mark.parametrize("state", TrainingRun.State)
def test_a_version_stays_while_a_training_waits_or_runs(sales, state: str) -> None:
    TrainingRun.objects.create(dataset_version=sales, algorithm="seasonal_naive", state=state)
    is_active = state in ("queued", "running")
    with pytest.raises(ValueError, match="A training is using it" if is_active else "current version"):
        reloaded(sales).deletion_notice()


def test_every_registered_check_is_asked_and_the_first_reason_is_given(sales, monkeypatch) -> None:
    checks = [lambda row: "", lambda row: f"{row} is needed.", lambda row: "Not reached."]
    monkeypatch.setattr(DatasetVersion, "removal_checks", checks)
    with pytest.raises(ValueError, match=f"^{sales} is needed.$"):
        sales.deletion_notice()

"""Versions of sales that nothing was made from go by rule; parts that others have stay."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest
from django.utils import timezone

from forecastsite.cleanup.service import build_default_policy, build_plan
from registry.datasets.importer import import_file, restore_version
from registry.datasets.models import DatasetVersion
from registry.datasets.reader import read_table
from registry.datasets.scope import Scope
from registry.datasets.store import layout
from registry.datasets.store.models import SalesPart
from registry.storage.artifacts import get_artifact_store
from registry.storage.tombstones import Tombstone, rule_text
from tests.helpers import small_files
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def history(small: pd.DataFrame, write, monkeypatch: pytest.MonkeyPatch) -> list[DatasetVersion]:
    """A dataset of four versions, each with a day more; two are kept."""
    monkeypatch.setattr(layout, "ROWS_PER_PART", 8)
    found = [import_file(write(small, "first.parquet"), "shop")]
    for number in range(1, 4):
        day = small[-6:].assign(date=small["date"].max() + pd.Timedelta(days=number))
        found.append(import_file(write(day, "day.parquet"), "shop"))
    return [small_files.aged(version, 40 - number) for number, version in enumerate(found)]


def planned(manage, *more: str) -> dict[str, dict]:
    _code, found = manage("cleanup_artifacts", "--keep-sales=2", *more)
    return {item["id"]: item for item in found["items"] if item["kind"] == "dataset_version"}


def stored_bytes() -> int:
    return sum(sum(kind.objects.values_list("size", flat=True)) for kind in (DatasetVersion, SalesPart))


def test_a_dry_run_names_the_bytes_that_the_clean_up_then_frees(history, manage, fingerprint) -> None:
    before, bytes_before = fingerprint(), stored_bytes()
    items = planned(manage)
    gone = [pk for pk, item in items.items() if item["action"] == "delete"]
    assert gone == [str(version.pk) for version in history[:2]] and fingerprint() == before
    assert sum(item["bytes"] for item in items.values()) == bytes_before, "each part is counted once"
    code, done = manage("cleanup_artifacts", "--keep-sales=2", "--apply")
    assert (code, done["counts"]["deleted"]) == (0, 2)
    assert done["bytes"]["freed"] == bytes_before - stored_bytes() == sum(items[pk]["bytes"] for pk in gone)


def test_what_is_left_is_whole_and_can_be_undone(history, small: pd.DataFrame, manage) -> None:
    paths = [part.path for part in history[0].own_parts] + [version.path for version in history[:2]]
    planned(manage, "--apply")
    assert list(DatasetVersion.objects.order_by("number")) == history[2:]
    assert paths and not any(get_artifact_store().exists(path) for path in paths)
    assert read_table(history[3], Scope()).num_rows == len(small) + 18
    assert read_table(restore_version(history[2]), Scope()).num_rows == len(small) + 12
    stone = Tombstone.objects.get(pk=history[0].pk)
    assert rule_text(stone.rule) == "beyond the newest 2 versions of sales"
    assert manage("reconcile_artifacts")[1]["items"] == []


def test_models_forecasts_and_running_trainings_keep_their_sales(history, manage) -> None:
    version = small_files.version(history[0], days=30)
    small_files.use(version)
    small_files.forecast(version, days=1)
    queued = TrainingRun.objects.create(dataset_version=history[1], algorithm="kan")
    items = planned(manage, "--apply")
    kept = [items[str(row.pk)]["protected_by"] for row in history]
    assert kept == [["forecast", "model_version"], ["training_run"], [], ["current"]]
    for days, action in ((1, "keep"), (31, "delete")):  # the record of a training is kept for a month
        ended = timezone.now() - timedelta(days=days)
        TrainingRun.objects.filter(pk=queued.pk).update(state="failed", finished_at=ended)
        assert planned(manage)[str(history[1].pk)]["action"] == action


def test_a_version_that_is_needed_after_the_plan_is_left_alone(history, manage, monkeypatch) -> None:
    monkeypatch.setattr(
        "forecastsite.cleanup.service.check_limits",
        lambda *given: small_files.version(history[0], days=1),
    )
    code, done = manage("cleanup_artifacts", "--keep-sales=2", "--apply")
    assert (code, done["counts"]["deleted"], done["counts"]["skipped"]) == (0, 1, 1)
    assert history[0] in DatasetVersion.objects.all()


def test_thirty_are_kept_and_with_an_archive_all(history, manage, archive_folder) -> None:
    assert not build_plan(build_default_policy()).due_items
    assert planned(manage) == {}
    assert len(planned(manage, "--archive=never")) == 4

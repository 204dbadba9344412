"""reconcile_artifacts: rows and files that do not fit together are found, told and mended."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from prediction.models import Forecast
from registry.model_versions.models import ForecastModel, ModelVersion
from registry.storage.artifacts import get_artifact_store
from tests.helpers import small_files
from training.models import TrainingRun


def file(row) -> Path:
    return Path(get_artifact_store().path(row.path))


def problems(found) -> dict[str, int]:
    return found["counts"]


def aged(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"left behind")
    os.utime(path, (time.time() - 7200,) * 2)
    return path


def test_a_sound_installation_has_no_findings(stocked, manage):
    code, found = manage("reconcile_artifacts")
    assert (code, found["items"]) == (0, [])


def test_files_that_nobody_owns_go_when_they_are_old_enough(stocked, manage, artifact_folder):
    name = "00000000-0000-4000-8000-000000000000.json"
    orphan = aged(artifact_folder / "forecasts" / name)
    model_file = f"{stocked['versions'][0].pk}.safetensors"
    parts = [aged(artifact_folder / "models" / f"{model_file}{end}") for end in (".41.part", ".part")]
    strange = aged(artifact_folder / "forecasts" / "notes.txt")
    young = artifact_folder / "forecasts" / name.replace("0000-4", "0001-4")
    young.write_bytes(b"in the making")
    code, found = manage("reconcile_artifacts")
    assert code == 3 and problems(found) == {"orphan": 3} and orphan.exists()
    assert manage("reconcile_artifacts", "--apply")[0] == 0
    assert not any(file.exists() for file in (orphan, *parts)) and strange.exists() and young.exists()


def test_a_lost_or_changed_file_makes_its_row_damaged_and_the_file_that_comes_back_makes_it_ready(
    stocked, manage
):
    lost, changed = stocked["old"][0], stocked["new"][0]
    content = file(lost).read_bytes()
    file(lost).unlink()
    file(changed).write_bytes(b"x" * changed.size)  # the same size
    assert problems(manage("reconcile_artifacts", "--no-hashes")[1]) == {"missing": 1}
    code, found = manage("reconcile_artifacts", "--apply")
    assert code == 0 and problems(found) == {"missing": 1, "changed": 1}
    assert set(Forecast.objects.filter(state="damaged")) == {lost, changed}
    assert manage("reconcile_artifacts", "--apply")[1]["items"] == []
    file(lost).write_bytes(content)
    assert problems(manage("reconcile_artifacts", "--apply")[1]) == {"whole_again": 1}
    assert Forecast.objects.get(pk=lost.pk).state == "ready"


def test_a_damaged_version_in_use_hands_over(stocked, manage):
    best = stocked["versions"][0]
    file(best).unlink()
    assert manage("reconcile_artifacts", "--apply")[0] == 0
    model = ForecastModel.objects.get()
    assert model.best_id not in (None, best.pk) and model.best.state == "ready"


def test_what_the_archive_holds_is_mended_from_there(stocked, manage, archive_folder):
    row = stocked["versions"][3]
    row.move_to_archive()
    row.restore_file()
    file(row).write_bytes(b"rubbish")
    assert problems(manage("reconcile_artifacts", "--apply")[1]) == {"changed": 1}
    assert ModelVersion.objects.get(pk=row.pk).state == "ready" and file(row).stat().st_size == row.size


def test_stuck_states_are_ended(stocked, manage):
    pending = Forecast.objects.filter(pk=stocked["old"][0].pk)
    pending.update(state="pending")
    deleting = stocked["old"][1]
    deleting.mark_for_deletion("by_hand", None)
    fresh = small_files.forecast(stocked["versions"][5], days=0)
    Forecast.objects.filter(pk=fresh.pk).update(state="pending")
    run = TrainingRun.objects.create(
        dataset_version=fresh.dataset_version,
        algorithm="kan",
        state="running",
        attempt=2,
        attempt_token=fresh.pk,
        lease_until=timezone.now() - timedelta(hours=1),
    )
    TrainingRun.objects.filter(pk=run.pk).update(lease_until=Now() - timedelta(hours=1))
    code, found = manage("reconcile_artifacts", "--apply")
    assert code == 0
    assert problems(found) == {"stuck_pending": 1, "stuck_deleting": 1, "stuck_running": 1}
    assert not pending.exists() and not Forecast.objects.filter(pk=deleting.pk).exists()
    assert Forecast.objects.filter(pk=fresh.pk).exists()  # it may still be in the making
    assert TrainingRun.objects.get(pk=run.pk).state == "failed"


def test_a_local_file_that_an_archiving_left_behind_goes(stocked, manage, archive_folder):
    row = stocked["versions"][3]
    content = row.read()
    row.move_to_archive()
    file(row).write_bytes(content)
    assert problems(manage("reconcile_artifacts", "--apply")[1]) == {"leftover": 1}
    assert not file(row).exists() and row.read() == content


@pytest.mark.parametrize("words", [[], ["--force"]])
def test_when_the_folder_is_not_there_nothing_is_marked_without_force(db, manage, artifact_folder, words):
    made_with = small_files.version(small_files.data(), days=1)
    for _number in range(12):
        small_files.forecast(made_with, days=1)
    (artifact_folder / "forecasts").rename(artifact_folder / "elsewhere")
    code, _found = manage("reconcile_artifacts", "--apply", *words)
    assert code == (0 if words else 5)
    assert Forecast.objects.filter(state="damaged").exists() == bool(words)

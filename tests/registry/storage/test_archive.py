"""archive_artifacts: what is pushed, verified and brought back, and what it says when it cannot."""

from __future__ import annotations

import pytest

from prediction.models import Forecast
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import get_artifact_store


def test_without_names_it_pushes_what_a_clean_up_would_take(stocked, manage, archive_folder, fingerprint):
    before = fingerprint()
    code, found = manage("archive_artifacts", "push")
    assert (code, found["mode"], found["counts"]["chosen"]) == (0, "dry-run", 9) and fingerprint() == before
    code, done = manage("archive_artifacts", "push", "--apply")
    assert code == 0 and done["counts"] == {"chosen": 9, "done": 9, "failed": 0}
    assert manage("archive_artifacts", "push", "--apply")[1]["counts"]["chosen"] == 0
    assert all(item["address"].startswith(str(archive_folder)) for item in done["items"])


def test_a_version_is_pushed_and_brought_back_by_name(stocked, manage, archive_folder):
    row = stocked["versions"][3]
    content = row.read()
    assert manage("archive_artifacts", "push", row.name, "--apply")[0] == 0
    assert not get_artifact_store().exists(row.path)
    assert manage("archive_artifacts", "restore", str(row.pk), "--apply")[0] == 0
    back = ModelVersion.objects.get(pk=row.pk)
    assert not back.is_archived and get_artifact_store().open(back.path).read() == content


def test_what_is_in_use_is_told_and_stays(stocked, manage, archive_folder):
    code, done = manage("archive_artifacts", "push", "kan_global_v1", "kan_global_v3", "--apply")
    assert code == 3 and "in use" in done["errors"][0]["error"] and done["counts"]["done"] == 1


def test_restore_without_names_brings_everything_back(stocked, manage, archive_folder):
    manage("archive_artifacts", "push", "--apply")
    code, done = manage("archive_artifacts", "restore", "--apply")
    assert code == 0 and done["counts"]["done"] == 9
    assert not Forecast.objects.filter(archived_at__isnull=False).exists()


def test_verify_finds_a_copy_that_was_changed_or_lost(stocked, manage, archive_folder):
    manage("archive_artifacts", "push", "--apply")
    assert manage("archive_artifacts", "verify")[1]["counts"] == {"chosen": 9, "done": 9, "failed": 0}
    changed, gone = list(Forecast.objects.filter(archived_at__isnull=False))[:2]
    (archive_folder / changed.path).write_bytes(b"rubbish")
    (archive_folder / gone.path).unlink()
    code, found = manage("archive_artifacts", "verify")
    assert code == 3 and {error["id"] for error in found["errors"]} == {str(changed.pk), str(gone.pk)}


@pytest.mark.parametrize("action", ["push", "verify", "restore"])
def test_without_an_archive_it_says_so(stocked, manage, action):
    assert manage("archive_artifacts", action, "--apply")[0] == 6


def test_a_name_that_nobody_has_is_a_bad_argument(stocked, manage, archive_folder):
    assert manage("archive_artifacts", "push", "kan_global_v99", "--apply")[0] == 2
    assert manage("archive_artifacts", "push", "00000000-0000-4000-8000-000000000000", "--apply")[0] == 2

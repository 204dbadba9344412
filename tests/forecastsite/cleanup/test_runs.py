"""Old forecast runs go by the same clean-up as forecasts and versions: planned, deleted, archived, kept."""

from __future__ import annotations

import pytest
from django.db import models

from forecastsite.cleanup.service import build_default_policy, build_plan
from prediction.models import CurrentForecast, Forecast, ForecastRun, RunSums
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import get_artifact_store
from registry.storage.tombstones import Tombstone
from tests.helpers import small_files


@pytest.fixture
def runs(db) -> list[ForecastRun]:
    """Five of one dataset, the oldest first; two are kept."""
    version = small_files.version(small_files.data(), days=90)
    small_files.use(version)
    return [small_files.run(version, days=50 - at) for at in range(5)]


def planned(manage, *more: str) -> dict[str, dict]:
    _code, found = manage("cleanup_artifacts", "--keep-runs=2", *more)
    return {item["id"]: item for item in found["items"] if item["kind"] == "forecast_run"}


def test_a_dry_run_names_old_runs_with_the_bytes_of_all_their_files(runs, manage, fingerprint):
    before = fingerprint()
    items = planned(manage)
    gone = [pk for pk, item in items.items() if item["action"] == "delete"]
    assert gone == [str(run.pk) for run in runs[:3]] and fingerprint() == before
    sizes = runs[0].size + runs[0].sums.size + runs[0].totals.size
    assert items[gone[0]]["bytes"] == sizes and items[gone[0]]["rule"] == "beyond_newest_2_runs"
    assert len(build_plan(build_default_policy()).due_items) == 0  # forty are kept


def test_applying_deletes_them_with_their_files_and_leaves_tombstones(runs, manage):
    paths = [part.path for part in (runs[0], runs[0].sums, runs[0].totals)]
    code, done = manage("cleanup_artifacts", "--keep-runs=2", "--apply")
    assert (code, done["counts"]["deleted"]) == (0, 3)
    assert done["bytes"]["freed"] == 3 * runs[0].total_size
    assert list(ForecastRun.objects.order_by("created_at")) == runs[3:]
    assert RunSums.objects.count() == Forecast.objects.count() == 2
    assert not any(get_artifact_store().exists(path) for path in paths)
    assert Tombstone.objects.get(pk=runs[0].pk).rule == "beyond_newest_2_runs"


def test_the_current_run_pinned_ones_and_those_orders_need_stay(runs, manage, monkeypatch):
    runs[0].pin()
    dataset = runs[1].dataset_version.dataset
    CurrentForecast.objects.create(dataset=dataset, run=runs[1], previous=runs[2])
    # as a table of orders would refer to its run
    need = CurrentForecast._meta.get_field("previous").remote_field
    monkeypatch.setattr(need, "on_delete", models.PROTECT)
    items = planned(manage, "--apply")
    kept = [items[str(run.pk)]["protected_by"] for run in runs[:3]]
    assert kept == [["pinned"], ["current"], ["order"]] and ForecastRun.objects.count() == 5
    assert "Orders were made" in runs[2].removal_blocker()


def test_a_run_that_became_current_after_the_plan_is_left_alone(runs, manage, monkeypatch):
    monkeypatch.setattr("forecastsite.cleanup.service.check_limits", lambda *given: CurrentForecast(
        dataset=runs[0].dataset_version.dataset, run=runs[0]).save())  # fmt: skip
    code, done = manage("cleanup_artifacts", "--keep-runs=2", "--apply")
    assert (code, done["counts"]["deleted"], done["counts"]["skipped"]) == (0, 2, 1)
    assert runs[0] in ForecastRun.objects.all()


def test_a_version_goes_after_its_last_run(runs, manage):
    newer = [small_files.version(runs[0].dataset_version, days=5) for _each in range(2)]
    small_files.use(newer[0])
    words = ("cleanup_artifacts", "--keep-versions=1", "--apply", "--json")
    manage(*words, "--keep-runs=2")
    assert ModelVersion.objects.filter(pk=runs[0].version_id).exists()
    ForecastRun.objects.filter(pk__in=[run.pk for run in runs[3:]]).update(stage="running", state="pending")
    Forecast.objects.all().delete()
    manage(*words, "--keep-runs=1")
    assert ModelVersion.objects.filter(pk=runs[0].version_id).exists()  # they are being made
    for run in ForecastRun.objects.all():
        run.remove()
    manage(*words)
    assert not ModelVersion.objects.filter(pk=runs[0].version_id).exists()


def test_a_clean_up_finishes_a_deletion_that_was_killed(runs, manage):
    runs[4].mark_for_deletion("by_hand", None)
    manage("cleanup_artifacts", "--apply")
    assert list(ForecastRun.objects.order_by("created_at")) == runs[:4] and RunSums.objects.count() == 4


def test_with_an_archive_all_three_files_move_and_come_back(runs, manage, archive_folder):
    code, done = manage("cleanup_artifacts", "--keep-runs=2", "--apply")
    assert (code, done["counts"]["archived"]) == (0, 3) and ForecastRun.objects.count() == 5
    run = ForecastRun.objects.get(pk=runs[0].pk)
    parts = [run, run.sums, run.totals]
    assert not any(get_artifact_store().exists(part.path) for part in parts)
    code, found = manage("archive_artifacts", "verify")
    assert (code, found["counts"]["done"]) == (0, 9)
    run.ensure_local()
    assert all(get_artifact_store().exists(part.path) for part in parts)
    assert not ForecastRun.objects.get(pk=run.pk).sums.is_archived


def test_a_reconciliation_restores_a_missing_file_of_a_run_from_the_archive(runs, manage, archive_folder):
    sums = runs[0].sums
    sums.copy_to_archive()
    get_artifact_store().delete(sums.path)
    code, found = manage("reconcile_artifacts", "--apply")
    assert (code, found["counts"]) == (0, {"missing": 1})
    assert get_artifact_store().exists(sums.path)


def test_the_admin_curates_runs_like_versions(runs, admin_page, read):
    address = "/admin/prediction/forecastrun/"

    def act(action: str, run: ForecastRun, **more: str) -> str:
        form = {"action": action, "_selected_action": [str(run.pk)], **more}
        return read(admin_page.post(address, form, follow=True))

    dataset = runs[0].dataset_version.dataset
    CurrentForecast.objects.create(dataset=dataset, run=runs[4], forecast=runs[4].totals)
    assert "will read it until" in act("promote", runs[0])
    act("promote", runs[0], confirmed="yes", reason="the old plan holds")
    assert CurrentForecast.objects.get().run == runs[0] and "is the current forecast" in act(
        "delete_with_file", runs[0]
    )
    act("roll_back", runs[0], confirmed="yes")
    assert CurrentForecast.objects.get().run == runs[4]
    act("pin", runs[1], confirmed="yes")
    assert ForecastRun.objects.get(pk=runs[1].pk).pinned
    act("delete_with_file", runs[0], confirmed="yes")
    assert not ForecastRun.objects.filter(pk=runs[0].pk).exists()
    totals = f"/admin/prediction/forecast/{runs[1].totals.pk}/change/"
    assert admin_page.get(totals).status_code == 200
    form = {"action": "delete_with_file", "_selected_action": [str(runs[1].totals.pk)], "confirmed": "yes"}
    assert "delete the run instead" in read(admin_page.post("/admin/prediction/forecast/", form, follow=True))
    assert Forecast.objects.filter(pk=runs[1].totals.pk).exists()

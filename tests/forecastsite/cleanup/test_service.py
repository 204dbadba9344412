"""cleanup_artifacts: the plan, the deed, what it leaves alone, and when it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from forecastsite.cleanup import service
from forecastsite.cleanup.models import CleanUp, Nightly
from forecastsite.tasks import clean_up
from prediction.models import Forecast
from registry.lib.durable_storage import DurableStorage
from registry.lib.locks import exclusive_lock
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import get_artifact_store
from registry.storage.tombstones import Tombstone
from tests.helpers import small_files
from training.models import TrainingRun


def names(found, *actions: str) -> list[str]:
    return sorted(item["name"] for item in found["items"] if item["action"] in actions)


def files() -> int:
    return sum(1 for path in Path(get_artifact_store().location).rglob("*") if path.is_file())


def test_a_dry_run_changes_nothing_and_gives_every_reason(stocked, manage, fingerprint):
    small_files.forecast(stocked["versions"][2], days=3)
    before = fingerprint()
    code, found = manage("cleanup_artifacts")
    assert (code, found["mode"], found["errors"]) == (0, "dry-run", [])
    assert fingerprint() == before and not CleanUp.objects.exists()
    assert found["counts"] == {"examined": 19, "keep": 11, "delete": 8, "archive": 0}
    reasons = {item["name"]: item["protected_by"] or item["rule"] for item in found["items"]}
    assert reasons["kan_global_v1"] == ["best"] and reasons["kan_global_v2"] == ["pinned"]
    assert reasons["kan_global_v3"] == ["forecast"]  # a new forecast needs it
    assert reasons["kan_global_v4"] == "within_limits"
    assert set(found["items"][0]) == {"kind", "id", "name", "action", "rule", "protected_by", "bytes"}
    assert found["bytes"]["delete"] == sum(i["bytes"] for i in found["items"] if i["action"] == "delete") > 0


def test_applying_does_what_the_dry_run_said_and_a_second_run_does_nothing(stocked, manage, fingerprint):
    _code, planned = manage("cleanup_artifacts")
    code, done = manage("cleanup_artifacts", "--apply", "--expect-plan", planned["plan_sha256"])
    assert code == 0 and done["items"] == planned["items"]
    assert names(done, "delete")[-1] == "kan_global_v3"
    assert done["counts"]["deleted"] == done["counts"]["delete"] == 9
    assert done["bytes"]["freed"] == planned["bytes"]["delete"]
    assert set(Forecast.objects.all()) == {*stocked["new"], *stocked["pinned"]}
    assert ModelVersion.objects.count() == 5 and files() == 1 + 5 + 3
    before = fingerprint()
    code, again = manage("cleanup_artifacts", "--apply")
    assert code == 0 and again["counts"]["deleted"] == 0 and fingerprint() == before


def test_every_deletion_leaves_a_tombstone(stocked, manage):
    doomed = stocked["old"][0]
    manage("cleanup_artifacts", "--apply")
    stone = Tombstone.objects.get(pk=doomed.pk)
    assert (stone.kind, stone.rule, stone.sha256) == ("forecast", "older_than_30_days", doomed.sha256)
    assert Tombstone.objects.count() == 8 + 1


def test_beyond_the_newest_so_many_the_oldest_go(stocked, manage):
    code, found = manage("cleanup_artifacts", "--keep-days=365", "--keep-count=4", "--kind=forecasts")
    gone = [item for item in found["items"] if item["action"] == "delete"]
    assert {item["rule"] for item in gone} == {"beyond_newest_4"} and len(gone) == 11 - 4 - 1
    code, done = manage(
        "cleanup_artifacts", "--keep-days=365", "--keep-count=4", "--kind=forecasts", "--apply", "--batch=2"
    )
    assert (code, done["counts"]["deleted"]) == (0, 6)
    assert ModelVersion.objects.count() == 6


def test_what_is_younger_than_the_grace_period_stays(stocked, manage):
    _code, found = manage("cleanup_artifacts", "--keep-days=1", "--keep-count=1", "--grace=41d")
    assert names(found, "delete") == names(found, "delete") and found["counts"]["delete"] < 9
    young = [item for item in found["items"] if "young" in item["protected_by"]]
    assert len(young) >= 3


def test_the_version_of_a_run_that_is_not_over_stays(db, manage):
    source = small_files.data()
    versions = [small_files.version(source, days=50 - at) for at in range(5)]
    small_files.use(versions[4])
    run = TrainingRun.objects.create(
        dataset_version=source, algorithm="kan", state="running", attempt_token=versions[0].pk
    )
    assert names(manage("cleanup_artifacts")[1], "delete") == ["kan_global_v2"]
    TrainingRun.objects.filter(pk=run.pk).update(state="done")
    assert len(names(manage("cleanup_artifacts")[1], "delete")) == 2


def test_where_no_version_passed_the_gate_the_one_with_the_smallest_error_stays(db, manage):
    source = small_files.data()
    for at in range(5):
        small_files.version(source, days=50 - at, wape=0.2 + at / 10)
    found = manage("cleanup_artifacts")[1]
    assert names(found, "delete") == ["kan_global_v2"]


def test_a_version_that_comes_into_use_after_the_plan_is_left_alone(stocked, manage, monkeypatch):
    third = stocked["versions"][2]
    finish = service.CleanupRun.finish_interrupted

    def meanwhile(sweep):
        finish(sweep)
        small_files.use(third)

    monkeypatch.setattr(service.CleanupRun, "finish_interrupted", meanwhile)
    code, done = manage("cleanup_artifacts", "--apply")
    assert code == 0 and done["counts"]["skipped"] == 1
    assert ModelVersion.objects.filter(pk=third.pk, state="ready").exists()


def test_a_forecast_that_is_pinned_after_the_plan_is_left_alone(stocked, manage, monkeypatch):
    chosen = stocked["old"][3]
    finish = service.CleanupRun.finish_interrupted

    def meanwhile(sweep):
        finish(sweep)
        chosen.pin()

    monkeypatch.setattr(service.CleanupRun, "finish_interrupted", meanwhile)
    manage("cleanup_artifacts", "--apply")
    assert Forecast.objects.filter(pk=chosen.pk, state="ready").exists() and chosen.read()
    # its version, too, since the forecast needs it now
    assert ModelVersion.objects.filter(pk=chosen.version_id, state="ready").exists()


def test_when_newer_ones_were_deleted_by_hand_the_count_is_looked_at_again(stocked, manage, monkeypatch):
    finish = service.CleanupRun.finish_interrupted

    def meanwhile(sweep):
        finish(sweep)
        for row in stocked["new"]:
            row.remove()

    monkeypatch.setattr(service.CleanupRun, "finish_interrupted", meanwhile)
    words = ["cleanup_artifacts", "--keep-days=365", "--keep-count=9", "--kind=forecasts", "--apply"]
    _code, done = manage(*words)
    assert done["counts"]["delete"] == 1 and done["counts"]["deleted"] == 0
    assert Forecast.objects.count() == 9


def test_an_error_in_one_item_does_not_stop_the_others(stocked, manage, monkeypatch):
    bad = stocked["old"][0]
    delete = DurableStorage.delete

    def failing(self, name):
        if name == bad.path:
            raise OSError(5, "Input/output error")
        delete(self, name)

    monkeypatch.setattr(DurableStorage, "delete", failing)
    code, done = manage("cleanup_artifacts", "--apply")
    assert code == 3 and [error["id"] for error in done["errors"]] == [str(bad.pk)]
    assert done["counts"]["deleted"] == 8 and CleanUp.objects.get().code == 3
    monkeypatch.setattr(DurableStorage, "delete", delete)
    code, done = manage("cleanup_artifacts", "--apply")
    assert (
        code == 0
        and not Forecast.objects.filter(pk=bad.pk).exists()
        and not get_artifact_store().exists(bad.path)
    )


@pytest.mark.parametrize("limit", ["8", "45%"])
def test_a_plan_above_the_limit_is_refused_as_a_whole(stocked, manage, fingerprint, limit):
    before = fingerprint()
    code, found = manage("cleanup_artifacts", "--apply", "--max-delete", limit)
    assert (code, found) == (5, {}) and fingerprint() == before
    assert CleanUp.objects.get().code == 5
    assert manage("cleanup_artifacts", "--apply", "--max-delete", "60%")[0] == 0


def test_another_plan_than_the_one_that_was_looked_at_is_refused(stocked, manage):
    _code, planned = manage("cleanup_artifacts")
    stocked["old"][0].pin()
    assert manage("cleanup_artifacts", "--apply", "--expect-plan", planned["plan_sha256"])[0] == 5


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_one_too_many(manage):
    with exclusive_lock(service.LOCK_NAME):
        assert manage("cleanup_artifacts", "--apply")[0] == 4
    assert manage("cleanup_artifacts", "--apply")[0] == 0


@pytest.mark.parametrize(
    "word",
    [
        "--keep-days=0",
        "--keep-count=x",
        "--grace=soon",
        "--max-delete=120%",
        "--kind=users",
        "--archive=maybe",
    ],
)
def test_bad_arguments_are_told_and_change_nothing(stocked, fingerprint, word):
    before = fingerprint()
    with pytest.raises((CommandError, SystemExit)):
        call_command("cleanup_artifacts", "--apply", word)
    assert fingerprint() == before


def test_what_there_was_no_time_for_is_left_and_done_the_next_time(stocked, manage):
    code, done = manage("cleanup_artifacts", "--apply", "--time-limit=0.000001s", "--batch=1")
    assert code == 0 and done["counts"]["left"] >= 8
    _code, done = manage("cleanup_artifacts", "--apply")
    assert done["counts"]["left"] == 0


def test_with_an_archive_what_goes_is_moved_and_can_be_brought_back(stocked, manage, archive_folder):
    contents = {row.pk: row.read() for row in stocked["old"]}
    code, done = manage("cleanup_artifacts", "--apply")
    assert code == 0 and done["counts"]["archived"] == done["counts"]["archive"] == 9
    assert not Tombstone.objects.exists() and Forecast.objects.count() == 11
    assert files() == 1 + 5 + 3
    assert manage("cleanup_artifacts", "--apply")[1]["counts"]["archived"] == 0
    for row in Forecast.objects.filter(archived_at__isnull=False):
        assert row.read() == contents[row.pk]


def test_never_means_that_what_goes_is_deleted_although_there_is_an_archive(stocked, manage, archive_folder):
    _code, done = manage("cleanup_artifacts", "--apply", "--archive=never")
    assert done["counts"]["deleted"] == 9 and not archive_folder.exists()


def test_require_without_an_archive_does_nothing(stocked, manage, fingerprint):
    before = fingerprint()
    assert manage("cleanup_artifacts", "--apply", "--archive=require")[0] == 6
    assert fingerprint() == before


def test_an_archive_that_stops_answering_stops_the_clean_up(stocked, manage, archive_folder, monkeypatch):
    save, saved = DurableStorage._save, []

    def failing(self, name, content):
        if Path(self.location) == archive_folder:
            saved.append(name)
            if len(saved) > 3:
                raise OSError(111, "Connection refused")
        return save(self, name, content)

    monkeypatch.setattr(DurableStorage, "_save", failing)
    code, done = manage("cleanup_artifacts", "--apply")
    assert code == 6 and done["counts"]["archived"] == 2 and done["counts"]["left"] == 7
    monkeypatch.setattr(DurableStorage, "_save", save)
    assert manage("cleanup_artifacts", "--apply")[1]["counts"]["archived"] == 7


def test_the_schedule_is_off_until_it_is_switched_on(db):
    row = Nightly.objects.ensure_schedule()
    assert not row.is_enabled and row.last_cleanup is None
    row.set_enabled(True)
    assert Nightly.objects.get().is_enabled and Nightly.objects.get().cluster == "light"
    row.set_enabled(False)
    assert not Nightly.objects.get().is_enabled


def test_the_scheduled_clean_up_keeps_its_result(stocked):
    clean_up()
    last = Nightly.objects.ensure_schedule().last_cleanup
    assert (last.deleted, last.code, last.by_schedule) == (9, 0, True) and "Deleted 9" in last.result_sentence


def test_the_scheduled_clean_up_goes_on_in_pieces(stocked, monkeypatch):
    queued = []
    monkeypatch.setattr("forecastsite.tasks.async_task", lambda *words, **options: queued.append(words))
    monkeypatch.setattr("forecastsite.tasks.NIGHTLY_LIMITS", service.Limits(time_limit=0.000001))
    clean_up()
    assert queued == [("forecastsite.tasks.clean_up",)]


def test_the_scheduled_clean_up_leaves_a_plan_that_takes_too_much_to_a_person(stocked, monkeypatch):
    monkeypatch.setattr(
        "forecastsite.tasks.NIGHTLY_LIMITS", service.Limits(max_delete="45%", always_allowed=5)
    )
    clean_up()
    last = Nightly.objects.ensure_schedule().last_cleanup
    assert last.code == 5 and "review the plan" in last.text and Forecast.objects.count() == 11

"""Versions in use that an earlier release made, or that lack the newest sales, get successors."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from registry.datasets.models import DatasetVersion
from registry.model_versions import bundle
from registry.model_versions.outdated import read_schema
from training.models import TrainingRun


@pytest.fixture
def newer(version):
    """A newer version of the sales, of which only the row is needed."""
    data = version.dataset_version
    fields = ("stores", "products", "series", "first", "roles")
    values = {name: getattr(data, name) for name in fields}
    last = data.last.replace(year=data.last.year + 1)
    return DatasetVersion.objects.create(
        dataset=data.dataset, number=2, state="ready", last=last, content_hash="1" * 64, **values
    )


@pytest.fixture
def retrain(capsys):
    """Runs the command; gives the outdated versions that it printed."""

    def run(*args: str) -> list[dict]:
        call_command("retrain", "--all-outdated", "--json", *args)
        return json.loads(capsys.readouterr().out)["outdated"]

    return run


@pytest.fixture
def next_release(monkeypatch):
    """A release that writes another schema than the version's file has."""
    monkeypatch.setattr(bundle, "SCHEMA_VERSION", bundle.SCHEMA_VERSION + 1)


def test_what_knows_the_newest_sales_and_is_of_this_release_stays(version, retrain):
    assert read_schema(version) == bundle.SCHEMA_VERSION
    assert retrain() == [] and not TrainingRun.objects.exists()


def test_a_version_of_an_earlier_release_gets_one_successor_with_its_settings(version, retrain, next_release):
    told = retrain()
    run = TrainingRun.objects.get()
    assert [row["run"] for row in told] == [str(run.pk)] and "earlier release" in told[0]["reason"]
    assert (run.algorithm, run.horizon, run.seed) == (version.algorithm, version.horizon, version.seed)
    assert [row["run"] for row in retrain()] == [str(run.pk)], "asked twice, trained once"


def test_newer_sales_get_a_successor_of_the_chosen_dataset_only(version, newer, retrain):
    assert "sales" in retrain("--dataset=chain")[0]["reason"]
    assert TrainingRun.objects.get().dataset_version == newer
    with pytest.raises(CommandError, match="no dataset 'nowhere'"):
        call_command("retrain", "--all-outdated", "--dataset=nowhere")


def test_a_successor_that_the_gate_has_refused_is_not_trained_again(version, newer, retrain, publish):
    retrain()
    worse = publish(wape=0.5)
    worse.dataset_version = newer
    worse.save()
    TrainingRun.objects.update(state="done", version=worse, finished_at=newer.created_at)
    told = retrain()
    assert [row["run"] for row in told] == [None] and "already" in told[0]["problem"]
    assert TrainingRun.objects.count() == 1


def test_an_unreadable_file_counts_as_of_an_earlier_release(version, artifact_folder):
    (artifact_folder / version.path).write_bytes(b"no model")
    assert read_schema(version) is None


def test_in_the_admin_what_is_not_outdated_is_refused_with_the_reason(
    admin_page, version, newer, publish, read
):
    other = publish(wape=0.9)  # not in use
    address, keys = "/admin/registry/modelversion/", [str(version.pk), str(other.pk)]
    chosen = {"action": "retrain_outdated", "_selected_action": keys}
    text = read(admin_page.post(address, chosen, follow=True))
    assert "has not learned the newest" in text and "It is not in use" in text
    admin_page.post(address, chosen | {"confirmed": "1"})
    assert TrainingRun.objects.get().dataset_version == newer

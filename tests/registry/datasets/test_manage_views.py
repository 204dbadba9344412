"""A dataset is renamed, paused and deleted on its page, by those who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from registry.access.audit import AuditEntry
from registry.datasets.models import Dataset, DatasetVersion
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import get_artifact_store
from registry.storage.tombstones import Tombstone
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def curator(person: Any, browse: Any) -> Client:
    return browse(person("cleo", "Curator"))


def address(name: str, dataset: Dataset) -> str:
    return reverse(f"dataset-{name}", args=[dataset.pk])


def test_a_curator_renames_a_dataset(curator, sales, read) -> None:
    response = curator.post(address("rename", sales.dataset), {"name": "Pharmacies"}, follow=True)
    assert "The dataset is called Pharmacies now." in read(response)
    assert Dataset.objects.get().name == "Pharmacies"
    assert "→ Pharmacies" in AuditEntry.objects.first().why


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "required"), ("Other", "Another dataset has this name."), ("a\x07b", "visible characters")],
)
def test_a_name_that_cannot_be_given_is_refused_beside_the_field(curator, sales, read, name, words) -> None:
    Dataset.objects.create(name="Other")
    response = curator.post(address("rename", sales.dataset), {"name": name})
    assert response.status_code == 200 and words in read(response)
    assert Dataset.objects.get(pk=sales.dataset_id).name == sales.dataset.name


def test_a_paused_dataset_needs_no_attention_until_it_is_resumed(curator, sales, read) -> None:
    DatasetVersion.objects.filter(pk=sales.pk).update(last="2020-01-01")

    def is_told() -> bool:
        return "Sales end on" in read(curator.get("/"))

    assert is_told()
    text = read(curator.post(address("pause", sales.dataset), {"pause": "1"}, follow=True))
    assert "attention paused" in text and "Resume attention" in text and not is_told()
    curator.post(address("pause", sales.dataset))
    assert is_told()


def test_deleting_says_what_goes_asks_and_leaves_no_file(curator, version, read) -> None:
    data, learned = version.dataset_version, version
    dataset, files = data.dataset, [data.path, learned.path]
    store = get_artifact_store()
    assert all(store.exists(path) for path in files)
    text = read(curator.get(address("delete", dataset)))
    assert f"Delete {dataset.name}?" in text and "1 trained model." in text and "cannot be undone" in text
    assert Dataset.objects.exists()
    response = curator.post(address("delete", dataset))
    assert response.status_code == 302 and response.url == "/data/"
    assert not Dataset.objects.exists() and not ModelVersion.objects.exists()
    assert not any(store.exists(path) for path in files)
    assert set(Tombstone.objects.values_list("pk", flat=True)) >= {data.pk, learned.pk}


def test_a_dataset_stays_while_a_training_uses_it_or_a_model_is_pinned(curator, version, read) -> None:
    dataset = version.dataset_version.dataset
    run = TrainingRun.objects.create(
        dataset_version=version.dataset_version, algorithm="seasonal_naive", state="queued"
    )
    assert "A training is using it" in read(curator.post(address("delete", dataset), follow=True))
    run.delete()
    ModelVersion.objects.update(pinned=True)
    assert "pinned: unpin it first" in read(curator.post(address("delete", dataset), follow=True))
    assert Dataset.objects.exists()


def test_only_a_curator_sees_and_may_do_these_things(person, browse, sales, read) -> None:
    planner = browse(person("paul", "Planner"))
    assert "More actions" not in planner.get(reverse("dataset", args=[sales.dataset_id])).content.decode()
    for name in ("rename", "pause", "delete"):
        response = planner.post(address(name, sales.dataset), {"name": "x", "pause": "1"})
        assert response.status_code == 403 and "Curator" in read(response)
    assert Dataset.objects.get().name == sales.dataset.name


def test_an_interrupted_deletion_can_be_repeated(curator, version, monkeypatch) -> None:
    dataset = version.dataset_version.dataset
    monkeypatch.setattr(ModelVersion, "delete_files", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        curator.post(address("delete", dataset))
    assert Dataset.objects.get().current_version is None
    monkeypatch.undo()
    curator.post(address("delete", dataset))
    assert not Dataset.objects.exists()

"""Unfinished work in a store that two hosts share: a host has its own data folder."""

from __future__ import annotations

from datetime import timedelta

import pytest
from botocore.exceptions import EndpointConnectionError
from django.utils import timezone

from registry.storage.artifacts import get_artifact_store
from registry.storage.shared_folder import SharedFolder, StoreUnreachable, list_abandoned


def make(name: str = "uploads/1") -> SharedFolder:
    folder = SharedFolder(name)
    (folder.path / "parts" / "a").mkdir(parents=True)
    (folder.path / "source.csv").write_bytes(b"sales")
    (folder.path / "parts" / "a" / "1.parquet").write_bytes(b"one")
    (folder.path / "parts" / "2.parquet").write_bytes(b"two")
    return folder


def content(folder: SharedFolder) -> dict[str, bytes]:
    files = (path for path in folder.path.rglob("*") if path.is_file())
    return {path.relative_to(folder.path).as_posix(): path.read_bytes() for path in files}


def test_another_host_fetches_files_and_folders_that_were_shared(shared_store, go_to_host):
    go_to_host("one")
    make().share("source.csv", "parts", "nothing.csv")
    go_to_host("other")
    there = SharedFolder("uploads/1")
    assert there.has_files()
    assert there.fetch("source.csv").read_bytes() == b"sales"
    assert there.fetch("parts").is_dir()
    assert content(there) == {
        "source.csv": b"sales",
        "parts/a/1.parquet": b"one",
        "parts/2.parquet": b"two",
    }
    with pytest.raises(FileNotFoundError):
        there.fetch("nothing.csv")
    with pytest.raises(FileNotFoundError):
        there.fetch("sour")


def test_what_is_here_is_not_fetched_again(shared_store, go_to_host, monkeypatch):
    go_to_host("one")
    folder = make()
    folder.share("source.csv")
    monkeypatch.setattr(type(get_artifact_store()), "open", None)
    assert folder.fetch("source.csv").read_bytes() == b"sales"


def test_deleted_means_here_and_in_the_store(shared_store, go_to_host):
    go_to_host("one")
    folder = make()
    folder.share("source.csv", "parts")
    make("uploads/12").share("source.csv")
    folder.delete()
    folder.delete()
    assert not folder.has_files() and not (shared_store / "uploads" / "1").exists()
    assert SharedFolder("uploads/12").has_files()


def test_the_store_counts_where_both_have_something(shared_store, go_to_host):
    go_to_host("one")
    old = make("runs/1")
    go_to_host("other")
    newer = SharedFolder("runs/1")
    newer.replace_by_stored()
    assert not newer.has_files()
    (newer.path).mkdir(parents=True)
    (newer.path / "001").write_bytes(b"newer")
    newer.share("001")
    go_to_host("one")
    old.replace_by_stored()
    assert content(old) == {"001": b"newer"}


def test_abandoned_folders_are_old_and_nobodys(shared_store, go_to_host):
    go_to_host("one")
    for name in ("uploads/1", "uploads/2"):
        make(name).share("parts")
    now = timezone.now()
    assert list_abandoned("uploads", {"1"}, now - timedelta(hours=1)) == []
    assert [one.name for one in list_abandoned("uploads", {"1"}, now + timedelta(hours=1))] == ["uploads/2"]
    assert list_abandoned("runs", set(), now) == []


def test_one_machine_copies_nothing(artifact_folder, go_to_host):
    go_to_host("one")
    folder = make()
    folder.share("source.csv", "parts")
    assert not artifact_folder.exists()
    assert folder.fetch("source.csv").read_bytes() == b"sales"
    folder.replace_by_stored()
    assert folder.has_files()
    assert list_abandoned("uploads", set(), timezone.now()) == []
    folder.delete()
    assert not folder.has_files()


def test_a_store_that_does_not_answer_is_one_kind_of_error_and_deleting_goes_on_later(
    shared_store, go_to_host, monkeypatch, caplog
):
    def fail(*given):
        raise EndpointConnectionError(endpoint_url="http://store")

    go_to_host("one")
    folder = make()
    folder.share("source.csv")
    for name in ("save", "listdir"):
        monkeypatch.setattr(type(get_artifact_store()), name, fail)
    with pytest.raises(StoreUnreachable, match="http://store"):
        folder.share("source.csv")
    with pytest.raises(StoreUnreachable):
        folder.fetch("parts.other")
    folder.delete()
    assert not folder.path.exists()
    assert "uploads/1 is left in the store" in caplog.text

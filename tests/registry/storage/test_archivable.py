"""Pins, the archive and back, and what stays of a deleted file."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from registry.lib.durable_storage import DurableStorage
from registry.model_versions.models import ModelVersion
from registry.storage.archive import ArchiveError, ArchiveUnreachable
from registry.storage.artifacts import CorruptArtifact, get_artifact_store
from registry.storage.tombstones import Tombstone


@pytest.fixture
def spare(publish) -> ModelVersion:
    """A version that is not in use."""
    publish(wape=0.2)
    return publish(wape=0.4)


def here(version: ModelVersion) -> bool:
    return get_artifact_store().exists(version.path)


def again(version: ModelVersion) -> ModelVersion:
    return ModelVersion.objects.get(pk=version.pk)


def test_a_pin_stays_until_it_is_taken_off(version):
    version.pin()
    assert again(version).pinned
    version.unpin()
    assert not again(version).pinned


def test_an_archived_file_is_only_in_the_archive_and_the_row_knows_where(spare, archive_folder):
    content = spare.read()
    spare.move_to_archive()
    row = again(spare)
    assert row.is_archived and row.state == row.State.READY and not here(row)
    assert Path(row.archive_address) == archive_folder / row.path
    assert Path(row.archive_address).read_bytes() == content


def test_reading_an_archived_file_brings_it_back(spare, archive_folder):
    content = spare.read()
    spare.move_to_archive()
    assert again(spare).read() == content
    assert here(spare) and not again(spare).is_archived
    assert (archive_folder / spare.path).exists()


def test_an_object_that_was_loaded_before_the_archiving_finds_its_file_too(spare, archive_folder):
    before = again(spare)
    content = spare.read()
    spare.move_to_archive()
    assert before.read() == content


def test_a_file_damaged_here_is_mended_from_the_archive(spare, archive_folder):
    content = spare.read()
    spare.move_to_archive()
    spare.restore_file()
    Path(get_artifact_store().path(spare.path)).write_bytes(b"rubbish")
    assert again(spare).read() == content
    assert Path(get_artifact_store().path(spare.path)).read_bytes() == content


def test_archiving_twice_changes_nothing(spare, archive_folder):
    spare.move_to_archive()
    at = again(spare).archived_at
    again(spare).move_to_archive()
    assert again(spare).archived_at == at


def test_what_is_in_use_or_pinned_is_not_archived(version, publish, archive_folder):
    with pytest.raises(ArchiveError, match="in use"):
        version.move_to_archive()
    spare = publish(wape=0.5)
    spare.pin()
    with pytest.raises(ArchiveError, match="pinned"):
        spare.move_to_archive()
    assert here(version) and here(spare)


def test_without_an_archive_nothing_moves(spare):
    with pytest.raises(ArchiveUnreachable, match="ARCHIVE_STORE"):
        spare.move_to_archive()
    assert here(spare) and not again(spare).is_archived


def test_a_copy_that_reads_back_differently_is_not_trusted(spare, archive_folder, monkeypatch):
    write = DurableStorage._save

    def lying(self, name, content):
        return write(self, name, ContentFile(b"not what was given"))

    monkeypatch.setattr(DurableStorage, "_save", lying)
    with pytest.raises(ArchiveError, match="has changed since it was saved"):
        spare.move_to_archive()
    assert here(spare) and not again(spare).archive_address


def test_a_lost_copy_is_told_in_one_sentence(spare, archive_folder):
    spare.move_to_archive()
    (archive_folder / spare.path).unlink()
    with pytest.raises(CorruptArtifact, match="missing from the archive"):
        again(spare).read()


def test_another_archive_than_the_one_that_holds_it_is_told(spare, archive_folder, settings):
    spare.move_to_archive()
    settings.ARCHIVE_STORE = "/elsewhere"
    with pytest.raises(CorruptArtifact, match="not the configured archive"):
        again(spare).read()


def test_deleting_leaves_a_stone_and_no_file_anywhere(spare, archive_folder, admin):
    spare.move_to_archive()
    row = again(spare)
    row.delete_with_files(by=admin)
    stone = Tombstone.objects.get()
    assert (stone.id, stone.kind, stone.name) == (spare.pk, "model_version", spare.name)
    assert (stone.sha256, stone.size, stone.rule, stone.by) == (spare.sha256, spare.size, "by_hand", admin)
    assert stone.place == row.archive_address
    assert not here(spare) and not (archive_folder / spare.path).exists()


def test_forecasts_that_go_with_their_version_get_their_own_stones(version):
    from prediction.models import Forecast

    forecast = Forecast.objects.make_forecast(version, horizon=7)
    again(version).delete_with_files()
    assert set(Tombstone.objects.values_list("id", "rule")) == {
        (version.pk, "by_hand"),
        (forecast.pk, "with_its_source"),
    }


def test_a_forecast_is_not_begun_with_a_version_that_is_going(version):
    from prediction.models import Forecast

    stale = again(version)
    version.mark_for_deletion("by_hand", None)
    with pytest.raises(ValueError, match="no longer exists"):
        Forecast.objects.make_forecast(stale, horizon=7)
    assert not Forecast.objects.exists()

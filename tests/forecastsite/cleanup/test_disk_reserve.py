"""On a full disk the reserve is freed once around planning and work, until the result is recorded."""

from __future__ import annotations

import pytest
from django.db.models.signals import post_save

from forecastsite.cleanup import disk_reserve
from forecastsite.cleanup.models import CleanUp


@pytest.fixture
def full_disk(settings, monkeypatch):
    """The steps on a disk that has space only while the reserve is freed."""
    disk_reserve.fill_reserve()
    reserve, steps = disk_reserve.reserve_path(), []
    assert reserve.stat().st_size == disk_reserve.RESERVE_BYTES
    space = disk_reserve.RESERVE_BYTES + disk_reserve.SPARE_BYTES
    monkeypatch.setattr(disk_reserve, "free_bytes", lambda: 0 if reserve.exists() else space)
    release = disk_reserve.release_reserve
    monkeypatch.setattr(disk_reserve, "release_reserve", lambda: steps.append("released") or release())
    receiver = lambda **given: steps.append("recorded, " + ("full" if reserve.exists() else "free"))  # noqa: E731
    post_save.connect(receiver, sender=CleanUp, weak=False)
    yield steps
    post_save.disconnect(receiver, sender=CleanUp)
    assert reserve.stat().st_size == disk_reserve.RESERVE_BYTES
    reserve.unlink()


@pytest.mark.parametrize(
    ("arguments", "steps"),
    [
        (["cleanup_artifacts"], ["released"]),
        (["cleanup_artifacts", "--apply"], ["released", "recorded, free"]),
        (["cleanup_artifacts", "--apply", "--max-delete", "0"], ["released", "recorded, free"]),
        (["archive_artifacts", "push"], ["released"]),
        (["archive_artifacts", "push", "--apply"], ["released"]),
    ],
)
def test_the_reserve_is_freed_exactly_once(stocked, manage, archive_folder, full_disk, arguments, steps):
    manage(*arguments)
    assert full_disk == steps

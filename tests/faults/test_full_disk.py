"""A full disk: one clear sentence, nothing torn, and with room again everything works."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.installation import MANAGE, Site, until
from tests.helpers.trials import only_if
from training.process.exit_reasons import DISK_FULL_TEXT

pytestmark = pytest.mark.processes
SIZE = "64m"
TRAIN = ["train", "--dataset=sample", "--scope=global", "--algorithm=kan", "--budget=5"]
QUICK = [*TRAIN, "--algorithm=seasonal_naive"]
LEARNS = "print(TrainingRun.objects.filter(step='learn').exists())"
CLEAN = ["cleanup_artifacts", "--apply", "--keep-versions=1", "--grace=0"]
CHECK = """
from django.db import connection
from registry.models import ModelVersion
print(connection.cursor().execute("PRAGMA integrity_check").fetchone()[0])
print(*ModelVersion.objects.values_list("state", flat=True))
"""


def mount(folder: Path) -> bool:
    """A file system of its own there, as far as this person may make one."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    return os.getuid() == 0 and subprocess.run(words, capture_output=True).returncode == 0


def may_mount() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        return mount(Path(folder)) and not subprocess.run(["umount", folder]).returncode


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    """An installation whose data folder is a file system of its own."""
    site, folder = Site(tmp_path), tmp_path / "var"
    folder.mkdir()
    assert mount(folder)
    site.prepare()
    yield site
    site.clean_up()
    until(60, lambda: not subprocess.run(["umount", str(folder)]).returncode)  # busy until all have ended


def fill(folder: Path) -> Path:
    """Takes all the room there is."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(65536))
        except OSError:
            return ballast


@only_if(may_mount(), "only root can mount a small disk")
def test_a_full_disk_harms_nothing_and_heals(site, tally):
    small_disk = Path(site.env["DATA_DIR"])
    files = sorted((small_disk / "artifacts").rglob("*"))
    training = subprocess.Popen([*MANAGE, *TRAIN], env=site.env, stderr=subprocess.PIPE, text=True)
    until(60, lambda: site.shell(LEARNS).strip() == "True")
    ballast = fill(small_disk)
    said = training.communicate(timeout=120)[1]
    assert training.returncode == 1
    assert said.strip().splitlines()[-1].endswith(DISK_FULL_TEXT)
    assert "Traceback" not in said
    assert sorted((small_disk / "artifacts").rglob("*.part")) == []
    ballast.unlink()
    assert site.shell(CHECK).split() == ["ok"]
    assert [file for file in sorted((small_disk / "artifacts").rglob("*")) if file.is_file()] == [
        file for file in files if file.is_file()
    ]
    again = subprocess.run([*MANAGE, *QUICK], env=site.env, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    tally("the disk fills up in the middle of a training (tmpfs of 64 MB)", 1, 1, "sqlite").add()


@only_if(may_mount(), "only root can mount a small disk")
def test_a_clean_up_makes_room_on_a_full_disk(site, tally):
    small_disk = Path(site.env["DATA_DIR"])
    for words in (QUICK, QUICK, QUICK, CLEAN[:2]):  # the clean-up keeps room back, as `up` does
        site.shell(f"from django.core.management import call_command\ncall_command(*{words})")
    fill(small_disk)
    before = shutil.disk_usage(small_disk).free
    clean = subprocess.run([*MANAGE, *CLEAN], env=site.env, capture_output=True, text=True)
    assert clean.returncode == 0, clean.stderr
    assert site.shell(CHECK).split() == ["ok", "ready", "ready"]  # the one in use and the newest
    assert shutil.disk_usage(small_disk).free > before
    again = subprocess.run([*MANAGE, *CLEAN], env=site.env, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    tally("a clean-up on a full disk (tmpfs of 64 MB)", 1, 1, "sqlite").add()

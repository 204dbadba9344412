"""Sales of release 0.1 move into parts: the same rows, killed at any moment, as often as one likes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from registry.datasets import partition
from registry.datasets.importer import import_file, restore_version
from registry.datasets.importing.parts import load_parts
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.reader import read_panel, read_table
from registry.datasets.scope import Scope
from registry.datasets.store.models import SalesPart
from registry.datasets.store.reading import place_parts
from registry.storage.artifacts import get_artifact_store
from tests.helpers.installation import copy_prepared_folder, install_chain
from tests.helpers.old_versions import copy_as_old
from tests.helpers.postgresql import find_postgresql, run_postgresql
from tests.helpers.s3_server import run_s3
from tests.helpers.trials import only_if

pytestmark = pytest.mark.django_db


@pytest.fixture
def old(first: DatasetVersion) -> DatasetVersion:
    """The only version, in one file."""
    found = copy_as_old(first)
    first.remove()
    return found


def run(*words: str) -> dict:
    out = StringIO()
    call_command("partition_sales", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_version_reads_the_same_rows_from_its_parts(old: DatasetVersion, tmp_path: Path) -> None:
    before, panel, whole = read_table(old, Scope()).to_pylist(), read_panel(old), old.path
    assert [item["name"] for item in run("--apply")["items"]] == [str(old)]
    moved = DatasetVersion.objects.get(pk=old.pk)
    assert moved.parts.count() > 10 and not get_artifact_store().exists(whole)
    assert read_table(moved, Scope()).to_pylist() == before
    assert read_panel(moved).sales.tobytes() == panel.sales.tobytes()
    place_parts(moved.parts.all(), tmp_path / "parts")
    assert load_parts((tmp_path / "parts").iterdir()).content_hash == moved.content_hash == old.content_hash
    assert run("--apply")["items"] == []


def test_without_apply_it_only_lists(old: DatasetVersion) -> None:
    report = run()
    assert report["mode"] == "dry-run" and report["items"][0]["bytes"] == old.size
    assert not SalesPart.objects.exists() and DatasetVersion.objects.get().layout is None


def test_later_versions_share_the_parts_of_earlier_ones(old: DatasetVersion) -> None:
    twin = twin_of(DatasetVersion.objects.get(pk=old.pk))
    items = run("--apply")["items"]
    assert items[0]["shared"] == 0 and items[1]["shared"] == items[1]["parts"]
    assert set(twin.parts.all()) == set(old.parts.all())


def twin_of(version: DatasetVersion) -> DatasetVersion:
    """A later version with the same file."""
    content, fields = version.read(), {name: getattr(version, name) for name in ("first", "last", "series")}
    fields |= {name: getattr(version, name) for name in ("rows", "stores", "products", "roles")}
    later = DatasetVersion(dataset=version.dataset, number=version.number + 1, **fields)
    later.content_hash = version.content_hash
    later.write(content)
    later.mark_ready()
    return later


def test_an_old_version_takes_new_days_and_comes_back(
    old: DatasetVersion, small: pd.DataFrame, write
) -> None:
    day = small[-6:].assign(date=small["date"].max() + pd.Timedelta(days=1))
    newer = import_file(write(day, "day.parquet"), "shop")
    assert newer.rows == len(small) + 6 and newer.layout
    assert read_table(restore_version(old), Scope()).num_rows == len(small)


def test_a_reader_that_began_before_the_move_goes_on(old: DatasetVersion, small: pd.DataFrame) -> None:
    run("--apply")
    assert old.layout is None, "the row as the reader took it"
    assert read_table(old, Scope()).num_rows == len(small)


def test_other_rows_are_refused(old: DatasetVersion) -> None:
    DatasetVersion.objects.update(content_hash="0" * 64)
    with pytest.raises(CommandError, match="1 of 1 versions were not moved"):
        run("--apply")
    assert not SalesPart.objects.exists() and Dataset.objects.get().current_version.layout is None
    assert read_table(Dataset.objects.get().current_version, Scope()).num_rows == old.rows


def test_a_version_that_goes_meanwhile_leaves_no_parts(
    old: DatasetVersion, monkeypatch: pytest.MonkeyPatch, artifact_folder: Path
) -> None:
    check = partition.check_parts

    def delete_meanwhile(*words):
        DatasetVersion.objects.get().remove()
        return check(*words)

    monkeypatch.setattr(partition, "check_parts", delete_meanwhile)
    with pytest.raises(CommandError):
        run("--apply")
    assert not SalesPart.objects.exists()
    assert not list(artifact_folder.glob("sales/*")) and not list(artifact_folder.glob("datasets/*"))


@pytest.fixture
def folder_env(tmp_path: Path) -> dict[str, str]:
    """An installation on SQLite and a folder."""
    copy_prepared_folder(tmp_path / "var")
    return {**os.environ, "DATA_DIR": str(tmp_path / "var")}


@pytest.fixture
def shared_env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """One on PostgreSQL and S3."""
    with run_postgresql() as address, run_s3() as store:
        env = {**os.environ, **store, "DATABASE_URL": address, "SECRET_KEY": "k" * 40}
        env["DATA_DIR"] = str(tmp_path / "var")
        (tmp_path / "var").mkdir()
        install_chain(env, "sample")
        yield env


def check_kills(env: dict[str, str]) -> list[dict]:
    """Kills the move after each of its steps and compares what readers saw."""
    words = [sys.executable, "-m", "tests.helpers.partition_kills"]
    env |= {"DJANGO_SETTINGS_MODULE": "forecastsite.settings"}
    done = subprocess.run(words, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    reports = json.loads(done.stdout)
    assert [report["killed"] for report in reports[1:-1]] == [True] * 4
    assert len({report["hash"] for report in reports}) == 1, "every reader saw the same rows"
    assert [bool(report["parts"]) for report in reports] == [False, False, False, False, True, True]
    return reports


@pytest.mark.processes
def test_a_move_that_is_killed_at_any_moment_loses_nothing(folder_env: dict[str, str]) -> None:
    reports = check_kills(folder_env)
    left = set(reports[-1]["files"]) - set(reports[-1]["rows"])
    assert not left, "no file without a row"


@pytest.mark.processes
@pytest.mark.repeats
@only_if(bool(find_postgresql() and find_spec("psycopg")), "no PostgreSQL server or no psycopg here")
def test_the_same_on_postgresql_and_s3(shared_env: dict[str, str]) -> None:
    check_kills(shared_env)

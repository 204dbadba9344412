"""Hostile and broken files, read by the real sandbox process: a refusal or right data, in its limits."""

from __future__ import annotations

import random
import resource
import time
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from registry.datasets.importer import import_file
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.options import ImportJob, ImportOptions
from registry.datasets.importing.sandbox import launcher
from registry.datasets.importing.sandbox.pipeline import run_import
from tests.helpers.hostile_files import files, mutated, parquet, small
from tests.helpers.trials import FULL

pytestmark = pytest.mark.processes
# These take memory or time, so the sandbox reads them always. The sentences of the others are the same
# without it, and no process has to start; `make test-faults` reads all of them there.
GREEDY = {"bomb", "laughs", "lying", "fat", "far", "huge", "columns", "codes", "empty", "deep", "ragged"}
RIGHT = {"formula.csv", "paths.csv", "old-mac.csv", "wide-span.csv", "outside.xlsx"}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    for name, content in files().items():
        (folder / name).write_bytes(content)
    return folder


def outcome(path: Path, folder: Path, run=launcher.run_in_sandbox) -> str:
    """ "read", or the sentence of the refusal."""
    job = ImportJob(
        path=str(path), name=path.name, folder=str(folder), reading=ImportOptions(on_problem="propose")
    )
    try:
        run(job)
    except SalesFileError as problem:
        return str(problem)
    return "read"


def test_every_hostile_file_is_refused_in_one_sentence_or_read(hostile: Path, tmp_path: Path) -> None:
    paths = sorted(hostile.iterdir())
    assert len(paths) >= 55
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10  # other tests' children included
    process = psutil.Process()
    before = process.memory_info().rss
    read = set()
    for path in paths:
        since = time.monotonic()
        needs_limits = FULL or path.stem.split("-")[0] in GREEDY
        sentence = outcome(path, tmp_path, launcher.run_in_sandbox if needs_limits else run_import)
        most = launcher.WALL_CLOCK_FACTOR * launcher.cpu_limit_seconds(path.stat().st_size)
        assert time.monotonic() - since < most + 10, path.name
        assert "\n" not in sentence and len(sentence) < 400, path.name
        assert str(tmp_path) not in sentence and "Traceback" not in sentence
        if sentence == "read":
            read.add(path.name)
        else:
            assert sentence.endswith((".", "it)", "?")) and path.name in sentence, sentence
        (tmp_path / "report.json").unlink(missing_ok=True)
    assert process.memory_info().rss - before < 50 << 20
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10  # counted as the child's until it runs
    assert children <= max((settings.IMPORT_MEMORY_MB + 100 << 20), largest, own)
    assert read >= RIGHT
    assert not {name for name in read if "bomb" in name or "laughs" in name or "truncated" in name}


def test_a_file_that_takes_too_long_is_given_up(hostile: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(launcher, "BASE_SECONDS", 0.01)
    monkeypatch.setattr(launcher, "SECONDS_PER_100_MB", 0.0)
    assert "was stopped after" in outcome(hostile / "nul-late.csv", tmp_path)


def test_the_reading_process_knows_neither_the_database_nor_the_secret_key(
    hostile: Path, tmp_path: Path
) -> None:
    import subprocess

    seen = {}

    class Watched(subprocess.Popen):
        def __init__(self, *words, **how) -> None:
            seen.update(how["env"])
            super().__init__(*words, **how)

    original, subprocess.Popen = subprocess.Popen, Watched
    try:
        outcome(hostile / "formula.csv", tmp_path)
    finally:
        subprocess.Popen = original
    assert not {"SECRET_KEY", "DATABASE_URL", "DJANGO_SETTINGS_MODULE"} & set(seen)


@pytest.mark.django_db
def test_a_whole_import_goes_through_the_confined_process(hostile: Path, chain_file: Path) -> None:
    version = import_file(chain_file, "chain")
    assert (version.rows, version.state) == (version.rows, version.State.READY)
    with pytest.raises(SalesFileError, match="holds list"):
        import_file(hostile / "lists.parquet", "chain", {"x": "known"})


def test_mutated_parquet_files_are_refused_or_right(tmp_path: Path) -> None:
    """A few; `make test-faults` uploads 1,500 to a running server while others use it."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance, whole = random.Random(seed), parquet(small())
    for number in range(5):
        path = tmp_path / f"{number}.parquet"
        path.write_bytes(mutated(whole, chance))
        sentence = outcome(path, tmp_path)
        assert sentence == "read" or (sentence.endswith((".", "it)", "?")) and "\n" not in sentence), seed

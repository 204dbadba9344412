"""The entry point of the sandbox: what it reports when the memory is used up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from registry.datasets.importing.options import ImportJob, ImportOptions

pytestmark = pytest.mark.processes
OUT_OF_MEMORY = """
import runpy, sys, types
def run_import(job):
    raise MemoryError
pipeline = types.ModuleType("pipeline")
pipeline.run_import = run_import
sys.modules["registry.datasets.importing.sandbox.pipeline"] = pipeline
runpy.run_module("registry.datasets.importing.sandbox.worker", run_name="__main__")
"""


def report_problem(script: str, path: Path, base: str = "") -> str:
    """The problem that the sandbox reports about a file when the import runs into the script's error."""
    job = ImportJob(
        path=str(path), name=path.name, folder=str(path.parent), reading=ImportOptions(), base=base
    )
    order = {"job": job.as_json(), "parent": os.getpid(), "memory": 2 << 30, "seconds": 60}
    message = json.dumps({**order, "locale": str(settings.LOCALE_PATHS[0])}).encode()
    command = [sys.executable, "-c", script]
    subprocess.run(command, input=message, cwd=settings.BASE_DIR, check=True, timeout=60)
    return str(json.loads((path.parent / "report.json").read_text())["problem"])


@pytest.mark.parametrize(
    ("base_size", "words"), [(0, "x.csv needs too much memory"), (9, "dataset is too large")]
)
def test_running_out_of_memory_is_reported_in_one_sentence(
    base_size: int, words: str, tmp_path: Path
) -> None:
    path, base = tmp_path / "x.csv", tmp_path / "base.parquet"
    path.write_text("1")
    base.write_bytes(b"x" * base_size)
    assert words in report_problem(OUT_OF_MEMORY, path, str(base) if base_size else "")


def test_a_full_disk_is_reported_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("1")
    script = OUT_OF_MEMORY.replace("raise MemoryError", "raise OSError(28, 'No space left on device')")
    assert "no room on the disk to check x.csv" in report_problem(script, path)

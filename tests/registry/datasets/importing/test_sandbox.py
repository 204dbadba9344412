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


@pytest.mark.parametrize(
    ("base_size", "words"), [(0, "x.csv needs too much memory"), (9, "dataset is too large")]
)
def test_running_out_of_memory_is_reported_in_one_sentence(
    base_size: int, words: str, tmp_path: Path
) -> None:
    path, base = tmp_path / "x.csv", tmp_path / "base.parquet"
    path.write_text("1")
    base.write_bytes(b"x" * base_size)
    job = ImportJob(
        path=str(path),
        name=path.name,
        folder=str(tmp_path),
        reading=ImportOptions(),
        base=str(base) if base_size else "",
    )
    order = {"job": job.as_json(), "parent": os.getpid(), "memory": 2 << 30, "seconds": 60}
    message = json.dumps({**order, "locale": str(settings.LOCALE_PATHS[0])}).encode()
    command = [sys.executable, "-c", OUT_OF_MEMORY]
    subprocess.run(command, input=message, cwd=settings.BASE_DIR, check=True, timeout=60)
    assert words in json.loads((tmp_path / "report.json").read_text())["problem"]

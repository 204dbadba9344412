"""An algorithm is one file: a copy of the product gets README's example and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.test_docs import block, wave
from tests.helpers.source_tree import PACKAGES, ROOT

TRAINED = ["train", "--dataset=wave", "--scope=global", "--algorithm=newnet", "--set=steps=30", "--json"]
FORECAST = ["forecast", "--model=newnet_global_v1", "--horizon=14"]
USE = f"""
from django.core.management import call_command
from training.forms import TrainForm
call_command("algorithms", "--json")
call_command("makemigrations", "--check", "--dry-run")
call_command("migrate", verbosity=0)
call_command("import_sales", "../sales.csv", "--name=wave")
print('"newnet"' in str(TrainForm()['algorithm']))
call_command(*{TRAINED})
call_command(*{FORECAST}, "--output=../1.csv")
"""


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """A copy of the sources, with newnet.py dropped in."""
    folder = tmp_path / "product"
    for name in (*PACKAGES, "templates", "static", "locale"):
        shutil.copytree(ROOT / name, folder / name)  # with Python's cache: nothing is compiled again
    shutil.copy(ROOT / "manage.py", folder)
    (folder / "registry/algorithms/newnet.py").write_text(block("python"), encoding="utf-8")
    return folder


def manage(product: Path, *words: str) -> str:
    """What a command of that copy prints."""
    environment = {**os.environ, "DATA_DIR": str(product.parent / "data"), "PYTHONPATH": str(product)}
    environment |= {"PYTHONDONTWRITEBYTECODE": "", "OMP_NUM_THREADS": "1"}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "manage.py", *words], cwd=product, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def contents(product: Path) -> dict[str, str]:
    """Every file and its hash; Python's own cache is none of ours."""
    files = (path for path in product.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.processes
def test_a_dropped_file_is_listed_offered_trained_and_kept_bit_for_bit(product: Path) -> None:
    before = contents(product)
    sales = product.parent / "sales.csv"
    wave().to_csv(sales, index=False)
    said = manage(product, "shell", "--no-imports", "-c", USE).splitlines()
    assert "newnet" in [row["name"] for row in json.loads(said[0])["algorithms"]]
    assert "True" in said
    trained = next(json.loads(line) for line in said if line.startswith('{"') and "state" in json.loads(line))
    assert (trained["version"], trained["state"]) == ("newnet_global_v1", "done")
    manage(product, *FORECAST, "--output=../2.csv")  # by another process
    forecasts = [(product.parent / f"{number}.csv").read_bytes() for number in (1, 2)]
    assert forecasts[0] == forecasts[1] and forecasts[0].count(b"\n") == 1 + 2 * 14
    assert contents(product) == before

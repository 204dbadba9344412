"""One cell: one algorithm on one window of one data set, run in its own process; the result is cached."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench import data, exchange
from registry.series import metrics
from registry.series.quantiles import is_count_data, round_median
from training.learning.holdout import actual_sales

OURS = ("registry/series", "registry/algorithms", "training")
GRACE = 5  # a peer that takes more than this many budgets is stopped


@dataclass(frozen=True)
class Cell:
    """What to run. `window` is the origin: the last known day."""

    data: str
    algorithm: str
    window: str
    budget: float
    threads: int = 2
    seed: int = 0

    @property
    def name(self) -> str:
        """A short label for progress output."""
        return f"{self.data} {self.algorithm} {self.window}"


def find_module(algorithm: str) -> str:
    """The script that runs an algorithm: a peer's, or bench.ours.

    >>> find_module("lightgbm-l1"), find_module("nf-kan"), find_module("kan")
    ('bench.peers.lightgbm', 'bench.peers.networks', 'bench.ours')
    """
    return PEERS.get(algorithm, "bench.ours")


PEERS = {
    "lightgbm-l1": "bench.peers.lightgbm",
    "lightgbm-direct": "bench.peers.lightgbm",
    "lightgbm-tweedie": "bench.peers.lightgbm",
    "seasonal-naive": "bench.peers.classical",
    "ets": "bench.peers.classical",
    "nf-kan": "bench.peers.networks",
    "nf-nhits": "bench.peers.networks",
    "nf-tft": "bench.peers.networks",
}


def hash_code(paths: list[Path]) -> str:
    """Digest of the Python code below these paths, which changed comments leave as it is.

    >>> len(hash_code([Path(__file__)]))
    12
    """
    files = sorted({file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))})
    whole = "".join(normalize_source(file.read_text(encoding="utf-8")) for file in files)
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def normalize_source(source: str) -> str:
    """The syntax tree as text, without comments, docstrings and layout.

    >>> normalize_source('x = 1  # one') == normalize_source('x  =  1') != normalize_source('x = 2')
    True
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
    return ast.dump(tree)


def hash_inputs(algorithm: str) -> str:
    """Digest of the code that a result of this algorithm depends on."""
    own = data.ROOT / (find_module(algorithm).replace(".", "/") + ".py")
    shared = [data.ROOT / "bench" / "data.py"]
    if algorithm in PEERS:
        shared += [data.ROOT / "bench" / f"{name}.py" for name in ("peers/common", "exchange")]
        return hash_code([own, *shared])
    return hash_code([own, *shared, *(data.ROOT / name for name in OURS)])


def get_cache_folder() -> Path:
    """Where results are cached."""
    return Path(os.environ.get("DATA_DIR") or data.ROOT / "var") / "bench"


def get_result_path(cell: Cell) -> Path:
    """The file of a cell's result, named after budget, threads, seed and code."""
    how = f"{cell.budget:g}s{cell.threads}t{cell.seed}"
    return (
        get_cache_folder()
        / cell.data
        / f"{cell.algorithm}_{cell.window}_{how}_{hash_inputs(cell.algorithm)}.json"
    )


def load_or_run(cell: Cell, fresh: bool = False) -> dict[str, Any]:
    """The cached result, or a new one."""
    file = get_result_path(cell)
    if file.is_file() and not fresh:
        return dict(json.loads(file.read_text()))
    found = asdict(cell) | {"commit": describe_commit()} | run_cell(cell)
    if found.get("failed"):
        return found  # not cached, so that the next run tries again
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(found))
    part.replace(file)  # an interrupted run leaves no half-written result
    return found


def run_cell(cell: Cell) -> dict[str, Any]:
    """Writes the exchange folder, runs the script and scores its forecast."""
    panel, horizon = data.read_panel(cell.data), data.get_data_set(cell.data).horizon
    seen = panel.as_of(cell.window)
    with tempfile.TemporaryDirectory() as place:
        plan = asdict(cell) | {"horizon": horizon}
        if cell.algorithm in PEERS:
            exchange.write_exchange(seen, horizon, Path(place), plan)
        else:
            (Path(place) / "plan.json").write_text(json.dumps(plan))
        measured = run_and_measure(cell, Path(place))
        output = Path(place) / "result.json"
        if not output.is_file():
            return measured | {"failed": True}
        actual = actual_sales(panel, seen.days, horizon)
        past = seen.open_sales
        with np.load(Path(place) / "forecast.npz") as arrays:
            mean, quantiles = arrays["mean"], round_count_medians(arrays["mean"], arrays["quantiles"], actual)
            scores = metrics.score_window(actual, mean, quantiles, past)
        return (
            measured
            | json.loads(output.read_text())
            | {"scores": metrics.replace_nan(scores), "sold": float(np.nansum(actual))}
        )


def round_count_medians(mean: np.ndarray, quantiles: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Quantiles [S, H, Q] with whole medians where sales are counts, so that all are scored alike."""
    if not is_count_data(actual):
        return quantiles
    return round_median(np.concatenate([mean[..., None], quantiles], axis=2))[..., 1:]


def run_and_measure(cell: Cell, place: Path) -> dict[str, Any]:
    """Runs the cell's script: wall seconds, peak MB, load before the start, and the log of a failure."""
    threads = str(cell.threads)
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), threads)
    limits["OMP_WAIT_POLICY"] = "PASSIVE"  # spinning threads stall on shared cores
    load, started = os.getloadavg()[0], time.monotonic()
    with (place / "log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", find_module(cell.algorithm), str(place)],
            cwd=data.ROOT,
            env={**os.environ, **limits},
            stdout=log,
            stderr=log,
        )
        peak = wait_for_exit(child, 60 + GRACE * cell.budget)
    log_end = (place / "log").read_text(errors="replace")[-2000:] if child.returncode else ""
    return {"wall": time.monotonic() - started, "peak_mb": peak, "load": load, "log": log_end}


def wait_for_exit(child: subprocess.Popen[bytes], seconds: float) -> float:
    """Peak memory of the child in MB; kills it after `seconds`."""
    until, peak = time.monotonic() + seconds, 0.0
    while child.poll() is None:
        peak = max(peak, read_peak_memory_mb(child.pid))
        if time.monotonic() > until:
            child.kill()
            until = float("inf")
        time.sleep(0.05)
    return peak


def read_peak_memory_mb(pid: int) -> float:
    """Peak memory of a process so far (current memory where the system keeps no peak); 0 if it is gone."""
    status = Path(f"/proc/{pid}/status")
    try:
        if status.is_file():  # VmHWM starts at exec; ru_maxrss would include the parent's memory
            lines = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
            return int(lines[0].split()[1]) / 1024 if lines else 0.0
        return float(psutil.Process(pid).memory_info().rss) / 1024**2
    except (psutil.Error, OSError):
        return 0.0


def describe_commit() -> str:
    """The short commit hash, with a plus if files were changed."""
    try:
        name = run_git("rev-parse", "--short", "HEAD")
        return name + "+" * bool(run_git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def run_git(*words: str) -> str:
    """Output of a git command in this checkout."""
    done = subprocess.run(["git", *words], cwd=data.ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()

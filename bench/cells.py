"""One cell: one algorithm on one window of one data set, in a process of its own; its result is kept."""

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
from training.learning.pipeline import actual_sales

OURS = ("registry/series", "registry/algorithms", "training")
GRACE = 5  # times the budget, after which a peer that does not keep it is stopped


@dataclass(frozen=True)
class Cell:
    """What is run. `window` is the last known day."""

    data: str
    algorithm: str
    window: str
    budget: float
    threads: int = 2
    seed: int = 0

    @property
    def name(self) -> str:
        """Short, for people."""
        return f"{self.data} {self.algorithm} {self.window}"


def module(algorithm: str) -> str:
    """The script that runs an algorithm: a peer's, or ours for all others.

    >>> module("lightgbm-l1"), module("nf-kan"), module("kan")
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


def digest(paths: list[Path]) -> str:
    """Of the Python files at these places, so that changed code is run again and changed words are not.

    >>> len(digest([Path(__file__)]))
    12
    """
    files = sorted({file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))})
    whole = "".join(meaning(file.read_text(encoding="utf-8")) for file in files)
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def meaning(source: str) -> str:
    """Code, whatever its comments, docstrings and layout.

    >>> meaning('x = 1  # one') == meaning('x  =  1') != meaning('x = 2')
    True
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
    return ast.dump(tree)


def code(algorithm: str) -> str:
    """Digest of what the cell's result depends on besides the data."""
    own = data.ROOT / (module(algorithm).replace(".", "/") + ".py")
    shared = [data.ROOT / "bench" / "data.py"]
    if algorithm in PEERS:
        shared += [data.ROOT / "bench" / f"{name}.py" for name in ("peers/common", "exchange")]
        return digest([own, *shared])
    return digest([own, *shared, *(data.ROOT / name for name in OURS)])


def folder() -> Path:
    """Where cells are kept."""
    return Path(os.environ.get("DATA_DIR") or data.ROOT / "var") / "bench"


def kept(cell: Cell) -> Path:
    """The file of a cell's result; another budget, thread count or code is another file."""
    how = f"{cell.budget:g}s{cell.threads}t{cell.seed}"
    return folder() / cell.data / f"{cell.algorithm}_{cell.window}_{how}_{code(cell.algorithm)}.json"


def result(cell: Cell, fresh: bool = False) -> dict[str, Any]:
    """The kept result, or that of a run now."""
    file = kept(cell)
    if file.is_file() and not fresh:
        return dict(json.loads(file.read_text()))
    found = asdict(cell) | {"commit": commit()} | run(cell)
    if found.get("failed"):
        return found  # to be tried again
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(found))
    part.replace(file)  # a bench that is interrupted leaves no half result
    return found


def run(cell: Cell) -> dict[str, Any]:
    """Writes the exchange folder, runs the script, scores its forecast."""
    panel, horizon = data.read(cell.data), data.get(cell.data).horizon
    seen = panel.as_of(cell.window)
    with tempfile.TemporaryDirectory() as place:
        plan = asdict(cell) | {"horizon": horizon}
        if cell.algorithm in PEERS:
            exchange.write(seen, horizon, Path(place), plan)
        else:
            (Path(place) / "plan.json").write_text(json.dumps(plan))
        measured = measure(cell, Path(place))
        told = Path(place) / "result.json"
        if not told.is_file():
            return measured | {"failed": True}
        actual = actual_sales(panel, seen.days, horizon)
        past = np.where(seen.closed, np.nan, seen.sales)
        with np.load(Path(place) / "forecast.npz") as arrays:
            mean, quantiles = arrays["mean"], settled(arrays["mean"], arrays["quantiles"], actual)
            scores = metrics.score_window(actual, mean, quantiles, past)
        return (
            measured
            | json.loads(told.read_text())
            | {"scores": metrics.replace_nan(scores), "sold": float(np.nansum(actual))}
        )


def settled(mean: np.ndarray, quantiles: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """The quantiles, with whole medians where sales are counts: everybody is judged alike."""
    if not is_count_data(actual):
        return quantiles
    return round_median(np.concatenate([mean[..., None], quantiles], axis=2))[..., 1:]


def measure(cell: Cell, place: Path) -> dict[str, Any]:
    """Runs the cell's script to its end: seconds of all, highest memory, load of the machine before."""
    threads = str(cell.threads)
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), threads)
    limits["OMP_WAIT_POLICY"] = "PASSIVE"  # spinning threads stand still where others use the cores too
    load, started = os.getloadavg()[0], time.monotonic()
    with (place / "log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", module(cell.algorithm), str(place)],
            cwd=data.ROOT,
            env={**os.environ, **limits},
            stdout=log,
            stderr=log,
        )
        peak = wait(child, 60 + GRACE * cell.budget)
    log_end = (place / "log").read_text(errors="replace")[-2000:] if child.returncode else ""
    return {"wall": time.monotonic() - started, "peak_mb": peak, "load": load, "log": log_end}


def wait(child: subprocess.Popen[bytes], seconds: float) -> float:
    """Highest memory in MB of the child until its end; stops one that takes too long."""
    until, peak = time.monotonic() + seconds, 0.0
    while child.poll() is None:
        peak = max(peak, resident_mb(child.pid))
        if time.monotonic() > until:
            child.kill()
            until = float("inf")
        time.sleep(0.05)
    return peak


def resident_mb(pid: int) -> float:
    """Highest memory of a process so far (of now, where no record is kept); 0 when it is gone."""
    status = Path(f"/proc/{pid}/status")
    try:
        if status.is_file():  # of this program alone; ru_maxrss would begin with that of its parent
            lines = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
            return int(lines[0].split()[1]) / 1024 if lines else 0.0
        return float(psutil.Process(pid).memory_info().rss) / 1024**2
    except (psutil.Error, OSError):
        return 0.0


def commit() -> str:
    """The short name of the commit, with a plus when files differ from it."""
    try:
        name = git("rev-parse", "--short", "HEAD")
        return name + "+" * bool(git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def git(*words: str) -> str:
    """What git answers in this checkout."""
    done = subprocess.run(["git", *words], cwd=data.ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()

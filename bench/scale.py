"""How seconds and memory grow with the number of series: made-up chains from 500 to 30,490 series.

Each size runs in a process of its own:
`python -m bench.scale STORES PRODUCTS DAYS HORIZON ALGORITHM THREADS`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

from bench import data
from bench.cells import resident_mb

# stores, products, days, horizon
SIZES = [
    (10, 50, 1096, 90),
    (10, 50, 447, 28),
    (10, 250, 447, 28),
    (10, 1000, 447, 28),
    (10, 3049, 447, 28),
]
STEPS = 30  # learning steps that are timed
BUDGET = 20  # seconds to learn before the forecast is timed
ALGORITHM = "kan"


def run(threads: int, sizes: list[tuple[int, int, int, int]] | None = None) -> list[dict[str, Any]]:
    """One row for each size."""
    rows = []
    for size in sizes or SIZES:
        words = [*map(str, size), ALGORITHM, str(threads)]
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "bench.scale", *words],
            cwd=data.ROOT,
            env={**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        rows.append(json.loads(done.stdout))
        sys.stderr.write(f"{rows[-1]['series']} series: forecast {rows[-1]['forecast']:.2f} s\n")
    return rows


def one(size: tuple[int, int, int, int], algorithm: str, threads: int) -> dict[str, Any]:
    """Learns a little on a chain of that size, forecasts twice and times the second."""
    import torch

    from registry.series.panel import Panel
    from training.learning import Learning, Plan

    stores, products, days, horizon = size
    torch.set_num_threads(threads)
    roles = {"promo": "known", "price": "known", "category": "static"}
    frame = data.sample(stores=stores, products=products, days=days)
    started = time.monotonic()
    panel = Panel.from_frame(frame, {name: role for name, role in roles.items() if name in frame}, "DE")
    del frame
    read = time.monotonic() - started
    learning = Learning(panel, Plan(algorithm, horizon=horizon, budget=BUDGET, windows=1, threads=threads))
    step = seconds_per_step(learning.candidates[0], threads)
    started = time.monotonic()
    for _epoch in learning:
        continue
    fit = time.monotonic() - started
    bundle, times = learning.learned.bundle, []
    for _again in range(2):
        started = time.monotonic()
        bundle.forecast(panel, horizon)
        times.append(time.monotonic() - started)
    peak = resident_mb(os.getpid())
    row: dict[str, Any] = {
        "series": len(panel.keys),
        "days": days,
        "horizon": horizon,
        "algorithm": algorithm,
    }
    return row | {"read": read, "step": step, "fit": fit, "forecast": times[-1], "peak_mb": peak}


def seconds_per_step(candidate: Any, threads: int) -> float:
    """One batch drawn, its loss and its gradient."""
    from registry.series.windows import origins
    from training import loop

    rows, columns = origins(candidate.windows, 28, candidate.panel.days - candidate.block)
    sampler = loop.WindowSampler(candidate.windows, rows, columns, 0)
    started = time.monotonic()
    for _step in range(STEPS):
        batch = sampler.draw(candidate.config.batch)
        loop.loss(candidate.model(batch), batch).backward()
    candidate.model.zero_grad(set_to_none=True)
    return (time.monotonic() - started) / STEPS


if __name__ == "__main__":
    *size, algorithm, threads = sys.argv[1:]
    numbers = (int(size[0]), int(size[1]), int(size[2]), int(size[3]))
    print(json.dumps(one(numbers, algorithm, int(threads))))

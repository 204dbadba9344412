"""How time and memory grow with the number of series: generated chains of 500 to 30,490 series.

Each size runs in its own process: `python -m bench.scale FILE HORIZON ALGORITHM THREADS`.
`SCALE="10x50x1096x90"` runs one size only (stores, products, days, horizon).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from bench import data
from bench.cells import get_cache_folder, hash_inputs, read_peak_memory_mb

SIZES = "10x50x1096x90 10x50x447x28 10x250x447x28 10x1000x447x28 10x3049x447x28"
STEPS = 200  # training steps: the same for every size, so that the times show how the cost grows
ALGORITHM = "kan"
ROLES = {"promo": "known", "price": "known", "category": "static"}


def parse_sizes(wanted: str) -> list[tuple[int, int, int, int]]:
    """Stores, products, days and horizon of each size; "1" means all sizes.

    >>> parse_sizes("10x50x447x28")
    [(10, 50, 447, 28)]
    """
    found = []
    for word in (SIZES if wanted == "1" else wanted).split():
        parts = word.split("x")
        if len(parts) != 4 or not all(part.isdigit() for part in parts):
            raise ValueError(f"SCALE is {wanted!r}: use 1, or sizes such as 10x50x447x28.")
        found.append((int(parts[0]), int(parts[1]), int(parts[2]), int(parts[3])))
    return found


def run_sizes(threads: int, wanted: str) -> list[dict[str, Any]]:
    """One row for each size."""
    rows = []
    for stores, products, days, horizon in parse_sizes(wanted):
        size = f"{stores}x{products}x{days}x{horizon}"
        cached = get_cache_folder() / f"scale_{size}_{threads}t_{hash_inputs(ALGORITHM)}.json"
        if cached.is_file():
            rows.append(json.loads(cached.read_text()))
            continue
        file = make_chain(stores, products, days)
        done = subprocess.run(
            [
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "bench.scale",
                file,
                str(horizon),
                ALGORITHM,
                str(threads),
            ],
            cwd=data.ROOT,
            env={**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        rows.append(json.loads(done.stdout) | {"load": os.getloadavg()[0]})
        cached.write_text(json.dumps(rows[-1]))
        sys.stderr.write(f"{rows[-1]['series']} series: forecast {rows[-1]['forecast']:.2f} s\n")
    return rows


def make_chain(stores: int, products: int, days: int) -> Path:
    """The file of a generated chain, written once."""
    from registry.datasets.sample.generator import SampleDataset

    file = get_cache_folder() / f"chain_{stores}x{products}x{days}.parquet"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        SampleDataset(stores=stores, products=products, days=days).write_parquet(file.with_suffix(".part"))
        file.with_suffix(".part").replace(file)
    return file


def measure_size(file: Path, horizon: int, algorithm: str, threads: int) -> dict[str, Any]:
    """Reads the sales, trains for STEPS steps, forecasts twice; the second forecast is timed."""
    from registry.series.panel import Panel
    from training.learning.pipeline import TrainingConfig, TrainingPipeline

    started = time.monotonic()
    columns = ["date", "store_id", "product_id", "sales", *ROLES]
    table = pq.read_table(file, columns=columns, read_dictionary=["store_id", "product_id"])
    frame = table.to_pandas()
    del table  # a training holds one copy of the sales beside its panel, not two
    panel = Panel.from_frame(frame, ROLES, "DE")
    del frame
    read = time.monotonic()
    plan = TrainingConfig(
        algorithm, {"steps": STEPS}, horizon=horizon, budget=3600, windows=1, threads=threads
    )
    learning = TrainingPipeline(panel, plan)
    for _epoch in learning:
        continue
    learned, fit_cpu = time.monotonic(), time.process_time()
    bundle, times, cpu = learning.result.bundle, [], []
    del learning  # a forecast needs only the bundle and the panel
    for _again in range(2):
        before, spent = time.monotonic(), time.process_time()
        bundle.forecast(panel, horizon)
        times.append(time.monotonic() - before)
        cpu.append(time.process_time() - spent)
    row: dict[str, Any] = {"series": len(panel.keys), "days": panel.days, "horizon": horizon}
    row |= {"algorithm": algorithm, "read": read - started, "fit": learned - read, "forecast": times[-1]}
    row |= {"read_and_fit_cpu": fit_cpu, "forecast_cpu": cpu[-1]}  # more telling on a busy machine
    return row | {"peak_mb": read_peak_memory_mb(os.getpid())}


if __name__ == "__main__":
    print(json.dumps(measure_size(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))))

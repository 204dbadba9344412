"""Measure importing a chain: one file, one more day, going back, a panel and a product of it.

    python -m bench.import_rows

50 stores, 1,826 products and 1,096 days are 100 million rows. STORES, PRODUCTS, DAYS measure another size,
KIND=csv or csv.gz another format. WORK=folder has room for the files. BUDGET=120 also trains KAN for so many
seconds and forecasts everything. Each step runs in a process of its own.
"""

from __future__ import annotations

import gzip
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

STORES, PRODUCTS, DAYS = (
    int(os.environ.get(name, size)) for name, size in (("STORES", 50), ("PRODUCTS", 1826), ("DAYS", 1096))
)
KIND = os.environ.get("KIND", "parquet")
START = np.datetime64("2023-01-01")
KAN = ("--dataset=chain", "--scope=global", "--algorithm=kan")
ROWS_AT_ONCE = 2_000_000
STEPS = {
    "The whole file": "import",
    "One more day": "day",
    "Back to the version before": "undo",
    "The panel of a global training": "panel",
    "One product": "product",
}
BUDGET = int(os.environ.get("BUDGET", 0))
if BUDGET:
    STEPS |= {"A training of KAN": "train", "The forecast of everything, 28 days": "forecast"}


def main() -> None:
    """Makes the files, runs the steps and prints a table."""
    with TemporaryDirectory(dir=os.environ.get("WORK")) as name:
        folder = Path(name)
        run_step(folder, "files")  # in its own process: Linux counts the memory of a parent as its child's
        size = (folder / f"chain.{KIND}").stat().st_size / 1e6
        print(f"{STORES * PRODUCTS * DAYS:,} rows, {size:,.0f} MB of {KIND}\n")
        print("| step | seconds | CPU seconds | largest process, MB | written, MB |\n|---|---|---|---|---|")
        for title, step in STEPS.items():
            done = run_step(folder, step)
            print(
                f"| {title} | {done['wall']:.1f} | {done['cpu']:.1f} | {done['peak']} | {done['written']} |",
                flush=True,
            )


def run_step(folder: Path, step: str) -> dict[str, Any]:
    """What a step took, in its own process."""
    command = [sys.executable, "-m", "bench.import_rows", str(folder), step]
    environment = {**os.environ, "DATA_DIR": str(folder / "data"), "OMP_NUM_THREADS": "1"}
    found = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    result: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return result


def measure_step(folder: Path, step: str) -> dict[str, Any]:
    """Runs a step here."""
    if step == "files":
        write_chain(folder / f"chain.{KIND}", 0, DAYS)
        write_chain(folder / "day.csv", DAYS, 1)
        return {}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forecastsite.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from prediction.runs.maker import start_run
    from registry.datasets.importer import import_file, restore_version
    from registry.datasets.models import Dataset
    from registry.datasets.reader import read_shards, read_table
    from registry.datasets.scope import Scope
    from registry.model_versions.models import ModelVersion

    call_command("migrate", verbosity=0)

    def find_versions() -> list[Any]:
        return list(Dataset.objects.get().versions.filter(state="ready").order_by("number"))

    def read_panels() -> None:
        shards = read_shards(find_versions()[0])
        for place in range(len(shards)):
            shards.read(place)

    steps: dict[str, Callable[[], object]] = {
        "import": lambda: import_file(folder / f"chain.{KIND}", "chain"),
        "day": lambda: import_file(folder / "day.csv", "chain"),
        "undo": lambda: restore_version(find_versions()[0]),
        "panel": read_panels,
        "train": lambda: call_command("train", *KAN, f"--budget={BUDGET}"),
        "forecast": lambda: start_run(ModelVersion.objects.get(), find_versions()[-1], reason="command"),
        "product": lambda: read_table(find_versions()[0], Scope("product", "P00042")),
    }
    before = sum_resources()
    since = time.perf_counter()
    steps[step]()
    wall, after = time.perf_counter() - since, sum_resources()
    written = (
        "–"
        if step in ("panel", "product", "train", "forecast")
        else round(find_versions()[-1].freed_bytes / 1e6, 1)
    )
    return {"wall": wall, "cpu": after[0] - before[0], "peak": after[1], "written": written}


def sum_resources() -> tuple[float, int]:
    """CPU seconds of this process and its children, and megabytes of the largest of them."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in used)
    return cpu, max(one.ru_maxrss for one in used) >> 10


def write_chain(path: Path, first: int, days: int) -> None:
    """Sales of the days from `first` on, in order of day, store and product."""
    writer: Any = None
    step = max(1, ROWS_AT_ONCE // (STORES * PRODUCTS))
    is_packed = path.suffix == ".gz"
    with gzip.open(path, "wb", compresslevel=1) if is_packed else pa.OSFile(str(path), "wb") as sink:
        for day in range(first, first + days, step):
            table = make_days(day, min(step, first + days - day))
            if path.suffix != ".parquet":
                table = table.cast(pa.schema([(one.name, plain_type(one.type)) for one in table.schema]))
            if writer is None:
                kind = pq.ParquetWriter if path.suffix == ".parquet" else pacsv.CSVWriter
                writer = kind(sink, table.schema)
            writer.write_table(table)
        writer.close()


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type that CSV can hold."""
    return pa.string() if pa.types.is_dictionary(kind) else kind


def make_days(first: int, days: int) -> pa.Table:
    """The rows of some days: steady levels, a price that changes, promotions."""
    rng, count = np.random.default_rng(first), STORES * PRODUCTS * days
    store = np.tile(np.repeat(np.arange(STORES), PRODUCTS), days)
    product = np.tile(np.arange(PRODUCTS), STORES * days)
    day = np.repeat(np.arange(first, first + days), STORES * PRODUCTS)
    level = np.random.default_rng(3).gamma(2, 1.5, STORES * PRODUCTS)
    promo = rng.random(count) < 0.05
    price = np.random.default_rng(2).uniform(1, 20, PRODUCTS)[product] * (1 + 0.1 * ((day // 60) % 3))
    return pa.table(
        {
            "date": START + day,
            "store_id": make_codes(store, "S", 3),
            "product_id": make_codes(product, "P", 5),
            "sales": rng.poisson(np.tile(level, days)).astype(np.int32),
            "price": np.round(np.where(promo, 0.8 * price, price), 2),
            "promo": promo.astype(np.int8),
        }
    )


def make_codes(numbers: np.ndarray, letter: str, width: int) -> pa.DictionaryArray:
    """Codes such as P00042."""
    values = [f"{letter}{number:0{width}d}" for number in range(int(numbers.max()) + 1)]
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), values)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure_step(Path(sys.argv[1]), sys.argv[2])))
    else:
        main()

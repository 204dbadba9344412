"""A chain of 10 stores and 3,049 products: read in its time, in its memory; one day more in seconds.

IMPORT_DAYS=328 makes it ten million rows; the usual run takes a tenth of them.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from registry.importing import confined
from registry.models import DatasetVersion
from registry.sales import import_file

pytestmark = [pytest.mark.processes, pytest.mark.django_db]
STORES, PRODUCTS, DAYS = 10, 3049, int(os.environ.get("IMPORT_DAYS", "33"))
START = np.datetime64("2025-01-01")
SECONDS = {"parquet": 60, "csv": 150}


def chain(days: int, start: np.datetime64) -> pa.Table:
    """Sorted by day, as a till writes it."""
    count = STORES * PRODUCTS
    stores = np.repeat([f"CA_{store}" for store in range(STORES)], PRODUCTS)
    products = np.tile([f"FOODS_{product:04d}" for product in range(PRODUCTS)], STORES)
    sales = np.random.default_rng(int(days)).poisson(2, count * days)
    columns = {"store_id": np.tile(stores, days), "product_id": np.tile(products, days), "sales": sales}
    return pa.table({"date": np.repeat(start + np.arange(days), count), **columns})


def written(table: pa.Table, path: Path) -> Path:
    pq.write_table(table, path) if path.suffix == ".parquet" else pacsv.write_csv(table, path)
    return path


def worked() -> float:
    """Seconds of processor time, so that a busy machine is no slow program."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def largest_child() -> int:
    """Bytes of the largest process so far: this one's children, other tests' included, and this one itself,
    since Linux counts the memory of the forking process as the child's until it runs its own program."""
    found = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(used.ru_maxrss for used in found) << 10


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_large_file_is_read_in_its_time_and_memory(kind: str, tmp_path: Path) -> None:
    path = written(chain(DAYS, START), tmp_path / f"chain.{kind}")
    since, before = worked(), largest_child()
    version = import_file(path, "chain")
    taken = worked() - since
    assert version.rows == STORES * PRODUCTS * DAYS and version.series == STORES * PRODUCTS
    assert taken < 10 + SECONDS[kind] * DAYS / 328
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    assert largest_child() <= max(confined.MEMORY, before, own)
    print(f"{kind}: {version.rows} rows in {taken:.1f} s")


def test_one_day_more_is_added_in_seconds(tmp_path: Path) -> None:
    import_file(written(chain(DAYS, START), tmp_path / "chain.parquet"), "chain")
    path = written(chain(1, START + DAYS), tmp_path / "day.csv")
    since = worked()
    version = import_file(path, "chain")
    taken = worked() - since
    assert version.rows == STORES * PRODUCTS * (DAYS + 1)
    assert DatasetVersion.objects.count() == 2
    assert taken < 10
    print(f"one day: {taken:.1f} s")

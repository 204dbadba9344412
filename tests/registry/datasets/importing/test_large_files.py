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
from django.conf import settings

from registry.datasets.importer import import_file
from registry.datasets.models import DatasetVersion

pytestmark = [pytest.mark.processes, pytest.mark.django_db]
STORES, PRODUCTS, DAYS = 10, 3049, int(os.environ.get("IMPORT_DAYS", "33"))
START = np.datetime64("2025-01-01")
SECONDS = {"parquet": 60, "csv": 150}


def texts(codes: np.ndarray, word: str) -> pa.Array:
    values = [f"{word}{number:04d}" for number in range(int(codes.max()) + 1)]
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), values)


def chain(days: int, start: np.datetime64) -> pa.Table:
    """With every column of the sample, sorted by day, as a till writes it."""
    count, rng = STORES * PRODUCTS, np.random.default_rng(days)
    store = np.tile(np.repeat(np.arange(STORES), PRODUCTS), days)
    product = np.tile(np.arange(PRODUCTS), STORES * days)
    day = np.repeat(start + np.arange(days), count)
    promo = rng.random(count * days) < 0.05
    price = np.random.default_rng(1).uniform(1, 60, PRODUCTS)[product]
    return pa.table(
        {
            "date": day,
            "store_id": texts(store, "CA_"),
            "product_id": texts(product, "FOODS_"),
            "sales": rng.poisson(2, count * days),
            "price": np.round(np.where(promo, 0.8 * price, price), 2),
            "promo": promo.astype(np.int8),
            "open": ((day.astype(int) + 3) % 7 != 6).astype(np.int8),
            "product_name": texts(product, "Product number "),
            "category": texts(product % 12, "Category "),
        }
    )


def written(table: pa.Table, path: Path) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return path
    plain = [c.cast(pa.string()) if pa.types.is_dictionary(c.type) else c for c in table.columns]
    pacsv.write_csv(pa.table(plain, names=table.column_names), path)
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
    assert largest_child() <= max(settings.IMPORT_MEMORY_MB << 20, before, own)
    assert version.roles["price"] == "known" and version.roles["category"] == "static"
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

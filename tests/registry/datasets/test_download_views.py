"""The CSV of a dataset is the same text whether Python or Arrow writes it."""

from __future__ import annotations

from datetime import date

import pyarrow as pa

from registry.datasets.download_views import format_batch
from registry.lib.csv_safe import format_csv_rows


def test_a_batch_is_the_same_text_as_its_rows_written_one_by_one():
    table = pa.table(
        {
            "date": [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 1)] * 2,
            "store_id": ["=1+1", 'a"b,c', "药店", "line\nbreak", None, "-5"],
            "product_id": pa.array(["a", "b", "a", "", "b", None]).dictionary_encode(),
            "sales": [1.0, 2.5, None, 1e-9, 1e20, 0.0],
            "promotion": [True, False, None] * 2,
        }
    )
    for batch in table.to_batches(4):
        rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        assert format_batch(batch) == format_csv_rows(rows)


def test_a_batch_without_rows_is_no_text():
    assert format_batch(pa.record_batch({"sales": pa.array([], pa.float64())})) == ""

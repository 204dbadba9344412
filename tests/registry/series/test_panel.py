from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from registry.series.levels import Selection
from registry.series.panel import Panel
from registry.series.panels.rows import SalesRows
from registry.series.panels.shards import describe_scope
from tests.helpers.waves import ROLES


def test_a_panel_is_regular_and_sorted_whatever_the_row_order(frame, panel):
    shuffled = Panel.from_frame(frame.sample(frac=1, random_state=3), ROLES)
    assert shuffled.keys == panel.keys == [("S0", "P0"), ("S0", "P1"), ("S1", "P0"), ("S1", "P1")]
    np.testing.assert_array_equal(shuffled.sales, panel.sales)
    np.testing.assert_array_equal(shuffled.known["promo"], panel.known["promo"])


def test_closed_days_come_from_the_open_column(panel):
    sundays = (panel.dates.astype(int) + 3) % 7 == 6
    assert panel.closed[0][sundays].all() and not panel.closed[0][~sundays].any()
    assert not panel.closed[2].any()


def test_a_day_without_any_record_in_the_store_is_closed(frame):
    day = pd.Timestamp("2024-03-05")
    panel = Panel.from_frame(frame[frame.date != day].drop(columns="open"), {"promo": "known"})
    assert panel.closed[:, panel.column_index("2024-03-05")].all()


def test_a_missing_row_is_unknown_where_zeros_are_written(frame):
    gone = (frame.date == "2024-03-05") & (frame.product_id == "P0") & (frame.store_id == "S1")
    panel = Panel.from_frame(frame[~gone], ROLES)
    assert np.isnan(panel.sales[2, panel.column_index("2024-03-05")])


def test_a_missing_row_means_nothing_sold_where_only_sales_are_written():
    dates = pd.date_range("2024-01-01", periods=60)
    rows = [(d, "S", f"P{p}", 3.0) for i, d in enumerate(dates) for p in range(4) if i % 4 == p]
    panel = Panel.from_frame(pd.DataFrame(rows, columns=["date", "store_id", "product_id", "sales"]), {})
    assert panel.sales[0, 1] == 0 and np.isnan(panel.sales[3, 0])


def test_rows_without_sales_after_the_last_day_are_the_plan(frame):
    plan = frame.tail(5).assign(date=pd.date_range("2024-09-17", periods=5), sales=np.nan, promo=1.0)
    panel = Panel.from_frame(pd.concat([frame, plan]), ROLES)
    assert panel.days == 260 and panel.known["promo"].shape[1] == 265
    assert panel.known["promo"][3, 260:].tolist() == [1.0] * 5


def test_until_hides_every_later_sale(panel):
    seen = panel.as_of("2024-05-01")
    assert seen.origin == np.datetime64("2024-05-01") and seen.sales.shape[1] == seen.days
    assert seen.known["promo"].shape == panel.known["promo"].shape
    with pytest.raises(ValueError, match="outside the sales"):
        panel.as_of("2030-01-01")


def test_a_scope_without_sales_says_so(frame):
    with pytest.raises(ValueError, match="no sales in this scope"):
        Panel.from_frame(frame.assign(sales=np.nan), ROLES)


def test_rows_are_found_by_store_by_product_by_both_or_all(panel):
    def rows(store: str = "", product: str = "") -> list[int]:
        return Selection(store, product).find_rows(panel.keys, []).tolist()

    assert rows(store="S1") == [2, 3]
    assert rows(product="P1") == [1, 3]
    assert rows("S1", "P0") == [2]
    assert rows() == [0, 1, 2, 3]
    assert rows("S9") == []


def batches_of(frame: pd.DataFrame, rows: int) -> SalesRows:
    """The rows of a frame, so many at a time."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return SalesRows(lambda columns: table.select(columns).to_batches(max_chunksize=rows))


@pytest.mark.parametrize("rows", [1, 7, 100_000])
def test_rows_in_batches_of_any_size_give_the_same_panel(frame, panel, rows):
    short = frame[frame.date < "2024-01-20"]
    whole, parts = Panel.from_frame(short, ROLES), Panel.from_rows(batches_of(short, rows), ROLES)
    assert parts.keys == whole.keys and parts.categories == whole.categories == {"group": ["a", "b"]}
    np.testing.assert_array_equal(parts.sales, whole.sales)
    np.testing.assert_array_equal(parts.closed, whole.closed)
    np.testing.assert_array_equal(parts.static["group"], whole.static["group"])
    for name, values in whole.known.items():
        np.testing.assert_array_equal(parts.known[name], values)


def test_series_that_never_sold_are_no_rows_of_a_panel_and_their_texts_no_categories(frame):
    never = frame[frame.store_id == "S0"].assign(store_id="S9", sales=np.nan, group="z")
    panel = Panel.from_rows(batches_of(pd.concat([never, frame]), 500), ROLES)
    assert [store for store, _product in panel.keys] == ["S0", "S0", "S1", "S1"]
    assert panel.categories == {"group": ["a", "b"]}


def test_a_static_column_is_what_the_first_row_of_a_series_says(frame):
    changed = frame.assign(group=np.where(frame.date > "2024-03-01", "z", frame.group))
    panel = Panel.from_rows(batches_of(changed, 33), ROLES)
    assert [panel.categories["group"][int(code)] for code in panel.static["group"]] == ["a", "b", "a", "b"]


def test_a_shard_knows_the_days_of_the_whole_scope(frame):
    """Two series apart give what they give together with all others."""
    log = frame.drop(columns="open")[(frame.index % 3 == 0) & (frame.date > "2024-01-05") & (frame.sales > 0)]
    whole, activity = Panel.from_frame(log, {}), describe_scope([batches_of(log, 50)])
    for product in ("P0", "P1"):
        shard = Panel.from_frame(log[log.product_id == product], {}, activity=activity)
        rows = [row for row, key in enumerate(whole.keys) if key[1] == product]
        assert shard.start == whole.start and activity.is_sales_log
        np.testing.assert_array_equal(shard.sales, whole.sales[rows])
        np.testing.assert_array_equal(shard.closed, whole.closed[rows])

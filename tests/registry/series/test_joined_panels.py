"""Panels of shards side by side: the same days, texts by one list, and no more than totals need."""

from __future__ import annotations

import numpy as np

from registry.series.panel import Panel
from registry.series.panels.joining import join_panels, keep_newest

START = np.datetime64("2026-01-01")


def build(key: str, units: list[float], ahead: int, texts: list[str]) -> Panel:
    """One series whose column `event` names the texts in turn."""
    days = len(units)
    codes = np.arange(days + ahead, dtype=np.float32)[None] % len(texts)
    known = {"event": codes, "price": codes + 7}
    sales = np.array([units], np.float32)
    return Panel(START, [("S", key)], sales, np.isnan(sales), known, categories={"event": texts})


def test_texts_get_codes_of_one_list_and_shorter_plans_end_earlier():
    joined = join_panels([build("A", [1, 2, 3], 2, ["tea", "ale"]), build("B", [4, 5, 6], 0, ["ale"])])
    assert joined.keys == [("S", "A"), ("S", "B")] and joined.categories == {"event": ["ale", "tea"]}
    np.testing.assert_array_equal(joined.sales, [[1, 2, 3], [4, 5, 6]])
    nan = np.nan
    np.testing.assert_array_equal(joined.known["event"], [[1, 0, 1, 0, 1], [0, 0, 0, nan, nan]])
    assert joined.known["price"].shape == (2, 5)


def test_a_column_that_a_shard_lacks_is_empty_there():
    other = build("B", [4, 5, 6], 1, ["ale"])
    joined = join_panels(
        [build("A", [1, 2, 3], 1, ["ale"]), keep_newest(other, 3, lambda name: name == "event")]
    )
    assert np.isnan(joined.known["price"][1]).all() and joined.known["event"].tolist() == [[0] * 4] * 2


def test_only_the_newest_days_are_kept_and_no_memory_of_the_others():
    panel = build("A", [1, 2, 3], 2, ["tea", "ale"])
    newest = keep_newest(panel, 2, lambda name: name == "event")
    assert newest.start == START + 1 and newest.days == 2 and list(newest.known) == ["event"]
    np.testing.assert_array_equal(newest.known["event"], panel.known["event"][:, 1:])
    assert newest.sales.base is None and newest.origin == panel.origin
    ahead = keep_newest(panel, 0, lambda _name: True)
    assert ahead.days == 0 and ahead.known["price"].tolist() == panel.known["price"][:, 3:].tolist()

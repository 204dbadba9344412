"""The bench's own helpers: what peers may see, what is run again, and what the tables say."""

from __future__ import annotations

import doctest
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bench import cells, data, exchange, ours, report, run, scale
from bench.peers import common
from registry import algorithms
from registry.series.panel import Panel

CELL = cells.Cell("sample", "kan", "2026-09-05", 1.0)


@pytest.fixture
def panel() -> Panel:
    """Two series of 120 days with a promotion; the second is listed later, one day is closed."""
    days = pd.date_range("2026-01-01", periods=120)
    parts = [
        pd.DataFrame(
            {
                "date": days[first:],
                "store_id": "S",
                "product_id": code,
                "sales": np.arange(first, 120, dtype=float),
                "promo": (np.arange(first, 120) % 10 == 0).astype(float),
            }
        )
        for code, first in (("A", 0), ("B", 40))
    ]
    frame = pd.concat(parts)
    return Panel.from_frame(frame[frame["date"] != days[60]], {"promo": "known"}, "DE")


def result(algorithm: str, wape: float, window: str = "2026-09-05", **more: object) -> dict:
    scores = dict.fromkeys(report.METRICS, wape) | {"coverage": {"50": 0.5, "80": 0.8, "95": 0.95}}
    found = {"data": "sample", "algorithm": algorithm, "window": window, "scores": scores, "intervals": True}
    return found | {
        "fit": 1.0,
        "forecast": 0.1,
        "peak_mb": 100.0,
        "load": 0.0,
        "note": "",
        "commit": "abc",
        **more,
    }


@pytest.mark.parametrize("module", [cells, exchange, ours, common, report, run, scale])
def test_examples_in_the_bench_are_right(module) -> None:
    assert doctest.testmod(module).failed == 0


def test_a_peer_sees_nothing_of_the_days_after_the_origin_but_what_is_known(panel: Panel) -> None:
    seen = panel.as_of("2026-04-01")
    changed = panel.sales.copy()
    changed[:, seen.days :] = 999
    other = replace(panel, sales=changed).as_of("2026-04-01")
    for one, two in zip(exchange.build_tables(seen, 14), exchange.build_tables(other, 14), strict=True):
        assert one.equals(two) if isinstance(one, pd.DataFrame) else one == two


def test_a_peer_gets_every_listed_day_once_and_all_days_ahead(panel: Panel) -> None:
    past, ahead, names = exchange.build_tables(panel.as_of("2026-04-01"), 14)
    assert past.groupby("unique_id").size().tolist() == [91, 51]
    assert ahead.groupby("unique_id").size().tolist() == [14, 14]
    assert set(names["known"]) < set(ahead.columns)
    assert past["y"].isna().sum() == 2
    assert past.loc[past["y"].isna(), "closed"].all()


def test_holes_are_filled_by_the_week_before(panel: Panel) -> None:
    past, _ahead, _names = exchange.build_tables(panel, 7)
    filled = common.fill_gaps(past)
    assert filled[60] == past["y"][53]
    assert not filled.isna().any()


def test_quantiles_of_a_peer_are_sorted_and_nothing_is_sold_on_closed_days(panel: Panel) -> None:
    past, ahead, names = exchange.build_tables(panel, 7)
    ahead.loc[ahead["ds"] == ahead["ds"].min(), "closed"] = 1
    task = common.Task(past, ahead, {"series": 2, "horizon": 7, **names})
    median = np.full((2, 7), 5.0, np.float32)
    found = common.build_quantiles(task, median, {80: (median - 9, median + 2), 95: (median - 9, median + 1)})
    assert (np.diff(found, axis=2) >= 0).all()
    assert found.min() == 0
    assert (found[:, 0] == 0).all()


def test_a_cell_is_run_once_and_again_when_asked(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr(cells, "hash_inputs", lambda algorithm: "code")
    calls = []
    monkeypatch.setattr(cells, "run_cell", lambda cell: calls.append(cell) or {"wall": 1.0})
    assert cells.load_or_run(CELL) == cells.load_or_run(CELL)
    assert len(calls) == 1
    cells.load_or_run(CELL, fresh=True)
    cells.load_or_run(replace(CELL, budget=2.0))
    assert len(calls) == 3


def test_a_cell_that_failed_is_tried_again(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr(cells, "hash_inputs", lambda algorithm: "code")
    monkeypatch.setattr(cells, "run_cell", lambda cell: {"failed": True})
    assert cells.load_or_run(CELL)["failed"]
    assert not cells.get_result_path(CELL).exists()


def test_changed_code_is_another_cell(monkeypatch) -> None:
    before = cells.get_result_path(CELL)
    monkeypatch.setattr(cells, "hash_inputs", lambda algorithm: "other")
    assert cells.get_result_path(CELL) != before


def test_a_cell_that_takes_too_long_is_stopped() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    cells.wait_for_exit(child, 0.2)
    assert child.returncode < 0


@pytest.mark.slow
def test_our_cell_runs_the_code_of_the_back_test(tmp_path) -> None:
    plan = {"data": "sample", "algorithm": "seasonal_naive", "window": "2026-10-03", "budget": 5.0}
    (tmp_path / "plan.json").write_text(json.dumps(plan | {"horizon": 28, "seed": 0, "threads": 1}))
    ours.main(tmp_path)
    found = json.loads((tmp_path / "result.json").read_text())
    assert {"fit", "forecast", "totals"} <= set(found)
    with np.load(tmp_path / "forecast.npz") as arrays:
        assert arrays["quantiles"].shape == (100, 28, 7)


def test_rows_are_medians_over_windows_beside_the_best_peer() -> None:
    results = [result("kan", wape, str(i)) for i, wape in enumerate((0.2, 0.3, 0.9))]
    results += [result("ets", wape, str(i)) for i, wape in enumerate((0.5, 0.4, 0.3))]
    results += [result("nf-kan", 0.1, "0", intervals=False)]
    rows = report.summarize_results(results)
    assert [row["algorithm"] for row in rows] == ["nf-kan", "kan", "ets"]
    rows = rows[1:]  # the first has one window only: it is no measure for the others
    assert rows[0]["wape"] == 0.3
    assert rows[0]["ratio"] == pytest.approx(0.75)
    assert "| **kan** | 3 | 0.3000 | 0.750 |" in report.format_table(rows)


def test_a_failed_cell_is_said_and_does_not_count() -> None:
    failed = {"data": "sample", "algorithm": "ets", "window": "2026-09-05", "failed": True, "log": "no"}
    (row,) = report.summarize_results([failed])
    assert (row["windows"], row["failed"], row["wape"]) == (0, 1, None)
    assert "| failed |" in report.format_table([row])


def test_the_report_says_what_was_run(tmp_path) -> None:
    plan = {"command": "make bench", "budget": 60.0, "threads": 2, "seed": 0}
    raw, file = files = report.name_files(tmp_path)
    text = report.write_report(report.build_content(plan, [result("kan", 0.2)], []), files)
    assert "`make bench` at commit abc; 1 cells, 60 s" in text == file.read_text()
    assert json.loads(raw.read_text())["rows"][0]["wape"] == 0.2


def test_the_report_in_docs_is_that_of_the_raw_results() -> None:
    raw, file = report.FILES
    assert file.read_text() == report.format_report(json.loads(raw.read_text()))


@pytest.mark.parametrize(
    "given",
    [{"BUDGET": "much"}, {"BUDGET": "-1"}, {"BENCH": "nothing"}, {"ALGORITHMS": "magic"}, {"SCALE": "much"}],
)
def test_a_wrong_choice_is_named_in_one_sentence(given, capsys) -> None:
    assert run.main(given) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_method_that_is_a_peer_and_one_of_ours_comes_once(monkeypatch) -> None:
    monkeypatch.setattr(algorithms, "list_choices", lambda: [("kan", "KAN"), ("ets", "ETS")])
    assert run.choose_algorithms([]) == [*cells.PEERS, "kan"]


def test_without_the_shared_files_the_sample_is_used(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("SHARED_DATA", str(tmp_path))
    assert list(data.list_available()) == ["sample"]
    (tmp_path / data.FILES["pasta"].file).touch()
    assert list(data.list_available()) == ["pasta"]
    assert os.listdir(tmp_path)

"""One contract for every algorithm: whatever is in the list has to pass, and nothing here names one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from registry import algorithms
from registry.model_versions.bundle import SCHEMA_VERSION, BadBundle, Bundle
from registry.model_versions.golden import TOLERANCE
from registry.series.calibration import Calibration
from registry.series.panel import Panel
from tests.helpers.source_tree import PACKAGES, texts
from tests.helpers.waves import ROLES, wave_frame
from training.learning.backtest import choose_origins, run_backtest, summarize_windows
from training.learning.pipeline import TrainingConfig, TrainingPipeline

NAMES = [entry.name for entry in algorithms.list_algorithms()]


def quick(name, steps=5, **fields):
    """A plan that stops by its steps, not by the clock."""
    small = (
        {"batch": 128}
        if issubclass(algorithms.get_entry(name).config_class, algorithms.NetworkConfig)
        else {}
    )
    return TrainingConfig(
        name, {"steps": steps, **small}, **{"horizon": 14, "budget": 60, "windows": 1, **fields}
    )


@pytest.fixture(scope="module")
def learned():
    """name -> what it learned of the wave, once for all tests."""
    found = {}
    panel = Panel.from_frame(wave_frame(), ROLES)

    def learn(name):
        if name not in found:
            learning = TrainingPipeline(panel, quick(name, steps=50, data_hash="abc"))
            epochs = list(learning)
            found[name] = (learning.result, epochs)
        return found[name]

    return learn


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_learns_a_wave(name, learned):
    result, epochs = learned(name)
    assert result.metrics["wape"] <= max(0.12, 1.1 * result.metrics["seasonal_naive"]["wape"])
    assert {epoch.step for epoch in epochs} == {"prepare", "learn", "test", "refit", "save"}
    assert [e.progress for e in epochs] == sorted(e.progress for e in epochs)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_survives_the_bundle_bit_for_bit(name, learned, panel):
    bundle = learned(name)[0].bundle
    again = Bundle.from_bytes(bundle.to_bytes())
    one, two = bundle.forecast(panel, 20), again.forecast(panel, 20)
    np.testing.assert_array_equal(one.mean, two.mean)
    np.testing.assert_array_equal(one.quantiles, two.quantiles)
    np.testing.assert_array_equal(bundle.test_mean, again.test_mean)
    assert (again.data_hash, again.seed, again.horizon) == ("abc", 0, 14)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_its_golden_forecast_tells_when_the_numbers_moved(name, learned):
    bundle = Bundle.from_bytes(learned(name)[0].bundle.to_bytes())
    member = bundle.members[0]
    assert member.golden_drift <= TOLERANCE
    member.golden["output"] = member.golden["output"] * 1.01
    assert member.golden_drift > TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_its_forecast_is_sorted_never_negative_and_zero_on_closed_days(name, learned, panel):
    forecast = learned(name)[0].bundle.forecast(panel, 20)
    assert np.isfinite(forecast.mean).all() and (forecast.mean >= 0).all() and (forecast.quantiles >= 0).all()
    assert (np.diff(forecast.quantiles, axis=2) >= 0).all()
    assert forecast.closed[0].any() and (forecast.mean[forecast.closed] == 0).all()
    assert (forecast.quantiles[forecast.closed] == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_forecasts_a_series_it_never_saw(name, learned):
    stranger = wave_frame(days=40, stores=1, products=1).assign(store_id="new", product_id="new")
    forecast = learned(name)[0].bundle.forecast(Panel.from_frame(stranger, ROLES), 14)
    assert np.isfinite(forecast.mean).all() and 5 < forecast.mean.mean() < 60


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_learns_the_same_twice(name, panel):
    plan = quick(name, seed=7)
    means = []
    for _time in range(2):
        learning = TrainingPipeline(panel, plan)
        list(learning)
        means.append(learning.result.bundle.forecast(panel, 14).mean)
    np.testing.assert_allclose(means[0], means[1], atol=1e-6)


def fresh(script: str, *words: str) -> str:
    """What a script prints in a process of its own."""
    root = Path(algorithms.__path__[0]).parent.parent
    command = [sys.executable, "-c", script, *words]
    told = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=told, capture_output=True, text=True, check=True).stdout


LIST = """
import sys
if sys.argv[1]:
    sys.path.insert(0, sys.argv[1])
else:
    sys.modules["statsforecast"] = None
from registry import algorithms
print(*(entry.name for entry in algorithms.list_algorithms()))
"""
FRESH = """
import sys
import numpy as np
from tests.helpers.waves import ROLES, wave_frame
from tests.registry.algorithms.test_contract import quick
from registry.series.panel import Panel
from training.learning.pipeline import TrainingPipeline
panel = Panel.from_frame(wave_frame(days=120), ROLES)
for name in sys.argv[2:]:
    pipeline = TrainingPipeline(panel, quick(name, seed=7))
    list(pipeline)
    prediction = pipeline.result.bundle.forecast(panel, 20)
    np.savez(f"{sys.argv[1]}/{name}.npz", mean=prediction.mean, quantiles=prediction.quantiles)
"""


@pytest.mark.processes
def test_two_fresh_processes_learn_the_same(tmp_path):
    names = [algorithms.AUTO.name]  # it learns three others
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        fresh(FRESH, str(folder), *names)
    for name in names:
        one, two = (np.load(folder / f"{name}.npz") for folder in folders)
        for part in ("mean", "quantiles"):
            np.testing.assert_allclose(one[part], two[part], rtol=0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_future_does_not_change_a_back_test(name, panel):
    day, known = panel.start + np.timedelta64(199, "D"), np.arange(panel.days) < 200
    visits = 3 * np.nan_to_num(panel.sales) + 1
    now = replace(panel, past={"visits": visits})
    later = replace(
        now, sales=np.where(known, panel.sales, 50 * panel.sales), past={"visits": visits * (1 + ~known)}
    )
    plan = quick(name)
    one, two = (next(run_backtest(p, plan, [day])) for p in (now, later))
    np.testing.assert_array_equal(one.prediction.mean, two.prediction.mean)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_series_with_ten_days_never_breaks_a_run(name):
    frame = wave_frame(days=120)
    young = (frame.store_id == "S1") & (frame.product_id == "P1") & (frame.date < "2024-04-20")
    panel = Panel.from_frame(frame[~young], ROLES)
    learning = TrainingPipeline(panel, quick(name, windows=2))
    list(learning)
    assert np.isfinite(learning.result.bundle.forecast(panel, 14).mean).all()


def test_each_algorithm_is_one_short_file():
    for file in Path(algorithms.__path__[0]).glob("*.py"):
        if file.name != "__init__.py":
            assert 25 <= len(file.read_text().splitlines()) <= 150, file.name


def test_no_algorithm_is_named_anywhere_else():
    allowed = {"first_run.py"}  # what a first start trains is a declared default
    for path, text in texts():
        if path.parts[0] in (*PACKAGES, "templates", "static") and path.name not in allowed:
            if path.parts[:2] == ("registry", "algorithms") and path.name != "__init__.py":
                continue
            # "seasonal_naive" is also the yardstick's key in every table of metrics
            quoted = [n for n in NAMES if n != "seasonal_naive" and re.search(rf"[\"']{n}[\"']", text)]
            assert not quoted, f"{path} names {quoted}"


@pytest.mark.processes
def test_methods_of_an_extra_are_in_the_list_only_when_it_is_installed(tmp_path):
    (tmp_path / "statsforecast.py").touch()
    without, found = (set(fresh(LIST, place).split()) for place in ("", str(tmp_path)))
    assert len(found - without) == 3 and without < found


def test_a_wrong_knob_is_named_with_its_bounds():
    name = NAMES[0]
    with pytest.raises(ValueError, match=r"past_days is 3: use a value from"):
        algorithms.build_config(name, {"past_days": 3})
    with pytest.raises(ValueError, match="has no setting 'speed'"):
        algorithms.build_config(name, {"speed": 1})
    with pytest.raises(ValueError, match="There is no algorithm 'magic'"):
        algorithms.get_entry("magic")


@pytest.mark.slow
def test_too_few_days_are_refused_in_one_sentence():
    panel = Panel.from_frame(wave_frame(days=30), ROLES)
    with pytest.raises(
        ValueError, match="There are 30 days of sales, but forecasting 28 days ahead needs 70"
    ):
        TrainingPipeline(panel, TrainingConfig(NAMES[0]))


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "flip the header", "not finite", "other shape", "other schema"])
def test_a_damaged_bundle_is_refused(damage, learned):
    bundle = learned(next(n for n in NAMES if n != "seasonal_naive"))[0].bundle
    content, member = bundle.to_bytes(), bundle.members[0]
    name = next(name for name, tensor in member.tensors.items() if tensor.is_floating_point())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flip the header":
        content = content[:30] + b"\xff" + content[31:]
    elif damage == "other schema":
        content = content.replace(f'\\"schema\\": {SCHEMA_VERSION}'.encode(), b'\\"schema\\": 7')
    else:
        spoiled = torch.full_like(member.tensors[name], torch.nan)
        tensor = spoiled if damage == "not finite" else torch.zeros(3, 3, 3)
        bad = replace(member, tensors={**member.tensors, name: tensor})
        content = replace(bundle, members=[bad]).to_bytes()
    with pytest.raises(BadBundle):
        Bundle.from_bytes(content)


@pytest.mark.slow
def test_a_back_test_reports_windows_and_the_whole(panel):
    days = choose_origins(panel, horizon=14, windows=3, step=14)
    plan = quick("seasonal_naive")
    windows = list(run_backtest(panel, plan, days))
    report = summarize_windows(windows)
    assert [w["origin"] for w in report["windows"]] == [str(day) for day in days]
    sold = sum(np.nansum(w.actual) for w in windows)
    missed = sum(np.nansum(np.abs(w.actual - w.prediction.quantiles[..., 3])) for w in windows)
    assert report["overall"]["wape"] == pytest.approx(missed / sold, rel=1e-5)
    assert [row["step"] for row in report["by_step"]] == list(range(1, 15))
    assert {row["code"] for row in report["by_store"]} == {"S0", "S1"}
    assert sum(row["units"] for row in report["by_product"]) == pytest.approx(sold)
    assert sum(row["series"] for row in report["by_level"]) == 4 and "all" in report["totals"]
    table = windows[0].to_frame()
    assert list(table.columns[:6]) == ["origin", "date", "store_id", "product_id", "actual", "mean"]
    assert len(table) == 4 * 14


def test_back_test_windows_must_fit_into_the_sales(panel):
    with pytest.raises(ValueError, match="choose an earlier last origin"):
        choose_origins(panel, 14, 1, 14, last_origin=str(panel.origin))
    with pytest.raises(ValueError, match="choose fewer windows"):
        choose_origins(panel, 14, 40, 14)


@pytest.mark.slow
def test_auto_tries_what_the_time_allows_and_blends_what_is_best(panel):
    learning = TrainingPipeline(panel, TrainingConfig(algorithms.AUTO.name, horizon=14, budget=10, windows=2))
    epochs, learned = list(learning), learning.result
    tried = [entry.name for entry in algorithms.select_candidates(algorithms.AUTO.name, 2)]
    assert {epoch.values["method"] for epoch in epochs if epoch.step == "learn"} == set(tried)
    assert len(tried) == 3 and "seasonal_naive" in tried
    assert all(epoch.text.format(**epoch.values) for epoch in epochs)
    assert sum(member.weight for member in learned.bundle.members) == pytest.approx(1)
    board = [row["wape"] for row in learned.metrics["leaderboard"]]
    assert board == sorted(board) and len(board) == 3
    assert sum(row["share"] for row in learned.metrics["leaderboard"]) == pytest.approx(1)
    assert learned.metrics["wape"] <= min(board) + 1e-4
    told = learned.metrics["trials"]
    assert set(told["skipped"]) == set(NAMES) - set(tried) and told["enough"] in (60, 300, 900)
    assert epochs[-1].trials["skipped"] == told["skipped"]
    states = {trial["name"]: trial["state"] for trial in epochs[-1].trials["methods"]}
    assert set(states) == set(tried) and set(states.values()) <= {"used", "unused"}
    again = Bundle.from_bytes(learned.bundle.to_bytes())
    np.testing.assert_array_equal(again.forecast(panel, 14).mean, learned.bundle.forecast(panel, 14).mean)


@pytest.mark.slow
def test_members_of_a_blend_forecast_as_they_would_alone(learned, panel):
    bundles = [learned(name)[0].bundle for name in NAMES[:3]]
    alone = [replace(bundle, calibration=Calibration()).forecast(panel, 33).mean for bundle in bundles]
    members = [replace(bundle.members[0], weight=0.5) for bundle in bundles]
    blend = replace(bundles[0], members=members, calibration=Calibration())
    np.testing.assert_allclose(blend.forecast(panel, 33).mean, sum(alone) / 2, rtol=1e-5)


def test_with_much_time_auto_tries_all():
    assert {entry.name for entry in algorithms.select_candidates(algorithms.AUTO.name, 99)} == set(NAMES)

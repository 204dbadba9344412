"""What changed since the run before: which series moved, and how much new sales, plan and model explain."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from django_q.models import OrmQ
from hypothesis import given
from hypothesis import strategies as st

from prediction.models import RunChange
from prediction.runs.attribution import has_same_plan, list_subsets, replace_plan, split_change
from prediction.runs.change_row import JOB
from prediction.runs.changes import RunPair, find_change, find_previous
from prediction.runs.frozen import load_prediction
from prediction.runs.models import ForecastRun
from prediction.tasks import explain_forecast_run, make_forecast_run
from registry.datasets.importer import import_file, restore_version
from registry.datasets.sample.generator import SampleDataset
from registry.model_versions.bundle import Bundle
from registry.series.panel import Panel
from registry.storage.artifacts import get_artifact_store
from tests.helpers.waves import ROLES, wave_frame


def make(version, data=None, **facts) -> ForecastRun:
    run = ForecastRun.objects.create(
        version=version, dataset_version=data or version.dataset_version, **facts
    )
    make_forecast_run(str(run.pk))
    run.refresh_from_db()
    assert run.is_done, run.error_text
    return run


@pytest.fixture
def newer(sales, tmp_path):
    """The chain a week later, one series of it selling ten times as much in that week."""
    last = sales.last + timedelta(days=7)
    SampleDataset(stores=2, products=3, days=307, last=last).write_parquet(tmp_path / "chain.parquet")
    frame = pd.read_parquet(tmp_path / "chain.parquet")
    loud = (frame["store_id"] == sales.stores[0]) & (frame["product_id"] == sales.products[0])
    frame.loc[loud & (frame["date"] > sales.last), "sales"] *= 10
    frame.to_parquet(tmp_path / "chain.parquet")
    return import_file(tmp_path / "chain.parquet", "chain")


@given(st.lists(st.integers(-1000, 1000), min_size=8, max_size=8))
def test_the_parts_add_up_to_the_change_and_an_input_without_effect_has_none(values):
    inputs = ["sales", "plan", "model"]
    worth = dict(zip(list_subsets(inputs), values, strict=True))
    found = split_change(inputs, lambda new: np.array([float(worth[new])]))
    assert sum(found.values()) == pytest.approx(values[-1] - values[0])
    idle = split_change(inputs, lambda new: np.array([float(worth[new - {"plan"}])]))
    assert idle["plan"] == pytest.approx(0)


def test_parts_are_the_mean_effect_over_all_orders():
    worth = {"": 0, "m": 6, "p": 2, "s": 10, "mp": 9, "ms": 20, "ps": 15, "mps": 30}
    found = split_change("spm", lambda new: np.array(float(worth["".join(sorted(new))])))
    # by hand: s = (10 + 10 + 13 + 14 + 21 + 21) / 6
    assert float(found["s"]) == pytest.approx((2 * 10 + 13 + 14 + 2 * 21) / 6)


def test_a_plan_is_replaced_from_the_day_after_and_texts_keep_their_meaning():
    panel = Panel.from_frame(wave_frame(days=60), ROLES)
    other = panel.as_of(panel.dates[49])
    width = panel.known["promo"].shape[1]
    plan = {name: values.copy() for name, values in panel.known.items()}
    plan["promo"][:, 55:] = 1
    changed = Panel(panel.start, panel.keys, panel.sales, panel.closed, plan)
    mixed = replace_plan(other, changed, panel.dates[54])
    assert mixed.days == 50 and (mixed.known["promo"][:, 55:width] == 1).all()
    assert np.array_equal(mixed.known["promo"][:, :55], panel.known["promo"][:, :55], equal_nan=True)
    assert has_same_plan(panel, panel, panel.dates[49], 10)
    assert not has_same_plan(panel, changed, panel.dates[49], 10)
    assert has_same_plan(panel, changed, panel.dates[49], 5)
    texts = [Panel(panel.start, [("S", "P")], panel.sales[:1], panel.closed[:1], {"kind": np.array([row])},
                   categories={"kind": words}) for row, words in
             (([0.0] * 60 + [np.nan] * 5, ["none"]), ([0.0] * 60 + [1.0] * 5, ["flyer", "tv"]))]  # fmt: skip
    mixed = replace_plan(texts[0], texts[1], panel.dates[59])
    assert mixed.categories["kind"] == ["none", "flyer", "tv"] and (mixed.known["kind"][0, 60:] == 2).all()


def test_new_sales_explain_the_change_of_a_run_by_the_same_version(version, newer):
    make(version, version.dataset_version)
    run = make(version, newer)
    facts = find_change(run)
    assert facts.inputs == ["sales"] and not facts.problem and facts.days == 21
    assert [span.days for span in facts.spans] == [7, 14, 21]
    top = facts.spans[0].moves[0]
    assert (top.store, top.product) == (newer.stores[0], newer.products[0])
    assert top.parts == {"sales": pytest.approx(top.now - top.before, abs=0.002)}
    before, now = (load_prediction(one).mean for one in (find_previous(run), run))
    assert facts.spans[1].before == pytest.approx(before[:, 7:21].sum(), rel=1e-5)
    assert facts.spans[1].now == pytest.approx(now[:, :14].sum(), rel=1e-5)


def test_sales_and_model_share_the_change_and_the_parts_add_up(version, newer, publish, monkeypatch):
    make(version, version.dataset_version)
    other = publish(wape=0.2)
    run = make(other, newer)

    def forecast_louder(version):
        """Either version forecasts alike; the second one a fifth more, so that what it adds is known."""
        bundle, factor = Bundle.from_bytes(version.read()), 1.2 if version == other else 1.0

        def forecast(panel, horizon):
            made = bundle.forecast(panel, horizon)
            return replace(made, mean=made.mean * np.float32(factor))

        return SimpleNamespace(forecast=forecast)

    monkeypatch.setattr("prediction.engine.load_bundle", forecast_louder)
    pair = RunPair(run, find_previous(run))
    pair.now *= 1.2  # as its file would be
    pair.model_now *= 1.2
    rows = pair.choose_moved()
    inputs, parts = pair.split(rows)
    assert inputs == ["sales", "model"]
    for row in rows:
        before, now = pair.then[row], pair.now[row]
        assert parts[row]["sales"] + parts[row]["model"] == pytest.approx(now - before, abs=1e-3)
        by_hand = (0.2 * before + (now - now / 1.2)) / 2  # the model after the sales, and before them
        assert parts[row]["model"] == pytest.approx(by_hand, abs=1e-3)


def test_a_version_that_is_gone_leaves_the_change_without_a_why(version, newer, publish):
    make(version, version.dataset_version)
    run = make(publish(wape=0.2), newer)
    get_artifact_store().delete(version.path)
    facts = find_change(run)
    assert "is missing" in facts.problem["message"] and facts.spans[0].moves
    assert not any(move.parts for span in facts.spans for move in span.moves)


def test_runs_of_which_nothing_moved_are_compared_all_the_same(version, publish, sales):
    make(version)
    change = find_change(make(publish(wape=0.2), restore_version(sales)))
    assert change.inputs == ["sales", "model"] and not change.problem
    assert [span.moves for span in change.spans] == [[], [], []]


def test_a_run_like_the_one_before_is_compared_with_the_last_other_one(version):
    make(version)
    assert find_change(make(version)).previous == ""


def test_the_page_asks_once_and_shows_the_causes(version, newer, page, read):
    make(version, version.dataset_version)
    run = make(version, newer)
    address = f"/d/{newer.dataset_id}/products/runs/{run.pk}/"
    OrmQ.objects.all().delete()
    for _each in range(2):
        assert "are being worked out" in read(page.get(address))
    assert [row.func() for row in OrmQ.objects.all()] == [JOB]
    explain_forecast_run(str(run.pk))
    text = read(page.get(f"{address}?to=14"))
    assert "units up to day 14 instead of" in text and "Only this has changed: New sales" in text
    assert "covers no later days" in read(page.get(address))
    assert RunChange.objects.get().content["inputs"] == ["sales"]
    first = ForecastRun.objects.earliest("created_at")
    explain_forecast_run(str(first.pk))
    assert "no earlier run" in read(page.get(f"/d/{newer.dataset_id}/products/runs/{first.pk}/"))


def test_the_page_splits_the_difference_where_more_than_one_thing_changed(
    version, newer, publish, page, read
):
    make(version, version.dataset_version)
    run = make(publish(wape=0.2), newer)
    explain_forecast_run(str(run.pk))
    row = RunChange.objects.get()
    assert row.content["inputs"] == ["sales", "model"]
    for span in row.content["spans"]:
        for move in span["moves"]:
            assert sum(move["parts"].values()) == pytest.approx(move["now"] - move["before"], abs=0.005)
    text = read(page.get(f"/d/{newer.dataset_id}/products/runs/{run.pk}/"))
    assert "New sales" in text and "Changed model" in text and "averaged over every order" in text

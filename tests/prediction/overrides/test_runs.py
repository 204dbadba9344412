"""Overrides in forecast runs: both numbers kept, runs frozen, the current one made anew at once."""

from __future__ import annotations

import io
from datetime import timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.utils import timezone
from django_q.models import OrmQ

from prediction.engine import run_forecast
from prediction.models import CurrentForecast, ForecastRun, Override
from prediction.overrides.applying import has_other_overrides
from prediction.overrides.changing import add_override, withdraw_override
from prediction.overrides.models import OverrideIsAppendOnly
from prediction.runs.current import promote_run
from prediction.runs.exports import stream_csv_parts
from prediction.runs.frozen import load_prediction, load_sums
from prediction.tasks import make_forecast_run
from registry.series.levels import Selection


def rows_of(run: ForecastRun):
    return pq.read_table(io.BytesIO(run.read())).to_pandas()


def test_an_override_makes_a_new_run_with_both_numbers_and_the_one_before_stays(current, override, sales):
    before = current()
    content = before.read()
    made = override(Selection(store="S01"))
    run = current()
    assert run != before and before.read() == content and not before.overrides.exists()
    table = rows_of(run)
    was = rows_of(before)
    assert np.array_equal(table["mean"], was["mean"]) and np.array_equal(was["mean"], was["final_mean"])
    hit = (table["store_id"] == "S01") & (table["date"] <= made.last)
    wanted = np.where(hit, table["mean"].astype(float) * 1.2, table["mean"])
    assert table["final_mean"].to_numpy() == pytest.approx(wanted, rel=1e-9)
    assert table["final_q0.9"][hit].to_numpy() == pytest.approx(table["q0.9"][hit] * 1.2, rel=1e-6)
    use = run.overrides.get()
    assert (use.series, use.after) == (3, pytest.approx(1.2 * use.before))
    assert use.before == pytest.approx(table["mean"][hit].sum(), rel=1e-6)
    assert run.totals.total == pytest.approx(table["final_mean"].sum(), abs=0.05)
    lines = b"".join(stream_csv_parts(io.BytesIO(run.read()))).decode().splitlines()
    assert {"mean", "final_mean", "final_q0.025"} <= set(lines[0].replace('"', "").split(","))


def test_a_run_reads_back_what_it_was_made_of(current, override):
    override(Selection(product="P002"), kind="set", amount=700.0, last=14)
    run = current()
    found, sums = load_prediction(run), load_sums(run.sums)
    assert found.mean[[1, 4], :14].sum() == pytest.approx(700.0, rel=1e-9)
    assert sums.mean == pytest.approx(found.mean) and sums.model == pytest.approx(found.model_mean)
    for weeks in (1, 2, 4):
        expected = found.sum_with_interval(np.array([1, 4]), range(7 * weeks))
        assert sums.sum_range(np.array([1, 4]), weeks) == pytest.approx(expected, rel=2e-3)
    assert found.of_model().adjustment is None


def test_pages_answer_with_the_numbers_of_the_run(current, override, version, sales):
    override(kind="add", amount=500.0)
    run = current()
    frozen = load_prediction(run)
    for horizon in (28, 14):
        answer = run_forecast(version, Selection("S01", "P001"), horizon)
        assert np.array_equal(answer.prediction.mean[answer.rows], frozen.mean[:1, :horizon])
    longer = run_forecast(version, Selection("S01", "P001"), 35)  # no run reaches as far
    assert longer.prediction.mean[longer.rows][:, :28] == pytest.approx(frozen.mean[:1], rel=1e-5)


def test_a_withdrawn_one_leaves_past_runs_as_they_were(current, override, user):
    made = override()
    run = current()
    content, trail = run.read(), list(run.overrides.values_list("override", "before", "after"))
    withdraw_override(made, user)
    newer = current()
    assert newer != run and not newer.overrides.exists() and load_prediction(newer).adjustment is None
    assert run.read() == content and list(run.overrides.values_list("override", "before", "after")) == trail
    made.refresh_from_db()
    assert made.is_withdrawn and made.withdrawn_by == user and not made.may_withdraw(user)
    with pytest.raises(ValueError, match="withdrawn before"):
        withdraw_override(made, user)


def test_an_override_can_be_neither_edited_nor_deleted(override):
    made = override()
    made.amount = 50.0
    for forbidden in (made.save, made.delete):
        with pytest.raises(OverrideIsAppendOnly):
            forbidden()


def test_saving_and_withdrawing_ask_for_a_new_run_in_the_same_transaction(current, override, sales, user):
    run = current()
    OrmQ.objects.all().delete()
    made = override()
    facts = {"first": made.first, "last": made.last, "kind": "add", "amount": 1, "reason": "other"}
    fresh = Override(dataset=sales.dataset, **facts)
    add_override(fresh, user)
    assert [row.func() for row in OrmQ.objects.all()] == ["prediction.tasks.make_current_forecast"]
    assert has_other_overrides(run) and not has_other_overrides(current())


def test_one_that_has_expired_or_lies_beyond_counts_no_more(current, override, sales):
    today = timezone.localdate()
    override(expires=today - timedelta(days=1))
    override(first=29, last=40)
    run = current()
    assert not run.overrides.exists() and load_prediction(run).adjustment is None
    override(expires=today)
    assert current().overrides.count() == 1


def test_a_run_as_of_a_day_knows_only_what_was_said_by_then(current, override, version, sales):
    made = override(first=-20, last=7)
    Override.objects.filter(pk=made.pk).update(created_at=timezone.now() - timedelta(days=30))
    for back, count in ((10, 1), (60, 0)):
        day = timezone.localdate() - timedelta(days=back)
        run = ForecastRun.objects.create(version=version, dataset_version=sales, as_of=min(day, sales.last))
        make_forecast_run(str(run.pk))
        assert run.overrides.count() == count, back


def test_a_run_chosen_by_hand_keeps_its_version_when_overrides_change(current, override, publish, user):
    publish()
    first = current()
    other = publish(wape=0.2)  # comes into use
    second = current()
    assert second.version == other != first.version
    promote_run(first, "the older one is better", user)
    assert current() == first
    override()
    third = current()
    assert third.version == first.version and third.overrides.count() == 1
    assert current() == third and CurrentForecast.objects.get().previous == first

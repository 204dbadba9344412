from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from registry.series.covariates import Encoder
from registry.series.history import HiddenDays
from registry.series.quantiles import OUTPUT_COUNT
from registry.series.windows import Windows, find_positions


def cut(panel, column=200, block=7, ahead=0):
    windows = Windows(panel, Encoder.fit(panel), 28, block, ahead)
    return windows.cut_batch(torch.arange(4), torch.full((4,), column))


def test_a_window_never_sees_sales_or_past_covariates_from_its_origin_on(panel):
    sales, visits = panel.sales.copy(), 3 * np.nan_to_num(panel.sales) + 1
    now = replace(panel, past={"visits": visits})
    sales[:, 200:] = 9999
    later = replace(now, sales=sales, past={"visits": np.where(np.arange(panel.days) < 200, visits, 1e6)})
    before, after = cut(now), cut(later)
    assert before.past.shape[2] > cut(panel).past.shape[2]
    for field in fields(before):
        if field.name != "target":
            assert torch.equal(
                getattr(before, field.name).nan_to_num(), getattr(after, field.name).nan_to_num()
            )
    assert not torch.equal(before.target.nan_to_num(), after.target.nan_to_num())


def test_a_window_at_the_end_is_the_same_with_and_without_the_later_days(panel):
    seen = panel.as_of(panel.start + np.timedelta64(199, "D"))
    encoder = Encoder.fit(panel)
    row, at = torch.arange(4), torch.full((4,), 200)
    whole, part = (
        Windows(panel, encoder, 28, 7).cut_batch(row, at),
        Windows(seen, encoder, 28, 7, 7).cut_batch(row, at),
    )
    for field in fields(whole):
        if field.name != "target":
            same = torch.allclose(
                getattr(whole, field.name).nan_to_num(), getattr(part, field.name).nan_to_num()
            )
            assert same, field.name


@pytest.mark.parametrize(("days", "weeks"), [(260, 26), (729, 26), (730, 8)])
def test_the_usual_weekday_is_the_mean_of_more_weeks_before_two_years_are_known(panel, days, weeks):
    long = replace(panel, sales=np.tile(panel.sales, 3)[:, :days], closed=np.tile(panel.closed, 3)[:, :days])
    encoder = Encoder.fit(replace(long, known={}, past={}))
    batch = Windows(panel, replace(Encoder.fit(panel), usual_weeks=encoder.usual_weeks), 28, 7).cut_batch(
        torch.tensor([2]), torch.tensor([200])
    )
    sold = np.where(panel.closed, np.nan, panel.sales)[2, 200 - 7 * weeks : 200].reshape(weeks, 7)
    assert np.isclose(float(batch.base[0, 0] * batch.scale[0]), np.nanmean(sold[:, 0]), rtol=1e-5)


def test_where_hardly_a_day_sells_the_usual_is_that_of_eight_weeks(panel):
    rare = replace(panel, sales=panel.sales * (np.arange(panel.days) % 10 == 0))
    assert (panel.is_sparse, rare.is_sparse) == (False, True)
    assert (Encoder.fit(panel).usual_weeks, Encoder.fit(rare).usual_weeks) == (26, 8)


def test_last_year_is_the_same_weekday_364_days_before(panel):
    long = replace(
        panel,
        sales=np.tile(panel.sales, 2),
        closed=np.tile(panel.closed, 2),
        known={n: np.tile(v, 2) for n, v in panel.known.items()},
    )
    windows = Windows(long, replace(Encoder.fit(long), yearly=True), 28, 7)
    value, known = windows._last_year(
        torch.tensor([3]), torch.tensor([400]), torch.arange(400, 407)[None], torch.ones(1, 1).double(), None
    )[0]
    assert known.all() and np.allclose(value.numpy()[0], long.sales[3, 36:43])


def test_closed_days_are_no_target(panel):
    batch = cut(panel)
    assert batch.closed[0].any() and batch.target[0][batch.closed[0]].isnan().all()


def test_forecast_days_put_in_are_seen_by_the_next_block(panel):
    windows = Windows(panel, Encoder.fit(panel), 28, 7, ahead=14)
    windows.append_forecast(panel.days, torch.full((4, 7, OUTPUT_COUNT), 500.0))
    batch = windows.cut_batch(torch.arange(4), torch.full((4,), panel.days + 7))
    last = (batch.recent * batch.scale[:, None])[3, -7:]
    assert torch.allclose(last, torch.full((7,), 500.0))


def test_origins_skip_days_before_a_series_began(panel):
    sales = panel.sales.copy()
    sales[1, :100] = np.nan
    windows = Windows(replace(panel, sales=sales), Encoder.fit(panel), 28, 7)
    rows, columns = find_positions(windows, 14, 120)
    assert columns[rows == 1].min() == 101 and columns[rows == 0].min() == 14 and columns.max() == 120


def test_an_expected_share_of_days_without_sales_is_counted_as_such(panel):
    windows = Windows(panel, Encoder.fit(panel), 28, 7, ahead=7)
    rows, at = torch.tensor([2, 3]), torch.full((2,), panel.days + 7)  # two that never close
    forecast = torch.tensor([0.4, 0, 0, 0, 0.0, 1, 1, 2]).expand(
        4, 7, OUTPUT_COUNT
    )  # nothing, every other time
    before = windows.history.zeros[rows, panel.days].clone()
    windows.append_forecast(panel.days, forecast)
    assert torch.allclose(windows.history.zeros[rows, at] - before, torch.tensor(3.5))


def test_a_series_looks_the_same_alone_and_among_others(panel):
    encoder, rows = Encoder.fit(panel), np.array([2])
    alone = Windows(panel.select_series(rows), encoder, 28, 7).cut_batch(
        torch.tensor([0]), torch.tensor([200])
    )
    among = Windows(panel, encoder, 28, 7).cut_batch(torch.tensor([2]), torch.tensor([200]))
    for field in fields(alone):
        assert torch.equal(
            getattr(alone, field.name).nan_to_num(), getattr(among, field.name).nan_to_num()
        ), field.name


def hide(start: int, end: int, covariates_end: int = 200) -> HiddenDays:
    """The same hidden days in four windows, not shown as a closure."""
    start_end = (torch.full((4,), start), torch.full((4,), end))
    return HiddenDays(*start_end, torch.zeros(4, dtype=torch.bool), torch.full((4,), covariates_end))


@pytest.mark.parametrize(("start", "end"), [(60, 190), (150, 200), (0, 180), (193, 197)])
def test_hidden_days_look_as_if_they_had_never_been_recorded(panel, start, end):
    sales = panel.sales.copy()
    sales[:, start:end] = np.nan
    encoder, (rows, at) = Encoder.fit(panel), (torch.arange(4), torch.full((4,), 200))
    hidden = Windows(panel, encoder, 28, 7).cut_batch(rows, at, hide(start, end))
    lost = Windows(replace(panel, sales=sales), encoder, 28, 7)
    if start == 0:  # the lost one begins to be recorded where the hidden one seems to
        lost.first_record = torch.full((4,), end)
    missing = lost.cut_batch(rows, at)
    for field in fields(hidden):
        same = (getattr(one, field.name).nan_to_num().double() for one in (hidden, missing))
        assert torch.allclose(*same, atol=1e-4), field.name


def test_a_hidden_closure_shows_the_store_as_closed(panel):
    windows, (rows, at) = Windows(panel, Encoder.fit(panel), 28, 7), (torch.arange(4), torch.full((4,), 200))
    shut = replace(hide(180, 195), is_closure=torch.ones(4, dtype=torch.bool))
    closing = windows.cut_batch(rows, at, shut).past[2, :, 2]  # of a store that never closes
    assert closing[8:23].eq(1).all() and closing[:8].eq(0).all() and closing[23:].eq(0).all()


def test_past_covariates_are_unknown_after_the_origin_in_learning_and_forecasting(panel):
    visits = {"visits": 3 * np.nan_to_num(panel.sales) + 1}
    seen = replace(panel, past=visits).as_of(panel.start + np.timedelta64(199, "D"))
    encoder = Encoder.fit(seen)
    ahead, whole = Windows(seen, encoder, 28, 7, 7), Windows(replace(panel, past=visits), encoder, 28, 7)
    rows, at = torch.arange(4), torch.full((4,), 207)
    later = ahead.cut_batch(rows, at).past[..., -2:]
    assert later[:, -7:].eq(0).all() and later[:, :-7, 1].eq(1).all()
    assert torch.equal(later, whole.cut_batch(rows, at, hide(0, 0, 200)).past[..., -2:])


def test_a_bundle_of_before_repeats_the_last_known_covariate(panel):
    known = replace(panel, past={"visits": 3 * np.nan_to_num(panel.sales) + 1})
    encoder = replace(Encoder.fit(known), tells_unknown=False)
    batch = Windows(known, encoder, 28, 7, 7).cut_batch(torch.arange(4), torch.full((4,), panel.days + 7))
    assert batch.past[2, -7:, -1].unique().numel() == 1 and batch.past[2, -1, -1] > 0


def test_without_recent_days_levels_are_those_of_longer_ago(panel):
    sales = panel.sales.copy()
    sales[:, -70:] = np.nan
    batch = cut(replace(panel, sales=sales), column=panel.days)
    usual = np.nanmean(np.where(panel.closed, np.nan, sales)[3])
    assert abs(float(batch.scale[3]) / usual - 1) < 0.5
    assert batch.base[3].gt(0.3).all() and batch.level[3, 1].gt(0.3), "neither the base nor the level is 0"

"""What the chart of a forecast is given: weeks, promotions with names, and what was sold since."""

from __future__ import annotations

import json
from datetime import timedelta

import pandas as pd
import pytest

from prediction.models import Forecast
from registry.datasets.importer import import_file
from registry.datasets.scope import Scope
from registry.series.quantiles import QUANTILE_NAMES

PLAN = 28  # days ahead for which the plan is known
EVENT = ("2026-11-09", "2026-11-12")  # "11.11", planned


@pytest.fixture
def total(version, user) -> Forecast:
    return Forecast.objects.make_forecast(version, horizon=28, created_by=user)


def add_days(chain_file, tmp_path, days: int, sales: float | None, columns=None):
    """The chain with more days, each selling `sales` of each series; None = a plan."""
    frame = pd.read_parquet(chain_file)
    frame["date"] = pd.to_datetime(frame["date"])
    last = frame[frame["date"] == frame["date"].max()]
    more = [
        last.assign(date=last["date"] + timedelta(days=ahead), sales=sales, open=1)
        for ahead in range(1, days + 1)
    ]
    whole = pd.concat([frame, *more])
    for name, value in (columns or {}).items():
        whole[name] = value(whole)
    whole["date"] = whole["date"].dt.date
    path = tmp_path / f"more-{days}-{sales}.parquet"
    whole.to_parquet(path, index=False)
    return path


def chart_of(page, forecast: Forecast) -> dict:
    return page.get(f"/forecasts/{forecast.pk}/").context["chart"]


def test_sales_since_the_origin_are_read_when_the_page_is_shown(page, total, chain_file, tmp_path):
    assert chart_of(page, total)["sold"] == []
    saved = total.read()
    import_file(add_days(chain_file, tmp_path, 10, 7.0), "chain")
    chart = chart_of(page, total)
    assert [day["date"] for day in chart["sold"]] == [f"2026-11-{day:02d}" for day in range(1, 11)]
    assert {day["sales"] for day in chart["sold"]} == {7.0 * 6}
    assert Forecast.objects.get(pk=total.pk).read() == saved, "nothing of it is stored"
    rows = page.get(f"/forecasts/{total.pk}/").context["days"]
    assert [row["sold"] for row in rows] == [42.0] * 10 + [None] * 18


def test_sales_since_are_those_of_the_forecasts_product_and_store(page, version, user, chain_file, tmp_path):
    part = Forecast.objects.make_forecast(version, "S01", "", 7, created_by=user)
    import_file(add_days(chain_file, tmp_path, 10, 7.0), "chain")
    assert [day["sales"] for day in chart_of(page, part)["sold"]] == [7.0 * 3] * 7


def test_in_a_source_without_zeros_a_day_without_a_row_sold_nothing(sales):
    from registry.datasets.actuals import load_actuals

    actuals = load_actuals(sales.pk)
    assert not actuals.lists_only_sales
    dense = pd.DataFrame({"day": actuals.days, "units": actuals.units, "product": actuals.products})
    kept = (dense["units"] > 0) & ((dense["product"] == 1) | (dense["day"] % 3 == 0))
    sparse = type(actuals)(
        actuals.days[kept], actuals.stores[kept], actuals.products[kept], actuals.units[kept], actuals.codes
    )
    code = next(code for code, place in actuals.codes[1].items() if place == 0)
    units = sparse.units_by_day((None, {code}), sales.last - timedelta(days=8), sales.last)
    sold = [value for value in units if value]
    assert sparse.lists_only_sales and 2 <= len(sold) <= 3
    assert all(value == 0 for value in units if not value)


def test_a_total_starts_by_week_and_a_single_series_by_day(page, version, user):
    steps = {
        ("", "", 28): "week",
        ("S01", "P001", 28): "day",
        ("S01", "P001", 61): "week",
        ("", "", 7): "day",
    }
    for (store, product, days), step in steps.items():
        made = Forecast.objects.make_forecast(version, store, product, days, created_by=user)
        assert chart_of(page, made)["step"] == step


def test_each_week_has_a_range_of_its_own(version, user):
    content = Forecast.objects.make_forecast(version, "S01", "P001", 31, created_by=user).load_content()
    weeks = [week.to_json() for week in content.weeks]
    assert [week["date"] for week in weeks] == [f"2026-11-{day:02d}" for day in (1, 8, 15, 22, 29)]
    assert list(weeks[0]) == ["date", *QUANTILE_NAMES]
    for week, start in zip(weeks, range(0, 31, 7), strict=True):
        mean = sum(day.mean for day in content.forecast[start : start + 7])
        assert week["q0.1"] <= mean <= week["q0.9"]
        daily = sum(day.quantiles[5] - day.quantiles[1] for day in content.forecast[start : start + 7])
        assert 0 < week["q0.9"] - week["q0.1"] < daily, "highs and lows of the days even out"


def test_planned_promotions_and_their_names_are_ahead_on_the_chart(chain_file, tmp_path, publish, page, user):
    first, last = map(pd.Timestamp, EVENT)
    columns = {
        "promo": lambda rows: rows["date"].between(first, last).astype(int),
        "event": lambda rows: rows["date"].between(first, last).map({True: "11.11", False: None}),
    }
    import_file(add_days(chain_file, tmp_path, PLAN, None, columns), "chain", roles={"event": "known"})
    made = Forecast.objects.make_forecast(publish(Scope()), horizon=28, created_by=user)
    chart = chart_of(page, made)
    assert chart["events"] == [{"name": "11.11", "first": EVENT[0], "last": EVENT[1]}]
    ahead = [day["date"] for day in chart["forecast"] if day["promo"]]
    assert (ahead[0], ahead[-1], len(ahead)) == (*EVENT, 4)


def test_the_chart_knows_how_many_days_were_tested(page, total):
    chart = chart_of(page, total)
    assert chart["tested"] == 28 and chart["today"] > chart["origin"] == "2026-10-31"


def test_a_chart_of_an_earlier_releases_file_has_neither_weeks_nor_events(page, total, monkeypatch):
    saved = json.loads(total.read())
    old = {name: value for name, value in saved.items() if name not in {"weeks", "events"}}
    monkeypatch.setattr(Forecast, "read", lambda self: json.dumps(old).encode())
    chart = chart_of(page, total)
    assert chart["weeks"] == chart["events"] == [] and len(chart["forecast"]) == 28


def test_the_ranges_of_parts_are_no_single_percentage(version, user):
    content = Forecast.objects.make_forecast(version, horizon=28, created_by=user).load_content()
    widths = {round((part.high - part.low) / part.total, 4) for part in content.breakdown["products"]}
    assert len(widths) == len(content.breakdown["products"])

"""What has been sold since a forecast, and what the overview makes of it."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pandas as pd
import pytest
from django.utils import timezone

from prediction.models import Forecast
from registry.datasets.importer import import_file
from registry.datasets.models import DatasetVersion


@pytest.fixture(scope="module")
def chain_file(chain_file, tmp_path_factory):
    """The chain some months earlier, so that the days after it are not in the future."""
    frame = pd.read_parquet(chain_file)
    frame["date"] = [day - timedelta(days=98) for day in frame["date"]]
    path = tmp_path_factory.mktemp("earlier") / "chain.parquet"
    frame.to_parquet(path, index=False)
    return path


@pytest.fixture(scope="module")
def learned() -> dict:
    """What was learned from other days is of no use here."""
    return {}


@pytest.fixture
def longer(chain_file, tmp_path):
    """Imports the chain with some days more, each selling what the last known week sold, times a factor."""

    def bring(days: int, factor: float = 1.0) -> DatasetVersion:
        frame = pd.read_parquet(chain_file)
        frame["date"] = pd.to_datetime(frame["date"])
        last = frame["date"].max()
        parts = [frame]
        for ahead in range(1, days + 1):
            back = 7 * (-(-ahead // 7))
            part = frame[frame["date"] == last + timedelta(days=ahead - back)].copy()
            part["date"] = last + timedelta(days=ahead)
            part["sales"] = (part["sales"] * factor).round()
            parts.append(part)
        path = tmp_path / f"longer-{days}-{factor}.parquet"
        whole = pd.concat(parts)
        whole["date"] = whole["date"].dt.date
        whole.to_parquet(path, index=False)
        return import_file(path, "chain")

    return bring


def sold_by_hand(version: DatasetVersion, forecast: Forecast, days: int) -> float:
    from registry.datasets.reader import read_frame

    frame = read_frame(version)
    ahead = (frame["date"] - pd.Timestamp(forecast.origin)).dt.days
    fits = (frame["product_id"] == forecast.product) & (ahead > 0) & (ahead <= days)
    return float(frame.loc[fits, "sales"].sum())


def test_before_newer_sales_come_nothing_is_known(page, forecast, read):
    assert "no sales yet" in read(page.get("/forecasts/"))


@pytest.mark.parametrize("days", [10, 28, 40])
def test_the_history_says_what_was_sold_on_the_days_of_the_forecast(page, forecast, longer, days):
    data = longer(days)
    _forecast, since = page.get("/forecasts/").context["rows"][0]
    known = min(days, 28)
    assert since.days == known and since.units == sold_by_hand(data, forecast, known)
    expected = sum(day.mean for day in forecast.load_content().forecast[:known])
    assert since.expected == pytest.approx(expected, abs=0.01)
    row = next(csv.DictReader(io.StringIO(page.get("/forecasts/?export=csv").content.decode("utf-8-sig"))))
    assert float(row["Units sold since"]) == since.units


def test_sales_far_from_the_forecast_need_attention(page, forecast, longer, read):
    longer(28, factor=3)
    text = read(page.get("/"))
    assert "Off target" in text and "higher than forecast over 28 days." in text
    assert "off target" in read(page.get("/forecasts/"))
    assert "Actual so far" in read(page.get(f"/forecasts/{forecast.pk}/"))


def test_old_sales_need_attention_until_newer_ones_come(page, sales, settings, read):
    settings.STALE_DAYS = (timezone.localdate() - sales.last).days
    assert "Upload newer sales" not in read(page.get("/"))
    settings.STALE_DAYS -= 1
    assert "Upload newer sales" in read(page.get("/"))


def test_lists_stay_within_twenty_queries(page, version, user, django_assert_max_num_queries, longer):
    for number in range(12):
        Forecast.objects.make_forecast(
            version, product=f"P00{number % 3 + 1}", horizon=7 + number, created_by=user
        )
    longer(10)
    for address in ["/", "/models/", "/forecasts/", "/data/"]:
        page.get(address)
        with django_assert_max_num_queries(20):
            page.get(address)

"""The sample: the same each time, and with everything a pharmacy's sales have."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from registry.datasets.sample.generator import LAST_DAY, SampleDataset, easter_sunday, public_holidays


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("sample") / "chain.parquet"
    SampleDataset().write_parquet(path)
    frame = pq.read_table(path).to_pandas(date_as_object=False)
    frame["weekday"] = frame["date"].dt.day_of_week
    return frame


def written(path: Path, **size: int) -> str:
    SampleDataset(**size).write_parquet(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    small = {"stores": 2, "products": 12, "days": 100}
    first = written(tmp_path / "a", **small)
    assert written(tmp_path / "b", **small) == first
    assert written(tmp_path / "c", **small, seed=8) != first


def test_it_has_ten_stores_fifty_products_and_three_years(chain: pd.DataFrame) -> None:
    assert sorted(chain["store_id"].unique()) == [f"S{i:02d}" for i in range(1, 11)]
    assert sorted(chain["product_id"].unique()) == [f"P{i:03d}" for i in range(1, 51)]
    assert chain["date"].max().date() == LAST_DAY
    assert chain["date"].nunique() == 1096
    assert not chain.duplicated(["date", "store_id", "product_id"]).any()
    assert chain["product_name"].nunique() == 50


def test_closed_days_sell_nothing_and_are_holidays_or_sundays(chain: pd.DataFrame) -> None:
    closed = chain[chain["open"] == 0]
    assert closed["sales"].sum() == 0
    holidays = {pd.Timestamp(day) for year in range(2023, 2027) for day in public_holidays(year)}
    assert (closed["date"].isin(holidays) | (closed["weekday"] == 6)).all()
    sundays = (
        chain[(chain["weekday"] == 6) & ~chain["date"].isin(holidays)].groupby("store_id")["open"].mean()
    )
    assert set(sundays) == {0.0, 1.0}


def test_a_promotion_cuts_the_price_and_lifts_sales(chain: pd.DataFrame) -> None:
    opened = chain[chain["open"] == 1]
    by_promo = opened.groupby(["store_id", "product_id", "promo"], observed=True)[["sales", "price"]].mean()
    with_promo, without = by_promo.xs(1, level="promo"), by_promo.xs(0, level="promo")
    both = with_promo.index.intersection(without.index)
    assert (with_promo.loc[both, "price"] < without.loc[both, "price"]).mean() > 0.95
    assert with_promo["sales"].mean() > 1.25 * without["sales"].mean()


def test_flu_lifts_cold_products_in_winter_and_sun_care_sells_in_summer(chain: pd.DataFrame) -> None:
    month = chain["date"].dt.month
    means = chain.groupby(["category", month], observed=True)["sales"].mean()
    assert means["Cold & flu", 2] > 3 * means["Cold & flu", 7]
    assert means["Sun care", 7] > 5 * means["Sun care", 12]


def test_the_week_has_a_rhythm(chain: pd.DataFrame) -> None:
    week = chain[chain["open"] == 1].groupby("weekday")["sales"].mean()
    assert week[0] > 1.3 * week[6]


def test_two_products_come_late_and_one_goes_early(chain: pd.DataFrame) -> None:
    span = chain.groupby("product_id", observed=True)["date"].agg(["min", "max"])
    assert (span["min"] > span["min"].min()).sum() == 2
    assert (span["max"] < span["max"].max()).sum() == 1


def test_slow_movers_are_mostly_zeros_and_some_rows_are_missing(chain: pd.DataFrame) -> None:
    zeros = (
        chain[chain["open"] == 1].groupby("product_id", observed=True)["sales"].agg(lambda s: (s == 0).mean())
    )
    assert (zeros > 0.6).sum() >= 3
    assert (zeros < 0.1).sum() >= 20
    life = chain.groupby(["store_id", "product_id"], observed=True)["date"].agg(["min", "max", "count"])
    missing = (life["max"] - life["min"]).dt.days + 1 - life["count"]
    assert 0 < (missing > 0).sum() < 250


def test_stock_outs_leave_runs_of_zeros_in_what_sells_daily(chain: pd.DataFrame) -> None:
    brisk = chain[(chain["product_id"] == "P001") & (chain["open"] == 1)]
    assert (brisk["sales"] == 0).mean() < 0.05
    top = chain[(chain["open"] == 1) & chain["product_id"].isin(["P001", "P002", "P007", "P014"])]
    zero = top.sort_values(["store_id", "product_id", "date"])["sales"].to_numpy() == 0
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], zero.view(np.int8), [0]]))))[::2]
    assert runs.max() >= 3


def test_a_large_chain_is_written_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "large.parquet"
    rows = SampleDataset(stores=2, products=3049, days=60).write_parquet(path)
    file = pq.ParquetFile(path)
    assert file.num_row_groups == 2
    assert file.metadata.num_rows == rows > 300_000


@pytest.mark.parametrize("size", [{"stores": 1}, {"products": 1}, {"days": 1}, {"days": 8, "products": 10}])
def test_the_smallest_chain_is_written_too(tmp_path: Path, size: dict[str, int]) -> None:
    SampleDataset(**{"stores": 1, "products": 2, "days": 30, **size}).write_parquet(tmp_path / "tiny.parquet")


def test_easter_and_the_days_around_it() -> None:
    assert [easter_sunday(year) for year in (2024, 2025, 2026)] == [
        dt.date(2024, 3, 31),
        dt.date(2025, 4, 20),
        dt.date(2026, 4, 5),
    ]


def test_a_chain_without_stores_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="0 stores: choose from 1") as caught:
        call_command("make_sample", stores=0, output=tmp_path / "x.parquet")
    assert caught.value.returncode == 2


def test_the_last_day_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.parquet"
    call_command(
        "make_sample", "--stores", "1", "--products", "2", "--last", "2025-05-01", "--output", str(path)
    )
    assert pq.read_table(path)["date"].to_pylist()[-1] == dt.date(2025, 5, 1)
    assert capsys.readouterr().out.startswith(str(path))

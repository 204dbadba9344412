"""Forecasts: what their file holds, and that a failure leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.contrib.auth.models import User

from prediction.models import Forecast
from registry.datasets.scope import Scope
from registry.model_versions.models import ModelVersion
from registry.series.quantiles import QUANTILE_NAMES
from registry.storage.artifacts import CorruptArtifact, get_artifact_store

Publish = Callable[..., ModelVersion]
LEVELS = list(QUANTILE_NAMES)


@pytest.fixture(scope="session")
def chain_file(sample_file: Callable[[int, int, int], Path]) -> Path:
    """Three stores, four products, two years and a bit."""
    return sample_file(3, 4, 800)


def sold(chain_file: Path, **codes: str) -> pd.Series:
    """Units a day, counted by hand from the file."""
    frame = pd.read_parquet(chain_file)
    for column, code in codes.items():
        frame = frame[frame[column] == code]
    return frame.groupby("date")["sales"].sum()


def test_a_forecast_is_a_ready_row_and_a_whole_file(version: ModelVersion, admin_user: User) -> None:
    forecast = Forecast.objects.make_forecast(version, "S01", "P001", 14, created_by=admin_user)
    assert forecast.state == forecast.State.READY
    assert (str(forecast.origin), forecast.horizon, forecast.created_by) == ("2026-10-31", 14, admin_user)
    content = json.loads(forecast.read())
    assert [day["date"] for day in content["forecast"]] == [f"2026-11-{day:02d}" for day in range(1, 15)]
    assert content["label"] == forecast.label == "P001 · S01"
    assert content["version"] == "seasonal_naive_global_v1"
    assert content["schema"] == 1


def test_quantiles_are_ordered_and_the_total_has_a_range_of_its_own(version: ModelVersion) -> None:
    forecast = Forecast.objects.make_forecast(version, "S01", "P001", 28)
    days = forecast.load_content().forecast
    bounds = np.array([day.quantiles for day in days])
    assert (np.diff(bounds, axis=1) >= 0).all() and (bounds >= 0).all()
    assert forecast.total == pytest.approx(sum(day.mean for day in days), rel=1e-3)
    assert forecast.low <= forecast.total <= forecast.high
    daily = sum(day.quantiles[5] - day.quantiles[1] for day in days)
    assert forecast.high - forecast.low < daily


def test_the_history_is_what_was_sold(version: ModelVersion, chain_file: Path) -> None:
    history = Forecast.objects.make_forecast(version, "S02", "P002", 7).load_content().history
    expected = sold(chain_file, store_id="S02", product_id="P002")
    assert len(history) == 730
    for day in history:
        if day.sales is not None:
            assert day.sales == expected[pd.Timestamp(day.date).date()]
    frame = pd.read_parquet(chain_file).query("store_id == 'S02' and product_id == 'P002'").set_index("date")
    assert all(day.closed == (frame["open"].get(pd.Timestamp(day.date).date(), 1) == 0) for day in history)
    assert any(day.promo for day in history) and not all(day.promo for day in history)


def test_a_total_adds_up_and_keeps_the_closed_days(version: ModelVersion, chain_file: Path) -> None:
    content = Forecast.objects.make_forecast(version, "S02", "", 28).load_content()
    history = pd.Series({day.date: day.sales for day in content.history}).dropna()
    expected = sold(chain_file, store_id="S02")
    expected.index = [str(day) for day in expected.index]
    assert (history - expected[history.index] == 0).all()
    sundays = [day for day in content.forecast if pd.Timestamp(day.date).day_of_week == 6]
    assert all(day.closed and day.mean == 0 for day in sundays)


def test_the_parts_of_a_total_are_the_forecasts_of_its_series(version: ModelVersion) -> None:
    total = Forecast.objects.make_forecast(version, "S01", "", 14).load_content().forecast
    parts = [
        Forecast.objects.make_forecast(version, "S01", f"P{i:03d}", 14).load_content().forecast
        for i in range(1, 5)
    ]
    for day, mean in enumerate(item.mean for item in total):
        assert mean == pytest.approx(sum(part[day].mean for part in parts), abs=0.01)


def test_the_test_forecast_covers_the_last_held_back_days(version: ModelVersion) -> None:
    content = Forecast.objects.make_forecast(version, "S01", "P001", 7).load_content()
    assert [content.test[0].date, content.test[-1].date] == ["2026-10-04", "2026-10-31"]
    whole = Forecast.objects.make_forecast(version, "", "", 7).load_content()
    assert whole.test[3].mean > content.test[3].mean


def test_the_analysis_compares_with_what_was_sold(version: ModelVersion, chain_file: Path) -> None:
    analysis = Forecast.objects.make_forecast(version, "S01", "P001", 28).load_content().analysis
    daily = sold(chain_file, store_id="S01", product_id="P001")
    daily.index = pd.to_datetime(daily.index)
    assert analysis.last_period == daily["2026-10-04":"2026-10-31"].sum()
    assert analysis.last_year == daily["2025-11-02":"2025-11-29"].sum()
    change = analysis.total / analysis.last_year - 1
    assert analysis.change_last_year == pytest.approx(change, abs=1e-4)
    assert len(analysis.weekly) == 7
    assert analysis.peak.mean >= analysis.low_day.mean


def test_a_version_of_one_product_forecasts_its_stores_and_their_sum(publish: Publish) -> None:
    version = publish(Scope("product", "P001"))
    one = Forecast.objects.make_forecast(version, "S01", "", 7)
    every = Forecast.objects.make_forecast(version, "", "", 7)
    assert every.total > one.total
    assert every.label == "product:P001"


def test_a_forecast_continues_the_newest_sales(version: ModelVersion, sample_file) -> None:
    from registry.datasets.importer import import_file

    newest = import_file(sample_file(3, 4, 780), "chain")  # other content, same name
    forecast = Forecast.objects.make_forecast(version, "S01", "P001", 7)
    assert forecast.dataset_version == newest
    assert forecast.dataset_version != version.dataset_version


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (("S99", "", 28), "does not know S99"),
        (("", "P999", 28), "does not know P999"),
        (("S01", "P001", 0), "0 days ahead"),
        (("S01", "P001", 10_000), "10000 days ahead cannot be forecast: use 1 to 365"),
    ],
)
def test_an_impossible_choice_is_one_sentence_and_saves_nothing(
    version: ModelVersion, choice: tuple[str, str, int], words: str, artifact_folder: Path
) -> None:
    with pytest.raises(ValueError, match=words):
        Forecast.objects.make_forecast(version, *choice)
    assert not Forecast.objects.exists()
    assert not (artifact_folder / "forecasts").exists()


@pytest.mark.parametrize("damage", ["flipped", "truncated", "missing", "rubbish with the right hash"])
def test_a_damaged_model_file_is_one_sentence_and_saves_nothing(
    version: ModelVersion, artifact_folder: Path, damage: str
) -> None:
    Forecast.objects.make_forecast(version, "S01", "P001", 7).remove()  # so that the version is in memory
    path = artifact_folder / version.path
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage.startswith("rubbish"):
        get_artifact_store().delete(version.path)
        version.write(b"rubbish")
        version.save()
    else:
        path.write_bytes(whole[:-1] + b"\x01" if damage == "flipped" else whole[:100])
    with pytest.raises(ValueError, match=r"delete") as caught:
        Forecast.objects.make_forecast(version, "S01", "P001", 7)
    assert "\n" not in str(caught.value)
    assert not Forecast.objects.exists()


def test_nothing_stays_behind_when_the_file_cannot_be_written(
    version: ModelVersion, monkeypatch: pytest.MonkeyPatch, artifact_folder: Path
) -> None:
    def full(self: Forecast, content: bytes) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Forecast, "write", full)
    with pytest.raises(ValueError, match="could not be saved: no space"):
        Forecast.objects.make_forecast(version, "S01", "P001", 7)
    assert not Forecast.objects.exists()


def test_deleting_a_forecast_removes_row_and_file(version: ModelVersion) -> None:
    forecast = Forecast.objects.make_forecast(version, "S01", "P001", 7)
    path = forecast.path
    assert get_artifact_store().exists(path)
    forecast.remove()
    assert not get_artifact_store().exists(path)
    assert not Forecast.objects.exists()


def test_a_changed_file_is_noticed_when_it_is_read(version: ModelVersion, artifact_folder: Path) -> None:
    forecast = Forecast.objects.make_forecast(version, "S01", "P001", 7)
    path = artifact_folder / forecast.path
    path.write_bytes(path.read_bytes().replace(b"units", b"pence"))
    with pytest.raises(CorruptArtifact, match="changed"):
        forecast.load_content()


def test_every_total_of_a_version_begins_with_the_same_prediction(
    version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    from registry.model_versions.bundle import Bundle

    asked, forecast = [], Bundle.forecast
    monkeypatch.setattr(Bundle, "forecast", lambda *given: asked.append(given[2]) or forecast(*given))
    for store_id, product_id, horizon in [("", "", 9), ("S01", "", 9), ("", "P001", 9), ("", "", 10)]:
        Forecast.objects.make_forecast(version, store_id, product_id, horizon)
    assert asked == [9, 10]

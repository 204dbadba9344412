"""The content of a forecast's file: its JSON, files of earlier releases, and when it is read."""

from __future__ import annotations

import json

import pytest

from prediction.content import ForecastContent
from prediction.models import Forecast
from prediction.narrative import build_sentences
from registry.series.quantiles import QUANTILE_NAMES

HTMX = {"HX-Request": "true"}
NEW_KEYS = {"breakdown", "weeks", "events", "moved", "levels", "range_windows", "range_days"}  # of a file
LATER_KEYS = ("last_year", "weekly", "trend_per_week", "peak", "low_day")  # of an analysis


@pytest.fixture
def total(version, user) -> Forecast:
    return Forecast.objects.make_forecast(version, horizon=28, created_by=user)


def test_the_file_has_the_keys_that_programs_read_in_their_order(total):
    saved = json.loads(total.read())
    assert list(saved) == [
        *("label", "schema", "version", "created_at", "origin", "horizon", "unit"),
        *("history", "test", "forecast", "analysis", "breakdown", "assumptions"),
        *("weeks", "events", "moved", "range_windows", "range_days", "new_days", "levels"),
    ]
    assert list(saved["history"][0]) == ["date", "sales", "promo", "closed"]
    assert list(saved["test"][0]) == ["date", "mean"]
    assert list(saved["forecast"][0]) == ["date", "mean", *QUANTILE_NAMES, "promo", "closed"]
    assert list(saved["analysis"]) == [
        *("total", "low", "high", "last_period", "last_year", "change_last_period"),
        *("change_last_year", "weekly", "trend_per_week", "peak", "low_day"),
    ]
    assert list(saved["analysis"]["peak"]) == ["date", "mean"]
    assert list(saved["breakdown"]) == ["stores", "products"]
    assert list(saved["breakdown"]["stores"][0]) == [
        *("code", "total", "low", "high", "change_last_year", "change_last_period", "name")
    ]


def test_reading_and_writing_a_file_changes_nothing(total):
    saved = json.loads(total.read())
    label = {"label": saved["label"]}
    assert json.dumps(label | ForecastContent.from_json(saved).to_json()) == json.dumps(saved)
    assert total.load_content() == total.fresh_content


def test_a_file_of_an_earlier_release_still_opens(page, total, monkeypatch):
    saved = json.loads(total.read())
    old = {name: value for name, value in saved.items() if name not in NEW_KEYS}
    old["analysis"] = {name: value for name, value in saved["analysis"].items() if name not in LATER_KEYS}
    monkeypatch.setattr(Forecast, "read", lambda self: json.dumps(old).encode())
    response = page.get(f"/forecasts/{total.pk}/")
    assert response.status_code == 200 and response.context["parts"] == [] == response.context["week"]
    assert build_sentences(response.context["content"]) == []
    assert page.get(f"/forecasts/{total.pk}/excel/").status_code == page.get("/").status_code == 200


def test_a_new_forecast_is_shown_without_reading_its_file(page, version, read, monkeypatch):
    monkeypatch.setattr(Forecast, "read", lambda self: pytest.fail("the file was read"))
    given = {"version": version.pk, "product": "", "store": "", "horizon": 28}
    fresh = page.post("/forecast/", given, headers=HTMX)
    monkeypatch.undo()
    made = Forecast.objects.get()
    saved = page.get(f"/forecasts/{made.pk}/")
    for name in ("content", "days", "parts", "week", "digits", "sentences", "chart", "slots", "since"):
        assert fresh.context[name] == saved.context[name]
    start = read(fresh).index("expect about")
    assert read(fresh)[start:].rstrip() in read(saved)

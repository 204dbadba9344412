"""What speaks against a forecast, worst first, and what its tests missed by."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from prediction.content import Analysis, ForecastContent, ForecastDay, HistoryDay, HoldoutDay, MovedPart
from prediction.models import Forecast
from prediction.trust import list_trust_findings
from registry.model_versions.models import ModelVersion

ORIGIN = timezone.localdate() - timedelta(days=1)
ENDS = (-1, 1)


def day(ahead: int) -> str:
    return (ORIGIN + timedelta(days=ahead)).isoformat()


def content(horizon: int = 28, sold=lambda back: 10.0, width: float = 0.05, **given) -> ForecastContent:
    """Ten units a day from now on; `sold`: what was sold so many days before the origin."""
    total = 10.0 * horizon
    history = [HistoryDay(day(-back), sold(back), promo=None, closed=False) for back in range(400, -1, -1)]
    ahead = [ForecastDay(day(n), 10.0, (None,) * 7, promo=None, closed=False) for n in range(1, horizon + 1)]
    filled = {
        "version": "v",
        "created_at": "",
        "origin": day(0),
        "horizon": horizon,
        "history": history,
        "test": [],
        "forecast": ahead,
        "analysis": Analysis(total, total * (1 - width), total * (1 + width)),
    }
    return ForecastContent(**{**filled, **given})


@pytest.fixture
def made(version) -> Forecast:
    return Forecast(version=version, dataset_version=version.dataset_version, horizon=28, origin=ORIGIN)


@pytest.fixture
def told(made, monkeypatch):
    """The findings of a content by their codes; what was sold since is not known."""
    monkeypatch.setattr("prediction.trust.measure_actuals", lambda forecast, data: None)
    monkeypatch.setattr("registry.datasets.models.Dataset.current_version", made.dataset_version)
    monkeypatch.setattr(made.dataset_version, "last", ORIGIN)

    def tell(shown: ForecastContent, forecast: Forecast = made) -> dict[str, tuple[str, str]]:
        forecast.horizon = shown.horizon
        found = list_trust_findings(forecast, shown)
        order = [("bad", "warn", "good").index(one.severity) for one in found]
        assert order == sorted(order)
        return {one.code: (one.severity, one.sentence) for one in found}

    return tell


def test_a_calm_forecast_only_tells_its_tests_in_green(told, made):
    windows = [{"origin": "a", "bias": 0.011}, {"origin": "b", "bias": -0.004}, {"origin": "c", "bias": 0.0}]
    made.version.metrics = {"wape": 0.2, "windows": windows}
    tested = "Tested: on the last 3 × 28 days the total missed by 0.0–1.1%."
    assert told(content()) == {"tests": ("good", tested)}
    windows[0]["bias"] = 0.3
    assert told(content())["tests"] == ("warn", tested.replace("1.1%", "30.0%"))


def test_a_product_is_measured_by_its_own_last_test(told, made):
    made.product = "P001"
    test = [HoldoutDay(day(-back), 10.9) for back in range(27, -1, -1)]
    sentence = "Tested: on the last 28 days the total missed by 9.0%."
    assert told(content(test=test)) == {"tests": ("good", sentence)}
    assert told(content()) == {}, "nothing is known of it"


def test_days_beyond_the_tested_ones_are_told(told):
    assert "untested" not in told(content(28))
    severity, sentence = told(content(90))["untested"]
    assert severity == "warn" and "beyond the 28 days this model was tested on" in sentence


@pytest.mark.parametrize(("factor", "words"), [(1.8, "80% more"), (0.5, "50% less")])
def test_a_level_that_moved_comes_first(told, factor, words):
    found = told(content(90, sold=lambda back: 10.0 * factor if back < 19 else 10.0))
    assert next(iter(found)) == "level" and found["level"][0] == "bad"
    assert f"The last 14 days sold {words} than this forecast expects." in found["level"][1]
    assert "has learned these days, but does not follow them yet" in found["level"][1]


def test_parts_that_moved_are_named(told):
    moved = [MovedPart("products", "P001", "Aspirin", 0.96, 14), MovedPart("products", "P002", "", -0.5, 14)]
    severity, sentence = told(content(moved=moved))["level"]
    assert severity == "warn"
    assert "2 products sell clearly more or less than this forecast expects" in sentence
    assert "P001 Aspirin (96% more), P002 (50% less)" in sentence
    whole = told(content(moved=moved, sold=lambda back: 20.0 if back < 14 else 10.0))["level"][1]
    assert "Moved most: P001 Aspirin (96% more)" in whole


@pytest.mark.parametrize(
    ("age", "words"),
    [(14, None), (15, "15 of these 28 days are over"), (40, "all of these days are over")],
)
def test_sales_older_than_half_the_days_are_told(told, made, age, words, monkeypatch):
    made.origin = timezone.localdate() - timedelta(days=age)
    monkeypatch.setattr(made.dataset_version, "last", made.origin)
    found = told(content())
    assert ("old_data" in found) == bool(words) and (words or "") in found.get("old_data", ("", ""))[1]


def test_newer_sales_are_told_in_place_of_old_ones(told, made):
    made.origin = ORIGIN - timedelta(days=20)
    assert "Newer sales are known" in told(content())["old_data"][1]


def test_a_missing_plan_names_its_columns_and_what_is_assumed(told, made):
    assumed = [
        {"column": "open", "default": "weekday habit"},
        {"column": "promo", "default": "0"},
        {"column": "price", "default": "last known"},
    ]
    sentence = told(content(assumptions=assumed))["no_plan"][1]
    assert sentence == (
        "No plan for all of these days: Promotion (assumed: none), Price (assumed: as last known)."
    )
    assert "no_plan" not in told(content(assumptions=assumed[:1]))


def test_few_sales_and_a_version_without_a_test_are_told(told, made):
    few = content()
    few = replace(few, analysis=replace(few.analysis, total=14.0))
    assert "about 3.5 units a week" in told(few)["few_sales"][1]
    made.version.metrics = {}
    assert told(content())["no_test"] == ("warn", "Not tested. It has no test result to judge it by.")


def test_ninety_days_have_a_wider_range_in_proportion_and_the_page_says_what_was_not_tested(
    page, version, user, read
):
    near, far = (Forecast.objects.make_forecast(version, horizon=days, created_by=user) for days in (28, 90))
    widths = [(made.high - made.low) / made.total for made in (near, far)]
    assert widths[1] > 1.2 * widths[0]
    sentence = "beyond the 28 days this model was tested on"
    assert sentence in read(page.get(f"/forecasts/{far.pk}/"))
    assert sentence not in read(page.get(f"/forecasts/{near.pk}/"))


def test_the_page_of_a_forecast_shows_its_findings(page, forecast, read):
    response = page.get(f"/forecasts/{forecast.pk}/")
    found = response.context["trust_findings"]
    assert found and all(one.sentence in read(response) for one in found)
    assert ModelVersion.objects.get().title in read(response)


def test_the_page_says_on_how_many_windows_the_range_of_a_sum_stands(told):
    severity, sentence = told(content(range_windows=3, range_days=28))["ranges"]
    assert severity == "good" and "3 periods of 28 days" in sentence
    assert "ranges" not in told(content())  # a file of release 0.1 does not know


def test_a_model_that_did_not_measure_how_errors_add_up_is_said_to_have_wide_ranges(told):
    found = told(content(range_windows=0))
    assert found["assumed_ranges"][0] == "warn" and "wider than needed" in found["assumed_ranges"][1]
    assert "ranges" not in found

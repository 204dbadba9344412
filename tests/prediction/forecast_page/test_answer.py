"""The answer block: its facts, its bar, and when it was made."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from prediction.content import Analysis
from prediction.forecast_page.answer import (
    answer_context,
    describe_moment,
    describe_test_error,
    measure_bar,
)


def test_the_facts_compare_with_last_year_and_with_the_days_before(forecast):
    analysis = Analysis(
        114.0,
        100.0,
        130.0,
        last_year=100.0,
        change_last_year=0.14,
        last_period=120.0,
        change_last_period=-0.05,
    )
    year, before, error = answer_context(forecast, analysis)["answer_facts"]
    assert (year.value, year.direction, year.detail) == ("14%", "up", "100 units on the same days")
    assert (before.value, before.direction) == ("5%", "down")
    assert error.metric == "wape" and error.value.endswith("%")
    unknown = answer_context(forecast, Analysis(1.0, 0.0, 2.0))["answer_facts"][0]
    assert (unknown.value, unknown.detail) == ("–", "not known")


def test_the_error_is_that_of_the_product_where_it_was_measured(forecast):
    forecast.version.metrics = {"by_product": [{"code": "P001", "wape": 0.123}]}
    assert describe_test_error(forecast).value == "12.3%"
    forecast.version.metrics = {}
    assert describe_test_error(forecast).value == "30.0%"


@pytest.mark.parametrize(("days", "words"), [(0, "made today"), (1, "made yesterday"), (30, "made ")])
def test_the_day_it_was_made_is_said_in_words(days, words):
    assert describe_moment(timezone.now() - timedelta(days=days)).startswith(words)


def test_a_forecast_of_nothing_has_no_bar():
    assert measure_bar(Analysis(0.0, 0.0, 0.0)) is None
    bar = measure_bar(Analysis(10.0, 12.0, 15.0))  # the mean of skewed days may lie outside
    assert bar and bar.mark < bar.start < bar.start + bar.width <= 100

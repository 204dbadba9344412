"""The page that tells why a forecast is what it is, its files, the command and what a version's inputs do."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command
from django.urls import reverse
from django_q.models import OrmQ

from prediction import tasks
from prediction.engine import run_forecast
from prediction.explanations.models import InputEffects, StoredExplanation
from prediction.models import Forecast

SERIES = {"product": "P001", "store": "S01", "horizon": 7}


def address(**question) -> str:
    return reverse("forecast-asked-why", query=question)


def test_one_series_is_explained_at_once(page, version, read) -> None:
    response = page.get(address(**SERIES))
    explanation = response.context["explanation"]
    assert sum(explanation.totals.values()) == pytest.approx(explanation.total, rel=1e-6)
    forecast = page.get(reverse("forecast", query=SERIES)).context["forecast"]
    assert explanation.total == pytest.approx(forecast.total, rel=1e-5)
    text = read(response)
    assert "Usual level" in text and "They are not causes of sales" in text


def test_a_saved_forecast_has_a_tab_that_explains_it(page, version, user) -> None:
    saved = Forecast.objects.make_forecast(version, "S01", "P001", 7, created_by=user)
    answer = page.get(reverse("forecast-detail", args=[saved.pk]))
    (tab,) = [tab for tab in answer.context["tabs"] if tab.label == "Why"]
    found = page.get(tab.address).context["explanation"]
    assert found.total == pytest.approx(saved.total, rel=1e-5)


def test_many_series_are_explained_by_a_job(page, version, read) -> None:
    response = page.get(address(horizon=7))
    assert response.context["due"] and "being calculated" in read(response)
    row = StoredExplanation.objects.get()
    before = OrmQ.objects.count()
    page.get(address(horizon=7))
    assert OrmQ.objects.count() == before, "asked again a moment later: no second job"
    tasks.explain_forecast(row.pk)
    found = page.get(address(horizon=7)).context["explanation"]
    assert (found.series, found.explained) == (6, 6)
    total = page.get(reverse("forecast", query={"horizon": 7})).context["forecast"].total
    assert sum(found.totals.values()) == pytest.approx(total, rel=1e-5)


def test_a_new_series_which_is_forecast_many_times_over_is_explained_by_a_job(
    page, version, monkeypatch
) -> None:
    def forecast(*asked):
        outlook = run_forecast(*asked)
        return replace(outlook, prediction=replace(outlook.prediction, steady=np.zeros(1, np.float32)))

    monkeypatch.setattr("prediction.explanations.question.run_forecast", forecast)
    assert page.get(address(**SERIES)).context["due"]
    tasks.explain_forecast(StoredExplanation.objects.get().pk)
    assert page.get(address(**SERIES)).context["explanation"].series == 1


def test_of_many_series_the_largest_stand_for_the_rest(page, version, read, monkeypatch) -> None:
    monkeypatch.setattr("prediction.explanations.content.MOST_SERIES", 2)
    page.get(address(horizon=7))
    tasks.explain_forecast(StoredExplanation.objects.get().pk)
    response = page.get(address(horizon=7))
    found = response.context["explanation"]
    assert (found.series, found.explained) == (6, 2) and 0.3 < found.share < 1
    assert sum(found.totals.values()) == pytest.approx(found.total, rel=1e-6)
    assert "Calculated for the 2 largest of 6 series" in read(response)


def test_the_parts_go_to_excel_and_csv(page, version) -> None:
    lines = page.get(address(**SERIES, export="csv")).content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Day,Expected,Usual level") and len(lines) == 8
    day = [float(cell) for cell in lines[1].split(",")[1:]]
    assert day[0] == pytest.approx(sum(day[1:]), abs=0.01)
    assert page.get(address(**SERIES, export="xlsx")).content[:2] == b"PK"


def test_a_wrong_question_goes_back_to_the_form(page, version) -> None:
    response = page.get(address(product="nothing", horizon=7))
    assert response.status_code == 302 and response["Location"].endswith(
        "/forecast/?product=nothing&horizon=7"
    )


def test_the_command_explains(version) -> None:
    out = StringIO()
    call_command(
        "forecast",
        "--model",
        "best",
        "--scope",
        "product:P001",
        "--horizon",
        "7",
        "--explain",
        "--json",
        stdout=out,
    )
    facts = json.loads(out.getvalue())
    assert sum(facts["explanation"]["totals"].values()) == pytest.approx(facts["total"], rel=1e-4)


def test_the_page_of_a_version_measures_its_inputs_once(page, version, read) -> None:
    address = reverse("model", args=[version.pk])
    assert "being measured" in read(page.get(address))
    tasks.measure_inputs(str(version.pk))
    content = InputEffects.objects.get(version=version).content
    assert "level" not in content["shares"] and content["windows"] >= 1
    assert content["directions"] == {"promotion": 1.0, "price": 1.0}, "a naive forecast knows no plan"
    text = read(page.get(address))
    assert "Effects of its inputs" in text and "Fit for trying promotions" in text


def test_a_version_that_takes_promotions_for_a_loss_is_not_fit(page, version, read) -> None:
    content = {"shares": {"season": 0.1}, "directions": {"promotion": 0.4}, "series": 6, "windows": 1}
    InputEffects.objects.update_or_create(version=version, defaults={"content": content})
    text = read(page.get(reverse("model", args=[version.pk])))
    assert "Not fit for trying promotions: with one, 60% of the series are expected to sell less." in text

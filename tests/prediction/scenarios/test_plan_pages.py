"""Pages of plans: try one, change it, share it, compare, adopt."""

from __future__ import annotations

import pytest
from django.urls import reverse

from prediction import tasks
from prediction.models import Forecast, Scenario
from prediction.scenarios import runner
from registry.datasets.reader import read_panel
from registry.datasets.scope import Scope

SERIES = {"product": "P001", "store": "S01", "horizon": "7"}
CHANGE = {"days": ["2026-11-03", "2026-11-04"], "promotion": "on", "price": "-20", "opening": ""}


def try_plan(page, question=SERIES, **change) -> Scenario:
    """A plan tried on a forecast as a person does it."""
    address = reverse("forecast-asked-plan", query=question)
    form = page.get(address).context["form"]
    sent = {**CHANGE, "target": form["target"].field.choices[0][0], **change}
    response = page.post(address, sent)
    assert response.status_code == 302, response.context["form"].errors
    return Scenario.objects.latest("created_at")


def test_a_plan_is_tried_in_one_step(page, version, read, user) -> None:
    plan = try_plan(page)
    response = page.get(reverse("scenario", args=[plan.pk]))
    text = read(response)
    assert plan.created_by == user and response.context["outcome"].changed == 1
    assert "promotion, price −20%" in text and "Tue, 3 Nov" in text
    assert plan.dataset_version.dataset.versions.count() == 1, "the data stays as it is"


def test_a_saved_forecast_has_the_tab_too(page, version, user) -> None:
    saved = Forecast.objects.make_forecast(version, "S01", "P001", 7, created_by=user)
    tabs = page.get(reverse("forecast-detail", args=[saved.pk])).context["tabs"]
    (tab,) = [tab for tab in tabs if tab.label == "Try a plan"]
    assert page.get(tab.address).status_code == 200


def test_the_form_shows_the_forecast_whose_days_are_chosen(page, version, user) -> None:
    saved = Forecast.objects.make_forecast(version, "S01", "P001", 7, created_by=user)
    expected = [day.mean for day in saved.load_content().forecast]
    for address in (
        reverse("forecast-asked-plan", query=SERIES),
        reverse("forecast-plan", args=[saved.pk]),
    ):
        context = page.get(address).context
        chart = context["chart"]
        assert chart["base"]["mean"] == pytest.approx(expected)
        assert chart["dates"] == [day.isoformat() for day in context["form"].dates]


def test_the_form_for_many_series_has_the_calendar_alone(page, version, monkeypatch) -> None:
    monkeypatch.setattr(runner, "QUICK_SERIES", 2)
    response = page.get(reverse("forecast-asked-plan", query={"horizon": "7"}))
    assert "chart" not in response.context and response.context["form"].weeks


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"days": []}, "Choose at least one day."),
        ({"promotion": "", "price": ""}, "Choose what changes"),
        ({"price": "-95"}, "Choose a number from -90 to 200."),
        ({"days": ["2031-01-01"]}, "Choose one from the list."),
    ],
)
def test_a_wrong_change_gets_a_sentence(page, version, read, wrong, sentence) -> None:
    address = reverse("forecast-asked-plan", query=SERIES)
    target = page.get(address).context["form"]["target"].field.choices[0][0]
    response = page.post(address, {**CHANGE, "target": target, **wrong})
    assert response.status_code == 200 and sentence in read(response)
    assert not Scenario.objects.exists()


def test_changes_are_added_and_removed(page, version) -> None:
    plan = try_plan(page)
    address = reverse("scenario-edit", args=[plan.pk])
    target = page.get(reverse("scenario", args=[plan.pk])).context["form"]["target"].field.choices[-1][0]
    page.post(address, {"days": ["2026-11-05"], "opening": "closed", "target": target})
    plan.refresh_from_db()
    assert [edit.opens for edit in plan.list_edits()] == [None, False]
    page.post(address, {"remove": "0"})
    plan.refresh_from_db()
    (left,) = plan.list_edits()
    assert left.opens is False and left.selection.is_whole
    page.post(address, {"remove": "0"})
    outcome = page.get(reverse("scenario", args=[plan.pk])).context["outcome"]
    assert outcome.base == outcome.plan


def test_many_series_are_worked_out_by_a_job(page, version, read, monkeypatch) -> None:
    monkeypatch.setattr(runner, "QUICK_SERIES", 2)
    plan = try_plan(page, {"horizon": "7"})
    address = reverse("scenario", args=[plan.pk])
    assert "being calculated" in read(page.get(address))
    tasks.try_scenario(str(plan.pk))
    outcome = page.get(address).context["outcome"]
    assert (outcome.series, outcome.changed) == (6, 6)


def test_a_plan_is_named_shared_duplicated_and_deleted(page, version, person, browse) -> None:
    plan, other = try_plan(page), browse(person("eve", "Planner"))
    address = reverse("scenario", args=[plan.pk])
    assert other.get(address).status_code == 404
    page.post(reverse("scenario-change", args=[plan.pk]), {"name": "Christmas", "is_shared": "on"})
    assert other.get(address).context["scenario"].name == "Christmas"
    assert other.post(reverse("scenario-edit", args=[plan.pk]), {"remove": "0"}).status_code == 403
    other.post(reverse("scenario-duplicate", args=[plan.pk]))
    copy = Scenario.objects.latest("created_at")
    assert (copy.created_by.username, copy.content, copy.is_shared) == ("eve", plan.content, False)
    page.post(reverse("scenario-delete", args=[plan.pk]))
    assert list(Scenario.objects.all()) == [copy]


def test_plans_for_one_forecast_are_compared(page, version, read) -> None:
    plans = [try_plan(page), try_plan(page, promotion="off", price="10")]
    stranger = try_plan(page, {**SERIES, "product": "P002"})
    query = {"plan": [str(plan.pk) for plan in (*plans, stranger)]}
    response = page.get(reverse("scenarios-compare", query=query))
    assert [one.pk for one, _outcome in response.context["rows"]] == [plan.pk for plan in plans]
    assert "Only plans for the same forecast" in read(response)
    assert response.context["chart"]["plans"][0]["name"] == plans[0].name
    lines = page.get(reverse("scenarios-compare", query={**query, "export": "csv"})).content.decode(
        "utf-8-sig"
    )
    assert len(lines.splitlines()) == 3


def test_a_plan_goes_to_csv_and_excel(page, version) -> None:
    plan = try_plan(page)
    address = reverse("scenario", args=[plan.pk])
    lines = page.get(f"{address}?export=csv").content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Day,Forecast,With the plan,Difference") and len(lines) == 8
    assert page.get(f"{address}?export=xlsx").content[:2] == b"PK"


def test_an_adopted_plan_is_the_next_version_and_forecasts_as_it_was_tried(page, version, user) -> None:
    plan = try_plan(page, store_of_all := {"product": "P001", "horizon": "7"}, price="-20")
    assert page.post(reverse("scenario-adopt", args=[plan.pk])).status_code == 302
    tasks.adopt_plan(str(plan.pk), user.pk)
    plan.refresh_from_db()
    assert plan.adopted is not None and plan.adopted.dataset.current_version == plan.adopted, plan.problem
    panel = read_panel(plan.adopted, Scope())
    rows = [row for row, (_store, product) in enumerate(panel.keys) if product == "P001"]
    ahead = panel.known["promo"][:, panel.days :]
    assert ahead[rows][:, 2:4].tolist() == [[1, 1]] * len(rows)
    assert str(panel.origin) == str(plan.dataset_version.last), "a plan is not sales"
    forecast = page.get(reverse("forecast", query=store_of_all)).context["forecast"]
    assert forecast.dataset_version == plan.adopted
    assert forecast.total == pytest.approx(plan.content["sums"]["plan"][0], abs=0.01)
    roles = plan.dataset_version.roles
    assert plan.adopted.roles == roles and plan.adopted.rows > plan.dataset_version.rows


def test_a_plan_made_from_older_sales_is_not_adopted(page, version, user, read) -> None:
    plan, rival = try_plan(page), try_plan(page, price="-10")
    tasks.adopt_plan(str(rival.pk), user.pk)
    tasks.adopt_plan(str(plan.pk), user.pk)
    plan.refresh_from_db()
    assert plan.adopted is None
    assert "Newer sales were saved since" in read(page.get(reverse("scenario", args=[plan.pk])))


def test_only_curators_adopt(page, version, person, browse) -> None:
    planner = browse(person("pat", "Planner"))
    plan = try_plan(planner)
    assert planner.post(reverse("scenario-adopt", args=[plan.pk])).status_code == 403

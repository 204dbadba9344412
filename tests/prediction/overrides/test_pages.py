"""Pages of overrides: look, save, withdraw; who may; what each mistake is told."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from prediction.models import Override
from prediction.runs.frozen import load_prediction
from registry.access.audit import AuditEntry
from registry.series.levels import LevelValue, Selection


@pytest.fixture
def address(current, sales) -> str:
    current()
    return f"/d/{sales.dataset_id}/overrides/"


@pytest.fixture
def answers(sales) -> dict[str, str]:
    """A form filled in."""
    days = {"first": sales.last + timedelta(days=1), "last": sales.last + timedelta(days=7)}
    shown = {name: day.isoformat() for name, day in days.items()}
    return {"product": "P001", "kind": "percent", "amount": "20", "reason": "promotion", **shown}


def test_a_change_is_shown_before_it_is_saved_and_then_in_the_run(
    address, answers, page, read, current, user
):
    before = load_prediction(current())
    shown = read(page.post(f"{address}new/", {**answers, "reason": "", "look": "1"}))
    units = before.mean[[0, 3], :7].sum()
    assert "Before and after" in shown and f"{units * 1.2:,.0f}" in shown and "2 series" in shown
    assert "20 more are needed" in shown and not Override.objects.exists()
    saved = page.post(f"{address}new/", {**answers, "text": "fair", "save": "1"}, follow=True)
    assert "Saved" in read(saved) and "+20%" in read(saved) and "promotion" in read(saved)
    made = Override.objects.get()
    assert (made.selection, str(made.created_by), made.text) == (Selection(product="P001"), "ana", "fair")
    assert AuditEntry.objects.filter(kind="override", why="fair", who="ana").exists()
    run = current()
    text = read(page.get(f"/products/runs/{run.pk}/"))
    assert "1 override in this forecast" in text and "the model alone" in text and "Change these" in text
    assert "In these forecast runs" in read(page.get(f"{address}{made.pk}/"))
    lines = page.get(f"/products/runs/{run.pk}/", {"export": "csv"}).content.decode().splitlines()
    assert "By the model alone" in lines[0]


def test_the_forecast_page_and_its_files_have_both_numbers(override, current, page, read, sales):
    override(Selection("S01", "P001"), kind="set", amount=321.0)
    run = current()
    frozen = load_prediction(run)
    asked = {"store": "S01", "product": "P001", "horizon": 7}
    text = read(page.get("/forecast/", asked, follow=True))
    assert "The model alone expects" in text and "overrides make it 321" in text and "Model alone" in text
    lines = page.get("/forecast/", {**asked, "export": "csv"}).content.decode().splitlines()
    heading, first = (line.split(",") for line in lines[:2])
    row = dict(zip(heading, first, strict=True))
    assert float(row["final_mean"]) == pytest.approx(frozen.mean[0, 0], abs=0.002)
    assert float(row["mean"]) == pytest.approx(frozen.model_mean[0, 0], abs=0.002)
    assert "model " in read(page.get("/products/"))
    out = StringIO()
    call_command("forecast_all", "--json", stdout=out)
    report = json.loads(out.getvalue())
    assert report["overrides"] == 1
    assert report["total"] - report["model_total"] == pytest.approx(
        321 - frozen.model_mean[0, :7].sum(dtype=float), abs=0.05
    )
    out = StringIO()
    call_command("forecast", "--model", "best", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["total"] == pytest.approx(report["total"], abs=0.05)
    assert told["model_total"] == pytest.approx(report["model_total"], abs=0.05)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"first": "", "last": "x"}, "Enter a day, like 2026-12-31."),
        ({"first": "2027-01-09", "last": "2027-01-08"}, "The last day is before the first one."),
        ({"first": "2020-01-01", "last": "2020-01-02"}, "These days are over"),
        ({"last": "2029-01-01"}, "Choose at most 366 days."),
        ({"first": "2031-01-01", "last": "2031-01-02"}, "This is more than 366 days ahead."),
        ({"amount": "much"}, "Enter a number, like 0.5."),
        ({"amount": "nan"}, "Enter a number, like 0.5."),
        ({"amount": "1e12", "kind": "add"}, "This number is out of range."),
        ({"amount": "0"}, "Enter a change other than 0."),
        ({"amount": "-101"}, "A forecast can fall by 100 percent at most."),
        ({"amount": "1001"}, "set the sum instead"),
        ({"amount": "-1", "kind": "set"}, "Units cannot be below 0."),
        ({"amount": "-100000", "kind": "add"}, "so it cannot fall by"),
        ({"kind": "double"}, "Choose one from the list."),
        ({"reason": ""}, "Choose a reason"),
        ({"product": "P999"}, "is not in chain"),
        ({"text": "x" * 501}, "500"),
        ({"expires": "2020-01-01"}, "This day is over: the override would never count."),
    ],
)
def test_every_mistake_is_told_in_a_sentence(address, answers, page, read, wrong, sentence):
    text = read(page.post(f"{address}new/", {**answers, **wrong, "save": "1"}))
    assert sentence in text and not Override.objects.exists()


def test_groups_of_any_level_can_be_changed(address, answers, page, read, monkeypatch, sales):
    from registry.series.levels import Level

    levels = (Level("category", "products", {"P001": "pain", "P002": "pain", "P003": "skin"}),)
    for place in ("prediction.forecast_page.series_form", "prediction.overrides.applying"):
        monkeypatch.setattr(f"{place}.read_levels", lambda data: levels)
    start = page.get(f"{address}new/", {"level": "category:pain", "first": "2026-13-01"}).content.decode()
    assert 'value="Category: pain"' in start
    page.post(f"{address}new/", {**answers, "product": "Category: pain", "save": "1"})
    assert Override.objects.get().selection == Selection(levels=(LevelValue("category", "pain"),))


def test_a_planner_withdraws_own_ones_and_a_curator_any(address, override, person, browse, page, read, user):
    mine, theirs = override(), override(created_by=person("eva", "Planner"))
    eva, viewer = browse(theirs.created_by), browse(person("vera", "Viewer"))
    assert eva.post(f"{address}{mine.pk}/withdraw/").status_code == 403
    assert viewer.get(f"{address}new/").status_code == 403
    assert viewer.get(f"{address}{mine.pk}/").status_code == 200
    assert "those made with it stay as they are" in read(eva.get(f"{address}{theirs.pk}/withdraw/"))
    assert "Withdrawn" in read(eva.post(f"{address}{theirs.pk}/withdraw/", follow=True))
    assert "withdrawn before" in read(eva.post(f"{address}{theirs.pk}/withdraw/", follow=True))
    page.post(f"{address}{mine.pk}/withdraw/")
    assert Override.objects.filter(withdrawn_at=None).count() == 0
    assert "No override is in force" in read(page.get(address))
    assert read(page.get(f"{address}?show=all")).count("withdrawn") == 2
    lines = page.get(f"{address}?show=all&export=csv").content.decode().splitlines()
    assert len(lines) == 3


def test_states_are_told_and_pages_without_data_say_what_to_do(db, override, page, read, sales):
    override(expires=timezone.localdate() - timedelta(days=1))
    override(first=-9, last=-2)
    text = read(page.get("/overrides/?show=all"))
    assert "expired" in text and "over" in text
    assert "train a model of everything first" in read(page.get("/overrides/new/"))


def test_the_admin_withdraws_with_a_confirmation(override, admin_page, read):
    made = override()
    listed = admin_page.get("/admin/prediction/override/")
    assert listed.status_code == 200
    address = f"/admin/prediction/override/{made.pk}/change/"
    assert "promotion" in read(admin_page.get(address))
    chosen = {"action": "withdraw", "_selected_action": [made.pk], "confirmed": "1"}
    admin_page.post("/admin/prediction/override/", chosen)
    made.refresh_from_db()
    assert made.is_withdrawn

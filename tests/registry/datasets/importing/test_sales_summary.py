"""What an import says of the sales: a wrong reading must be seen at once."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command
from django.utils import translation

from registry.datasets.importer import import_file
from registry.datasets.models import Dataset
from registry.datasets.summary_text import summary_facts

pytestmark = pytest.mark.django_db


def chain(days: int = 56) -> pd.DataFrame:
    """Two stores, two products; twice as much on Saturdays, nothing on Sundays, S1/A sells most."""
    dates = pd.date_range("2026-01-05", periods=days)  # a Monday
    frame = pd.MultiIndex.from_product(
        [dates, ["S1", "S2"], ["A", "B"]], names=["date", "store_id", "product_id"]
    ).to_frame(index=False)
    usual = np.where((frame["store_id"] == "S1") & (frame["product_id"] == "A"), 700, 100)
    weekday = frame["date"].dt.day_of_week
    frame["sales"] = usual * np.where(weekday == 5, 2, np.where(weekday == 6, 0, 1))
    return frame


@pytest.fixture
def imported(write):
    frame = chain()
    frame["product_name"] = frame["product_id"].map({"A": "Aspirin", "B": "Balm"})
    return import_file(write(frame), "chain")


def test_the_summary_tells_days_units_rhythm_and_the_biggest(imported):
    found = imported.reading["summary"]
    assert (found["first"], found["last"], found["days"], found["silent"]) == (
        "2026-01-05",
        "2026-03-01",
        56,
        8,
    )
    assert found["units"] == 8 * (5 * 1000 + 2000) and found["median"] == 1000
    assert found["weekdays"] == [1000.0] * 5 + [2000.0, 0.0]
    assert found["store"] == {"code": "S1", "name": "", "share": 0.8}
    assert found["product"] == {"code": "A", "name": "Aspirin", "share": 0.8}
    assert found["line"] == [1000.0] * 5 + [2000.0, 0.0] + found["line"][7:] and len(found["line"]) == 56


def test_it_is_one_line_in_both_languages(imported):
    line = " · ".join(summary_facts(imported.reading["summary"]))
    assert "8 of 56 days have no sales · median 1,000 units a day" in line
    assert "best day Saturday (+100%), weakest Sunday (−100%)" in line
    assert "biggest product A Aspirin (80% of units) · biggest store S1 (80% of units)" in line
    with translation.override("zh-hans"):
        assert summary_facts(imported.reading["summary"])[0] != line.split(" · ")[0]


def test_the_page_of_the_dataset_shows_it_with_a_picture(imported, page, read):
    response = page.get(f"/data/{imported.dataset_id}/")
    assert "8 of 56 days have no sales" in read(response)
    source = response.content.decode()
    assert '<svg class="spark"' in source and "style=" not in source.split("<svg")[1].split("</svg>")[0]


def test_the_check_page_shows_it_before_anything_is_saved(upload, page, read):
    text = read(page.get(f"/data/upload/{upload.pk}/check/"))
    assert "The sales as read" in text and "units a day" in text


def test_the_command_prints_it_and_its_json_has_it(write, capsys):
    path = write(chain())
    call_command("import_sales", str(path), "--name", "chain")
    assert "8 of 56 days have no sales" in capsys.readouterr().out
    for option in ("--json", "--check"):
        call_command("import_sales", str(path), "--name", "chain", option)
        told = json.loads(capsys.readouterr().out)
        assert told["summary"]["silent"] == 8 and "summary" not in told["reading"]


def test_it_covers_the_whole_dataset_after_newer_days_were_added(imported, write):
    later = chain().assign(date=lambda frame: frame["date"] + pd.Timedelta(days=56), product_name="Aspirin")
    import_file(write(later, "later.csv"), "chain")
    current = Dataset.objects.get().current_version
    assert current.reading["summary"]["days"] == 112


def test_sales_of_zero_and_versions_of_early_releases_have_no_figures_to_show(write, page):
    version = import_file(write(chain().assign(sales=0)), "silent")
    facts = summary_facts(version.reading["summary"])
    assert len(facts) == 2 and facts[1] == "56 of 56 days have no sales"
    version.reading.pop("summary")
    version.save()
    assert summary_facts(version.reading.get("summary", {})) == []
    assert page.get(f"/data/{version.dataset_id}/").status_code == 200

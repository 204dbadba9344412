"""What the action for a finding does to the total, where to look, and that pages and figures agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from registry.datasets.finding_text import count_text, effect_text, series_count_text, span_text, spot_box
from registry.datasets.importer import import_file
from registry.datasets.importing.options import ImportOptions

pytestmark = pytest.mark.django_db


def sales_frame(days: int = 100) -> pd.DataFrame:
    """One store, two products that sell 10 a day, more on Mondays."""
    dates = pd.date_range("2026-01-05", periods=days)
    frame = pd.MultiIndex.from_product(
        [dates, ["S1"], ["A", "B"]], names=["date", "store_id", "product_id"]
    ).to_frame(index=False)
    frame["sales"] = np.where(frame["date"].dt.day_of_week == 0, 11, 10)
    return frame.astype({"date": str, "sales": object})


@pytest.fixture
def check(write):
    """Imports with the default action of each finding; gives {code: finding}, and the units saved."""

    def run(frame: pd.DataFrame, **choices: str) -> tuple[dict, float]:
        options = ImportOptions(on_problem="propose", choices=choices)
        version = import_file(write(frame), "chain", options=options)
        return {one["code"]: one for one in version.findings}, version.reading["summary"]["units"]

    return run


def test_rows_left_out_are_told_with_their_share_of_rows_and_units(check):
    frame = sales_frame()
    whole = float(frame["sales"].sum())
    frame.loc[[3, 5], "date"] = "2026-02-30"
    findings, units = check(frame)
    effect = findings["bad-date"]["effect"]
    assert (effect["kind"], effect["rows"], effect["of"]) == ("left-out", 2, 200)
    assert effect["share"] == pytest.approx(1 - units / whole, abs=1e-6)
    assert effect_text(findings["bad-date"]) == "leaves out 2 of 200 rows, 1.0% of units"
    assert count_text(findings["bad-date"]) == "2 rows"


def test_a_total_row_shows_that_it_held_half_of_all_units(check):
    frame = sales_frame()
    total = frame.groupby("date", as_index=False)["sales"].sum().assign(store_id="S1", product_id="Total")
    findings, _units = check(pd.concat([frame, total]))
    assert effect_text(findings["total-row"]) == "leaves out 100 of 300 rows, 50.0% of units"


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("sum", "1 row fewer, the total is unchanged"),
        ("last", "1 row fewer, the total falls by 2.3%"),
        ("first", "1 row fewer, the total falls by 2.3%"),
    ],
)
def test_rows_that_become_one_say_what_the_total_loses(check, action, words):
    frame = sales_frame()
    double = pd.concat([frame, frame.iloc[[4]].assign(sales=10), frame.iloc[[4]].assign(sales=10)])
    double.iloc[4, 3] = 48 if action == "last" else 10
    double.iloc[-2, 3] = 10 if action == "last" else 48
    findings, _units = check(double.iloc[:-1], duplicate=action)
    assert effect_text(findings["duplicate"]) == words


def test_what_changes_no_total_says_nothing(check):
    frame = sales_frame()
    frame.loc[7, "sales"] = -3
    findings, _units = check(frame)
    assert "effect" not in findings["negative"] and effect_text(findings["negative"]) == ""


def test_a_gap_is_pictured_and_tells_days_and_series(check):
    frame = sales_frame()
    frame = frame[~((frame["product_id"] == "B") & frame["date"].between("2026-02-01", "2026-02-07"))]
    finding = check(frame)[0]["product-gap"]
    assert (count_text(finding), series_count_text(finding)) == ("7 days", "in 1 series")
    assert effect_text(finding) == "The total is unchanged."
    series = finding["examples"][0]["series"]
    assert (series["store"], series["product"]) == ("S1", "B")
    assert (series["from"], series["to"]) == ("2026-02-01", "2026-02-07")
    assert span_text(series) == "1 Feb 2026 – 7 Feb 2026"
    begin, end = series["spot"]
    assert min(series["line"]) == min(series["line"][begin : end + 1]) and spot_box(series)


def test_a_store_without_a_day_is_pictured_as_a_whole(check):
    frame = sales_frame()
    finding = check(frame[~frame["date"].between("2026-02-01", "2026-02-02")])[0]["store-gap"]
    series = finding["examples"][0]["series"]
    assert series["product"] == "" and (series["from"], series["to"]) == ("2026-02-01", "2026-02-02")


def test_an_outlier_is_marked_in_its_series_and_clearing_it_says_what_goes(check):
    frame = sales_frame()
    frame.loc[100, "sales"] = 5000
    finding = check(frame, outlier="empty")[0]["outlier"]
    series = finding["examples"][0]["series"]
    begin, end = series["spot"]
    assert begin == end == int(np.argmax(series["line"])) and series["value"] == "5000"
    assert effect_text(finding).startswith("clears 1 of 200 cells, 71")


def test_a_series_left_out_says_what_goes_with_it(check):
    frame = sales_frame()
    short = frame[(frame["product_id"] == "A") | (frame["date"] < "2026-01-15")]
    finding = check(short, short="skip")[0]["short"]
    assert count_text(finding) == "1 series" and finding["examples"][0]["series"]["product"] == "B"
    assert effect_text(finding) == "leaves out 10 of 110 rows, 9.1% of units"


def test_the_check_page_shows_effect_picture_and_spot(page, user, write, read, tmp_path, settings):
    from registry.datasets.uploads import Upload

    settings.DATA_DIR = tmp_path
    frame = sales_frame()
    frame = frame[~((frame["product_id"] == "B") & frame["date"].between("2026-02-01", "2026-02-07"))]
    frame.loc[3, "date"] = "2026-02-30"
    content = frame.to_csv(index=False).encode()
    upload = Upload.objects.create_from_chunks(
        [content], ".csv", file="odd.csv", name="odd", created_by=user, reading={}
    )
    upload.detect_columns()
    upload.run_checks()
    response = page.get(f"/data/upload/{upload.pk}/check/")
    text, source = read(response), response.content.decode()
    assert "leaves out 1 of 193 rows, 0.5% of units" in text and "B S1 1 Feb 2026 – 7 Feb 2026" in text
    assert '<rect class="spot"' in source and "style=" not in source.split("<main")[1]
    version = upload.save_as_version(user)
    assert "leaves out 1 of 193 rows" in read(page.get(f"/data/{version.dataset_id}/"))

"""Where the error lies: by days ahead, product and store, on the page of a version and between versions."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from registry.model_versions.models import ModelVersion

STEPS = [{"step": day, "wape": 0.1 + day / 100, "bias": 0.02, "n": 6} for day in range(1, 29)]
STORES = [{"code": f"S00{n}", "wape": 0.1 * n, "bias": 0.0, "units": 400.0} for n in (1, 2)]


def products(count: int) -> list[dict]:
    """The larger the number, the larger the error and the smaller the sales."""
    return [{"code": f"P{n:03d}", "wape": n / 100, "bias": 0.01, "units": 100.0 - n} for n in range(1, count)]


@pytest.fixture
def counted(publish):
    """A version whose test counted errors part by part."""

    def publisher(count: int = 31, **more) -> ModelVersion:
        version = publish(**more)
        version.metrics |= {"by_step": STEPS, "by_product": products(count), "by_store": STORES}
        version.save()
        return version

    return publisher


def table(source: str, caption: str) -> list[str]:
    """The first cell of each row of the table with that caption."""
    inside = source.split(f"<caption>{caption}</caption>")[1].split("</table>")[0]
    return re.findall(r'<th scope="row">([^<]*)</th>', inside)


def test_the_page_draws_the_error_by_days_ahead_and_lists_the_numbers(page, counted, read):
    response = page.get(f"/models/{counted().pk}/")
    drawn = response.context["steps"]
    assert drawn["days"] == list(range(1, 29)) and drawn["lines"][0]["errors"][0] == pytest.approx(0.11)
    assert b'data-chart="steps"' in response.content
    assert "28 38.0% 2.0% too high" in read(response)


def test_the_worst_and_the_best_products_are_named(page, counted):
    source = page.get(f"/models/{counted().pk}/").content.decode()
    worst, best = table(source, "Largest errors"), table(source, "Smallest errors")
    assert [code[:4] for code in worst] == [f"P{n:03d}" for n in range(30, 22, -1)]
    assert [code[:4] for code in best] == [f"P{n:03d}" for n in range(1, 9)]


def test_a_few_products_stand_in_one_table(page, counted, read):
    text = read(page.get(f"/models/{counted(count=4).pk}/"))
    assert "Error by product" in text and "Error by store" in text
    assert "Largest errors" not in text


def test_shares_of_the_misses_add_up(page, counted):
    side = page.get(f"/models/{counted(count=4).pk}/").context["sides"][0]
    assert sum(row["share"] for row in side["worst"]) == pytest.approx(1)


def test_an_older_version_says_nothing_about_it(page, publish, read):
    version = publish()
    version.metrics = {name: value for name, value in version.metrics.items() if not name.startswith("by_")}
    version.save()
    response = page.get(f"/models/{version.pk}/")
    assert "Error by" not in read(response) and b"data-chart" not in response.content


def test_what_nobody_bought_in_the_test_has_no_error_and_is_left_out(page, counted, read):
    version = counted(count=4)
    version.metrics["by_product"].append({"code": "P999", "wape": None, "bias": None, "units": 0.0})
    version.save()
    assert "P999" not in read(page.get(f"/models/{version.pk}/"))


def test_the_page_says_how_far_the_ranges_can_be_trusted(page, counted, read):
    version = counted()
    version.metrics |= {
        "by_level": [
            {"level": "low", "series": 2, "coverage": 0.71},
            {"level": "high", "series": 2, "coverage": None},
        ],
        "totals": {"all": {"50": 0.5, "80": 0.86, "95": 0.9}},
    }
    version.save()
    text = read(page.get(f"/models/{version.pk}/"))
    assert "Slow sellers 71%" in text and "Grand total 86%" in text and "Fast sellers" not in text


def test_versions_are_compared_part_by_part(page, counted, publish, read):
    mine, theirs, old = counted(wape=0.2), counted(wape=0.3), publish(wape=0.4)
    theirs.metrics["by_product"][0]["wape"] = 0.9
    theirs.save()
    old.metrics.pop("by_product", None)
    old.save()
    response = page.get("/models/compare/", {"v": [mine.pk, theirs.pk, old.pk]})
    first = response.context["sides"][0]["rows"][0]
    assert first["code"] == "P001"
    assert [value for value, _best in first["values"]] == [0.01, 0.9, None]
    assert [best for _value, best in first["values"]] == [True, False, False]
    names = [line["name"] for line in response.context["steps"]["lines"]]
    assert names == [mine.title, theirs.title, old.title]
    assert "Error by product" in read(response)


def test_the_errors_come_as_csv_and_excel(page, counted):
    version = counted()
    content = page.get(f"/models/{version.pk}/", {"export": "csv"}).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["By"] for row in rows].count("days ahead") == 28
    assert {row["Code"] for row in rows if row["By"] == "product"} == {row["code"] for row in products(31)}
    assert page.get(f"/models/{version.pk}/", {"export": "xlsx"}).content.startswith(b"PK")


def test_the_numbers_of_the_chart_are_plain_json(page, counted):
    source = page.get(f"/models/{counted().pk}/").content.decode()
    drawn = re.search(r'<script id="steps-data" type="application/json">(.*?)</script>', source)
    assert drawn and len(json.loads(drawn[1])["lines"]) == 1

"""A till's file of a Chinese pharmacy, with three faults, from upload to dataset in a real browser."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.helpers.trials import repeats

pytestmark = [pytest.mark.browser, pytest.mark.processes]
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def till(folder: Path) -> Path:
    """GB18030, Chinese headers, a date, a number and a repeated row that are wrong."""
    lines = ["日期,门店,药品,销量,促销"]
    for day in range(60):
        for shop in ("一号店", "二号店"):
            date = dt.date(2026, 1, 1) + dt.timedelta(days=day)
            lines += [
                f"{date},{shop},{drug},{4 + (day + len(drug)) % 5},{day % 2}" for drug in ("感冒灵", "维C")
            ]
    lines += [
        "2026-02-31,一号店,感冒灵,4,0",
        "2026-02-03,一号店,感冒灵,很多,0",
        "2026-02-04,一号店,感冒灵,9,0",
    ]
    path = folder / "till.csv"
    path.write_bytes("\n".join(lines).encode("gb18030"))
    return path


@pytest.mark.parametrize("language", ["zh-hans", pytest.param("en", marks=repeats)])
def test_a_faulty_file_is_matched_checked_decided_and_saved(open_tab, tmp_path: Path, language: str) -> None:
    tab = open_tab()
    page = tab.page
    tab.use(language)
    name = f"pharmacy {language}"
    page.goto("/data/")
    page.click(".head a.primary")
    page.set_input_files("#id_file", str(till(tmp_path)))
    page.fill("#id_name", name)
    tab.shoot(f"import-1-upload-{language}")
    page.click(".bar button.primary")
    page.wait_for_url("**/match/")
    assert page.locator("main").inner_text().count("GB18030") == 1
    assert page.input_value("#id_column-0") == "date" and page.input_value("#id_column-3") == "sales"
    tab.shoot(f"import-2-match-{language}")
    page.click("main button.primary")
    page.wait_for_url("**/check/")
    text = page.locator("main").inner_text()
    assert "2026-02-31" in text and "很多" in text and "244" in text
    assert page.evaluate(SIDEWAYS) <= 0
    page.select_option("#id_duplicate", "last")
    tab.shoot(f"import-3-check-{language}")
    page.click("main button.primary")
    page.wait_for_load_state()
    assert page.input_value("#id_duplicate") == "last" and page.url.endswith("/check/")
    page.click("main button.primary")
    page.wait_for_url("**/data/*/")
    assert name in page.inner_text("h1") and "240" in page.locator("main").inner_text()
    tab.shoot(f"import-4-dataset-{language}")
    page.click("a[href$='/catalogue/']")
    page.fill("#q", "维")
    page.locator("#items tbody tr", has_text="感冒灵").wait_for(state="detached")
    assert page.locator("#items tbody tr").count() == 1
    assert "q=" in page.url
    tab.shoot(f"import-5-catalogue-{language}")
    assert tab.violations() == []


def test_the_pages_fit_a_phone(open_tab, tmp_path: Path) -> None:
    tab = open_tab(viewport={"width": 390, "height": 844})
    page = tab.page
    page.goto("/data/upload/")
    assert page.evaluate(SIDEWAYS) <= 0
    page.set_input_files("#id_file", str(till(tmp_path)))
    page.fill("#id_name", "phone")
    page.click(".bar button.primary")
    page.wait_for_url("**/match/")
    assert page.evaluate(SIDEWAYS) <= 0
    page.click("main button.primary")
    page.wait_for_url("**/check/")
    assert page.evaluate(SIDEWAYS) <= 0
    page.click(".bar button.plain")
    page.wait_for_url("**/data/")


def test_a_file_is_dropped_on_the_zone_and_names_the_dataset(open_tab, tmp_path: Path) -> None:
    tab = open_tab()
    page = tab.page
    page.goto("/data/upload/")
    zone = page.locator(".drop")
    page.dispatch_event(".drop input", "dragenter")
    assert "over" in zone.get_attribute("class")
    page.dispatch_event(".drop input", "dragleave")
    assert "over" not in zone.get_attribute("class")
    page.set_input_files("#id_file", str(till(tmp_path)))
    assert page.input_value("#id_name") == "till"
    page.fill("#id_name", "my own name")
    page.set_input_files("#id_file", str(till(tmp_path).rename(tmp_path / "other.csv")))
    assert page.input_value("#id_name") == "my own name"


def test_a_dataset_is_renamed_paused_and_deleted_from_its_menu(open_tab, tmp_path: Path) -> None:
    tab = open_tab()
    page = tab.page
    page.goto("/data/upload/")
    page.set_input_files("#id_file", str(till(tmp_path)))
    page.fill("#id_name", "menu")
    for step in ("**/match/", "**/check/", "**/data/*/"):
        page.click(".bar button.primary")
        page.wait_for_url(step)
    page.click("main details.more > summary")
    page.click("main .more a[href$='/rename/']")
    page.fill("#ask #id_name", "menu two")
    page.click("#ask button.primary")
    page.wait_for_function("document.querySelector('h1').innerText.includes('menu two')")
    page.click("main details.more > summary")
    page.click("main .more form button")
    page.wait_for_selector("h1 .badge")
    page.click("main details.more > summary")
    page.click("main .more a[href$='/delete/']")
    page.click("#ask button.danger")
    page.wait_for_url("**/data/")
    assert "menu two" not in page.locator("#list").inner_text()

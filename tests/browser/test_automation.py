"""A curator makes a source and a schedule, drops a file and sees the timeline fill; then a key."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.processes]
OPEN_SHOP = """
from django.core.management import call_command
from django.conf import settings
from registry.datasets.models import Dataset
file = str(settings.DATA_DIR / "shop.parquet")
call_command("make_sample", "--stores=2", "--products=2", "--days=300", f"--output={file}", "--seed=6")
call_command("import_sales", file, "--name=corner shop")
data = Dataset.objects.get(name="corner shop")
version = data.current_version
print("|".join([str(data.pk), str(version.last), version.stores[0], version.products[0]]))
"""
CLOSE_SHOP = """
from forecastsite.automation.models import Plan
from prediction.models import CurrentForecast, ForecastRun
from registry.datasets.models import Dataset
from registry.model_versions.models import ForecastModel
Plan.objects.filter(dataset__name="corner shop").delete()
CurrentForecast.objects.filter(dataset__name="corner shop").delete()
ForecastRun.objects.filter(dataset_version__dataset__name="corner shop").delete()
ForecastModel.objects.filter(dataset__name="corner shop").delete()
Dataset.objects.filter(name="corner shop").delete()
"""


@pytest.fixture
def shop(product):
    """A second dataset with a model, as long as this test lasts: its id, last day, a store and a product."""
    found = product.shell(OPEN_SHOP).strip().splitlines()[-1].split("|")
    product.train(dataset="corner shop")
    yield found
    product.shell(CLOSE_SHOP)


def test_a_dropped_file_fills_the_timeline_of_a_schedule(open_tab, product, shop):
    dataset, last, store, code = shop
    tab = open_tab()
    page = tab.page
    page.goto(f"/d/{dataset}/automation/")
    page.click("a[href$='/sources/new/']")
    page.fill("#id_name", "tills")
    page.fill("#id_address", "corner/sales")
    page.fill("#id_pattern", "*.csv")
    page.click("main form button.primary")
    page.wait_for_selector("#files .empty")
    day = date.fromisoformat(last) + timedelta(days=1)
    inbox = product.folder / "sources" / "corner" / "sales"
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / "monday.csv").write_text(f"date,store,product,qty\n{day},{store},{code},5\n")
    (inbox / "monday.csv.done").touch()
    page.goto(f"/d/{dataset}/automation/")
    page.click("a[href$='/schedules/new/']")
    page.fill("#id_name", "nightly")
    page.select_option("#id_retrain", "never")
    page.click("main form button.primary")
    page.wait_for_selector("#runs .empty")
    page.click("a[href$='?preview=1#preview']")
    page.wait_for_selector("#preview dd")
    tab.shoot("schedule")
    page.click("form[action$='/run/'] button")
    page.wait_for_selector("#timeline[data-stage=done]")
    states = page.eval_on_selector_all(
        "#timeline tr[data-step]", "all => all.map((row) => row.dataset.state)"
    )
    assert len(states) == 6 and set(states) <= {"done", "skipped"}
    assert page.locator("tr[data-step=forecast] a").count() == 1
    tab.shoot("schedule-run")
    tab.use("zh-hans")
    assert re.search("[一-鿿]", page.inner_text("tr[data-step=forecast] td:last-child"))
    tab.shoot("schedule-run-zh")
    page.goto(f"/d/{dataset}/automation/")
    page.click("#main a[href*='/sources/']:text-is('tills')")
    page.wait_for_selector("#files .badge.good")
    tab.shoot("source-zh")
    tab.use("en")
    page.goto("/keys/")
    page.fill("#id_name", "ERP")
    page.check("input[name=scopes][value='automation:read']")
    page.click("main form button.primary")
    assert page.inner_text("#key-text").startswith("fs_")
    page.click("form[action$='/revoke/'] button")
    page.wait_for_selector("th:has-text('ERP') .badge")
    assert tab.violations() == []

"""The three pictures of the README, from a running sample installation: `make screenshots`.

`python -m tests.browser.readme_pictures [FOLDER]`, by default docs/images. English, light.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import FLAGS, NAMES, PASSWORD, PATIENCE, ROOT, USER, Product

VIEWPORT = {"width": 1200, "height": 860}
TRAINED = ("seasonal_naive", "5"), ("kan", "40")  # algorithm, seconds
LIVE_STEPS, LIVE_SECONDS = 1000, 600  # a fixed number of steps: a busy machine draws the same curve
POINTS = 9  # of the learning curve, when the picture of the training is taken
PRODUCT = "P001"


def prepare_installation(product: Product) -> None:
    """A chain of two years, two trained versions and a user."""
    sample = str(product.folder / "chain.parquet")
    product.manage("migrate", "-v0")
    size = ("--stores", "5", "--products", "20", "--days", "800")
    yesterday = dt.date.today() - dt.timedelta(days=1)
    product.manage("make_sample", *size, f"--last={yesterday}", "--output", sample)
    product.manage("import_sales", sample, "--name", "pharmacies", "--country", "DE")
    person = {"DJANGO_SUPERUSER_USERNAME": USER, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    product.manage("createsuperuser", "--noinput", "--email", "", **person)
    for algorithm, seconds in TRAINED:
        options = ("--dataset", "pharmacies", "--scope", "global", "--budget", seconds)
        product.manage("train", *options, "--algorithm", algorithm)


def sign_in(page: Page) -> None:
    """Signs in; the first page is the overview."""
    page.goto("/login/")
    page.fill("#id_username", USER)
    page.fill("#id_password", PASSWORD)
    page.click("main form button")
    page.wait_for_url("**/d/*/")


def show_forecast(page: Page) -> None:
    """A forecast of one product over all stores."""
    page.goto("/d/1/forecast/")
    page.fill("#id_product", PRODUCT)
    page.click("#forecast-form button[type=submit]")
    page.wait_for_selector("#result canvas[data-drawn=true]")
    page.goto(page.url)
    page.wait_for_selector("canvas[data-drawn=true]")
    page.evaluate("document.querySelector('h1').scrollIntoView()")


def show_training(page: Page) -> None:
    """A training that has learned for a while and goes on."""
    page.goto("/d/1/train/")
    page.select_option("#id_algorithm", "kan")
    page.locator("#knobs input").first.wait_for(state="attached")  # the settings of KAN arrive
    page.fill("#id_budget", str(LIVE_SECONDS))
    page.locator("#knobs input[name$=steps]").evaluate(f"field => {{ field.value = {LIVE_STEPS}; }}")
    page.click("form.card button[type=submit]")
    page.wait_for_selector("#progress[data-state=running]")
    page.locator("#points li[data-step=learn]").nth(POINTS - 1).wait_for(state="attached")


def show_comparison(page: Page) -> None:
    """The two versions side by side."""
    page.goto("/d/1/models/?state=ready")
    first, second = (page.locator("[name=v]").nth(at).get_attribute("value") for at in (0, 1))
    page.goto(f"/d/1/models/compare/?v={first}&v={second}")


PICTURES = {  # what to show, and the pixels to keep from the top
    "comparison": (show_comparison, 725),
    "forecast": (show_forecast, 860),
    "training": (show_training, 828),
}


def take_pictures(folder: Path) -> None:
    """Writes forecast.png, training.png and comparison.png."""
    folder.mkdir(parents=True, exist_ok=True)
    browser_path = next(filter(None, map(shutil.which, NAMES)), None)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver:
        product = Product(Path(place))
        prepare_installation(product)
        product.start()
        try:
            browser = driver.chromium.launch(executable_path=browser_path, args=FLAGS)
            options = {"viewport": VIEWPORT, "locale": "en-GB", "color_scheme": "light"}
            context = browser.new_context(base_url=product.address, **options)
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            sign_in(page)
            for name, (show, height) in PICTURES.items():
                show(page)
                page.wait_for_timeout(500)  # charts finish drawing
                clip = {**VIEWPORT, "height": height, "x": 0, "y": 0}
                page.screenshot(path=folder / f"{name}.png", clip=clip)
                print(f"{name}.png: {os.path.getsize(folder / f'{name}.png') // 1000} kB")
            browser.close()
        finally:
            product.clean_up()


if __name__ == "__main__":
    take_pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")

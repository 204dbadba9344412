"""A product with something on every page, and the way through all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

LISTS = {
    "overview": "/d/1/",
    "products": "/d/1/products/?sort=-last_year",
    "products-none": "/d/1/products/?q=nothing-of-that-name",
    "products-compare": "/d/1/products/compare/?code=P001&code=P002",
    "data": "/data/",
    "dataset": "/data/1/",
    "upload": "/data/upload/",
    "catalogue": "/data/1/catalogue/",
    "train": "/d/1/train/",
    "queue": "/d/1/runs/",
    "models": "/d/1/models/",
    "models-none": "/d/1/models/?q=nothing-of-that-name",
    "compare-empty": "/d/1/models/compare/",
    "forecast-form": "/d/1/forecast/",
    "why": "/d/1/forecast/why/?product=P001&store=S01&horizon=28",
    "plan-new": "/d/1/forecast/plan/?product=P001&store=S01&horizon=28",
    "plans": "/d/1/plans/",
    "history": "/d/1/forecasts/",
    "history-none": "/d/1/forecasts/?q=nothing-of-that-name",
    "password": "/password/",
    "help": "/help/",
    "help-operator": "/help/operator/",
}


@dataclass
class Story:
    """Addresses of the rows that were made."""

    pages: dict[str, str] = field(default_factory=dict)


def tell(product, tab) -> Story:
    """Two versions, a failed training, a forecast beside another version's, a file on its way."""
    quick = ["--dataset", "chain", "--algorithm", "seasonal_naive", "--budget", "2"]
    for seed in (1, 2):
        product.train(seed=seed)
    with suppress(AssertionError):  # so many days cannot be learned from
        product.call("train", *quick, "--scope", "global", "--horizon", "300")
    page, pages = tab.page, dict(LISTS)
    page.goto("/d/1/forecast/")
    page.click("#forecast-form button[type=submit]")
    page.wait_for_selector("#result canvas[data-drawn=true]")
    pages["forecast-computed"] = "/d/1/forecast/?product=P001&horizon=28"
    rival = page.locator("#id_with_1 option").nth(1).get_attribute("value")
    pages["forecast"] = f"{page.url}?with={rival}"
    pages["forecast-delete"] = f"{page.url}delete/"
    pages |= bring(product, page)
    page.goto("/d/1/models/?state=ready")
    first, second = (page.locator("[name=v]").nth(at).get_attribute("value") for at in (0, 1))
    pages["compare"] = f"/d/1/models/compare/?v={first}&v={second}"
    pages |= {f"model-{name}": f"/d/1/models/{first}/{name}/" for name in ("promote", "delete")}
    pages["model"] = f"/d/1/models/{first}/"
    page.goto("/d/1/train/")
    pages["run"] = page.locator('main a[href*="/runs/"]').first.get_attribute("href") or "/"
    return Story(pages)


def bring(product, page) -> dict[str, str]:
    """A file with faults that nobody has saved yet: its columns, its check."""
    rows = [f"2026-11-{day:02d},S01,P001,{day},0" for day in range(1, 29)]
    file = product.folder / "till.csv"
    file.write_text(
        "\n".join(["date,store,product,sold,promo", *rows, rows[0], "2026-11-31,S01,P001,many,1"])
    )
    page.goto("/data/upload/")
    page.set_input_files("#id_file", str(file))
    page.fill("#id_name", "till")
    page.click(".bar button[type=submit]")
    page.wait_for_url("**/match/")
    found = {"upload-match": page.url}
    page.click("main button.primary")
    page.wait_for_url("**/check/")
    return {**found, "upload-check": page.url}


def walk(tab, story: Story) -> Iterator[str]:
    """Opens each page in turn and gives its name once it stands still; the sign-in page comes last."""
    for name, address in {**story.pages, "missing": "/nowhere/"}.items():
        tab.page.goto(address)
        wait_until_still(tab.page)
        yield name
    language = tab.page.get_attribute("html", "lang")
    tab.context.clear_cookies()
    tab.page.goto("/login/")
    tab.use(language)
    yield "login"


def wait_until_still(page) -> None:
    """Returns when nothing is on its way and every chart is drawn."""
    page.wait_for_selector(".htmx-request", state="detached")
    for canvas in page.locator("canvas").all():
        canvas.evaluate("c => c.dataset.drawn || new Promise(done => setTimeout(done, 300))")

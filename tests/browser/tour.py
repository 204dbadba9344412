"""A product with something on every page, and the way through all of them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

LISTS = {
    "overview": "/",
    "data": "/data/",
    "dataset": "/data/1/",
    "upload": "/data/upload/",
    "catalogue": "/data/1/catalogue/",
    "train": "/train/",
    "models": "/models/",
    "compare-empty": "/models/compare/",
    "forecast-form": "/forecast/",
    "history": "/forecasts/",
    "help": "/help/",
    "help-developer": "/help/developer/",
}


@dataclass
class Story:
    """Addresses of the rows that were made."""

    pages: dict[str, str] = field(default_factory=dict)


def tell(product, tab) -> Story:
    """Two versions, a failed training, a forecast of everything beside another version's."""
    quick = ["--dataset", "chain", "--algorithm", "seasonal_naive", "--budget", "2"]
    for seed in ("1", "2"):
        product.manage("train", *quick, "--scope", "global", "--seed", seed)
    with suppress(subprocess.CalledProcessError):  # so many days cannot be learned from
        product.manage("train", *quick, "--scope", "global", "--horizon", "300")
    page, pages = tab.page, dict(LISTS)
    page.goto("/forecast/")
    page.click("#forecast-form button[type=submit]")
    page.wait_for_selector("#result canvas[data-drawn=true]")
    rival = page.locator("#id_with_1 option").nth(1).get_attribute("value")
    pages["forecast"] = f"{page.url}?with={rival}"
    pages["forecast-delete"] = f"{page.url}delete/"
    page.goto("/models/?state=ready")
    first, second = (page.locator("[name=v]").nth(at).get_attribute("value") for at in (0, 1))
    pages["compare"] = f"/models/compare/?v={first}&v={second}"
    pages |= {"model": f"/models/{first}/", "promote": f"/models/{first}/promote/"}
    page.goto("/train/")
    pages["run"] = page.locator('.attention a[href^="/runs/"]').first.get_attribute("href") or "/"
    return Story(pages)


def walk(tab, story: Story) -> Iterator[str]:
    """Opens each page in turn and gives its name once it stands still."""
    for name, address in {**story.pages, "missing": "/nowhere/"}.items():
        tab.page.goto(address)
        tab.page.wait_for_load_state("networkidle")
        for canvas in tab.page.locator("canvas").all():
            canvas.evaluate("c => c.dataset.drawn || new Promise(done => setTimeout(done, 300))")
        yield name

"""The real product, started once for all browser tests, and a headless Chromium that tells on it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.installation import MANAGE, PASSWORD, USER, Site
from tests.helpers.source_tree import ROOT

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 120_000  # milliseconds: a busy machine is slow, not wrong
# what htmx says when a page is left while it waits; real faults are called sendError, responseError, timeout
ABORTED = ("htmx:afterRequest", "htmx:sendAbort")
LISTEN = """window.violations = [];
const note = (e) => window.violations.push(`${e.violatedDirective} ${e.blockedURI}`);
document.addEventListener("securitypolicyviolation", note);"""


class Product(Site):
    """A running `manage.py up` with a small chain in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, DEBUG="false", ARCHIVE_STORE=str(folder / "archive"))
        self.folder = Path(self.env["DATA_DIR"])
        self.address = f"http://127.0.0.1:{self.port}"
        self.cookies: list[dict] = []  # of the person, once one tab has signed in

    def manage(self, *arguments: str, **env: str) -> None:
        """A command in a process of its own."""
        command = [*MANAGE, *arguments]
        subprocess.run(command, cwd=ROOT, env={**self.env, **env}, check=True, capture_output=True, text=True)

    def call(self, *arguments: str) -> None:
        """A command in the process that stands by: nothing has to be imported first."""
        self.shell(f"from django.core.management import call_command\ncall_command(*{arguments})")

    def train(self, scope: str = "global", seed: int = 1, dataset: str = "chain") -> None:
        """One more version, in a moment."""
        words = ["--dataset", dataset, "--scope", scope, "--algorithm", "seasonal_naive", "--budget", "2"]
        self.call("train", *words, "--seed", str(seed))

    def files(self, kind: str) -> list[str]:
        """Names of the artifacts of one kind."""
        folder = self.folder / "artifacts" / kind
        return sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []


@pytest.fixture(scope="package")
def product(tmp_path_factory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("product"))
    product.prepare("chain")
    product.start()
    yield product
    product.clean_up()


@pytest.fixture(scope="module")
def versions(product) -> None:
    """Two quick versions of everything, the newest there are."""
    for seed in (1, 2):
        product.train(seed=seed)


# While Playwright's driver lives, other tests of this process have no database.
@pytest.fixture(scope="package")
def chromium():
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no Chromium here: install one of {', '.join(NAMES)}")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Tab:
    """A signed-in page that remembers every complaint of the browser."""

    def __init__(self, browser, product: Product, **options) -> None:
        self.product, self.complaints, self.seen_violations = product, [], []
        self.context = browser.new_context(base_url=product.address, **options)
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(LISTEN)
        self.page = self.context.new_page()
        self.page.on("console", lambda said: self.complain(said.type, said.text))
        self.page.on("pageerror", lambda error: self.complain("error", str(error)))

    def complain(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not text.startswith(ABORTED):
            self.complaints.append(text)

    def sign_in(self) -> None:
        self.page.goto("/login/")
        self.page.fill("#id_username", USER)
        self.page.fill("#id_password", PASSWORD)
        self.page.click("main form button")
        self.page.wait_for_url("**/d/*/")
        self.product.cookies = [one for one in self.context.cookies() if one["name"] == "sessionid"]

    def enter(self) -> None:
        """Signs in, or goes on with the session of the tab that did: a password costs a third of a second."""
        if not self.product.cookies:
            return self.sign_in()
        self.context.add_cookies(self.product.cookies)
        self.page.goto("/")

    def use(self, language: str) -> None:
        if (menu := self.page.locator(".tools details.menu > summary")).count():
            menu.click()
        self.page.click(f'button[lang="{language}"]')
        self.page.wait_for_selector(f'html[lang="{language}"]')

    def violations(self) -> list[str]:
        return self.page.evaluate("window.violations")

    def shoot(self, name: str) -> None:
        """A picture, when the environment names a folder for them."""
        if folder := os.environ.get("SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{folder}/{name}.png", full_page=True)

    def close(self) -> None:
        self.context.close()
        assert self.complaints == []


@pytest.fixture
def open_tab(chromium, product):
    """Opens signed-in tabs; at the end none of them may have complained."""
    tabs: list[Tab] = []

    def opener(**options) -> Tab:
        tabs.append(
            Tab(
                chromium,
                product,
                **{"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **options},
            )
        )
        tabs[-1].enter()
        return tabs[-1]

    yield opener
    for tab in tabs:
        tab.close()

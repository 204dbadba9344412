"""On every page, in either language, light or dark, wide or narrow: axe finds nothing, nothing scrolls
sideways, nothing breaks the policy, and the browser complains of nothing."""

from __future__ import annotations

import json

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.browser.tour import Story, tell, walk

pytestmark = [pytest.mark.browser, pytest.mark.processes]
SIZES = {"wide": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


def faults(page) -> list[str]:
    """What axe complains about, with the first element concerned."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [f"{fault['id']}: {json.dumps(fault['nodes'][0]['target'])}" for fault in found["violations"]]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_on_any_page(open_tab, product, story, size, scheme, language):
    tab = open_tab(viewport=SIZES[size], color_scheme=scheme, bypass_csp=True)  # axe brings its own style
    if not story.pages:
        story.pages = tell(product, tab).pages
    tab.use(language)
    found = {}
    for name in walk(tab, story):
        found[name] = faults(tab.page)
        assert tab.page.evaluate(SIDEWAYS) <= 0, f"{name} scrolls sideways"
        tab.shoot(f"{name}-{language}-{scheme}-{size}")
    assert not {name: problems for name, problems in found.items() if problems}
    tab.complaints = [text for text in tab.complaints if "404" not in text]  # of the page that is not there


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_no_page_breaks_its_policy(open_tab, product, story, size, scheme, language):
    tab = open_tab(viewport=SIZES[size], color_scheme=scheme)
    if not story.pages:
        story.pages = tell(product, tab).pages
    tab.use(language)
    assert {name: broken for name in walk(tab, story) if (broken := tab.violations())} == {}
    tab.complaints = [text for text in tab.complaints if "404" not in text]

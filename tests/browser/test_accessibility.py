"""On every page, in either language, light or dark, wide or narrow: axe finds nothing, nothing scrolls
sideways, nothing breaks the policy, and the browser complains of nothing."""

from __future__ import annotations

import json
import os
from itertools import product as product_of

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.browser.tour import Story, tell, walk
from tests.helpers.trials import repeats

pytestmark = [pytest.mark.browser, pytest.mark.processes]
SIZES = {"wide": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
CRUSHED = """[...document.querySelectorAll("main :is(input:not([type=checkbox], [type=radio]), select)")]
.filter(field => field.offsetParent && field.offsetWidth < 90).map(field => field.id || field.name)"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


def faults(tab) -> list[str]:
    """What axe complains about, with the first element concerned."""
    before = len(tab.complaints)
    tab.page.evaluate(AXE_SCRIPT)
    found = tab.page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    del tab.complaints[before:]  # the policy refuses axe's own style
    return [f"{fault['id']}: {json.dumps(fault['nodes'][0]['target'])}" for fault in found["violations"]]


# Each size, scheme and language is in one of these two; colours come from the scheme alone, widths from size
# and language. `make screenshots` and `make test-faults` walk all eight.
WALKS = [("wide", "light", "en"), ("phone", "dark", "zh-hans")]
OTHERS = [walk for walk in product_of(SIZES, ("light", "dark"), ("en", "zh-hans")) if walk not in WALKS]
if not os.environ.get("SCREENSHOTS"):
    OTHERS = [pytest.param(*walk, marks=repeats) for walk in OTHERS]


@pytest.mark.parametrize(("size", "scheme", "language"), [*WALKS, *OTHERS])
def test_no_page_breaks_its_policy_and_axe_finds_nothing(open_tab, product, story, size, scheme, language):
    tab = open_tab(viewport=SIZES[size], color_scheme=scheme)
    if not story.pages:
        story.pages = tell(product, tab).pages
    tab.use(language)
    broken, found = {}, {}
    for name in walk(tab, story):
        broken[name] = tab.violations()
        assert tab.page.evaluate(SIDEWAYS) <= 0, f"{name} scrolls sideways"
        assert tab.page.evaluate(CRUSHED) == [], f"{name} has fields that nobody can read"
        tab.shoot(f"{name}-{language}-{scheme}-{size}")
        found[name] = faults(tab)
    assert not {name: problems for name, problems in broken.items() if problems}
    assert not {name: problems for name, problems in found.items() if problems}
    tab.complaints = [text for text in tab.complaints if "404" not in text]  # of the page that is not there

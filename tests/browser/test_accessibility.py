"""On every page, in either language, light or dark, wide or narrow: axe finds nothing, nothing scrolls
sideways, nothing breaks the policy, and the browser complains of nothing."""

from __future__ import annotations

import json
import os

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.browser.tour import Story, tell, wait_until_still, walk
from tests.helpers.trials import FULL, repeats

pytestmark = [pytest.mark.browser, pytest.mark.processes]
SIZES = {"wide": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
CRUSHED = """[...document.querySelectorAll("main :is(input:not([type=checkbox], [type=radio]), select)")]
.filter(field => field.offsetParent && field.offsetWidth < 90).map(field => field.id || field.name)"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OF_LOOKS = ("color-contrast", "target-size", "scrollable-region-focusable")


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


def faults(tab, rules: tuple[str, ...] = TAGS) -> list[str]:
    """What axe complains about, with the first element concerned."""
    before = len(tab.complaints)
    if not tab.page.evaluate("'axe' in window"):
        tab.page.evaluate(AXE_SCRIPT)
    found = tab.page.evaluate("rules => axe.run(document, {runOnly: rules})", list(rules))
    del tab.complaints[before:]  # the policy refuses axe's own style
    return [f"{fault['id']}: {json.dumps(fault['nodes'][0]['target'])}" for fault in found["violations"]]


# Colours come from the scheme alone, widths from size and language, and English is the longer one. A page is
# loaded once and looked at twice, the second time by the rules on which looks bear. `make screenshots` and
# `make test-faults` take all eight.
LOOKS = [(("wide", "light"), ("phone", "dark")), (("wide", "dark"), ("phone", "light"))]
FIRST, *OTHERS = [(looks, language) for looks in LOOKS for language in ("en", "zh-hans")]
if not os.environ.get("SCREENSHOTS"):
    OTHERS = [pytest.param(*walk, marks=repeats) for walk in OTHERS]


@pytest.mark.parametrize(("looks", "language"), [FIRST, *OTHERS])
def test_no_page_breaks_its_policy_and_axe_finds_nothing(open_tab, product, story, looks, language):
    tab = open_tab(viewport=SIZES["wide"])
    if not story.pages:
        story.pages = tell(product, tab).pages
    tab.use(language)
    broken, found = {}, {}
    for name in walk(tab, story):
        broken[name] = tab.violations()
        for size, scheme in looks:
            tab.page.set_viewport_size(SIZES[size])
            tab.page.emulate_media(color_scheme=scheme)
            wait_until_still(tab.page)
            view = f"{name}-{language}-{scheme}-{size}"
            assert tab.page.evaluate(SIDEWAYS) <= 0, f"{view} scrolls sideways"
            assert tab.page.evaluate(CRUSHED) == [], f"{view} has fields that nobody can read"
            tab.shoot(view)
            found[view] = faults(tab, TAGS if (size, scheme) == looks[0] or FULL else OF_LOOKS)
    assert not {name: problems for name, problems in broken.items() if problems}
    assert not {view: problems for view, problems in found.items() if problems}
    tab.complaints = [text for text in tab.complaints if "404" not in text]  # of the page that is not there

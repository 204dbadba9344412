"""The life of a version in the admin, in both languages: each act asks, says what it will do, and does it."""

from __future__ import annotations

import pytest

from tests.browser.test_accessibility import faults
from tests.helpers.trials import repeats

pytestmark = [pytest.mark.browser, pytest.mark.processes]

LIST = "/admin/registry/modelversion/"
RUNS, AUDIT = "/admin/training/trainingrun/", "/admin/registry/auditentry/"
ADDRESSES = ["/admin/", LIST, RUNS, AUDIT, "/admin/prediction/forecast/", "/admin/auth/group/1/change/"]
WIDE_LISTS = [
    LIST,
    RUNS,
    AUDIT,
    "/admin/prediction/forecast/",
    "/admin/registry/datasetversion/",
    "/admin/registry/versionchange/",
    "/admin/training/runevent/",
    "/admin/auth/user/",
]
CUT_OFF = "list => list.scrollWidth - list.clientWidth"
# each act with what its question says, in the order of a life
LIFE = [
    ("promote", {"en": "It will replace", "zh-hans": "它将取代"}),
    ("roll_back", {"en": "will be in use again instead", "zh-hans": "将重新取代它"}),
    ("pin", {"en": "No clean-up will remove it", "zh-hans": "清理不会删除它"}),
    ("unpin", {"en": "The next clean-up may remove it", "zh-hans": "下次清理可能会删除它"}),
    ("archive", {"en": "will be moved to", "zh-hans": "将移到"}),
    ("restore", {"en": "will be restored from", "zh-hans": "取回"}),
    ("retrain", {"en": "will be queued", "zh-hans": "加入队列"}),
    ("delete_with_file", {"en": "will be deleted permanently", "zh-hans": "将被永久删除"}),
]


def make_versions(product, code: str) -> None:
    """Two versions of a product: the first is in use, the second may become so."""
    for seed in (1, 2):
        product.train(f"product:{code}", seed)


@pytest.fixture(scope="module")
def versions(product) -> None:
    make_versions(product, "P001")


def chosen(page, name: str):
    return page.locator("#result_list tbody tr", has_text=name).first


def act(tab, name: str, act: str, said: str) -> None:
    """Ticks the row, picks the act, reads the question, says yes."""
    page = tab.page
    page.goto(f"{LIST}?q={name}")
    chosen(page, name).locator("input.action-select").check()
    page.select_option("select[name=action]", act)
    page.click("button[name=index]")
    page.wait_for_selector("body.confirm-action")
    tab.shoot(f"admin-{act}-{page.locator('html').get_attribute('lang')}")
    table = page.locator("table.plan").first
    assert said in table.inner_text() and name in table.inner_text(), table.inner_text()
    if page.locator("#id_reason").count():
        page.fill("#id_reason", "Ana knows the shop")
    page.click("input[name=confirmed]")
    page.wait_for_selector(".messagelist .success")


@pytest.mark.parametrize(
    ("language", "code"), [("en", "P001"), pytest.param("zh-hans", "P002", marks=repeats)]
)
def test_a_version_lives_its_life_in_the_admin(open_tab, product, versions, language, code):
    if code != "P001":
        make_versions(product, code)
    tab = open_tab()
    tab.use(language)
    name = f"seasonal_naive_product_{code}_v2"
    before = product.files("models")
    first = name.replace("v2", "v1")
    tab.page.goto(f"{LIST}?q={first}")
    if "—" in chosen(tab.page, first).locator(".field-is_in_use").inner_text():  # kept back by its test
        nothing = {"en": "is in use yet", "zh-hans": "尚无使用中的版本"}
        act(tab, first, "promote", nothing[language])
    for verb, said in LIFE:
        act(tab, name, verb, said[language])
        assert tab.violations() == []
    assert len(set(before) - set(product.files("models"))) == 1  # a retraining may publish one meanwhile
    tab.page.goto("/admin/registry/auditentry/")
    tab.shoot(f"admin-audit-{language}")
    told = tab.page.locator("#result_list").inner_text()
    assert told.count(name) >= len(LIFE) - 2 and "Ana knows the shop" in told


@pytest.mark.parametrize("language", ["zh-hans", pytest.param("en", marks=repeats)])
def test_the_change_pages_draw_their_charts(open_tab, product, versions, language):
    tab = open_tab()
    tab.use(language)
    for address, picture in ((LIST, "version"), ("/admin/training/trainingrun/?state__exact=done", "run")):
        tab.page.goto(address)
        tab.shoot(f"admin-{picture}-list-{language}")
        tab.page.click("#result_list tbody tr th a")
        tab.page.wait_for_selector("canvas[data-drawn=true]")
        tab.shoot(f"admin-{picture}-change-{language}")
        assert tab.violations() == []


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.repeats)])
def test_axe_finds_nothing_of_ours_in_the_admin(open_tab, product, versions, scheme):
    tab = open_tab(color_scheme=scheme)
    found = {}
    for address in ADDRESSES:
        tab.page.goto(address)
        assert tab.violations() == [], address
        found[address] = faults(tab)
    tab.page.goto(LIST)
    tab.page.click("#result_list tbody tr th a")
    tab.page.wait_for_selector("body.change-form #footer", state="attached")
    found["change"] = faults(tab)
    tab.page.click(".object-tools button.act >> nth=2")
    tab.page.wait_for_selector("body.confirm-action")
    found["confirm"] = faults(tab)
    assert not {address: problems for address, problems in found.items() if problems}


@pytest.mark.parametrize("language", ["en", pytest.param("zh-hans", marks=repeats)])
def test_all_columns_of_a_list_fit_at_1280_pixels(open_tab, product, versions, language):
    tab = open_tab()
    tab.use(language)
    cut = {}
    for address in WIDE_LISTS:
        tab.page.goto(address)
        if tab.page.locator("#changelist .results").count():
            cut[address] = tab.page.locator("#changelist .results").evaluate(CUT_OFF)
    assert cut and not {address: width for address, width in cut.items() if width > 0}

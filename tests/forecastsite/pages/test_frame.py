"""The frame of every page: account menu, help by role, the way back from a missing page, questions."""

from __future__ import annotations

import re

import pytest

from tests.helpers.source_tree import ROOT

TEMPLATES = [path for path in (ROOT / "templates").rglob("*.html") if "admin" not in path.parts]


@pytest.mark.parametrize(
    ("roles", "words"),
    [((), "Viewer"), (("Planner",), "Planner"), (("Curator", "Operator"), "Curator, Operator")],
)
def test_the_account_menu_names_person_and_role(browse, person, read, roles, words):
    text = read(browse(person("zoe", *roles)).get("/"))
    menu = text[text.index("Account:") :]
    assert menu.startswith(f"Account: zoe zoe {words} English 简体中文 Change password")
    assert "Sign out" in menu and ("Administration" in menu) == bool({"Curator", "Operator"} & set(roles))


def test_an_administrator_is_called_one(admin_page, read):
    assert "boss Administrator" in read(admin_page.get("/"))


def test_before_signing_in_only_the_languages_are_offered(anonymous, read):
    text = read(anonymous.get("/login/"))
    assert "简体中文" in text and "Account:" not in text and "Sign out" not in text


@pytest.mark.parametrize(
    ("roles", "tabs", "first"),
    [
        ((), ["Buyers", "Orders"], "For buyers"),
        (("Planner",), ["Buyers", "Orders", "Curators"], "For buyers"),
        (("Curator",), ["Buyers", "Orders", "Curators"], "For curators"),
        (("Operator",), ["Buyers", "Orders", "Operators"], "For operators"),
    ],
)
def test_help_offers_what_is_of_use_to_the_role_and_opens_with_its_own_page(
    browse, person, roles, tabs, first
):
    source = browse(person("zoe", *roles)).get("/help/").content.decode()
    pills = source[source.index('<nav class="pills"') : source.index("<article")]
    assert re.findall(r">\s*(\w+)\s*</a>", pills) == tabs and f"<h1>{first}</h1>" in source


def test_what_developers_read_stays_in_the_repository(page):
    assert page.get("/help/developer/").status_code == 404
    assert (ROOT / "docs" / "developer.md").exists()


def test_help_says_the_number_of_this_installation_and_not_the_name_of_the_setting(page, settings, read):
    from forecastsite.help import render_help

    settings.MAX_BIAS = 0.4
    render_help.cache_clear()
    try:
        text = read(page.get("/help/curator/"))
        assert (
            "at most 40% up or down" in text and "MAX_BIAS" not in page.get("/help/curator/").content.decode()
        )
    finally:
        render_help.cache_clear()


@pytest.mark.parametrize(
    ("address", "list_address", "label"),
    [
        ("/models/00000000-0000-0000-0000-000000000000/", "/models/", "Models"),
        ("/forecasts/00000000-0000-0000-0000-000000000000/", "/forecasts/", "Forecast history"),
        ("/data/4711/", "/data/", "Data"),
        ("/runs/00000000-0000-0000-0000-000000000000/", "/runs/", "Queue"),
    ],
)
def test_a_missing_page_leads_back_to_its_list(page, read, address, list_address, label):
    response = page.get(address)
    assert response.status_code == 404 and f"Back to: {label}" in read(response)
    assert re.search(rf'href="[^"]*{list_address}"', response.content.decode())


def test_no_breadcrumb_ends_in_an_arrow():
    for path in TEMPLATES:
        for crumbs in re.findall(r'<p class="crumbs">(.*?)</p>', path.read_text(), re.S):
            assert not crumbs.strip().endswith("›"), path.name


def test_links_that_delete_ask_in_a_dialog():
    for path in TEMPLATES:
        for link in re.findall(
            r"<a\b[^>]*url '[a-z-]+-(?:delete|cancel|finish|promote)'[^>]*>", path.read_text()
        ):
            assert "data-ask" in link and "hx-confirm" not in link, f"{path.name}: {link}"


def test_the_question_in_the_dialog_is_the_one_of_the_page(page, version):
    source = page.get(f"/models/{version.pk}/delete/").content.decode()
    assert "data-question" in source and re.search(r'href="[^"]*" data-cancel>', source)

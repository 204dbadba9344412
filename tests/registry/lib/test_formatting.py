"""Numbers for people are formatted in one place, the same in sentences, tables and the admin."""

from __future__ import annotations

import ast

import pytest
from django.utils import translation

from registry.lib.formatting import format_percent, format_units, format_whole_number
from tests.helpers.source_tree import modules


def test_only_the_formatting_module_formats_numbers_for_people():
    users = {
        str(path)
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and any(name.name == "number_format" for name in node.names)
    }
    assert users == {"registry/lib/formatting.py"}


@pytest.mark.parametrize("value", [0.06, 0.5, 1.25, 9.94, 10.4, 1234.5])
def test_units_in_sentences_read_as_before(value):
    digits = 0 if value >= 10 else 1  # the rule of the narrative before it shared this function
    assert format_units(value) == f"{round(value, digits):,.{digits}f}"


@pytest.mark.parametrize("value", [0.0, 0.004, 0.1423, 0.995, 1.5, 12.345])
def test_shares_and_totals_in_the_admin_read_as_before(value):
    assert format_percent(value) == f"{value:.1%}"
    assert format_whole_number(value * 1000) == f"{value * 1000:,.0f}"


def test_chinese_pages_group_thousands_too():
    with translation.override("zh-hans"):
        assert (format_units(3049.4), format_percent(0.1423)) == ("3,049", "14.2%")

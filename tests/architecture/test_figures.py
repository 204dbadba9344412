"""The house stays as readable as it was made: `python -m tests.architecture.figures` prints every figure."""

from __future__ import annotations

import pytest

from tests.architecture.figures import Figures, percentile


@pytest.fixture(scope="module")
def figures() -> Figures:
    return Figures()


def test_most_functions_are_named_in_more_than_one_word(figures: Figures) -> None:
    assert figures.one_word_share <= 40


def test_registry_has_few_modules_outside_its_rooms(figures: Figures) -> None:
    assert figures.folders["registry"] <= 6


def test_no_folder_of_code_holds_more_than_twenty_five_modules(figures: Figures) -> None:
    assert {folder: count for folder, count in figures.folders.items() if count > 25} == {}


def test_templates_are_pages_and_not_splinters(figures: Figures) -> None:
    assert figures.template_median >= 18


def test_template_lines_can_be_read_without_scrolling(figures: Figures) -> None:
    assert percentile(figures.template_line_lengths, 0.95) <= 130
    long = {
        f"{name}:{number}": len(line)
        for name, lines in figures.templates.items()
        for number, line in enumerate(lines, 1)
        if len(line) > 160
    }
    assert long == {}


def test_the_readme_is_short_and_shows_the_product(figures: Figures) -> None:
    lines, pictures = figures.readme
    assert lines <= 110 and pictures == 3


def test_the_numerics_say_why(figures: Figures) -> None:
    assert figures.comments_per_100_lines(figures.numerics) >= 4

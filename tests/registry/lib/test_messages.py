"""Sentences of the numerics are found again and said in the reader's language."""

from __future__ import annotations

import ast
import re

from django.utils import translation

from registry.lib.messages import SENTENCES, translate_message
from tests.helpers.source_tree import modules

PURE = (
    "registry/algorithms/",
    "registry/series/",
    "training/learning/pipeline",
    "training/learning/candidate",
    "registry/model_versions/bundle",
    "registry/model_versions/golden",
)
# met by whoever writes an algorithm or the numerics, never by a user
TECHNICAL = ("Two algorithms are called", "Windows of {} days do not fit")


def shape(node: ast.expr) -> str | None:
    """The sentence with {} for its values."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def raised() -> set[str]:
    """Every sentence that the pure code raises."""
    found = set()
    for path, tree in modules():
        if str(path).startswith(PURE):
            for node in ast.walk(tree):
                if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                    found.add(shape(node.exc.args[0]))
    return {text for text in found if text and not text.startswith(TECHNICAL)}


def test_every_sentence_that_the_numerics_raise_is_known():
    known = {re.sub(r"\{\w+\}", "{}", sentence) for sentence in SENTENCES}
    assert len(raised()) > 10 and raised() <= known


def test_a_sentence_is_said_in_the_readers_language_with_its_values():
    text = "There are 30 days of sales, but forecasting 28 days ahead needs 70: "
    text += "add older days or forecast fewer days."
    with translation.override("zh-hans"):
        assert (
            "30" in translate_message(text)
            and "70" in translate_message(text)
            and "现有" in translate_message(text)
        )
    assert (
        translate_message(text) == text
        and translate_message("") == ""
        and translate_message("Something else.") == "Something else."
    )

"""Both languages are whole: each text of the sources is in the catalogue, translated, its places kept."""

from __future__ import annotations

import ast
import io
import re

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

from forecastsite.management.commands.makemessages import collect_algorithm_texts
from tests.helpers.source_tree import ROOT

FILE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
APPS = ("forecastsite", "registry", "training", "prediction")
KEYWORDS = {"_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "ngettext": (1, 2)}
CONTEXTS = {"pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3)}
PLACE = re.compile(r"%\(\w+\)[sd]|\{\w*(?::[^}]*)?\}")


def python_texts(source: str) -> set[str]:
    """Texts in calls of gettext and its kin; of a plural, the singular; of a text with context, the text."""
    found = set()
    for _line, function, message, _notes in extract_python(
        io.BytesIO(source.encode()), {**KEYWORDS, **CONTEXTS}, [], {}
    ):
        parts = message if isinstance(message, tuple) else (message,)
        text = parts[1] if function in CONTEXTS else parts[0]
        if text:
            found.add(text)
    return found


def template_texts(source: str) -> set[str]:
    """Django turns a template into the calls it stands for; everything else becomes X."""
    return python_texts("\n".join(line.strip() for line in templatize(source).splitlines()))


@pytest.fixture(scope="module")
def texts() -> set[str]:
    found = set(collect_algorithm_texts())
    for app in APPS:
        for file in (ROOT / app).rglob("*.py"):
            found |= python_texts(file.read_text())
    for file in (ROOT / "templates").rglob("*.html"):
        found |= template_texts(file.read_text())
    return found


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return read_po(io.BytesIO(FILE.read_bytes()), locale="zh_Hans")


def texts_in_f_strings(source: str) -> list[int]:
    """Lines of f-strings that call gettext inside, where no extraction looks."""
    calls = {*KEYWORDS, *CONTEXTS}
    return [
        call.lineno
        for string in ast.walk(ast.parse(source))
        if isinstance(string, ast.JoinedStr)
        for call in ast.walk(string)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in calls
    ]


def first(text: str | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else text[0]


def test_the_extraction_sees_every_kind_of_text():
    source = (
        "{% load i18n %}{% translate 'One' %}{% blocktranslate with b=a %}Two {{ b }}{% endblocktranslate %}"
    )
    plural = "{% blocktranslate count n=a %}{{ n }} cat{% plural %}{{ n }} cats{% endblocktranslate %}"
    assert template_texts(source + plural) == {"One", "Two %(b)s", "%(n)s cat"}
    assert python_texts('x = _("A") + pgettext("c", "B") + ngettext("C", "Cs", 2)') == {"A", "B", "C"}


def test_no_text_hides_inside_an_f_string():
    hidden = "f\"{what} {_('all') if what else x}\""
    assert texts_in_f_strings(hidden) == [1] and texts_in_f_strings("f'{x}' + _('all')") == []
    files = [file for app in APPS for file in (ROOT / app).rglob("*.py")]
    found = {file: texts_in_f_strings(file.read_text()) for file in files}
    assert not {str(file.relative_to(ROOT)): lines for file, lines in found.items() if lines}


def test_every_text_is_in_the_catalogue(texts, catalogue):
    assert len(texts) > 300
    known = {first(message.id) for message in catalogue if message.id}
    missing = sorted(texts - known)
    assert not missing, "run manage.py makemessages -l zh_Hans --no-location --no-wrap"


def test_the_catalogue_holds_nothing_old(texts, catalogue):
    assert sorted({first(message.id) for message in catalogue if message.id} - texts) == []
    assert not catalogue.obsolete


def test_every_text_is_translated_and_none_is_a_guess(catalogue):
    assert not catalogue.fuzzy, "a fuzzy header makes pybabel skip the whole file silently"
    bad = [
        m.id
        for m in catalogue
        if m.id and (m.fuzzy or not all([m.string] if isinstance(m.string, str) else m.string))
    ]
    assert not bad


def test_translations_keep_the_places_of_values(catalogue):
    for message in catalogue:
        if message.id:
            assert set(PLACE.findall(first(message.id))) == set(PLACE.findall(first(message.string))), (
                message.id
            )


def test_chinese_texts_have_chinese_punctuation(catalogue):
    narrow = re.compile(r"[\u4e00-\u9fff][,;:?!()]|[,;:?!()][\u4e00-\u9fff]")
    texts = [first(message.string) for message in catalogue if message.id]
    assert [text for text in texts if narrow.search(text)] == []


def test_the_catalogue_compiles_without_complaint(catalogue):
    assert [(message.id, errors) for message, errors in catalogue.check()] == []

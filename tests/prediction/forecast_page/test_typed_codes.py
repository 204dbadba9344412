"""What people type for a product: codes, names, parts of them, and what is not there."""

from __future__ import annotations

import re

import pytest

from prediction.forecast_page.typed_codes import TypedCode, UnknownCode
from registry.datasets.catalog import Item
from registry.datasets.importer import import_file
from registry.datasets.names import load_names, read_names


@pytest.fixture
def resolve(sales):
    """The code of a typed product."""
    return lambda typed: TypedCode(sales, "product", typed, {"horizon": "14", "store": "S01"}).resolve()


@pytest.fixture
def refuse(resolve):
    """The sentence about a typed product, without its links, and the addresses of the links."""

    def refuser(typed: str) -> tuple[str, list[str]]:
        with pytest.raises(UnknownCode) as raised:
            resolve(typed)
        said = str(raised.value.args[0])
        return re.sub(r"<[^>]+>", "", said), re.findall(r'href="([^"]*)"', said)

    return refuser


@pytest.fixture
def chinese(sales) -> None:
    for code, name in (("77", "布洛芬缓释胶囊"), ("78", "维生素 C"), ("79", "维生素 D")):
        Item.objects.create(dataset=sales.dataset, kind="product", code=code, name=name)
        sales.products = [*sales.products, code]
    sales.save()
    read_names.cache_clear()  # a version never changes outside tests


@pytest.mark.parametrize(
    ("typed", "code"), [("p001", "P001"), ("布洛芬", "77"), ("维生素 d", "79"), ("78", "78")]
)
def test_a_code_a_name_or_the_only_part_of_a_name_is_enough(resolve, chinese, typed, code):
    assert resolve(typed) == code


def test_a_part_of_several_names_offers_them(refuse, chinese):
    sentence, links = refuse("维生素")
    assert sentence == "“维生素” fits several: 78 维生素 C · 79 维生素 D"
    assert links == [f"/forecast/?horizon=14&amp;store=S01&amp;product={code}" for code in (78, 79)]


def test_a_misspelled_name_is_understood(refuse, sales):
    name = load_names(sales).products["P001"]
    typed = name[0] + name[2:]
    assert refuse(typed)[0].startswith(f"“{typed}” is not in chain. Did you mean: P001")


def test_a_code_of_another_dataset_says_where_it_is_known(refuse, version, sample_file):
    other = import_file(sample_file(1, 5, 120), "another").dataset
    assert refuse("P005")[0].startswith("“P005” is not in chain. Did you mean:"), "no model knows it yet"
    model = version.model
    model.pk, model.dataset, model.best = None, other, version
    model.save()
    sentence, links = refuse("P005")
    name = Item.objects.get(dataset=other, code="P005").name
    assert sentence == f"“P005” is not in chain; P005 {name} is in another: use it"
    assert links == [f"/d/{other.pk}/forecast/?product=P005&amp;horizon=14"]


def test_what_is_typed_is_shown_as_text(refuse):
    assert "&lt;b&gt;" in refuse("<b>no")[0]

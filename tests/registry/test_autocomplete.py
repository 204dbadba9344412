"""Fields that suggest stores and products: what is found, in which order, and what may be typed."""

from __future__ import annotations

import re

import pytest

from registry.datasets.catalog import Item
from registry.datasets.scope import Scope


@pytest.fixture
def ask(page):
    """Values suggested for some words."""

    def asker(words: str, kind: str = "product", **given: object) -> list[str]:
        response = page.get(f"/data/suggest/{kind}/", {kind: words, **given})
        return re.findall(r'data-value="([^"]*)"', response.content.decode())

    return asker


@pytest.fixture
def many(sales) -> list[str]:
    """Three thousand products more, in Chinese and in English."""
    words = ["感冒灵颗粒", "Vitamin C", "Ibuprofen", "维生素"]
    codes = [f"{number:05d}" for number in range(3000)]
    Item.objects.bulk_create(
        [
            Item(dataset=sales.dataset, kind="product", code=code, name=f"{words[place % 4]} {place}")
            for place, code in enumerate(codes)
        ]
    )
    sales.products = sorted([*sales.products, *codes])
    sales.save()
    return codes


def test_codes_and_names_are_found_in_both_languages(ask, many, sales):
    dataset = sales.dataset.pk
    assert ask("00017", dataset=dataset) == ["00017 Vitamin C 17"]
    assert ask("感冒 2400", dataset=dataset) == ["02400 感冒灵颗粒 2400"]
    assert ask("ibuPROFEN 1502", dataset=dataset) == ["01502 Ibuprofen 1502"]
    assert len(ask("", dataset=dataset)) == len(ask("0", dataset=dataset)) == 12


def test_the_code_itself_stands_first(ask, sales):
    for code, name in (("12", "Aspirin"), ("1", "Bandage"), ("99", "1 of a kind")):
        Item.objects.create(dataset=sales.dataset, kind="product", code=code, name=name, total=int(code))
    sales.products = [*sales.products, "1", "12", "99"]
    sales.save()
    assert ask("1", dataset=sales.dataset.pk)[:3] == ["1 Bandage", "12 Aspirin", "99 1 of a kind"]


def test_only_codes_the_model_knows_are_suggested(ask, publish):
    one = publish(Scope("product", "P002"))
    assert [value[:4] for value in ask("", version=one.pk)] == ["P002"]
    assert len(ask("", "store", version=one.pk)) == 2


def test_what_is_not_there_gives_a_sentence_and_nonsense_no_error(ask, page, sales, read):
    answer = page.get("/data/suggest/product/", {"product": "xyz", "dataset": sales.dataset.pk})
    assert "Nothing of that name" in read(answer)
    assert ask("", dataset="nonsense") == ask("", version="nonsense") == []
    assert ask("\0'%_", dataset=sales.dataset.pk) == []
    assert page.get("/data/suggest/nonsense/").status_code == 404


@pytest.mark.parametrize("typed", ["P001", "p001", "Paracetamol 500 mg", "P001 Paracetamol 500 mg"])
def test_a_training_takes_code_or_name(page, sales, typed):
    from registry.datasets.names import load_names
    from training.forms import TrainForm

    name = load_names(sales).products["P001"]
    form = TrainForm(initial={})
    said = {
        "dataset": sales.dataset.pk,
        "kind": "product",
        "product": typed.replace("Paracetamol 500 mg", name),
    }
    form = TrainForm({**{field: form[field].initial for field in form.fields}, **said})
    form.is_valid()
    assert "product" not in form.errors and form.cleaned_data["product"] == "P001"


def test_a_code_that_is_not_there_is_answered_with_those_like_it(page, sales, read):
    from registry.datasets.names import load_names

    name = load_names(sales).products["P003"]
    said = {"dataset": sales.dataset.pk, "kind": "product", "product": name[:-1]}
    assert f"choose one from the list, like P003 {name}." in read(page.post("/train/", said))


def test_the_pages_hold_no_list_of_all_products(page, version, many):
    for address in ("/train/", "/forecast/"):
        source = page.get(address).content.decode()
        assert many[7] not in source and 'data-suggest="product-options"' in source

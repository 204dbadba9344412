"""Which version answers: in use, and knowing what is asked."""

from __future__ import annotations

import pytest

from prediction.forecast_page.version_choice import find_version
from registry.datasets.scope import Scope
from registry.model_versions.models import ForecastModel
from registry.series.levels import Selection


@pytest.fixture
def ask(sales):
    return lambda store="", product="": find_version(sales.dataset, Selection(store, product))


def test_the_version_of_everything_answers_before_a_narrower_one(ask, publish):
    publish(Scope("product", "P001"), wape=0.1)
    whole = publish(wape=0.3)
    assert ask() == ask(product="P001") == ask(store="S01", product="P001") == whole


def test_a_narrower_one_answers_what_that_of_everything_has_not_learned(ask, publish, sales):
    publish()
    narrow = publish(Scope("product", "P002"))
    sales.products = ["P001"]  # P002 came with newer sales
    sales.save()
    assert ask(product="P002") == narrow and ask(product="P003") is None


def test_without_one_in_use_the_most_accurate_one_answers(ask, publish):
    made = [publish(wape=wape) for wape in (0.4, 0.2, 0.3)]
    ForecastModel.objects.update(best=None)
    assert ask() == made[1]


def test_products_alone_do_not_answer_for_everything(ask, publish):
    publish(Scope("product", "P001"))
    assert ask() is None and ask(store="S01") is None

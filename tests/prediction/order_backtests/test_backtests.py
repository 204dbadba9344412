"""Back-tests of orders as jobs and pages: asked for once, honest about what was known, kept."""

from __future__ import annotations

import json
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django_q.models import OrmQ

from forecastsite.tasks import run_order_backtest
from prediction.engine import load_bundle
from prediction.order_backtests import maker
from prediction.order_backtests.maker import prepare_backtest
from prediction.order_backtests.models import OrderBacktest
from registry.datasets.models import Dataset
from registry.datasets.stock.models import Terms

ASKED = {"rule": "cover", "least": 14, "most": 21, "weeks": 4, "lead_days": 3, "review_days": 7, "budget": 5}


@pytest.fixture
def panels(version, monkeypatch) -> list:
    """What was shown to whoever learns; the bundle is that of the version in use."""
    seen: list = []

    def learn(test, panel):
        seen.append(panel)
        return load_bundle(version)

    monkeypatch.setattr("forecastsite.tasks.learn_bundle", learn)
    monkeypatch.setattr("forecastsite.management.commands.backtest_orders.learn_bundle", learn)
    return seen


def test_it_learns_only_on_what_was_known_and_says_what_came_of_each_rule(panels, sales):
    Terms.objects.create(dataset=sales.dataset, key="P001", pack=4, unit_cost=2, price=5, shelf_life=20)
    test = prepare_backtest(Dataset.objects.get(), **ASKED).queue()
    run_order_backtest(str(test.pk))
    test.refresh_from_db()
    assert test.is_done, test.error_text
    result = test.result
    (panel,) = panels
    assert panel.days == 300 - test.replay_days
    assert result["learned_until"] == str(panel.start + np.timedelta64(panel.days - 1, "D"))
    assert result["last"] == str(sales.last) and result["orders"] == 4 and result["series"] == 6
    assert set(result["rules"]) == {"ours", "own", "weeks", "normal", "foresight"}
    assert result["rules"]["foresight"]["fill_rate"] >= result["rules"]["ours"]["fill_rate"] > 0.5


def test_too_few_days_and_no_model_end_with_one_sentence(panels, sales):
    test = prepare_backtest(Dataset.objects.get(), **{**ASKED, "weeks": 40}).queue()
    run_order_backtest(str(test.pk))
    test.refresh_from_db()
    assert test.stage == "failed" and "choose fewer weeks" in test.error_text
    sales.dataset.models.update(best=None)
    with pytest.raises(ValueError, match="train a model first"):
        prepare_backtest(Dataset.objects.get())


def test_it_waits_among_the_trainings_and_is_no_sign_of_a_stalled_queue(version):
    test = prepare_backtest(Dataset.objects.get(), **ASKED).queue()
    assert [row.key for row in OrmQ.objects.all() if row.func() == OrderBacktest.JOB] == ["training"]
    assert not OrderBacktest.is_any_running()
    assert test.claim() and OrderBacktest.is_any_running()


def test_of_many_series_always_the_same_are_drawn(version, sales, monkeypatch):
    monkeypatch.setattr(maker, "MAX_SERIES", 4)
    panel = maker.load_panel(sales, version.model.scope)
    first, again = (maker.choose_series(panel, 250) for _draw in range(2))
    assert first[0].tolist() == again[0].tolist() and (len(first[0]), first[1]) == (4, 6)


def test_the_command_prints_the_result(panels, sales, capsys):
    call_command("backtest_orders", "--weeks", "4", "--rule", "minmax", "--budget", "5", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["rules"]["own"]["orders"] > 0 and OrderBacktest.objects.get().rule == "minmax"
    with pytest.raises(CommandError):
        call_command("backtest_orders", "--weeks", "1")


def test_a_planner_asks_for_one_and_reads_it(panels, sales, person, browse, read):
    client, address = browse(person("pia", "Planner")), f"/d/{sales.dataset_id}/orders/backtests/"
    wrong = {**ASKED, "rule": "minmax", "most": 3, "token": str(uuid4())}
    assert "must not be below" in read(client.post(address, wrong))
    form = {**ASKED, "token": str(uuid4())}
    for _click in range(2):
        assert "A model learns" in read(client.post(address, form, follow=True))
    test = OrderBacktest.objects.get()
    run_order_backtest(str(test.pk))
    text = read(client.get(f"{address}{test.pk}/"))
    for part in ("Your rule would have sold", "Service against stock", "What this cannot know", "By class"):
        assert part in text
    assert "done" in read(client.get(address))

"""Orders and overrides through the API: the verbs of their pages."""

from __future__ import annotations

import pytest

from prediction.models import CurrentForecast, OrderLine, OrderRun, Override
from prediction.tasks import make_order_run
from tests.helpers import small_files

JSON = "application/json"


@pytest.fixture
def current(version, make_run, sales):
    """The current forecast run."""
    run = make_run(version)
    facts = {"run": run, "forecast": run.totals}
    CurrentForecast.objects.update_or_create(dataset=sales.dataset, defaults=facts)
    return run


@pytest.fixture
def order(api, sales, current) -> OrderRun:
    """An order that a program has asked for."""
    small_files.stock(sales)
    token = {"Idempotency-Key": "tonight"}
    address = f"/api/v1/datasets/{sales.dataset_id}/orders"
    answers = [api.post(address, headers=token) for _time in range(2)]
    assert answers[0].status_code == 202 and answers[0].json() == answers[1].json()
    made = OrderRun.objects.get()
    make_order_run(str(made.pk))
    made.refresh_from_db()
    assert api.get(answers[0]["Location"]).json()["result"] == f"/api/v1/orders/{made.pk}"
    return made


def test_an_order_is_changed_approved_and_exported_once(api, order, user):
    address = f"/api/v1/orders/{order.pk}"
    assert (order.source, order.created_by) == ("api", user)
    lines = api.get(f"{address}/lines?show=all&limit=1000").json()["items"]
    assert len(lines) == order.lines
    body = {"lines": [0], "how": "set", "value": 7, "reason": "A fair."}
    assert api.post(f"{address}/change", body, JSON).json() == {"count": 1}
    assert api.post(f"{address}/change", {**body, "lines": [99999]}, JSON).status_code == 409
    assert api.post(f"{address}/approve", {"lines": [0]}, JSON).json() == {"count": 1}
    assert api.get(f"{address}/lines?show=changed").json()["items"][0]["quantity"] == 7
    made = api.post(f"{address}/exports", {"format": "csv"}, JSON)
    assert made.status_code == 201 and made.json()["lines"] == 1
    assert b"7" in api.get(made.json()["file"]).content
    assert api.post(f"{address}/exports", {"format": "csv"}, JSON).status_code == 409
    again = api.post(f"{made.json()['file']}/repeat", {"reason": "Lost."}, JSON)
    assert again.status_code == 201 and again.json()["lines"] == 1
    assert OrderLine.objects.get().state == "exported"
    assert len(api.get(f"{address}/lines?show=all&format=csv").content.splitlines()) == order.lines + 1
    assert api.delete(address).status_code == 204


def test_a_key_for_some_stores_sees_their_lines_only(program, user, order):
    client = program(user, "orders:read", stores=("S01",))
    found = client.get(f"/api/v1/orders/{order.pk}/lines?show=all&limit=1000").json()["items"]
    assert {line["store"] for line in found} == {"S01"}
    assert client.get(f"/api/v1/orders/{order.pk}").status_code == 403


def test_a_policy_is_another_version(api, sales):
    address = f"/api/v1/datasets/{sales.dataset_id}/order-policy"
    assert api.get(address).json()["number"] == 1
    body = {"kind": "fill", "level": 0.9, "classes": {"AX": ["cycle", 0.99]}, "reason": "Dear stock."}
    changed = api.put(address, body, JSON).json()
    assert (changed["number"], changed["classes"]) == (2, {"AX": ["cycle", 0.99]})


def test_an_override_is_added_and_withdrawn(api, current, sales, user):
    first = str(current.first_day)
    body = {"product": "P001", "first": first, "last": first, "amount": 20, "reason": "promotion"}
    address = f"/api/v1/datasets/{sales.dataset_id}/overrides"
    made = api.post(address, body, JSON)
    assert made.status_code == 201 and Override.objects.get().created_by == user
    refused = api.post(address, {**body, "amount": -200}, JSON)
    assert refused.status_code == 422 and "at most" in refused.json()["detail"]
    assert [one["id"] for one in api.get(address).json()["items"]] == [made.json()["id"]]
    withdrawn = f"/api/v1/overrides/{made.json()['id']}/withdraw"
    assert api.post(withdrawn).json()["withdrawn_at"] and api.post(withdrawn).status_code == 409

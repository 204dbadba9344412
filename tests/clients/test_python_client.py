"""The Python client against the API: from sales to an order."""

from __future__ import annotations

import sys

import httpx
import pandas as pd
import pytest
from django.test import Client as Browser

from forecastsite.api.keys import make_key
from forecastsite.api.scopes import list_open_scopes
from prediction.models import CurrentForecast, OrderRun
from prediction.tasks import make_order_run
from tests.helpers import small_files
from tests.helpers.source_tree import ROOT

sys.path.insert(0, str(ROOT / "clients" / "python"))
from forecastsite_client import Client, JobFailed, Refused, client


class DjangoTransport(httpx.BaseTransport):
    """Sends requests to Django in this process, and notes them."""

    def __init__(self) -> None:
        self.browser, self.sent = Browser(), []
        self.answers: list[httpx.Response] = []  # given before Django is asked

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        if self.answers:
            return self.answers.pop(0)
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        kind = headers.pop("content-type", "")
        path = request.url.raw_path.decode()
        answer = self.browser.generic(request.method, path, request.read(), kind, headers=headers)
        return httpx.Response(answer.status_code, headers=dict(answer.items()), content=answer.getvalue())


@pytest.fixture
def transport() -> DjangoTransport:
    return DjangoTransport()


@pytest.fixture
def site(user, transport, monkeypatch):
    monkeypatch.setattr(client.time, "sleep", lambda seconds: None)
    _key, text = make_key(user, "notebook", [scope.name for scope in list_open_scopes(user)])
    with Client("http://testserver", text, transport=transport) as found:
        yield found


def test_sales_are_pushed_as_a_frame_and_as_a_file(site, tmp_path):
    days = pd.date_range("2026-01-01", periods=30).strftime("%Y-%m-%d")
    frame = pd.DataFrame({"date": days, "store": "S1", "product": "P1", "qty": range(30)})
    made = site.create_dataset("till", frame)
    assert made["dataset"]["version"]["rows"] == 30
    (tmp_path / "more.csv").write_text("date,store,product,qty\n2026-01-31,S1,P1,5\n")
    more = site.push_sales(made["dataset"]["id"], tmp_path / "more.csv")
    assert more["dataset"]["version"]["rows"] == 31 and site.dataset("till")["id"] == more["dataset"]["id"]
    with pytest.raises(LookupError):
        site.dataset("nowhere")


def test_a_refusal_has_the_sentence_of_the_server(site, sales):
    rows = "".join(f"0{day}/02/2026,S1,P1,1\n" for day in range(1, 9))
    with pytest.raises(Refused) as refused:
        site.push(f"datasets/{sales.dataset_id}/sales", _file(rows), {})
    assert refused.value.status == 422 and refused.value.question["answers"] == ["dmy", "mdy"]
    with pytest.raises(Refused, match="Choose one from the list"):
        site.train(sales.dataset_id, "nothing")


def _file(rows: str):
    class Table:
        """What the client sends as parquet."""

        def to_parquet(self, buffer, index):
            lines = [line.split(",") for line in rows.splitlines()]
            frame = pd.DataFrame(lines, columns=["date", "store", "product", "qty"])
            frame.to_parquet(buffer, index=index)

    return Table()


def test_a_busy_server_is_asked_again_with_the_same_token(site, sales, transport):
    transport.answers = [httpx.Response(429, headers={"Retry-After": "1"}), httpx.Response(503)]
    job = site.train(sales.dataset_id, "seasonal_naive", budget=5)
    assert job["state"] == "queued" and len(transport.sent) == 3
    assert len({request.headers["Idempotency-Key"] for request in transport.sent}) == 1


def test_a_job_is_waited_for_and_its_failure_raised(site, sales, version, monkeypatch):
    job = site.train(sales.dataset_id, "seasonal_naive", budget=5)
    states = iter([{**job, "state": "running"}, {**job, "state": "failed", "error": "No memory."}])
    monkeypatch.setattr(site, "request", lambda method, path: next(states))
    with pytest.raises(JobFailed, match="No memory"):
        site.wait(job)


def test_forecast_and_order_come_as_frames(site, sales, version, make_run):
    run = make_run(version)
    facts = {"run": run, "forecast": run.totals}
    CurrentForecast.objects.update_or_create(dataset=sales.dataset, defaults=facts)
    frame = site.forecast(sales.dataset_id)
    assert len(frame) == run.rows and {"store_id", "product_id", "date", "mean", "q0.5"} <= set(frame)
    assert set(site.forecast(sales.dataset_id, store="S01")["store_id"]) == {"S01"}
    small_files.stock(sales)
    job = site.order(sales.dataset_id)
    make_order_run(job["id"])
    order = site.wait(site.request("GET", f"jobs/{job['id']}"))
    assert len(site.order_lines(order["id"], show="all")) == OrderRun.objects.get().lines
    assert [row["id"] for row in site.pages(f"datasets/{sales.dataset_id}/orders")] == [order["id"]]


def test_the_client_is_small_and_knows_nothing_of_the_server():
    files = sorted((ROOT / "clients" / "python").rglob("*.py"))
    texts = [path.read_text() for path in files]
    assert 0 < sum(len(text.splitlines()) for text in texts) <= 400
    assert not any("django" in text.lower() or "from forecastsite." in text for text in texts)

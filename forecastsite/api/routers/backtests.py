"""Back-tests of orders: what the last weeks would have cost by our policy and by the rule of today."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query

from forecastsite.api.access import KeyRequest, needs, router
from forecastsite.api.errors import require_valid
from forecastsite.api.paging import Page, Paging, page_newest
from forecastsite.api.plan_schemas import BacktestIn, BacktestOut
from forecastsite.api.routers.jobs import accept_job
from forecastsite.api.schemas import JobOut
from forecastsite.api.shapes import pick
from prediction.order_backtests.forms import BacktestForm
from prediction.order_backtests.maker import prepare_backtest
from prediction.order_backtests.models import OrderBacktest
from registry.datasets.models import Dataset

READ, WRITE, ADD = "orders:read", "orders:write", "prediction.add_orderbacktest"
FIELDS = ("id", "stage", "weeks", "lead_days", "review_days", "rule", "least", "most", "budget", "algorithm")


@router.get("/datasets/{id:dataset}/order-backtests", response=Page[BacktestOut], **needs(READ))
def list_backtests(request: KeyRequest, dataset: int, paging: Query[Paging]) -> Any:
    """The back-tests of a dataset, newest first."""
    rows = OrderBacktest.objects.filter(dataset=get_object_or_404(Dataset, pk=dataset))
    return page_newest(rows.defer("result"), paging, lambda row: show_backtest(row) | {"result": None})


@router.post("/datasets/{id:dataset}/order-backtests", response={202: JobOut}, **needs(WRITE, ADD))
def start_backtest(request: KeyRequest, response: HttpResponse, dataset: int, body: BacktestIn) -> Any:
    """Queues a back-test of the newest sales by the policy that counts."""
    owner = get_object_or_404(Dataset, pk=dataset)
    test = OrderBacktest.objects.filter(form_token=request.once).first()
    if test is None:
        form = BacktestForm(body.dict())
        require_valid(form)
        test = prepare_backtest(owner, form_token=request.once, **form.cleaned_data)
        test.created_by_id = request.user.pk
        test = test.queue()
    return accept_job(response, test)


@router.get("/order-backtests/{uuid:test}", response=BacktestOut, **needs(READ))
def get_backtest(request: KeyRequest, test: UUID) -> Any:
    """A back-test with its result."""
    found = get_object_or_404(OrderBacktest, pk=test)
    return show_backtest(found) | {"result": found.result}


def show_backtest(test: OrderBacktest) -> dict[str, Any]:
    """A back-test without its result."""
    links = {"dataset": test.dataset_id, "dataset_version": test.dataset_version_id}
    return pick(test, *FIELDS, "created_at", "finished_at") | links | {"error": test.error_text}

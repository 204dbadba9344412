"""Pages of back-tests of orders: ask for one, and read what came of it."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from prediction.order_backtests.forms import BacktestForm
from prediction.order_backtests.maker import prepare_backtest
from prediction.order_backtests.models import OrderBacktest
from prediction.order_backtests.page import show_result
from registry.access.permissions import require
from registry.datasets.chosen import chosen_dataset
from registry.datasets.models import Dataset
from registry.lib.messages import translate_error
from registry.lib.request_values import read_uuid

ADD = "prediction.add_orderbacktest"
MAX_SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
def backtest_list(request: HttpRequest) -> HttpResponse:
    """Earlier back-tests, and the form of the next one."""
    dataset = chosen_dataset(request)
    form = BacktestForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        require(request.user.has_perm(ADD), ADD)
        if dataset is not None and form.is_valid():
            try:
                return redirect("orders-backtest", queue_backtest(request, dataset, form).pk)
            except ValueError as problem:
                messages.error(request, translate_error(problem))
    tests = OrderBacktest.objects.filter(dataset=dataset).select_related("created_by").defer("result")
    context = {"form": form, "tests": tests[:MAX_SHOWN], "token": uuid4()}
    return render(request, "orders/backtests.html", context)


def queue_backtest(request: HttpRequest, dataset: Dataset, form: BacktestForm) -> OrderBacktest:
    """The back-test of a valid form; a click that comes twice makes one. Raises MessageError."""
    token = read_uuid(request.POST.get("token"))
    with transaction.atomic():
        Dataset.objects.select_for_update().get(pk=dataset.pk)
        if token and (same := OrderBacktest.objects.filter(form_token=token).first()):
            return same
        test = prepare_backtest(dataset, form_token=token, **form.cleaned_data)
        test.created_by_id = request.user.pk
        return test.queue()


@require_safe
def backtest_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A back-test: verdict, figures, curve, by class and store, and what it cannot know."""
    related = ("dataset", "dataset_version", "policy", "created_by")
    test = get_object_or_404(OrderBacktest.objects.select_related(*related), pk=pk)
    return render(
        request, "orders/backtest.html", {"test": test, **(show_result(test) if test.is_done else {})}
    )

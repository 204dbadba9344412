"""Pages of one line, of a supplier's order as it is printed, and of the policy."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from prediction.order_runs.change import explain_change
from prediction.order_runs.forms import PolicyForm
from prediction.order_runs.line_page import show_line
from prediction.order_runs.listing import LineQuery, load_states, load_table
from prediction.order_runs.models import OrderPolicy, OrderRun, current_policy
from prediction.order_runs.page import list_rows
from prediction.order_runs.views import find_order
from prediction.order_runs.wording import INPUT_TITLES
from prediction.runs.views import signed_in_user
from registry.access.permissions import require
from registry.datasets.chosen import chosen_dataset
from registry.lib.messages import translate_error
from registry.storage.artifacts import CorruptArtifact

ADD_POLICY = "prediction.add_orderpolicy"
MAX_POLICIES = 20


@require_safe
def order_line(request: HttpRequest, pk: UUID, place: int) -> HttpResponse:
    """A line: why this quantity, where it comes from, what people did to it."""
    run = find_line(pk, place)
    try:
        return render(request, "orders/line.html", show_line(run, place))
    except (CorruptArtifact, ValueError) as problem:
        messages.error(request, translate_error(problem))
        return redirect("orders")


@require_safe
def order_line_change(request: HttpRequest, pk: UUID, place: int) -> HttpResponse:
    """Why a line differs from that of the order before, worked out when somebody asks."""
    run = find_line(pk, place)
    context: dict[str, Any] = {"run": run, "place": place, "is_asked": True}
    try:
        found = explain_change(run, place)
        context["change"] = found
        if found is not None:
            parts = [(INPUT_TITLES[name], units) for name, units in found.parts.items()]
            context |= {"parts": parts, "difference": found.now - found.before}
    except (CorruptArtifact, ValueError) as problem:
        context["problem"] = translate_error(problem)
    return render(request, "orders/line.html#change", context)


def find_line(pk: UUID, place: int) -> OrderRun:
    """The done order that has this line; 404 without one."""
    run = find_order(pk)
    if not run.is_done or place >= run.lines:
        raise Http404
    return run


@require_safe
def order_print(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Every line that the filters find on one page, for paper."""
    run = find_order(pk)
    if not run.is_done:
        raise Http404
    try:
        table = load_table(run)
    except (CorruptArtifact, ValueError) as problem:
        messages.error(request, translate_error(problem))
        return redirect("orders-run", pk)
    query, states = LineQuery.from_address(request.GET), load_states(run, table)
    rows = table.find(query, states)
    context = {"run": run, "query": query, "rows": list_rows(run, table, states, rows)}
    context |= {"units": states.quantity[rows].sum(), "cost": table.sum_cost(rows, states)}
    return render(request, "orders/print.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def order_policy(request: HttpRequest) -> HttpResponse:
    """The policy and its earlier versions; a change is a new version."""
    dataset = chosen_dataset(request)
    if dataset is None:
        return redirect("orders")
    policy = current_policy(dataset)
    if request.method == "POST":
        require(request.user.has_perm(ADD_POLICY), ADD_POLICY)
        form = PolicyForm(request.POST, instance=OrderPolicy(dataset=dataset))
        if form.is_valid():
            form.save_policy(dataset, signed_in_user(request))
            messages.success(request, _("The next order follows this policy."))
            return redirect("orders-policy")
    else:
        form = PolicyForm(instance=policy)
    earlier = OrderPolicy.objects.filter(dataset=dataset).select_related("created_by")[:MAX_POLICIES]
    return render(request, "orders/policy.html", {"form": form, "policy": policy, "earlier": earlier})

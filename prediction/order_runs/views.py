"""Pages of orders: the list, one order with its lines, and what people decide about them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from prediction.order_runs.decisions import approve_lines, change_lines, export_lines, repeat_export
from prediction.order_runs.exports import list_table, send_export
from prediction.order_runs.forms import ChangeForm
from prediction.order_runs.listing import LineQuery, OrderTable, choose_places, load_states, load_table
from prediction.order_runs.maker import find_forecast_run, prepare_order, save_order
from prediction.order_runs.models import OrderExport, OrderRun, current_policy
from prediction.order_runs.page import list_choices, list_rows, show_notes
from prediction.runs.views import signed_in_user
from registry.access.permissions import permission_required, require
from registry.datasets.chosen import chosen_dataset
from registry.datasets.stock.models import latest_stock
from registry.lib.export import EXPORT_FORMATS, export_table
from registry.lib.http import render_confirmation
from registry.lib.messages import translate_error
from registry.lib.request_values import read_uuid
from registry.storage.artifacts import CorruptArtifact

PAGE_SIZE = 50
ADD, CHANGE, APPROVE = (f"prediction.{verb}_orderrun" for verb in ("add", "change", "approve"))


@require_safe
def order_list(request: HttpRequest) -> HttpResponse:
    """The orders of the dataset, newest first, and what the next one would be made from."""
    dataset = chosen_dataset(request)
    page = Paginator(OrderRun.objects.of_dataset(dataset), PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"page": page, "is_going": any(run.is_going for run in page.object_list)}
    if dataset is not None:
        found = {"run": find_forecast_run(dataset), "stock": latest_stock(dataset)}
        context |= {**found, "policy": current_policy(dataset), "token": uuid4()}
    return render(request, "orders/list.html", context)


@require_POST
@permission_required(ADD)
def order_create(request: HttpRequest) -> HttpResponse:
    """Queues an order of the newest stock; a click that comes twice makes one order."""
    dataset = chosen_dataset(request)
    try:
        if dataset is None:
            raise ValueError(_("There is no dataset yet: import sales first."))
        order = prepare_order(dataset, form_token=read_uuid(request.POST.get("token")))
        order.created_by_id = request.user.pk
        return redirect("orders-run", save_order(order).pk)
    except ValueError as problem:
        messages.error(request, str(problem))
        return redirect("orders")


@require_safe
def order_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """An order: its suppliers and its lines as the address filters and sorts them; also as CSV and Excel."""
    run = find_order(pk)
    if not run.is_done:
        return render(request, "orders/run.html", {"run": run})
    try:
        table = load_table(run)
    except (CorruptArtifact, ValueError) as problem:
        return render(request, "orders/run.html", {"run": run, "problem": translate_error(problem)})
    return show_lines(request, run, table)


def show_lines(request: HttpRequest, run: OrderRun, table: OrderTable) -> HttpResponse:
    """The lines as the address asks for them."""
    query, states = LineQuery.from_address(request.GET), load_states(run, table)
    rows = table.find(query, states)
    if (kind := request.GET.get("export")) in EXPORT_FORMATS:
        return export_table("order", kind, list_table(run, table, states, rows))
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "run": run,
        "query": query,
        "page": page,
        "rows": list_rows(run, table, states, page.object_list),
    }
    context |= {"units": states.quantity[rows].sum(), "cost": table.sum_cost(rows, states)}
    context |= list_choices(run, table, states, query)
    if request.headers.get("HX-Target") == "lines":
        return render(request, "orders/run.html#lines", context)
    context |= {"suppliers": table.list_suppliers(states), "notes": show_notes(run), "token": uuid4()}
    context["exports"] = run.exports.select_related("by", "repeats")[:PAGE_SIZE]
    return render(request, "orders/run.html", context)


def find_order(pk: UUID) -> OrderRun:
    """The order with the rows that its page names; 404 without one."""
    related = (
        "forecast_run__version__model",
        "forecast_run__dataset_version",
        "stock",
        "policy",
        "created_by",
    )
    return get_object_or_404(OrderRun.objects.select_related("dataset", *related), pk=pk)


@require_POST
@permission_required(CHANGE)
def order_change(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Changes the ticked lines, or all that the filters find, with a reason."""
    run, form = find_order(pk), ChangeForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.problem)
        return go_back(request, run)

    def change(places: list[int]) -> str:
        count = change_lines(run, places, form.change, form.cleaned_data["reason"], signed_in_user(request))
        return ngettext(
            "Changed %(count)d line, rounded to whole packs.",
            "Changed %(count)d lines, rounded to whole packs.",
            count,
        ) % {"count": count}  # fmt: skip

    return decide_lines(request, run, change)


@require_POST
@permission_required(APPROVE)
def order_approve(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Approves the ticked lines, or all that the filters find."""
    run = find_order(pk)

    def approve(places: list[int]) -> str:
        count = approve_lines(run, places, signed_in_user(request))
        return ngettext("Approved %(count)d line.", "Approved %(count)d lines.", count) % {"count": count}

    return decide_lines(request, run, approve)


def decide_lines(request: HttpRequest, run: OrderRun, verb: Any) -> HttpResponse:
    """Does the verb to the chosen lines and says what became of it."""
    try:
        table = load_table(run)
        rows = table.find(LineQuery.from_address(request.GET), load_states(run, table))
        places = choose_places(rows, request.POST.getlist("line"), request.POST.get("which") == "all")
        if not places:
            raise ValueError(_("Tick lines first, or choose all lines found."))
        messages.success(request, verb(places))
    except (CorruptArtifact, ValueError) as problem:
        messages.error(request, translate_error(problem))
    return go_back(request, run)


def go_back(request: HttpRequest, run: OrderRun) -> HttpResponse:
    """The page of the order with the same filters, or that of the line that was changed."""
    if (place := request.POST.get("place", "")).isdecimal() and len(place) < 10:
        return redirect("orders-line", run.pk, int(place))
    return redirect(f"{reverse('orders-run', args=[run.pk])}?{request.GET.urlencode()}")


@require_POST
@permission_required(CHANGE)
def order_export(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Sends the approved lines of a supplier as a file, once."""
    run, supplier = find_order(pk), request.POST.get("supplier", "")
    suffix = request.POST.get("format", "")
    try:
        if suffix not in EXPORT_FORMATS:
            raise ValueError(_("Choose Excel or CSV."))
        name = supplier.removeprefix("=")[:120] if supplier else None
        token = read_uuid(request.POST.get("token"))
        return send_export(export_lines(run, name, suffix, signed_in_user(request), token))
    except (CorruptArtifact, ValueError) as problem:
        messages.error(request, translate_error(problem))
        return redirect("orders-run", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(CHANGE)
def order_again(request: HttpRequest, pk: UUID, export: int) -> HttpResponse:
    """Asks for a reason, then sends a file that was exported before."""
    related = ("run__forecast_run__dataset_version", "run__stock", "repeats")
    found = get_object_or_404(OrderExport.objects.select_related(*related), pk=export, run=pk)
    problem = ""
    if request.method == "POST":
        try:
            token = read_uuid(request.POST.get("token"))
            again = repeat_export(found, request.POST.get("reason", ""), signed_in_user(request), token)
            return send_export(again)
        except (CorruptArtifact, ValueError) as refusal:
            problem = translate_error(refusal)
    return render(request, "orders/again.html", {"export": found, "problem": problem, "token": uuid4()})


@require_http_methods(["GET", "HEAD", "POST"])
def order_delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks for confirmation, then deletes the order with its file."""
    run = find_order(pk)
    require(run.may_delete(request.user), "prediction.delete_orderrun")
    try:
        sentence = run.deletion_notice()
    except ValueError as refusal:
        messages.error(request, str(refusal))
        return redirect("orders-run", pk)
    if request.method == "POST":
        run.remove(by=signed_in_user(request))
        messages.success(request, _("Deleted the order and its file."))
        return redirect("orders")
    back = reverse("orders-run", args=[pk])
    return render_confirmation(request, _("Delete this order?"), sentence, _("Yes, delete it"), back)

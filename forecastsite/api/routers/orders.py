"""Orders: made from forecast, stock, terms and policy; lines changed, approved, exported."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import numpy as np
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Status

from forecastsite.api.access import KeyRequest, needs, require_store, router
from forecastsite.api.errors import require_valid
from forecastsite.api.model_schemas import ReasonIn
from forecastsite.api.order_schemas import (
    ChangeIn,
    CountOut,
    ExportIn,
    ExportOut,
    LinesIn,
    OrderLineOut,
    OrderOut,
    PolicyIn,
    PolicyOut,
)
from forecastsite.api.paging import Page, Paging, page_newest, page_offset
from forecastsite.api.routers.jobs import accept_job
from forecastsite.api.schemas import JobOut, Text
from forecastsite.api.shapes import pick
from forecastsite.api.tables import answer_table
from prediction.order_runs.decisions import Change, approve_lines, change_lines, export_lines, repeat_export
from prediction.order_runs.exports import send_export
from prediction.order_runs.forms import PolicyForm
from prediction.order_runs.listing import STATES, LineQuery, LineStates, OrderTable, load_states, load_table
from prediction.order_runs.maker import prepare_order, save_order
from prediction.order_runs.models import OrderExport, OrderPolicy, OrderRun, current_policy
from prediction.order_runs.views import find_order
from prediction.orders.proposal import VERDICTS
from registry.access.permissions import require
from registry.datasets.models import Dataset

READ, WRITE = "orders:read", "orders:write"
ADD, CHANGE, APPROVE, DELETE = (
    f"prediction.{verb}_orderrun" for verb in ("add", "change", "approve", "delete")
)
ADD_POLICY = "prediction.add_orderpolicy"
Shown = Literal["ordered", "urgent", "noted", "changed", "all"]


@router.get("/datasets/{id:dataset}/orders", response=Page[OrderOut], **needs(READ))
def list_orders(request: KeyRequest, dataset: int, paging: Query[Paging]) -> Any:
    """The orders of a dataset, newest first."""
    owner = get_object_or_404(Dataset, pk=dataset)
    return page_newest(OrderRun.objects.of_dataset(owner), paging, show_order)


@router.post("/datasets/{id:dataset}/orders", response={202: JobOut}, **needs(WRITE, ADD))
def start_order(request: KeyRequest, response: HttpResponse, dataset: int) -> Any:
    """Queues an order of the newest stock by the current forecast run."""
    owner = get_object_or_404(Dataset, pk=dataset)
    order = prepare_order(owner, form_token=request.once, source=OrderRun.Source.API)
    order.created_by_id = request.user.pk
    return accept_job(response, save_order(order))


@router.get("/orders/{uuid:order}", response=OrderOut, **needs(READ))
def get_order(request: KeyRequest, order: UUID) -> Any:
    """One order."""
    return show_order(find_order(order))


@router.get("/orders/{uuid:order}/lines", response=Page[OrderLineOut], **needs(READ, stores="filtered"))
def list_lines(
    request: KeyRequest, order: UUID, paging: Query[Paging], store: Text = "", show: Shown = "ordered"
) -> Any:
    """The lines of an order, in the order of stores and products; a key for some stores sees theirs."""
    if store:
        require_store(request, store)
    run = find_done(order)
    table = load_table(run)
    states = load_states(run, table)
    rows = table.find(LineQuery(store=store, shown=show, sort="item"), states)
    if request.api_key and request.api_key.stores:
        rows = rows[np.isin(table.stores[rows], request.api_key.stores)]
    found = rows.tolist()

    def show_page() -> dict[str, Any]:
        places, following = page_offset(len(found), paging)
        chosen = found[places.start : places.stop]
        return {"items": [show_line(table, states, place) for place in chosen], "next": following}

    return answer_table(
        request, "order", lambda: (flatten(show_line(table, states, one)) for one in found), show_page
    )


@router.post("/orders/{uuid:order}/change", response=CountOut, **needs(WRITE, CHANGE))
def change_order(request: KeyRequest, order: UUID, body: ChangeIn) -> Any:
    """Changes drafts, with a reason."""
    run = find_done(order)
    places = check_places(run, body.lines)
    return {"count": change_lines(run, places, Change(body.how, body.value), body.reason, request.user)}


@router.post("/orders/{uuid:order}/approve", response=CountOut, **needs(WRITE, APPROVE))
def approve_order(request: KeyRequest, order: UUID, body: LinesIn) -> Any:
    """Approves the drafts among the lines that order something."""
    run = find_done(order)
    return {"count": approve_lines(run, check_places(run, body.lines), request.user)}


@router.post("/orders/{uuid:order}/exports", response={201: ExportOut}, **needs(WRITE, CHANGE))
def export_order(request: KeyRequest, order: UUID, body: ExportIn) -> Any:
    """Marks approved lines as exported and makes their file, once."""
    made = export_lines(find_done(order), body.supplier, body.format, request.user, request.once)
    return Status(201, show_export(made))


@router.get("/orders/{uuid:order}/exports/{id:export}", **needs(READ))
def get_export(request: KeyRequest, order: UUID, export: int) -> HttpResponse:
    """The file of an export."""
    return send_export(find_export(order, export))


@router.post(
    "/orders/{uuid:order}/exports/{id:export}/repeat", response={201: ExportOut}, **needs(WRITE, CHANGE)
)
def repeat_order_export(request: KeyRequest, order: UUID, export: int, body: ReasonIn) -> Any:
    """Notes that the same file is sent again, and why."""
    again = repeat_export(find_export(order, export), body.reason, request.user, request.once)
    return Status(201, show_export(again))


@router.delete("/orders/{uuid:order}", response={204: None}, **needs(WRITE))
def delete_order(request: KeyRequest, order: UUID) -> Any:
    """Deletes the order with its file."""
    found = find_order(order)
    require(found.may_delete(request.user), DELETE)
    found.deletion_notice()
    found.remove(by=request.user)
    return Status(204, None)


@router.get("/datasets/{id:dataset}/order-policy", response=PolicyOut, **needs(READ))
def get_policy(request: KeyRequest, dataset: int) -> Any:
    """The policy that counts."""
    return show_policy(current_policy(get_object_or_404(Dataset, pk=dataset)))


@router.put("/datasets/{id:dataset}/order-policy", response=PolicyOut, **needs(WRITE, ADD_POLICY))
def put_policy(request: KeyRequest, dataset: int, body: PolicyIn) -> Any:
    """Another policy, as the newest version."""
    owner = get_object_or_404(Dataset, pk=dataset)
    given: dict[str, Any] = body.dict(include={"kind", "level", "reason"})
    for name, (kind, level) in body.classes.items():
        given |= {f"kind_{name}": kind, f"level_{name}": level}
    form = PolicyForm(given, instance=OrderPolicy(dataset=owner))
    require_valid(form)
    return show_policy(form.save_policy(owner, request.user))


def find_done(pk: UUID) -> OrderRun:
    """The order with its lines; raises ValueError while it is being made."""
    run = find_order(pk)
    if not run.is_done:
        raise ValueError(_("This order is not finished."))
    return run


def find_export(order: UUID, pk: int) -> OrderExport:
    """The export with the rows that its file needs; 404 without one."""
    related = ("run__forecast_run__dataset_version", "run__stock", "repeats")
    return get_object_or_404(OrderExport.objects.select_related(*related), pk=pk, run=order)


def check_places(run: OrderRun, places: list[int]) -> list[int]:
    """The places, each once; raises ValueError for one that the order lacks."""
    if max(places) >= run.lines:
        raise ValueError(_("The order has only %(count)d lines.") % {"count": run.lines})
    return sorted(set(places))


def show_order(run: OrderRun) -> dict[str, Any]:
    """An order; needs its stock."""
    names = ("id", "stage", "lines", "ordered", "units", "money", "notes", "created_at", "finished_at")
    links = {"dataset": run.dataset_id, "forecast_run": run.forecast_run_id, "stock": run.stock_id}
    return pick(run, *names) | links | {
        "as_of": run.stock.as_of, "policy": run.policy.number, "error": run.error_text
    }  # fmt: skip


def show_line(table: OrderTable, states: LineStates, place: int) -> dict[str, Any]:
    """A line with its state of now."""
    figures, (store, product) = table.lines.figures, table.lines.keys[place]
    names = ("expected", "on_hand", "on_order", "run_out_chance")
    quantity = float(states.quantity[place])
    return {
        "place": place,
        "store": store,
        "product": product,
        "supplier": str(table.suppliers[place]),
        "state": str(STATES[states.state[place]]),
        "verdict": VERDICTS[int(figures["verdict"][place])],
        "quantity": quantity,
        "proposed": round(float(figures["quantity"][place]), 3),
        **{name: round(float(figures[name][place]), 4) for name in names},
        "cost": round(quantity * float(table.cost[place]), 2),
        "item_class": table.lines.classes[place],
        "notes": list(table.lines.notes[place]),
    }


def flatten(line: dict[str, Any]) -> dict[str, Any]:
    """The same for a table."""
    return line | {"notes": " ".join(line["notes"])}


def show_export(export: OrderExport) -> dict[str, Any]:
    """An export and where its file is."""
    address = f"/api/v1/orders/{export.run_id}/exports/{export.pk}"
    return pick(export, "id", "supplier", "lines", "units") | {"file": address}


def show_policy(policy: OrderPolicy) -> dict[str, Any]:
    """A policy."""
    return pick(policy, "number", "kind", "level", "classes", "reason", "created_at")

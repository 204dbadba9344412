"""What became of forecasts: errors by week and lag, alerts."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from ninja import Query

from forecastsite.api.access import KeyRequest, needs, router
from forecastsite.api.model_schemas import AccuracyOut, AlertIn, AlertOut
from forecastsite.api.paging import Page, Paging, page_offset
from forecastsite.api.schemas import Text
from forecastsite.api.shapes import show_accuracy, show_alert
from forecastsite.api.tables import answer_table
from prediction.accuracy.alerts import change_alert
from prediction.accuracy.models import AccuracyAlert, AccuracyCell
from prediction.accuracy.page import find_since
from prediction.accuracy.reading import Group, load_rows
from registry.datasets.models import Dataset

READ, WRITE, CHANGE = "accuracy:read", "accuracy:write", "prediction.change_accuracyalert"


@router.get("/datasets/{id:dataset}/accuracy", response=Page[AccuracyOut], **needs(READ))
def list_accuracy(request: KeyRequest, dataset: int, paging: Query[Paging], group: Text = "") -> Any:
    """Errors of the newest year by week and lag; `group` is `column:value`, empty for everything."""
    owner = get_object_or_404(Dataset, pk=dataset)
    column, _colon, value = group.partition(":")
    kind = AccuracyCell.Kind.DAY
    rows = load_rows(owner, ("week", "lag"), find_since(owner), Group(column, value), kind=kind)
    found = [show_accuracy(row) for row in sorted(rows, key=lambda one: (one["week"], one["lag"]))]

    def show_page() -> dict[str, Any]:
        places, following = page_offset(len(found), paging)
        return {"items": found[places.start : places.stop], "next": following}

    return answer_table(request, "accuracy", lambda: found, show_page)


@router.get("/datasets/{id:dataset}/alerts", response=list[AlertOut], **needs(READ))
def list_alerts(request: KeyRequest, dataset: int) -> Any:
    """The alerts that are not closed."""
    owner = get_object_or_404(Dataset, pk=dataset)
    rows = AccuracyAlert.objects.filter(dataset=owner).exclude(state=AccuracyAlert.State.CLOSED)
    return [show_alert(alert) for alert in rows.select_related("dataset")]


@router.patch("/alerts/{id:alert}", response=AlertOut, **needs(WRITE, CHANGE))
def change_state(request: KeyRequest, alert: int, body: AlertIn) -> Any:
    """Acknowledges or closes an alert."""
    rows = AccuracyAlert.objects.select_related("dataset")
    change_alert(get_object_or_404(rows, pk=alert), body.state, request.user)
    return show_alert(get_object_or_404(rows, pk=alert))

"""Overrides: a person's changes of the forecast, added and withdrawn."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Status

from forecastsite.api.access import KeyRequest, needs, require_store, router
from forecastsite.api.errors import require_valid
from forecastsite.api.order_schemas import OverrideIn, OverrideOut
from forecastsite.api.paging import Page, Paging, page_newest
from forecastsite.api.shapes import pick
from prediction.overrides.changing import add_override, withdraw_override
from prediction.overrides.forms import OverrideForm
from prediction.overrides.models import Override
from prediction.overrides.preview import find_current_run, preview_override
from prediction.overrides.views import find_override
from registry.access.permissions import require
from registry.datasets.models import Dataset

READ, WRITE = "overrides:read", "overrides:write"
ADD, CHANGE = "prediction.add_override", "prediction.change_override"


@router.get("/datasets/{id:dataset}/overrides", response=Page[OverrideOut], **needs(READ))
def list_all_overrides(request: KeyRequest, dataset: int, paging: Query[Paging]) -> Any:
    """All overrides of a dataset, newest first, also those that count no more."""
    rows = Override.objects.filter(dataset=get_object_or_404(Dataset, pk=dataset))
    return page_newest(rows, paging, show_override)


@router.post(
    "/datasets/{id:dataset}/overrides", response={201: OverrideOut}, **needs(WRITE, ADD, stores="filtered")
)
def create_override(request: KeyRequest, dataset: int, body: OverrideIn) -> Any:
    """Saves a change of the forecast; a new forecast run with it is made."""
    require_store(request, body.store)
    owner = get_object_or_404(Dataset, pk=dataset)
    if find_current_run(owner) is None:
        raise ValueError(_("There is no forecast of everything yet: make one first."))
    given = {name: str(value) for name, value in body.dict(exclude_none=True).items()}
    form = OverrideForm(owner, given)
    require_valid(form)
    override = form.build(request.user)
    preview_override(override)  # raises ValueError where it would change nothing
    return Status(201, show_override(add_override(override, request.user)))


@router.post("/overrides/{id:override}/withdraw", response=OverrideOut, **needs(WRITE))
def end_override(request: KeyRequest, override: int) -> Any:
    """Ends it for all forecasts to come."""
    found = find_override(override)
    if found.is_withdrawn:
        raise ValueError(_("This override was withdrawn before."))
    require(found.may_withdraw(request.user), CHANGE)
    withdraw_override(found, request.user)
    return show_override(find_override(override))


def show_override(override: Override) -> dict[str, Any]:
    """An override."""
    names = ("id", "product", "store", "first", "last", "kind", "amount", "reason", "text", "expires")
    facts = pick(override, *names, "withdrawn_at", "created_at") | {"dataset": override.dataset_id}
    return facts | {"groups": [str(group) for group in override.selection.levels]}

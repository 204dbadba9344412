"""Webhooks: made, listed, switched, deleted; events sent again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.shortcuts import get_object_or_404
from ninja import Query, Schema, Status
from pydantic import Field

from forecastsite.api.access import KeyRequest, needs, router
from forecastsite.api.errors import require_valid
from forecastsite.api.forms import encode_form
from forecastsite.api.paging import Page, Paging, page_newest
from forecastsite.api.schemas import Name, Text
from forecastsite.api.shapes import pick
from forecastsite.webhooks.forms import WebhookForm, delete_webhook
from forecastsite.webhooks.models import Delivery, Webhook
from forecastsite.webhooks.sending import replay, switch

WRITE, ADD = "webhooks:write", "forecastsite.add_webhook"


class WebhookIn(Schema):
    """A receiver of events."""

    name: Name
    address: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
    kinds: list[Text] = Field(max_length=20, description="Such as forecast_run.ready, training.ended.")


class WebhookOut(Schema):
    """A receiver; `secret` only in the answer that made it."""

    id: int
    name: str
    address: str
    kinds: list[str]
    enabled: bool
    failing_since: datetime | None
    secret: str | None = None


class SwitchIn(Schema):
    """On or off."""

    enabled: bool


class DeliveryOut(Schema):
    """An event for a receiver."""

    id: int
    webhook: int
    kind: str
    state: str
    attempts: int
    status: int | None
    problem: str
    created_at: datetime


@router.get("/webhooks", response=Page[WebhookOut], **needs(WRITE, ADD))
def list_webhooks(request: KeyRequest, paging: Query[Paging]) -> Any:
    """All receivers."""
    return page_newest(Webhook.objects.all(), paging, show_webhook)


@router.post("/webhooks", response={201: WebhookOut}, **needs(WRITE, ADD))
def create_webhook(request: KeyRequest, body: WebhookIn) -> Any:
    """A new receiver with its secret."""
    form = WebhookForm(encode_form(body.dict()))
    require_valid(form)
    hook = form.save_webhook(request.user)
    return Status(201, show_webhook(hook) | {"secret": hook.secret})


@router.patch("/webhooks/{id:webhook}", response=WebhookOut, **needs(WRITE, ADD))
def switch_webhook(request: KeyRequest, webhook: int, body: SwitchIn) -> Any:
    """Switches a receiver on, and sends what waits, or off."""
    hook = get_object_or_404(Webhook, pk=webhook)
    switch(hook, body.enabled)
    return show_webhook(hook)


@router.delete("/webhooks/{id:webhook}", response={204: None}, **needs(WRITE, ADD))
def remove_webhook(request: KeyRequest, webhook: int) -> Any:
    """Deletes a receiver."""
    delete_webhook(get_object_or_404(Webhook, pk=webhook), request.user)
    return Status(204, None)


@router.get("/deliveries", response=Page[DeliveryOut], **needs(WRITE, ADD))
def list_deliveries(request: KeyRequest, paging: Query[Paging]) -> Any:
    """What was, or is to be, sent, newest first."""
    return page_newest(Delivery.objects.all(), paging, show_delivery)


@router.post("/deliveries/{id:delivery}/replay", response={202: DeliveryOut}, **needs(WRITE, ADD))
def replay_delivery(request: KeyRequest, delivery: int) -> Any:
    """Sends an event again."""
    found = get_object_or_404(Delivery, pk=delivery)
    replay(found)
    return Status(202, show_delivery(Delivery.objects.get(pk=found.pk)))


def show_webhook(hook: Webhook) -> dict[str, Any]:
    """A receiver without its secret."""
    return pick(hook, "id", "name", "address", "kinds", "failing_since") | {"enabled": hook.is_enabled}


def show_delivery(row: Delivery) -> dict[str, Any]:
    """An event for a receiver."""
    names = ("id", "kind", "state", "attempts", "status", "problem", "created_at")
    return pick(row, *names) | {"webhook": row.webhook_id}

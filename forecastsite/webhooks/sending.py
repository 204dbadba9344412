"""Sends what is due: each event at least once, those of one kind in their order."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from http import HTTPStatus

from django.utils import timezone
from django.utils.translation import gettext as _

from forecastsite.webhooks.models import OFF_AFTER, Delivery, Webhook
from forecastsite.webhooks.outbox import JOB_SECONDS, queue_sending
from forecastsite.webhooks.transport import Undeliverable, post

CLAIM_SECONDS = 60.0  # after which another process sends what this one has not
WORK_SECONDS = JOB_SECONDS / 2  # of one job; then another one goes on
KEPT_FOR = timedelta(days=30)  # deliveries that were made


def ask_for_due() -> None:
    """Queues a job if something is due; called every few seconds by hosts with the light queue."""
    if Delivery.objects.due().exists():
        queue_sending()


def send_due() -> None:
    """Queue job: sends one delivery after the other until nothing is due."""
    end = time.monotonic() + WORK_SECONDS
    while (delivery := Delivery.objects.due().select_related("webhook").first()) is not None:
        if time.monotonic() > end:
            queue_sending()
            return
        if delivery.claim(CLAIM_SECONDS):
            send(delivery)
    old = timezone.now() - KEPT_FOR
    Delivery.objects.filter(state=Delivery.State.DELIVERED, created_at__lt=old).delete()


def send(delivery: Delivery) -> None:
    """One attempt, and what it means for the delivery and its webhook."""
    body = json.dumps(delivery.payload, ensure_ascii=False).encode()
    delivery.status, delivery.problem = None, ""
    try:
        delivery.status = post(delivery.webhook.address, body, sign(delivery, body))
    except Undeliverable as problem:
        delivery.problem = str(problem)[:300]
    if delivery.status is not None and 200 <= delivery.status < 300:
        note_success(delivery)
    else:
        note_failure(delivery)


def sign(delivery: Delivery, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    from standardwebhooks import Webhook as Signer

    now = timezone.now()
    signature = Signer(delivery.webhook.secret).sign(delivery.message_id, now, body.decode())
    return {
        "Content-Type": "application/json",
        "User-Agent": "forecastsite",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def note_success(delivery: Delivery) -> None:
    """It was delivered; the webhook is well."""
    delivery.state, delivery.delivered_at = Delivery.State.DELIVERED, timezone.now()
    delivery.save(update_fields=["state", "delivered_at", "status", "problem"])
    Webhook.objects.filter(pk=delivery.webhook_id, failing_since__isnull=False).update(failing_since=None)


def note_failure(delivery: Delivery) -> None:
    """It is sent again later; a webhook that failed for days, or is gone, is switched off."""
    hook, now = delivery.webhook, timezone.now()
    if not delivery.problem:
        delivery.problem = _("The receiver answered with status %(status)d.") % {"status": delivery.status}
    delivery.next_at = now + delivery.delay()
    delivery.save(update_fields=["next_at", "status", "problem"])
    hook.failing_since = hook.failing_since or now
    is_gone = delivery.status == HTTPStatus.GONE
    hook.is_enabled = hook.is_enabled and not is_gone and now - hook.failing_since < OFF_AFTER
    hook.save(update_fields=["failing_since", "is_enabled"])


def replay(delivery: Delivery) -> None:
    """Sends it again, whether it was delivered or not."""
    Delivery.objects.filter(pk=delivery.pk).update(
        state=Delivery.State.WAITING, next_at=timezone.now(), attempts=0
    )
    queue_sending()


def switch(hook: Webhook, is_enabled: bool) -> None:
    """Switches a webhook on, and sends what waits, or off."""
    hook.is_enabled, hook.failing_since = is_enabled, None
    hook.save(update_fields=["is_enabled", "failing_since"])
    if is_enabled:
        hook.deliveries.filter(state=Delivery.State.WAITING).update(next_at=timezone.now())
        queue_sending()

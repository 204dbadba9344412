"""Webhooks and what was, or is to be, sent to them."""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

SECRET_BYTES = 32
DELAYS = (10, 60, 300, 1800, 7200, 18_000, 36_000, 86_400)  # seconds before each further attempt
OFF_AFTER = timedelta(days=5)  # of failures without a success


def make_secret() -> str:
    """A new secret as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


class EventKind(models.TextChoices):
    """What a program can be told."""

    DATASET_READY = "dataset.version_ready", _("a dataset has a new version")
    TRAINING_ENDED = "training.ended", _("a training has ended")
    VERSION_IN_USE = "version.in_use", _("another model version is in use")
    FORECAST_READY = "forecast_run.ready", _("a forecast run is ready")
    ORDER_READY = "order_run.ready", _("an order is ready")
    ORDER_APPROVED = "order_run.approved", _("lines of an order were approved")
    ALERT_OPENED = "alert.opened", _("forecasts and sales have moved apart")


class Webhook(models.Model):
    """An address that is told of some kinds of events."""

    name = models.CharField(_("name"), max_length=80)
    address = models.URLField(_("address"), max_length=500)
    secret = models.CharField(max_length=80, default=make_secret, editable=False)
    kinds = models.JSONField(_("events"), default=list)
    is_enabled = models.BooleanField(_("switched on"), default=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["-created_at"]
        default_permissions = ["add"]

    def __str__(self) -> str:
        return self.name


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Selections of deliveries."""

    def due(self) -> DeliveryQuerySet:
        """Those to be sent now, the oldest of each webhook and kind first: later ones wait for it."""
        waiting = self.filter(state=Delivery.State.WAITING, webhook__is_enabled=True)
        earlier = Delivery.objects.filter(
            webhook=models.OuterRef("webhook"),
            kind=models.OuterRef("kind"),
            state=Delivery.State.WAITING,
            pk__lt=models.OuterRef("pk"),
        )
        return waiting.filter(~models.Exists(earlier), next_at__lte=timezone.now()).order_by("pk")


class Delivery(models.Model):
    """One event for one webhook: written with the event, sent afterwards, perhaps several times."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    kind = models.CharField(max_length=30, choices=EventKind)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    status = models.PositiveSmallIntegerField(null=True)  # of the last answer
    problem = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]
        indexes = [models.Index(fields=["state", "next_at"], name="deliveries_due")]

    def __str__(self) -> str:
        return f"{self.webhook} {self.kind} {self.pk}"

    @property
    def message_id(self) -> str:
        """The same at each attempt, so that the receiver notices a repetition."""
        return f"msg_{self.pk}"

    def claim(self, for_seconds: float) -> bool:
        """Takes it for so long, if nobody else has; counts the attempt at its start."""
        mine = Delivery.objects.filter(pk=self.pk, state=self.State.WAITING, next_at=self.next_at)
        self.next_at = timezone.now() + timedelta(seconds=for_seconds)
        self.attempts += 1
        return bool(mine.update(next_at=self.next_at, attempts=self.attempts))

    def delay(self) -> timedelta:
        """Until the next attempt."""
        return timedelta(seconds=DELAYS[min(self.attempts, len(DELAYS)) - 1])

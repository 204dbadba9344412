"""Keys of programs, and the answers that a repeated request gets again."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Selections of keys."""

    def valid(self) -> ApiKeyQuerySet:
        """Keys that open something: not revoked, not expired, of an active person."""
        open_ended = models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now())
        return self.filter(open_ended, revoked_at=None, owner__is_active=True)


class ApiKey(models.Model):
    """A key of a program. Only the hash of its secret is stored; it can do no more than its owner."""

    name = models.CharField(_("name"), max_length=80, help_text=_("Which program uses it, and for what."))
    prefix = models.CharField(_("begins with"), max_length=12, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)  # SHA-256 of the whole key, which is random
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_keys", verbose_name=_("owner")
    )
    scopes = models.JSONField(_("scopes"), default=list)
    stores = models.JSONField(_("stores"), default=list, blank=True)  # empty = all
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    last_address = models.GenericIPAddressField(_("last address"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at"]
        default_permissions = ["view", "change"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_valid(self) -> bool:
        """Whether it opens anything now."""
        is_expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not is_expired and self.owner.is_active

    @property
    def state_text(self) -> str:
        """In one word why it opens nothing; empty while it does."""
        if self.revoked_at is not None:
            return str(_("revoked"))
        return "" if self.is_valid else str(_("expired"))


class KeyUse(models.Model):
    """How often one web server has let a key ask, for the limits of the others."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="uses")
    server = models.CharField(max_length=32)  # random at each start
    count = models.BigIntegerField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["key", "server"], name="one_count_per_server")]

    def __str__(self) -> str:
        return f"{self.key} {self.count}"


class KeptReply(models.Model):
    """The answer to a request with an Idempotency-Key; without a status it is still being worked on."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="replies")
    token = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)  # of method, address and body
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["key", "token"], name="one_reply_per_token")]

    def __str__(self) -> str:
        return f"{self.key} {self.token}"

"""Makes, finds and revokes keys."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from forecastsite.api.models import ApiKey
from forecastsite.api.scopes import SCOPES
from registry.access.audit import AuditAction, record_action

PREFIX_BYTES, SECRET_BYTES = 4, 32
KEY_START = "fs"  # of every key, so that searches for leaked secrets know it
NOTE_AFTER = timedelta(minutes=1)  # the last use is noted at most this often


def make_key(
    owner: User, name: str, scopes: Sequence[str], stores: Sequence[str] = (), expires: datetime | None = None
) -> tuple[ApiKey, str]:
    """The row and the key itself, which is shown once; raises ValueError for a scope beyond its owner."""
    for scope in scopes:
        if scope not in SCOPES or not SCOPES[scope].is_open_to(owner):
            raise ValueError(_("You have no right to %(scope)s yourself.") % {"scope": scope})
    prefix = f"{KEY_START}_{secrets.token_hex(PREFIX_BYTES)}"
    text = f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    key = ApiKey(owner=owner, name=name, prefix=prefix, digest=hash_key(text), expires_at=expires)
    key.scopes, key.stores = list(scopes), list(stores)
    with transaction.atomic():
        key.save(force_insert=True)
        record_action(AuditAction.CHANGED, key, owner, f"key made: {', '.join(scopes)}")
    return key, text


def hash_key(text: str) -> str:
    """SHA-256, which suffices for a secret of 256 random bits."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_prefix(text: str) -> str:
    """What is stored of a key as it is; empty for a text that is no key.

    >>> read_prefix("fs_0a1b2c3d_secret"), read_prefix("secret")
    ('fs_0a1b2c3d', '')
    """
    parts = text.split("_", 2)
    is_key = len(parts) == 3 and parts[0] == KEY_START and text.isascii()
    return "_".join(parts[:2]) if is_key else ""


def find_key(text: str) -> ApiKey | None:
    """The valid key that this is; None for anything else."""
    prefix = read_prefix(text)
    if not prefix:
        return None
    rows = ApiKey.objects.select_related("owner").order_by()
    key = next(iter(rows.filter(prefix=prefix)), None)
    if key is None or not constant_time_compare(key.digest, hash_key(text)) or not key.is_valid:
        return None
    return key


def note_use(key: ApiKey, address: str | None) -> None:
    """Notes when and from where the key was used, now and then."""
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > NOTE_AFTER or key.last_address != address:
        key.last_used_at, key.last_address = now, address
        key.save(update_fields=["last_used_at", "last_address"])


def revoke_key(key: ApiKey, by: User) -> None:
    """The key opens nothing from now on; safe to repeat."""
    with transaction.atomic():
        if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
            record_action(AuditAction.CHANGED, key, by, "key revoked")

"""What a sign-in brings back; audit entries about users: lockouts, and a description of their permissions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from forecastsite.accounts.models import LastDataset
from registry.access.audit import AuditAction, AuditEntry, record_action
from registry.datasets.chosen import SESSION_KEY


def describe_permissions(person: User, **flags: bool) -> str:
    """Roles, flags and permissions in one line; `flags` override the user's own."""
    words = list(person.groups.order_by("pk").values_list("name", flat=True))
    words += ["administrator"] if flags.get("is_superuser", person.is_superuser) else []
    words += [] if flags.get("is_active", person.is_active) else ["cannot sign in"]
    permissions = person.user_permissions.order_by("codename").values_list("codename", flat=True)
    return ", ".join([*words, *permissions]) or "–"


@receiver(user_locked_out)
def audit_lockout(username: str = "", ip_address: str = "", **rest: Any) -> None:
    """Signal handler: one entry per lockout, however many attempts follow."""
    since = timezone.now() - timedelta(hours=settings.AXES_COOLOFF_TIME)
    if not AuditEntry.objects.filter(act=AuditAction.LOCKED_OUT, name=username, at__gt=since).exists():
        record_action(AuditAction.LOCKED_OUT, username or "–", why=str(ip_address or ""))


@receiver(user_logged_in)
def restore_dataset(request: HttpRequest, user: User, **rest: Any) -> None:
    """Signal handler: a new session begins with the dataset that the person looked at last."""
    last = LastDataset.objects.filter(user=user.pk).first()
    if last is not None:
        request.session[SESSION_KEY] = last.dataset_id

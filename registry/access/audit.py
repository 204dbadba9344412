"""Append-only audit log: who did what to what, when and why.

Entries store names and ids as text instead of foreign keys, so they outlive users, models and clean-ups.
"""

from __future__ import annotations

from typing import Any, NoReturn

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditAction(models.TextChoices):
    """What a user or the server did."""

    TRAINED = "trained", _("requested a training")
    STOPPED = "stopped", _("stopped a training")
    FINISHED_EARLY = "hurried", _("ended a training early")
    PROMOTED = "promoted", _("put in use")
    ROLLED_BACK = "rolled_back", _("rolled back to")
    PINNED = "pinned", _("pinned")
    UNPINNED = "unpinned", _("unpinned")
    ARCHIVED = "archived", _("moved to the archive")
    RESTORED = "restored", _("restored from the archive")
    DELETED = "deleted", _("deleted")
    IMPORTED = "imported", _("imported sales")
    CHANGED = "changed", _("changed manually")
    EXPORTED = "exported", _("downloaded")
    APPROVED = "approved", _("approved an order")
    ROLES = "roles", _("changed a user's permissions")
    LOCKED_OUT = "locked_out", _("locked out after wrong passwords")


class AuditIsAppendOnly(TypeError):
    """An audit entry was about to be changed or deleted."""

    def __init__(self) -> None:
        super().__init__("Audit entries cannot be changed or deleted.")


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Entries can be read and added, nothing else."""

    def update(self, **fields: Any) -> NoReturn:
        raise AuditIsAppendOnly

    def delete(self) -> NoReturn:
        raise AuditIsAppendOnly

    def bulk_update(self, *args: Any, **options: Any) -> NoReturn:
        raise AuditIsAppendOnly


class AuditEntry(models.Model):
    """One action by one user on one target."""

    at = models.DateTimeField(_("when"), auto_now_add=True, db_index=True)
    who = models.CharField(_("who"), max_length=150, blank=True, db_index=True)  # empty: the server itself
    act = models.CharField(_("action"), max_length=12, choices=AuditAction, db_index=True)
    kind = models.CharField(_("kind"), max_length=40, blank=True)
    key = models.CharField(_("id"), max_length=64, blank=True, db_index=True)
    name = models.CharField(_("name"), max_length=300)
    why = models.TextField(_("reason"), blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ["-pk"]
        default_permissions = ["view"]
        permissions = [("open_admin", "Can open the admin")]

    def __str__(self) -> str:
        return f"{self.who or '–'}: {self.get_act_display()} · {self.name}"

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise AuditIsAppendOnly
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise AuditIsAppendOnly


def record_action(
    action: AuditAction, target: models.Model | str, by: AbstractBaseUser | None = None, why: str = ""
) -> None:
    """Adds an entry; call it in the transaction of the action, so that both commit or neither does."""
    kind, key = (
        (target._meta.model_name or "", str(target.pk)) if isinstance(target, models.Model) else ("", "")
    )
    who = by.get_username() if by is not None else ""
    AuditEntry.objects.create(act=action, who=who, kind=kind, key=key, name=str(target)[:300], why=why)

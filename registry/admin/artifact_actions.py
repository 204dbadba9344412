"""Admin actions on artifacts; each previews its effect and may refuse."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.access.audit import AuditAction, record_action
from registry.admin.actions import Action, Confirmation
from registry.storage import archive
from registry.storage.archivable import ArchivableArtifact
from registry.storage.tombstones import BY_HAND

CURATE_PERMISSION, ARCHIVE_PERMISSION = "registry.change_modelversion", "registry.archive_modelversion"


def require_ready(row: Any) -> None:
    """Raises ValueError unless the row is ready."""
    if row.state != row.State.READY:
        raise ValueError(gettext("%(name)s is not ready.") % {"name": row})


class PinArtifact(Action):
    """Excludes an artifact from clean-ups."""

    name, label, permission = "pin", _("Pin"), CURATE_PERMISSION

    def preview(self, row: ArchivableArtifact) -> str:
        require_ready(row)
        if row.pinned:
            raise ValueError(gettext("It is already pinned."))
        return gettext("No clean-up will remove it until it is unpinned.")

    def execute(self, row: ArchivableArtifact, confirmation: Confirmation) -> None:
        with transaction.atomic():
            row.pin()
            record_action(AuditAction.PINNED, row, confirmation.by)


class UnpinArtifact(Action):
    """Lets clean-ups remove an artifact again."""

    name, label, permission = "unpin", _("Unpin"), CURATE_PERMISSION

    def preview(self, row: ArchivableArtifact) -> str:
        if not row.pinned:
            raise ValueError(gettext("It is not pinned."))
        return gettext("The next clean-up may remove it.")

    def execute(self, row: ArchivableArtifact, confirmation: Confirmation) -> None:
        with transaction.atomic():
            row.unpin()
            record_action(AuditAction.UNPINNED, row, confirmation.by)


class ArchiveArtifact(Action):
    """Moves an artifact's file to the archive."""

    name, label, permission = "archive", _("Move the file to the archive"), ARCHIVE_PERMISSION

    def is_available(self) -> bool:
        return archive.has_archive()

    def preview(self, row: ArchivableArtifact) -> str:
        require_ready(row)
        if not archive.has_archive():
            raise ValueError(gettext("No archive is configured: set ARCHIVE_STORE."))
        if row.is_archived:
            raise ValueError(gettext("It is already in the archive."))
        if why := row.removal_blocker():
            raise ValueError(why)
        words = {"size": filesizeformat(row.size), "address": archive.build_address(row.path)}
        return (
            gettext("Its file (%(size)s) will be moved to %(address)s; using it will take a moment longer.")
            % words
        )

    def execute(self, row: ArchivableArtifact, confirmation: Confirmation) -> None:
        row.move_to_archive()
        record_action(AuditAction.ARCHIVED, row, confirmation.by)


class RestoreArtifact(Action):
    """Restores an artifact's file from the archive."""

    name, label, permission = "restore", _("Restore the file from the archive"), ARCHIVE_PERMISSION

    def is_available(self) -> bool:
        return archive.has_archive()

    def preview(self, row: ArchivableArtifact) -> str:
        if not row.archive_address:
            raise ValueError(gettext("It is not in the archive."))
        if not row.is_archived and row.state == row.State.READY:
            raise ValueError(gettext("Its file is already on this server."))
        words = {"size": filesizeformat(row.size), "address": row.archive_address}
        return gettext("Its file (%(size)s) will be restored from %(address)s.") % words

    def execute(self, row: ArchivableArtifact, confirmation: Confirmation) -> None:
        row.restore_file()
        record_action(AuditAction.RESTORED, row, confirmation.by)


class DeleteArtifact(Action):
    """Deletes row and file; a tombstone and an audit entry remain."""

    name, label, is_deletion = "delete_with_file", _("Delete with its file"), True

    def preview(self, row: Any) -> str:
        return str(row.deletion_notice())

    def execute(self, row: Any, confirmation: Confirmation) -> None:
        row.remove(BY_HAND, confirmation.by)


ARTIFACT_ACTIONS = [PinArtifact(), UnpinArtifact(), ArchiveArtifact(), RestoreArtifact()]

"""Artifacts that can be pinned and archived.

    local --move_to_archive()--> copy, read back, compare --> commit the row --> delete the local file
    local <--restore_file()----- fetch, compare, write    <-- any read of an archived row

An archived row stays `ready`: reading it only takes longer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.files.base import ContentFile
from django.db import models, transaction
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.storage import archive
from registry.storage.artifacts import Artifact, CorruptArtifact, get_artifact_store


class ArchivableArtifact(Artifact):
    """Abstract artifact with a pin and an optional copy of its file in the archive."""

    pinned = models.BooleanField(_("pinned"), default=False)
    archive_address = models.CharField(_("copy in the archive"), max_length=500, blank=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_archived(self) -> bool:
        """Whether its only copy is in the archive."""
        return self.archived_at is not None

    @property
    def location_label(self) -> str:
        """Where the file is, or the row's state when it is not ready."""
        if self.state != self.State.READY:
            return str(self.State(self.state).label)
        return gettext("in the archive") if self.is_archived else gettext("on this server")

    @property
    def is_removable(self) -> bool:
        """Whether it is ready, local and not pinned."""
        return self.state == self.State.READY and not self.is_archived and not self.pinned

    @property
    def locations(self) -> list[str]:
        here = [] if self.is_archived else super().locations
        return [*here, self.archive_address] if self.archive_address else here

    def pin(self) -> None:
        """Excludes it from every clean-up until it is unpinned."""
        self._update_if_ready(pinned=True)

    def unpin(self) -> None:
        """Lets clean-ups consider it again."""
        self._update_if_ready(pinned=False)

    def _update_if_ready(self, **changes: Any) -> bool:
        """Updates this object and its row if the row is ready; returns whether it was."""
        rows = type(self)._default_manager.filter(pk=self.pk, state=self.State.READY)
        if not rows.update(**changes):
            return False
        for name, value in changes.items():
            setattr(self, name, value)
        return True

    def removal_blocker(self) -> str:
        """One sentence on why its file must stay, or an empty string. Call with the row locked."""
        if type(self)._default_manager.filter(pk=self.pk, pinned=True).exists():
            return gettext("%(name)s is pinned: unpin it first.") % {"name": self}
        return ""

    def deletion_notice(self) -> str:
        """One sentence on what a deletion removes; raises ValueError if it must not be deleted."""
        if self.pinned:
            raise ValueError(gettext("%(name)s is pinned: unpin it first.") % {"name": self})
        return gettext("It and its file (%(size)s) will be deleted permanently.") % {
            "size": filesizeformat(self.size)
        }

    def move_to_archive(self, find_blocker: Callable[[], str] | None = None) -> None:
        """Archives a verified copy, then deletes the local file. Safe to repeat after a crash.

        `find_blocker` is called under the lock and returns why the file must stay; default:
        `removal_blocker`. On ArchiveError the local file is still there.
        """
        if self.state != self.State.READY:
            raise archive.ArchiveError(gettext("%(name)s is not ready.") % {"name": self})
        if not self.is_archived:
            self.copy_to_archive()
            self._commit_to_archive(find_blocker or self.removal_blocker)
        self.delete_local_copy()

    def copy_to_archive(self) -> None:
        """Puts a verified copy into the archive and stores its address; keeps the local file."""
        there = archive.build_address(self.path)
        if self.archive_address == there and archive.has_valid_copy(self.path, self.sha256):
            return
        try:
            with get_artifact_store().open(self.path, "rb") as source:
                archive.put_file(self.path, source, self.sha256)
        except FileNotFoundError:
            words = {"name": self}
            raise archive.ArchiveError(gettext("The file of %(name)s is missing.") % words) from None
        if not self._update_if_ready(archive_address=there):
            raise archive.ArchiveError(gettext("%(name)s no longer exists.") % {"name": self})

    def _commit_to_archive(self, find_blocker: Callable[[], str]) -> None:
        """Marks the row as archived; raises ArchiveError if it is gone or blocked."""
        with transaction.atomic():
            row = self.lock_row()
            if row is None or row.state != self.State.READY:
                raise archive.ArchiveError(gettext("%(name)s no longer exists.") % {"name": self})
            if why := find_blocker():
                raise archive.ArchiveError(why)
            self._update_if_ready(archived_at=timezone.now())

    def delete_local_copy(self) -> None:
        """Deletes the local file if the row is archived.

        Holds the lock, or it could delete a file that was just restored.
        """
        with transaction.atomic():
            row = self.lock_row()
            if row is not None and row.is_archived:
                get_artifact_store().delete(self.path)

    def restore_file(self) -> None:
        """Restores the local file and keeps the copy in the archive; raises ArchiveError."""
        content = self._fetch_from_archive()
        with transaction.atomic():  # locked, or `delete_local_copy` could delete the restored file
            row = self.lock_row()
            if row is None or row.state == self.State.DELETING:
                raise archive.ArchiveError(gettext("%(name)s no longer exists.") % {"name": self})
            get_artifact_store().save(self.path, ContentFile(content))
            type(self)._default_manager.filter(pk=self.pk).update(archived_at=None, state=self.State.READY)
        self.archived_at, self.state = None, self.State.READY

    def _fetch_from_archive(self) -> bytes:
        if self.archive_address != archive.build_address(self.path):
            words = {"name": self, "address": self.archive_address or "–"}
            sentence = gettext("%(name)s was archived at %(address)s, which is not the configured archive.")
            raise archive.ArchiveUnreachable(sentence % words)
        return archive.fetch_file(self.path, self.sha256)

    def read(self) -> bytes:
        """The file's bytes; restores the file first if it is archived, or damaged but with a copy.

        Raises CorruptArtifact, also when the archive is unreachable.
        """
        if self.is_archived:
            self.ensure_local()
        try:
            return super().read()
        except CorruptArtifact:
            self.refresh_from_db(fields=["archive_address", "archived_at"])
            if not self.archive_address:
                raise
            self.ensure_local(is_damaged=True)
            return super().read()

    def ensure_local(self, is_damaged: bool = False) -> None:
        """Restores the file if it is archived, or damaged; raises CorruptArtifact."""
        try:
            if self.is_archived or is_damaged:
                self.restore_file()
        except archive.ArchiveError as problem:
            raise CorruptArtifact(str(problem)) from problem

    def delete_files(self) -> None:
        """Deletes the archived copy too; on ArchiveUnreachable a later clean-up finishes the job."""
        if self.archive_address == archive.build_address(self.path) and archive.has_archive():
            archive.delete_copy(self.path)
        super().delete_files()

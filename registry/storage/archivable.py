"""Artifacts that a clean-up looks after: they can be pinned, their files can move to the archive and back.

    here --archive()--> copied, read back, compared --> row says archived --> local file dropped
    here <--restore()-- fetched, compared, written  <-- anybody who reads it

An archived row stays `ready`: its content can be had, it only takes a moment longer.
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
    """Abstract artifact with a pin and a second place for its file."""

    pinned = models.BooleanField(_("pinned"), default=False)
    archive_address = models.CharField(_("copy in the archive"), max_length=500, blank=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_archived(self) -> bool:
        """Its file is in the archive only."""
        return self.archived_at is not None

    @property
    def location_label(self) -> str:
        """Where its file is, in a word; what is wrong with it, if something is."""
        if self.state != self.State.READY:
            return str(self.State(self.state).label)
        return gettext("in the archive") if self.is_archived else gettext("here")

    @property
    def is_removable(self) -> bool:
        """Ready, here, and not pinned."""
        return self.state == self.State.READY and not self.is_archived and not self.pinned

    @property
    def locations(self) -> list[str]:
        here = [] if self.is_archived else super().locations
        return [*here, self.archive_address] if self.archive_address else here

    def pin(self) -> None:
        """Never cleaned up until it is unpinned."""
        self._update_if_ready(pinned=True)

    def unpin(self) -> None:
        self._update_if_ready(pinned=False)

    def _update_if_ready(self, **changes: Any) -> bool:
        """Changes these columns of a row that is ready, here and in the database; False = it is not."""
        rows = type(self)._default_manager.filter(pk=self.pk, state=self.State.READY)
        if not rows.update(**changes):
            return False
        for name, value in changes.items():
            setattr(self, name, value)
        return True

    def removal_blocker(self) -> str:
        """Why its file must stay here, in one sentence; empty = it may go. Call with the row locked."""
        if type(self)._default_manager.filter(pk=self.pk, pinned=True).exists():
            return gettext("%(name)s is pinned: unpin it first.") % {"name": self}
        return ""

    def deletion_notice(self) -> str:
        """What goes when it is deleted, in one sentence; raises ValueError with one when it may not go."""
        if self.pinned:
            raise ValueError(gettext("%(name)s is pinned: unpin it first.") % {"name": self})
        return gettext("It and its file of %(size)s go for good.") % {"size": filesizeformat(self.size)}

    def move_to_archive(self, find_blocker: Callable[[], str] | None = None) -> None:
        """Copy, read back, compare; only then the local file goes. Safe to repeat after a crash.

        `hold` says under the lock why it must stay, by default `self.hold`. Raises ArchiveError: the file
        is where it was.
        """
        if self.state != self.State.READY:
            raise archive.ArchiveError(gettext("%(name)s is not ready.") % {"name": self})
        if not self.is_archived:
            self.copy_to_archive()
            self._commit_to_archive(find_blocker or self.removal_blocker)
        self.delete_local_copy()

    def copy_to_archive(self) -> None:
        """A checked copy in the archive, whose address the row keeps; the local file stays."""
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
            raise archive.ArchiveError(gettext("%(name)s is not there any more.") % {"name": self})

    def _commit_to_archive(self, find_blocker: Callable[[], str]) -> None:
        """Commits that the archive's copy is the only one from now on."""
        with transaction.atomic():
            row = self.lock_row()
            if row is None or row.state != self.State.READY:
                raise archive.ArchiveError(gettext("%(name)s is not there any more.") % {"name": self})
            if why := find_blocker():
                raise archive.ArchiveError(why)
            self._update_if_ready(archived_at=timezone.now())

    def delete_local_copy(self) -> None:
        """The local file of an archived row goes; under the lock, or it could be one just brought back."""
        with transaction.atomic():
            row = self.lock_row()
            if row is not None and row.is_archived:
                get_artifact_store().delete(self.path)

    def restore_file(self) -> None:
        """Brings the file back; raises ArchiveError. The archive keeps its copy for the next time."""
        content = self._fetch_from_archive()
        with transaction.atomic():  # the lock keeps `drop_leftover` from dropping what is written here
            row = self.lock_row()
            if row is None or row.state == self.State.DELETING:
                raise archive.ArchiveError(gettext("%(name)s is not there any more.") % {"name": self})
            get_artifact_store().save(self.path, ContentFile(content))
            type(self)._default_manager.filter(pk=self.pk).update(archived_at=None, state=self.State.READY)
        self.archived_at, self.state = None, self.State.READY

    def _fetch_from_archive(self) -> bytes:
        if self.archive_address != archive.build_address(self.path):
            words = {"name": self, "address": self.archive_address or "–"}
            sentence = gettext("%(name)s was archived at %(address)s, which is not the archive of now.")
            raise archive.ArchiveUnreachable(sentence % words)
        return archive.fetch_file(self.path, self.sha256)

    def read(self) -> bytes:
        """As any artifact; one in the archive, or damaged here with a copy there, is brought back first.

        Raises CorruptArtifact, also when the archive does not answer.
        """
        try:
            if self.is_archived:
                self.restore_file()
            return super().read()
        except CorruptArtifact:
            self.refresh_from_db(fields=["archive_address", "archived_at"])
            if not self.archive_address:
                raise
            return self._restore_and_read()
        except archive.ArchiveError as problem:
            raise CorruptArtifact(str(problem)) from problem

    def _restore_and_read(self) -> bytes:
        try:
            self.restore_file()
        except archive.ArchiveError as problem:
            raise CorruptArtifact(str(problem)) from problem
        return super().read()

    def delete_files(self) -> None:
        """The archive's copy goes as well; raises ArchiveUnreachable, then a later clean-up finishes it."""
        if self.archive_address == archive.build_address(self.path) and archive.has_archive():
            archive.delete_copy(self.path)
        super().delete_files()

"""Files owned by rows: written before the row becomes `ready`, deleted after it becomes `deleting`.

    pending --write()--> ready --remove()--> deleting --> row deleted, its tombstone remains
       |                   \\--reconcile: file missing or changed--> damaged --file is back--> ready
       \\--crash: at worst an orphan file, never a ready row without a complete file

Paths come from row ids, never from user input. Works with any Django storage (local folder, S3).
"""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import ClassVar, Literal, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from registry.access.audit import AuditAction, record_action
from registry.lib.errors import MessageError, gettext_noop
from registry.lib.hashing import iter_hashed_chunks, sha256_of
from registry.storage.tombstones import BY_HAND, WITH_ITS_SOURCE, Tombstone


class CorruptArtifact(MessageError):
    """The stored file is missing or is not the one that was saved."""


def get_artifact_store() -> Storage:
    """The storage of artifacts, chosen by settings."""
    return storages["artifacts"]


class Artifact(models.Model):
    """Abstract row that owns one immutable file."""

    class State(models.TextChoices):
        PENDING = "pending", _("being saved")
        READY = "ready", _("ready")
        DELETING = "deleting", _("being deleted")
        DAMAGED = "damaged", _("damaged")

    KIND: ClassVar[str]
    FOLDER: ClassVar[str]
    SUFFIX: ClassVar[str]
    PATH_FIELDS: ClassVar[tuple[str, ...]] = ("id",)  # what `path` depends on

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING, db_index=True)
    size = models.BigIntegerField(_("bytes"), default=0)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, db_index=True)

    class Meta:
        abstract = True

    @property
    def path(self) -> str:
        """The file's name in the artifact store."""
        return f"{self.FOLDER}/{self.pk}{self.SUFFIX}"

    @property
    def stored_bytes(self) -> int:
        """Bytes that its content takes in the store."""
        return self.size

    @property
    def locations(self) -> list[str]:
        """Addresses of the file, starting with the store as the settings name it."""
        return [f"{settings.ARTIFACT_STORE}/{self.path}"]

    def write(self, content: bytes) -> None:
        """Writes the file and sets size and hash; the caller saves the row."""
        self.size, self.sha256 = len(content), hashlib.sha256(content).hexdigest()
        get_artifact_store().save(self.path, ContentFile(content))

    def write_file(self, path: Path) -> None:
        """Same as `write`, for a file too large for memory."""
        with path.open("rb") as stream:
            self.sha256, self.size = sha256_of(stream), stream.tell()
            stream.seek(0)
            get_artifact_store().save(self.path, File(stream))

    def copy_file_to(self, path: Path) -> None:
        """Copies the file chunk by chunk and checks its hash; raises CorruptArtifact."""
        digest = hashlib.sha256()
        try:
            with get_artifact_store().open(self.path, "rb") as source, path.open("wb") as target:
                target.writelines(iter_hashed_chunks(source, digest))
        except FileNotFoundError:
            raise self._corrupt("missing") from None
        if digest.hexdigest() != self.sha256:
            raise self._corrupt("changed")

    def mark_ready(self) -> None:
        """Saves the row as ready; call once the file is complete."""
        self.state = self.State.READY
        self.save()

    def read(self) -> bytes:
        """The file's bytes, checked against the hash; raises CorruptArtifact."""
        try:
            with get_artifact_store().open(self.path, "rb") as stream:
                content: bytes = stream.read()
        except FileNotFoundError:
            raise self._corrupt("missing") from None
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise self._corrupt("changed")
        return content

    def missing_file(self) -> CorruptArtifact:
        """The exception to raise where its file is not in the store."""
        return self._corrupt("missing")

    def _corrupt(self, problem: Literal["missing", "changed"]) -> CorruptArtifact:
        """The exception to raise for this row's file."""
        if problem == "missing":
            sentence = gettext_noop("The file of {name} is missing: delete it and make it again.")
        else:
            sentence = gettext_noop(
                "The file of {name} was changed after it was saved: delete it and make it again."
            )
        return CorruptArtifact(sentence, name=str(self))

    def lock_row(self) -> Self | None:
        """The current row, locked until the transaction ends; None if it no longer exists."""
        return type(self)._default_manager.select_for_update().filter(pk=self.pk).first()

    def remove(self, rule: str = BY_HAND, by: AbstractBaseUser | None = None) -> None:
        """Marks the row, deletes the file, then the row. Safe to repeat after a crash at any point.

        Artifacts that cascade with this row are removed first, or their files would be left behind.
        """
        self.mark_for_deletion(rule, by)
        for relation in self._meta.related_objects:
            if issubclass(relation.related_model, Artifact) and relation.on_delete is models.CASCADE:
                for artifact in relation.related_model._default_manager.filter(**{relation.field.name: self}):
                    artifact.remove(WITH_ITS_SOURCE, by)
        self.delete_files_and_row()

    def mark_for_deletion(self, rule: str, by: AbstractBaseUser | None) -> None:
        """Commits the deletion with a tombstone, so that anyone can finish it after a crash."""
        with transaction.atomic():
            row = self.lock_row()
            if row is None or row.state == self.State.DELETING:
                return
            type(self)._default_manager.filter(pk=self.pk).update(state=self.State.DELETING)
            if row.state != self.State.PENDING:  # never complete, so it needs no tombstone
                row.build_tombstone(rule, by).save()
                if rule == BY_HAND:
                    record_action(AuditAction.DELETED, row, by)

    def delete_files_and_row(self) -> None:
        """Deletes the files of a row marked `deleting`, then the row."""
        self.delete_files()
        self.delete()

    def delete_files(self) -> None:
        """Deletes the file; a missing one was deleted before a crash."""
        get_artifact_store().delete(self.path)

    def build_tombstone(self, rule: str, by: AbstractBaseUser | None = None) -> Tombstone:
        """An unsaved tombstone of this row."""
        facts = {"name": str(self)[:300], "sha256": self.sha256, "size": self.size}
        where, who = " ".join(self.locations), by.pk if by else None
        return Tombstone(id=self.pk, kind=self.KIND, rule=rule, place=where, by_id=who, **facts)

    def on_damaged(self) -> None:
        """Hook for a ready row whose file turns out to be missing or changed."""

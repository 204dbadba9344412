"""Files that rows own: written before the row says `ready`, removed after it says `deleting`.

    pending --write()--> ready --remove()--> deleting --> row gone, a tombstone stays
       |                   \\--reconcile: its file is missing or changed--> damaged --file is back--> ready
       \\--crash: an orphan file at worst, never a ready row without its whole file

Paths come from the row's id, never from user text. Works on any Django storage (local folder, S3).
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
    """Where artifacts live; chosen by settings only."""
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

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING, db_index=True)
    size = models.BigIntegerField(_("bytes"), default=0)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, db_index=True)

    class Meta:
        abstract = True

    @property
    def path(self) -> str:
        """Name inside the artifact store."""
        return f"{self.FOLDER}/{self.pk}{self.SUFFIX}"

    @property
    def locations(self) -> list[str]:
        """Where the file is, in words of the settings."""
        return [f"{settings.ARTIFACT_STORE}/{self.path}"]

    def write(self, content: bytes) -> None:
        """Writes the file and notes size and hash on this object; the caller's next save makes them known."""
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
        """Commits that the whole file is there."""
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
        """Inside a transaction: the row as it is now, held until the end of it; None when it is gone."""
        return type(self)._default_manager.select_for_update().filter(pk=self.pk).first()

    def remove(self, rule: str = BY_HAND, by: AbstractBaseUser | None = None) -> None:
        """Row says `deleting`, file goes, row goes. Safe to repeat after a crash at any point.

        Artifacts that the database would delete with this row go first, or their files would stay behind.
        """
        self.mark_for_deletion(rule, by)
        for relation in self._meta.related_objects:
            if issubclass(relation.related_model, Artifact) and relation.on_delete is models.CASCADE:
                for artifact in relation.related_model._default_manager.filter(**{relation.field.name: self}):
                    artifact.remove(WITH_ITS_SOURCE, by)
        self.delete_files_and_row()

    def mark_for_deletion(self, rule: str, by: AbstractBaseUser | None) -> None:
        """Commits that it goes and why; who finds the row later only has to finish."""
        with transaction.atomic():
            row = self.lock_row()
            if row is None or row.state == self.State.DELETING:
                return
            type(self)._default_manager.filter(pk=self.pk).update(state=self.State.DELETING)
            if row.state != self.State.PENDING:  # what was never whole needs no stone
                row.build_tombstone(rule, by).save()
                if rule == BY_HAND:
                    record_action(AuditAction.DELETED, row, by)

    def delete_files_and_row(self) -> None:
        """The files of a row that says `deleting` go, then the row."""
        self.delete_files()
        self.delete()

    def delete_files(self) -> None:
        """Missing is fine: it was dropped before a crash."""
        get_artifact_store().delete(self.path)

    def build_tombstone(self, rule: str, by: AbstractBaseUser | None = None) -> Tombstone:
        """What is left of it when it is gone; not saved yet."""
        facts = {"name": str(self)[:300], "sha256": self.sha256, "size": self.size}
        where, who = " ".join(self.locations), by.pk if by else None
        return Tombstone(id=self.pk, kind=self.KIND, rule=rule, place=where, by_id=who, **facts)

    def on_damaged(self) -> None:
        """Called when the file of a row that was ready turned out missing or changed."""

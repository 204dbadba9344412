"""Columns about the file of a row, and the group of fields that its page shows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from registry.admin.base import yes_or_dash
from registry.storage.archivable import ArchivableArtifact
from registry.storage.artifacts import Artifact

FILE_FIELDS: tuple[Any, Any] = (_("File"), {"fields": ("file_path", "size_text", "sha256")})
ARCHIVABLE_FIELDS: tuple[Any, Any] = (
    _("File"),
    {
        "fields": (
            "pinned_text",
            "file_location",
            "file_path",
            "size_text",
            "sha256",
            "archive_address",
            "archived_at",
        )
    },
)


class FileColumns:
    """Path and size of an artifact's file."""

    @admin.display(description=_("path"))
    def file_path(self, obj: Artifact) -> str:
        return obj.path

    @admin.display(description=_("size"), ordering="size")
    def size_text(self, obj: Artifact) -> str:
        return filesizeformat(obj.stored_bytes)


class ArchivableColumns(FileColumns):
    """Also where the file is, and whether clean-ups leave it alone."""

    @admin.display(description=_("pinned"), ordering="pinned")
    def pinned_text(self, obj: ArchivableArtifact) -> str:
        return yes_or_dash(obj.pinned)

    @admin.display(description=_("file"), ordering="archived_at")
    def file_location(self, obj: ArchivableArtifact) -> str:
        return obj.location_label

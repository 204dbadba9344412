"""Local file storage whose saved files survive a crash."""

from __future__ import annotations

from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from registry.lib.atomic_file import write_atomic


class DurableStorage(FileSystemStorage):
    """Files are complete or absent; saving under an existing name replaces that file."""

    def is_name_available(self, name: str, max_length: int | None = None) -> bool:
        """Always true: names come from ids, so an existing file is an earlier attempt at the same one."""
        return True

    def _save(self, name: str, content: File[bytes]) -> str:
        write_atomic(Path(self.path(name)), content.chunks())
        return name

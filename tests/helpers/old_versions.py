"""Versions of sales as release 0.1 stored them: one file with all rows."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pyarrow.parquet as pq

from registry.datasets.importing.parts import load_parts
from registry.datasets.models import DatasetVersion
from registry.datasets.store.reading import place_parts


def copy_as_old(version: DatasetVersion) -> DatasetVersion:
    """Another version with the same rows, in one file."""
    old = DatasetVersion.objects.get(pk=version.pk)
    old.pk, old.number, old.layout_facts = uuid4(), version.number + 100, None
    old._state.adding = True
    with TemporaryDirectory() as folder:
        place_parts(version.parts.all(), Path(folder) / "parts")
        content = load_parts((Path(folder) / "parts").iterdir())
        pq.write_table(content.slice_to_arrow(slice(None)), Path(folder) / "old.parquet")
        old.content_hash = content.content_hash
        old.write_file(Path(folder) / "old.parquet")
    old.mark_ready()
    return old

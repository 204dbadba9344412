"""The own file of a version: the list of its parts as parquet, what imports left out, and its catalog."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from registry.datasets.importing.canonical import LEFT_OUT_KEY
from registry.datasets.store.models import SalesPart

ITEMS_KEY = b"items"
COLUMNS = ("path", "bucket", "span", "first", "last", "rows", "size", "sha256", "content_hash")


def build_manifest(parts: Sequence[SalesPart], left_out: bytes, items: list[dict[str, Any]]) -> bytes:
    """One row for each part, in order of span and bucket: any tool finds the files of the version by it."""
    ordered = sorted(parts, key=lambda part: (part.span, part.bucket))
    table = pa.table({name: [getattr(part, name) for part in ordered] for name in COLUMNS})
    metadata = {ITEMS_KEY: json.dumps(items, ensure_ascii=False).encode()}
    if left_out:
        metadata[LEFT_OUT_KEY] = left_out
    stream = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(metadata), stream, compression="zstd")
    return bytes(stream.getvalue())


def read_items(schema: pa.Schema) -> list[dict[str, Any]] | None:
    """The catalog of the version, from the schema of its file; None if it does not hold one."""
    text = (schema.metadata or {}).get(ITEMS_KEY)
    return None if text is None else list(json.loads(text))


def hash_parts(parts: Iterable[SalesPart]) -> str:
    """SHA-256 over the hashes of the parts, in order of span and bucket."""
    lines = sorted(f"{part.span:08} {part.bucket:08} {part.content_hash}" for part in parts)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

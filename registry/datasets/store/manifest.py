"""The own file of a version: the list of its parts as parquet, what imports left out, and its catalog."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from registry.datasets.importing.canonical import ITEMS_KEY, LEFT_OUT_KEY
from registry.datasets.importing.facts.sales_facts import FACTS_KEY
from registry.datasets.store.models import SalesPart

COLUMNS = ("path", "bucket", "span", "first", "last", "rows", "size", "sha256", "content_hash")


def build_manifest(
    parts: Sequence[SalesPart], items: list[dict[str, Any]], left_out: bytes, facts: bytes = b""
) -> bytes:
    """One row for each part, in order of span and bucket: any tool finds the files of the version by it."""
    ordered = sorted(parts, key=lambda part: (part.span, part.bucket))
    table = pa.table({name: [getattr(part, name) for part in ordered] for name in COLUMNS})
    metadata = {ITEMS_KEY: json.dumps(items, ensure_ascii=False).encode()}
    metadata |= {key: text for key, text in ((LEFT_OUT_KEY, left_out), (FACTS_KEY, facts)) if text}
    stream = pa.BufferOutputStream()
    with pq.ParquetWriter(stream, table.schema, compression="zstd") as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(metadata)
    return bytes(stream.getvalue())


def read_items(metadata: Mapping[bytes, bytes]) -> list[dict[str, Any]] | None:
    """The catalog of the version, from the metadata of its file; None if it does not hold one."""
    text = metadata.get(ITEMS_KEY)
    return None if text is None else list(json.loads(text))


def hash_parts(parts: Iterable[SalesPart]) -> str:
    """SHA-256 over the hashes of the parts, in order of span and bucket."""
    lines = sorted(f"{part.span:08} {part.bucket:08} {part.content_hash}" for part in parts)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

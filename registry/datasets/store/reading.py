"""Reads the sales of a version from its parts, and from the one file of a version that has none yet."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from registry.datasets.importing.canonical import LEFT_OUT_KEY, ROW_GROUP_SIZE, read_metadata
from registry.datasets.importing.pieces.base import part_name
from registry.datasets.models import DatasetVersion
from registry.datasets.store.models import SalesPart
from registry.datasets.store.texts import join_tables, sort_by_series
from registry.lib.hashing import sha256_of
from registry.storage.artifacts import CorruptArtifact, get_artifact_store

READERS = 4  # files fetched at a time
WINDOW = 32  # files held before their rows are taken


@dataclass(frozen=True)
class RowFilter:
    """The rows to read: of one store or product, or all; of all buckets or some; from a day on."""

    side: str = ""  # "store" or "product"
    code: str = ""
    buckets: tuple[int, ...] | None = None
    since: dt.date | None = None


ALL_ROWS = RowFilter()


def count_buckets(version: DatasetVersion) -> int:
    """Number of hash buckets of series: 1 for a version that is one file."""
    return version.layout.buckets if version.layout else 1


def read_bucket(version: DatasetVersion, bucket: int, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of one bucket in order of store, product and day; raises CorruptArtifact."""
    needed = None if columns is None else list(dict.fromkeys(["date", "store_id", "product_id", *columns]))
    table = sort_by_series(read_rows(version, RowFilter(buckets=(bucket,)), needed))
    return table if columns is None else table.select(list(columns))


def read_rows(
    version: DatasetVersion, wanted: RowFilter = ALL_ROWS, columns: Sequence[str] | None = None
) -> pa.Table:
    """The wanted rows, part by part; those of a series stand in order of days. Raises CorruptArtifact."""
    return join_tables(list(iter_tables(version, wanted, columns)))


def iter_tables(
    version: DatasetVersion, wanted: RowFilter = ALL_ROWS, columns: Sequence[str] | None = None
) -> Iterator[pa.Table]:
    """The wanted rows of each part, at least one table; spans follow each other, then buckets.

    Raises CorruptArtifact. A column that a part lacks is missing from its table.
    """
    if (content := read_whole_file(version)) is not None:
        yield read_part(content, wanted, columns)
        return
    parts = select_parts(version, wanted)
    for part, content in zip(parts, iter_contents(version, parts), strict=True):
        table = read_part(content, wanted, columns)
        yield table if wanted.buckets is None or part.bucket in wanted.buckets else table[:0]


def read_whole_file(version: DatasetVersion) -> bytes | None:
    """The one file of a version without parts; None if it has parts, maybe since a moment ago."""
    try:
        return None if version.layout else version.read()
    except CorruptArtifact:
        version.refresh_from_db(fields=["layout_facts", "size", "sha256"])
        if not version.layout:
            raise
        return None


def select_parts(version: DatasetVersion, wanted: RowFilter = ALL_ROWS) -> list[SalesPart]:
    """The parts that may hold wanted rows, at least one so that columns are known; none without a layout."""
    if not version.layout:
        return []
    buckets = wanted.buckets
    if wanted.side == "product" and version.layout.key == "product":
        buckets = (version.layout.find_bucket("", wanted.code),)
    found = [
        part
        for part in version.ordered_parts
        if (buckets is None or part.bucket in buckets) and (wanted.since is None or part.last >= wanted.since)
    ]
    return found or version.ordered_parts[:1]


def iter_contents(version: DatasetVersion, parts: Sequence[SalesPart]) -> Iterator[bytes]:
    """The files of the parts in their order, each checked against its hash; raises CorruptArtifact."""
    with ThreadPoolExecutor(READERS) as readers:
        for start in range(0, len(parts), WINDOW):
            with naming_version(version):
                yield from readers.map(SalesPart.read, parts[start : start + WINDOW])


@contextmanager
def naming_version(version: DatasetVersion) -> Iterator[None]:
    """Lets CorruptArtifact name the version that a part is missing from."""
    try:
        yield
    except CorruptArtifact as problem:
        raise CorruptArtifact(problem.message, **{**problem.values, "name": str(version)}) from None


def read_part(content: bytes, wanted: RowFilter, columns: Sequence[str] | None) -> pa.Table:
    """The wanted rows of a parquet file."""
    file = pq.ParquetFile(pa.BufferReader(content))
    names = file.schema_arrow.names
    chosen = names if columns is None else [name for name in columns if name in names]
    side = f"{wanted.side}_id" if wanted.side else ""
    tested = [*([side] if side else []), *(["date"] if wanted.since else [])]
    groups = [
        group
        for group in range(file.num_row_groups)
        if not side or may_contain(file, group, side, wanted.code)
    ]
    table = file.read_row_groups(groups, list(dict.fromkeys([*chosen, *tested])))
    if side:
        table = table.filter(pc.equal(table[side], wanted.code))
    if wanted.since:
        table = table.filter(pc.greater_equal(table["date"], pa.scalar(wanted.since, pa.date32())))
    return table.select(chosen).replace_schema_metadata(None)


def may_contain(file: pq.ParquetFile, group: int, column: str, code: str) -> bool:
    """Whether the code is within a row group's bounds."""
    place = file.schema_arrow.names.index(column)
    bounds = file.metadata.row_group(group).column(place).statistics
    return bounds is None or not bounds.has_min_max or bool(bounds.min <= code <= bounds.max)


def iter_buckets(version: DatasetVersion) -> Iterator[pa.Table]:
    """All rows, a bucket at a time, each in order of store, product and day; raises CorruptArtifact."""
    for bucket in range(count_buckets(version)):
        table = read_bucket(version, bucket)
        if table.num_rows:
            yield table


def read_version_metadata(version: DatasetVersion) -> dict[bytes, bytes]:
    """The metadata of a version's own file: what imports left out, the catalog, facts about the sales."""
    return read_metadata(pa.BufferReader(version.read()))


def place_parts(parts: Iterable[SalesPart], folder: Path, is_checked: bool = True) -> None:
    """The parts as files of a new folder, named by first day and bucket; any tool reads it as one table.

    They are links where the store is a folder on the same disk, and copies elsewhere. Raises CorruptArtifact;
    links that are not checked may lead to other files.
    """
    folder.mkdir(parents=True)
    for part in parts:
        link_or_copy(part, folder / part_name(part.first, part.bucket), is_checked)


def are_parts_local() -> bool:
    """Whether the files of parts are in a folder, so that placing them takes no download."""
    try:
        get_artifact_store().path("")
    except NotImplementedError:
        return False
    return True


def fetch_parts(places: Sequence[tuple[SalesPart, Path]]) -> None:
    """Downloads parts to these places, some at a time; raises CorruptArtifact."""
    with ThreadPoolExecutor(READERS) as readers:
        list(readers.map(lambda place: place[0].copy_file_to(place[1]), places))


def link_or_copy(part: SalesPart, target: Path, is_checked: bool) -> None:
    """The file of a part under another name, checked against its hash; raises CorruptArtifact."""
    try:
        os.link(get_artifact_store().path(part.path), target)
    except (OSError, NotImplementedError):  # another disk, a store without paths, or a missing file
        return part.copy_file_to(target)
    if not is_checked:
        return None
    with target.open("rb") as stream:
        if sha256_of(stream) == part.sha256:
            return None
    target.unlink()  # the link alone: writing through it would change the file in the store
    return part.copy_file_to(target)


def write_whole(version: DatasetVersion, path: Path) -> None:
    """Writes all rows to one parquet file, a bucket at a time, each in order of store, product and day."""
    if not version.layout:
        version.copy_file_to(path)
        return
    left_out = read_version_metadata(version).get(LEFT_OUT_KEY)
    tables = iter_buckets(version)
    first = next(tables)
    schema = first.schema.with_metadata({LEFT_OUT_KEY: left_out} if left_out else None)
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
        for table in chain([first], tables):
            whole = join_tables([table, first[:0]])  # with the columns of the first bucket
            writer.write_table(whole.replace_schema_metadata(schema.metadata), row_group_size=ROW_GROUP_SIZE)

"""Workbooks with a sheet per month: sheets with the same columns are read as one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.column_mapping import match_columns
from registry.datasets.importing.dates import NO_DAY, parse_day
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.findings import MAX_EXAMPLES, Example, Finding
from registry.datasets.importing.headers import find_header_row, normalize_name
from registry.datasets.importing.raw_table import RawTable

MIN_SAME_SHARE = 0.5  # of a sheet's days and products that stand in another sheet as well
MAX_KEYS = 100_000  # rows of a sheet that are compared with those of others
MIN_DAY_COLUMNS = 3
Head = tuple[Any, list[list[str]]]  # a sheet and its first rows


def choose_sheets(name: str, best: Head, heads: Sequence[Head]) -> list[Head]:
    """The sheets with the columns of the best one; raises SalesFileError when one of sales has others."""
    names = name_columns(best)
    if len(names) < 2:
        return [best]
    for head in heads:
        if name_columns(head) != names and holds_sales(head) and holds_sales(best):
            raise SalesFileError(other_columns_message(name, best, head))
    return [head for head in heads if name_columns(head) == names]


def name_columns(head: Head) -> set[str]:
    """The names in a sheet's header, without case, spaces and punctuation."""
    rows = head[1]
    return {normalize_name(cell) or cell.strip() for cell in rows[find_header_row(rows)] if cell.strip()}


def holds_sales(head: Head) -> bool:
    """Whether a sheet's header names days, products and sales, or products beside columns of days."""
    rows = head[1]
    header = [cell for cell in rows[find_header_row(rows)] if cell.strip()]
    known = match_columns(list(dict.fromkeys(header)))
    days = sum(parse_day(cell, "dmy") != NO_DAY or parse_day(cell, "mdy") != NO_DAY for cell in header)
    return "product_id" in known and (days >= MIN_DAY_COLUMNS or {"date", "sales"} <= known.keys())


def other_columns_message(name: str, best: Head, other: Head) -> str:
    """The complaint about two sheets of sales whose columns differ."""
    differing = sorted(name_columns(best) ^ name_columns(other))
    words = {"file": name, "one": best[0].title, "other": other[0].title}
    sentence = _(
        "%(file)s: the sheets “%(one)s” and “%(other)s” hold sales but have different columns (%(columns)s). "
        "Give all sheets the same columns, or save them as files of their own."
    )
    return sentence % {**words, "columns": ", ".join(differing[:5])}


def join_sheets(name: str, heads: Sequence[Head], read_one: Callable[[Head], RawTable]) -> RawTable:
    """One table of all sheets, one below the other; raises SalesFileError when two hold the same rows."""
    parts = [(head[0].title, read_one(head)) for head in heads]
    first = parts[0][1]
    columns = {normalize_name(column) or column: column for column in first.table.column_names}
    tables, numbers, starts, offset = [], [], [], 0
    for title, part in parts:
        own = {normalize_name(column) or column: column for column in part.table.column_names}
        table = part.table.select([own[key] for key in columns])
        tables.append(table.rename_columns(list(columns.values())))
        starts.append((offset, title))
        numbers.append(part.row_numbers + offset)
        offset = int(numbers[-1].max(initial=offset))
    require_different_rows(
        name, [(title, table) for (title, _part), table in zip(parts, tables, strict=True)]
    )
    titles = [Example(0, "", title) for title, _part in parts[:MAX_EXAMPLES]]
    findings = [
        *join_findings(parts, dict(zip((title for title, _part in parts), starts, strict=True))),
        Finding("joined-sheets", len(parts), titles, "all"),
    ]
    return replace(
        first,
        table=pa.concat_tables(tables),
        row_numbers=np.concatenate(numbers),
        findings=findings,
        file_format={**first.file_format, "sheets": str(len(parts))},
        sheets=tuple(starts),
    )


def join_findings(parts: Sequence[tuple[str, RawTable]], starts: dict[str, tuple[int, str]]) -> list[Finding]:
    """The findings of all sheets, one of each kind, with the sheets' names."""
    joined: dict[str, Finding] = {}
    for title, part in parts:
        for finding in part.findings:
            places = [replace(place, column=title) for place in finding.examples]
            if finding.code == "ragged-row":  # the log finds their sheet
                offset = starts[title][0]
                places = [replace(place, row=place.row + offset) for place in finding.examples]
            if finding.code in joined:
                there = joined[finding.code]
                there.count += finding.count
                there.examples = (there.examples + places)[:MAX_EXAMPLES]
            else:
                joined[finding.code] = replace(finding, examples=places)
    return list(joined.values())


def require_different_rows(name: str, tables: Sequence[tuple[str, pa.Table]]) -> None:
    """Raises SalesFileError when a sheet repeats the days, stores and products of others."""
    mapping = match_columns(tables[0][1].column_names)
    wanted = [mapping[ours] for ours in ("date", "store_id", "product_id") if ours in mapping]
    seen: dict[tuple[str, ...], str] = {}
    for title, table in tables:
        columns = [table[column][:MAX_KEYS].to_pylist() for column in wanted]
        keys = set(zip(*columns, strict=True))
        again = Counter(seen[key] for key in keys if key in seen)
        if keys and again.total() >= MIN_SAME_SHARE * len(keys):
            words = {"file": name, "one": again.most_common(1)[0][0], "other": title}
            sentence = _(
                "%(file)s: the sheets “%(one)s” and “%(other)s” hold the same days and products. "
                "Add a column that names the store, or delete one of the sheets."
            )
            raise SalesFileError(sentence % words)
        seen |= dict.fromkeys(keys, title)

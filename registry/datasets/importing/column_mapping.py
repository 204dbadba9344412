"""Which column is which, by its name; wide files are melted into long ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.calendars import refuse_undated
from registry.datasets.importing.covariate_roles import CORE_COLUMNS, KNOWN_AHEAD_PATTERN, NAME_PATTERN
from registry.datasets.importing.dates import NO_DAY, find_date_order, parse_day, require_days
from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.importing.findings import Example, Finding
from registry.datasets.importing.headers import COLUMN_SYNONYMS, MONEY_NAMES, UNIT_NAMES, normalize_name
from registry.datasets.importing.number_texts import are_numeric
from registry.datasets.importing.raw_table import RawTable
from registry.datasets.importing.values import CategoricalColumn, is_text_type, parse_numbers

DEFAULT_STORE = "1"  # of a file without a store column
MAX_CELLS = 60_000_000  # of a wide file
MAX_PROOF_TEXTS = 10_000  # different texts of a column that are tried as numbers
MAX_LONG_COLUMNS = 200  # of a file with a row for each store, product and day


@dataclass(frozen=True)
class DetectedColumns:
    """A file with one row for each store, product and day, and {our name: its name}.

    With a `question` the file is still wide, because only a person can tell the days in its header.
    """

    long: RawTable
    mapping: dict[str, str]
    question: AmbiguousValue | None = None


def detect_columns(raw: RawTable, given: dict[str, str] | None = None, dates: str = "") -> DetectedColumns:
    """The mapping and the long table; a wide file is melted here and nowhere else.

    `dates` is the order of day, month and year in a header of days, if a person gave it.
    """
    mapping = prefer_units(raw, match_columns(raw.table.column_names, given), given or {})
    try:
        return DetectedColumns(*to_long_format(raw, mapping, dates))
    except AmbiguousValue as question:
        return DetectedColumns(raw, mapping, question)


def match_columns(columns: list[str], given: dict[str, str] | None = None) -> dict[str, str]:
    """{our name: its name}: the given pairs ("" = no column), then known names; each column is used once.

    >>> match_columns(["日期", "门店", "药品", "销量", "促销"])
    {'date': '日期', 'store_id': '门店', 'product_id': '药品', 'sales': '销量', 'promo': '促销'}
    >>> match_columns(["date", "qty", "sales"], {"sales": "qty"})
    {'date': 'date', 'sales': 'qty'}
    """
    mapping = dict(given or {})
    for ours, words in COLUMN_SYNONYMS.items():
        if ours in mapping:
            continue
        if ours in columns and ours not in mapping.values():
            mapping[ours] = ours
            continue
        names = {
            normalize_name(column): column for column in reversed(columns) if column not in mapping.values()
        }
        theirs = next((names[word] for word in words.split() if word in names), None)
        if theirs is not None:
            mapping[ours] = theirs
    order = [*COLUMN_SYNONYMS, *(ours for ours in mapping if ours not in COLUMN_SYNONYMS)]
    return {ours: mapping[ours] for ours in order if mapping.get(ours)}


def prefer_units(raw: RawTable, mapping: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """The mapping with units as sales where a column of money is called sales; logs that there are both."""
    sales = mapping.get("sales")
    names = [name for name in raw.table.column_names if name.strip()]
    used = {name for ours, name in mapping.items() if ours != "sales"}
    units = next((name for name in names if normalize_name(name) in UNIT_NAMES and name not in used), None)
    if normalize_name(sales or "") in UNIT_NAMES:
        units = sales
    money = next((name for name in names if normalize_name(name) in MONEY_NAMES and name not in used), None)
    if not (sales and units and money) or (given.get("sales") and sales != units):
        return mapping
    if (
        sales not in (units, money)
        or sales not in names
        or have_equal_numbers(raw.table[units], raw.table[money])
    ):
        return mapping
    raw.findings.append(Finding("money-for-units", 1, [Example(1, units, money)], "keep"))
    return {**mapping, "sales": units}


def have_equal_numbers(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    """Whether the first cells of two columns hold the same numbers: then both are units."""
    cells = (column[:MAX_PROOF_TEXTS] for column in (one, other))
    first, second = (parse_numbers(column)[0] for column in cells)
    return bool(np.array_equal(first, second, equal_nan=True) and not np.isnan(first).all())


def to_long_format(
    raw: RawTable, mapping: dict[str, str], dates: str = ""
) -> tuple[RawTable, dict[str, str]]:
    """Table and mapping of a wide file (days or products as columns) in long form; others unchanged.

    Raises SalesFileError for columns of weeks or months, AmbiguousValue for days in an open order.
    """
    if "sales" in mapping:
        return raw, mapping
    used = set(mapping.values())
    rest = [name for name in raw.table.column_names if name.strip() and name not in used]
    if "product_id" in mapping and "date" not in mapping:
        days = [name for name in rest if parse_day(name, "dmy") != NO_DAY or parse_day(name, "mdy") != NO_DAY]
        if len(days) >= 3 and 2 * len(days) >= len(rest):
            if not dates:
                require_days(raw.name, "", rest, {})
                find_date_order(raw.name, "", days, dict.fromkeys(days, 1))  # raises AmbiguousValue
            return melt_columns(raw, mapping, days, "date"), {**mapping, "date": "date", "sales": "sales"}
        if len(rest) >= 3:
            refuse_undated(raw.name, "", rest)
    if "date" in mapping and "product_id" not in mapping:
        products = [name for name in rest if may_be_product(raw.table, name)]
        if len(products) >= 3 and len(products) == len(rest):
            long = melt_columns(raw, mapping, products, "product_id")
            return long, {**mapping, "product_id": "product_id", "sales": "sales"}
    return raw, mapping


def may_be_product(table: pa.Table, name: str) -> bool:
    """Whether a column may hold the sales of the product in its header."""
    column = table[name]
    numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if is_text_type(column.type):
        numeric = are_numeric(CategoricalColumn.from_arrow(column).values[:MAX_PROOF_TEXTS])
    return numeric and not KNOWN_AHEAD_PATTERN.search(name) and not NAME_PATTERN.search(name)


def melt_columns(raw: RawTable, mapping: dict[str, str], names: list[str], header: str) -> RawTable:
    """A table with one row for each filled cell of the named columns, their names in column `header`."""
    table, count = raw.table, raw.table.num_rows
    if len(names) * count > MAX_CELLS:
        words = {"file": raw.name, "cells": len(names) * count}
        raise SalesFileError(_("%(file)s has %(cells)d cells: split it by month.") % words)
    kind = table[names[0]].type
    if any(table[name].type != kind for name in names):
        kind = pa.float64() if not any(is_text_type(table[name].type) for name in names) else pa.string()
    chunks = [chunk for name in names for chunk in table[name].cast(kind).chunks]
    # column by column, so that the chunks are reused instead of copied
    columns = {"sales": pa.chunked_array(chunks, kind)}
    places = np.repeat(np.arange(len(names), dtype=np.int32), count)
    columns[header] = pa.chunked_array([pa.DictionaryArray.from_arrays(pa.array(places), pa.array(names))])
    for source in [name for name in table.column_names if name not in names and name.strip()]:
        same = table[source]
        columns[source] = pa.chunked_array(same.chunks * len(names), same.type)
    long = pa.table(columns)
    sales = long["sales"]
    empty = np.asarray(sales.is_null())
    if is_text_type(kind):
        texts = CategoricalColumn.from_arrow(sales)
        empty |= np.array([not text.strip() for text in texts.values])[texts.codes]
    numbers = np.tile(raw.row_numbers, len(names))
    layout = {"date": "wide-days", "product_id": "wide-products"}[header]
    about = {**raw.file_format, "layout": layout}
    return RawTable(
        raw.name,
        long.filter(pa.array(~empty)),
        numbers[~empty],
        list(raw.findings),
        about,
        header,
        sheets=raw.sheets,
    )


def apply_mapping(raw: RawTable, mapping: dict[str, str], ignore: list[str]) -> pa.Table:
    """The columns under our names; logs columns that are left out, raises SalesFileError for missing ones."""
    unwanted = [name for name in ignore if name in raw.table.column_names and name not in mapping.values()]
    raw = replace(raw, table=raw.table.drop_columns(unwanted))
    there = raw.table.column_names
    for target, source in mapping.items():
        if source not in there:
            raise SalesFileError(missing_column_message(raw.name, source, there))
        if target in there and target != source:
            raw.findings.append(Finding("column-replaced", 1, [Example(1, target, source)], "drop"))
    replaced = set(mapping) - set(mapping.values())
    names = {source: target for target, source in mapping.items()}
    keep = [name for name in there if name.strip() and name not in replaced]
    if len(keep) + len(replaced & set(there)) < len(there):
        raw.findings.append(Finding("column-without-name", 1, [Example(1, "", "")], "drop"))
    if len(keep) > MAX_LONG_COLUMNS:
        numbers = {"file": raw.name, "count": len(keep), "most": MAX_LONG_COLUMNS}
        raise SalesFileError(_("%(file)s has %(count)d columns: keep at most %(most)d.") % numbers)
    table = raw.table.select(keep).rename_columns([names.get(name, name) for name in keep])
    for name in CORE_COLUMNS:
        if name == "store_id" and name not in table.column_names:
            one = pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(table.num_rows, np.int32)), pa.array([DEFAULT_STORE])
            )
            table = table.append_column("store_id", pa.chunked_array([one]))
            raw.findings.append(Finding("one-store", 1, [Example(1, "store_id", DEFAULT_STORE)], "keep"))
        elif name not in table.column_names:
            raise SalesFileError(missing_column_message(raw.name, name, there))
    return table


def missing_column_message(file: str, column: str, there: list[str]) -> str:
    """The complaint about a missing column, with the columns that the file has."""
    words = {"file": file, "column": column, "columns": ", ".join(there[:20])}
    return (
        _(
            "%(file)s has no column %(column)s: it has %(columns)s; "
            "name the right one with --map %(column)s=ITS_NAME."
        )
        % words
    )

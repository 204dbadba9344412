"""Checks of rows: from a raw file to canonical columns, every doubt named with row, column and value."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.canonical import CanonicalTable, Days
from registry.datasets.importing.column_mapping import apply_mapping, match_columns, to_long_format
from registry.datasets.importing.covariate_roles import CORE_COLUMNS
from registry.datasets.importing.dates import (
    EPOCH,
    NO_DAY,
    convert_days,
    find_date_order,
    is_date_type,
    parse_days,
)
from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.importing.extra_columns import ColumnData, ExtraColumns
from registry.datasets.importing.finding_log import FindingLog
from registry.datasets.importing.options import DECIMAL_MARKS, ImportOptions
from registry.datasets.importing.raw_table import RawTable
from registry.datasets.importing.spelling import merge_spellings
from registry.datasets.importing.values import (
    CategoricalColumn,
    Floats,
    are_numeric,
    count_decimal_proofs,
    distinct_texts,
    is_text_type,
    parse_number,
    parse_numbers,
)

Rows = npt.NDArray[np.int64] | slice
NamedColumns = dict[str, pa.ChunkedArray]  # of a file, by our names
MAX_CODE_LENGTH = 100
MAX_CODES = 100_000
FILL_DOWN_SHARE = 1 / 3  # so many empty cells of a column are no accident
TOTAL_PATTERN = re.compile(
    r"((grand|sub|overall|sous)[ -]?)?tota(ls?|ux)( général)?|sum|somme|((gesamt|end|zwischen)?summe|gesamt)"
    r"|(合计|总计|小计|总和|汇总)|(grand |sub)?total[: ].*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class CheckedRows:
    """Canonical rows, the number of each in the file, and how the file was read."""

    content: CanonicalTable
    row_numbers: npt.NDArray[np.int32]
    file_format: dict[str, str]
    mapping: dict[str, str] = field(default_factory=dict)


def check_table(
    raw: RawTable, options: ImportOptions, today: dt.date | None = None
) -> tuple[CheckedRows, FindingLog]:
    """Canonical columns in order of store, product and day, and the check with its findings.

    A finding whose choice is "stop" raises SalesError; what only a person can tell raises Question.
    """
    mapping = match_columns(raw.table.column_names, options.mapping)
    long, mapping = to_long_format(raw, mapping)
    table = apply_mapping(long, mapping, options.ignore)
    check = FindingLog(long, options, {ours: theirs for ours, theirs in mapping.items() if ours != theirs})
    raw.release_table()
    long.release_table()
    columns = {name: table[name] for name in table.column_names}
    del table
    return replace(check_rows(check, columns, today), mapping=mapping), check


def check_rows(log: FindingLog, table: NamedColumns, today: dt.date | None) -> CheckedRows:
    """The rows of a file whose columns have our names; a column is let go once it is read."""
    raw = log.raw
    log.add_ragged_rows()
    if not len(log.excluded):
        raise SalesFileError(_("%(file)s has no usable row.") % {"file": raw.name})
    if pa.types.is_nested(table["sales"].type):
        raise SalesFileError(unfit_type_message(raw.name, log.column_label("sales"), table["sales"].type))
    flag_totals(log, table)
    fill_down(log, table)
    days, order = read_days(log, table)
    log.flag_rows("bad-date", "date", table, days == NO_DAY)
    decimal, mark = find_decimal_mark(log, table)
    sales, wrong = parse_numbers(table["sales"], mark)
    log.flag_rows("not-a-number", "sales", table, wrong)
    log.flag_rows("infinite", "sales", table, np.isinf(sales))
    if today is not None:
        future = (days > (today - EPOCH).days) & ~np.isnan(sales)
        log.flag_rows("future-date", "date", table, future)
    stores, products = (check_codes(log, table, name, days) for name in ("store_id", "product_id"))
    if log.flag_rows("negative", "sales", table, sales < 0) == "zero":
        sales = np.where(sales < 0, 0.0, sales)
    for name in CORE_COLUMNS:
        del table[name]
    extras = ExtraColumns(read_extras(log, table, mark))
    rows, sales = sort_unique(log, days, (stores, products), sales)
    if log.excluded.all():
        raise SalesFileError(_("%(file)s has no usable row.") % {"file": raw.name})
    if not isinstance(rows, slice):
        extras = extras.map_columns(lambda column: column[rows])
    result = CanonicalTable(days[rows], stores[rows], products[rows], sales, extras)
    if np.isnan(result.sales).all():
        raise SalesFileError(_("%(file)s, column sales: every cell is empty.") % {"file": raw.name})
    about = {"layout": "long", **raw.file_format, "dates": order, "decimal": decimal}
    return CheckedRows(result, raw.row_numbers[rows], about)


def flag_totals(log: FindingLog, table: NamedColumns) -> None:
    """Rows of totals, as tills and spreadsheets write them between and below the others."""
    for name in ("date", "store_id", "product_id"):
        if is_text_type(table[name].type) and any(
            TOTAL_PATTERN.fullmatch(text.strip(" :：")) for text in distinct_texts(table[name])
        ):
            texts = CategoricalColumn.from_arrow(table[name])
            wrong = np.array([bool(TOTAL_PATTERN.fullmatch(text.strip(" :："))) for text in texts.values])
            log.flag_rows("total-row", name, table, wrong[texts.codes])


def fill_down(log: FindingLog, table: NamedColumns) -> None:
    """Days, stores and products that stand only in the first of their rows, as joined cells leave them."""
    for name in ("date", "store_id", "product_id"):
        column = table[name]
        if not is_text_type(column.type) or not (
            column.null_count or any(map(is_blank, distinct_texts(column)))
        ):
            continue
        texts = CategoricalColumn.from_arrow(column)
        filled = np.array([not is_blank(text) for text in texts.values])[texts.codes]
        wrong = ~filled & ~log.excluded
        if not filled[0] or wrong.sum() <= FILL_DOWN_SHARE * len(wrong):
            continue
        if log.flag_rows("filled-down", name, table, wrong) == "above":
            rows = np.maximum.accumulate(np.where(filled & ~log.excluded, np.arange(len(filled)), 0))
            table[name] = pa.chunked_array([texts[rows].to_arrow(slice(None))])


def is_blank(text: str) -> bool:
    return not text.strip()


def read_days(log: FindingLog, table: NamedColumns) -> tuple[Days, str]:
    """[N] days and the order they were read in."""
    column = table["date"]
    if is_date_type(column.type):
        return convert_days(column), "ymd"
    if pa.types.is_nested(column.type):
        raise SalesFileError(unfit_type_message(log.raw.name, "date", column.type))
    texts = CategoricalColumn.from_arrow(column)
    first = np.zeros(len(texts.values), np.int64)
    first[texts.codes[::-1]] = log.raw.row_numbers[::-1]
    rows = dict(zip((text.strip() for text in texts.values), first.tolist(), strict=True))
    order = log.options.dates or find_date_order(log.raw.name, log.column_label("date"), texts.values, rows)
    return parse_days(texts, order), order


def find_decimal_mark(log: FindingLog, table: NamedColumns) -> tuple[str, str]:
    """("point", ".") or ("comma", ","): proved by some number of the file, or asked for."""
    if given := log.options.decimal:
        return given, DECIMAL_MARKS[given]
    point = comma = 0
    unsure = ""
    for name, column in table.items():
        if name not in CORE_COLUMNS[:3] and is_text_type(column.type):
            found = count_decimal_proofs(distinct_texts(column)[:100_000])
            point, comma = point + found[0], comma + found[1]
            unsure = (unsure or found[2]) if name == "sales" else unsure
    dotted = "." in unsure and log.raw.file_format.get("separator", ",") == ","
    if unsure and not point and not comma and not dotted:
        words = {"file": log.raw.name, "column": log.column_label("sales"), "value": unsure}
        sentence = _(
            "%(file)s, column %(column)s: “%(value)s” may be a thousand or a fraction: "
            "say what the decimal mark is."
        )
        raise AmbiguousValue(sentence % words, "decimal", list(DECIMAL_MARKS))
    return ("comma", ",") if comma > point else ("point", ".")


def check_codes(log: FindingLog, table: NamedColumns, name: str, days: Days) -> CategoricalColumn:
    """Codes of stores or products: not empty, visible, at most 100 characters, each written in one way."""
    if pa.types.is_nested(table[name].type):
        raise SalesFileError(unfit_type_message(log.raw.name, name, table[name].type))
    texts = CategoricalColumn.from_arrow(table[name])
    empty = np.array([not text.strip() for text in texts.values])[texts.codes]
    log.flag_rows("no-code", name, table, empty)
    bad = np.array([len(text) > MAX_CODE_LENGTH or not text.strip().isprintable() for text in texts.values])
    log.flag_rows("bad-code", name, table, bad[texts.codes] & ~empty)
    if len(texts.values) > MAX_CODES:
        words = {"file": log.raw.name, "column": log.column_label(name), "count": len(texts.values)}
        raise SalesFileError(
            _("%(file)s, column %(column)s has %(count)d different codes: is it the right column?") % words
        )
    return merge_spellings(log, table, name, texts, days)


def unfit_type_message(file: str, column: str, kind: pa.DataType) -> str:
    words = {"file": file, "column": column, "kind": kind}
    return _("%(file)s, column %(column)s holds %(kind)s: only texts, numbers and dates can be read.") % words


def read_extras(log: FindingLog, table: NamedColumns, mark: str) -> Iterator[tuple[str, ColumnData]]:
    """The extra columns in order of their names, each let go by the file before the next is read."""
    for name in sorted(table):
        column = read_extra(log, table, name, mark)
        del table[name]
        if column is not None:
            yield name, column


def read_extra(
    log: FindingLog, table: NamedColumns, name: str, mark: str
) -> CategoricalColumn | Floats | None:
    """A covariate as numbers or texts; None when it is empty throughout."""
    column = table[name]
    kind = column.type
    if is_text_type(kind):
        texts = CategoricalColumn.from_arrow(column)
        if not any(text.strip() for text in texts.values):
            log.add_empty_column(name)
            return None
        if not are_numeric(texts.values, mark) and not is_nearly_numeric(log, table, name, texts, mark):
            return texts
    elif is_date_type(kind):
        return CategoricalColumn.from_arrow(column)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        if pa.types.is_null(kind):
            log.add_empty_column(name)
            return None
        if not pa.types.is_boolean(kind):
            raise SalesFileError(unfit_type_message(log.raw.name, name, kind))
    numbers, _wrong = parse_numbers(column, mark)
    log.flag_rows("infinite", name, table, np.isinf(numbers))
    if np.isnan(numbers).all():
        log.add_empty_column(name)
        return None
    return numbers


def is_nearly_numeric(
    log: FindingLog, table: NamedColumns, name: str, texts: CategoricalColumn, mark: str
) -> bool:
    """Whether a column of many numbers and a few texts is to be read as numbers."""
    numeric = np.array([are_numeric([text], mark) for text in texts.values])
    if numeric.sum() < max(10, 0.9 * len(numeric)):
        return False
    wrong = np.array([bool(np.isnan(parse_number(text, mark)) and text.strip()) for text in texts.values])
    return log.flag_rows("extra-not-a-number", name, table, wrong[texts.codes]) == "empty"


def sort_unique(
    log: FindingLog, days: Days, codes: tuple[CategoricalColumn, CategoricalColumn], sales: Floats
) -> tuple[Rows, Floats]:
    """Rows in order of store, product and day, one for each, and their sales.

    A slice of everything when they are so already: a large sorted file is not copied.
    """
    stores, products = codes
    places: Rows = np.flatnonzero(~log.excluded) if log.excluded.any() else slice(None)
    if log.excluded.all():
        return places, sales[places]
    some = days[places]
    first, span = int(some.min()), int(some.max()) - int(some.min()) + 1
    key = stores.codes[places].astype(np.int64)
    key *= len(products.values)
    key += products.codes[places]
    key *= span
    key += some - first
    if (key[1:] > key[:-1]).all():
        return places, sales[places]
    order = np.argsort(key, kind="stable")
    rows, key = order if isinstance(places, slice) else places[order], key[order]
    del order, places, some
    again = np.append(False, key[1:] == key[:-1])
    if not again.any():
        return rows, sales[rows]
    choice = log.add_duplicates(rows, again, (days, stores, products), sales)
    starts = np.flatnonzero(~again)
    if choice == "first":
        return rows[starts], sales[rows[starts]]
    last = np.append(starts[1:], len(rows)) - 1
    return rows[last], sum_groups(sales[rows], starts) if choice == "sum" else sales[rows[last]]


def sum_groups(sales: Floats, starts: npt.NDArray[np.int64]) -> Floats:
    """Sums of groups of rows; empty only where all are.

    >>> sum_groups(np.array([1, 2, np.nan, np.nan, 5]), np.array([0, 3, 4]))
    array([ 3., nan,  5.])
    """
    empty = np.isnan(sales)
    total = np.add.reduceat(np.where(empty, 0, sales), starts)
    return np.where(np.logical_and.reduceat(empty, starts), np.nan, total)

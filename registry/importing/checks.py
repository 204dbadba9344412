"""Checks of rows: from a raw file to canonical columns, every doubt named with row, column and value."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.importing.canonical import Canonical, Column, Days
from registry.importing.check import Check, cell
from registry.importing.codes import joined
from registry.importing.days import EPOCH, NO_DAY, find_order, is_time, text_days, typed_days
from registry.importing.matching import lengthened, match, renamed
from registry.importing.problems import Question, SalesError
from registry.importing.readers import Raw
from registry.importing.reading import DECIMALS, Reading
from registry.importing.roles import CORE
from registry.importing.values import (
    Floats,
    Texts,
    decimal_proofs,
    is_text,
    looks_numeric,
    parse_number,
    parse_numbers,
)

Rows = npt.NDArray[np.int64] | slice
MAX_CODE = 100
MAX_CODES = 100_000
TOTAL = re.compile(
    r"((grand|sub|overall)[ -]?)?totals?|sum|summe|gesamt|合计|总计|小计|总和|汇总|(grand |sub)?total[: ].*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Checked:
    """Canonical rows, the number of each in the file, and how the file was read."""

    content: Canonical
    numbers: npt.NDArray[np.int32]
    about: dict[str, str]
    mapping: dict[str, str]


def canonical(raw: Raw, reading: Reading, today: dt.date | None = None) -> tuple[Checked, Check]:
    """Canonical columns in order of store, product and day, and the check with its findings.

    A finding whose choice is "stop" raises SalesError; what only a person can tell raises Question.
    """
    mapping = match(raw.table.column_names, reading.mapping)
    raw, mapping = lengthened(raw, mapping)
    table = renamed(raw, mapping, reading.ignore)
    check = Check(raw, reading, {ours: theirs for ours, theirs in mapping.items() if ours != theirs})
    check.ragged()
    if not table.num_rows:
        raise SalesError(_("%(file)s has no usable row.") % {"file": raw.name})
    if pa.types.is_nested(table["sales"].type):
        raise SalesError(unfit(raw.name, check.label("sales"), table["sales"].type))
    totals(check, table)
    days, order = read_days(check, table)
    check.rows("bad-date", "date", table, days == NO_DAY)
    decimal, mark = find_decimal(check, table)
    sales, wrong = parse_numbers(table["sales"], mark)
    check.rows("not-a-number", "sales", table, wrong)
    check.rows("infinite", "sales", table, np.isinf(sales))
    if today is not None:
        future = (days > (today - EPOCH).days) & ~np.isnan(sales)
        check.rows("future-date", "date", table, future)
    stores, products = (check_codes(check, table, name, days) for name in ("store_id", "product_id"))
    extras = {name: extra(check, table, name, mark) for name in table.column_names if name not in CORE}
    if check.rows("negative", "sales", table, sales < 0) == "zero":
        sales = np.where(sales < 0, 0.0, sales)
    rows, sales = sort_unique(check, days, (stores, products), sales)
    if check.out.all():
        raise SalesError(_("%(file)s has no usable row.") % {"file": raw.name})
    columns: dict[str, Column] = {
        name: value[rows] for name, value in sorted(extras.items()) if value is not None
    }
    result = Canonical(days[rows], stores[rows], products[rows], sales, columns)
    if np.isnan(result.sales).all():
        raise SalesError(_("%(file)s, column sales: every cell is empty.") % {"file": raw.name})
    about = {"layout": "long", **raw.about, "dates": order, "decimal": decimal}
    return Checked(result, raw.numbers[rows], about, mapping), check


def totals(check: Check, table: pa.Table) -> None:
    """A total row at the end, as tills and spreadsheets write it."""
    last = range(max(0, table.num_rows - 3), table.num_rows)
    wrong = np.zeros(table.num_rows, dtype=bool)
    for name in ("date", "store_id", "product_id"):
        for row in last:
            if TOTAL.fullmatch(cell(table[name][row]).strip()):
                wrong[row] = True
                column = name
    if wrong.any():
        check.rows("total-row", column, table, wrong)


def read_days(check: Check, table: pa.Table) -> tuple[Days, str]:
    """[N] days and the order they were read in."""
    column = table["date"]
    if is_time(column.type):
        return typed_days(column), "ymd"
    if pa.types.is_nested(column.type):
        raise SalesError(unfit(check.raw.name, "date", column.type))
    texts = Texts.of(column)
    first = np.zeros(len(texts.values), np.int64)
    first[texts.codes[::-1]] = check.raw.numbers[::-1]
    rows = dict(zip((text.strip() for text in texts.values), first.tolist(), strict=True))
    order = check.reading.dates or find_order(check.raw.name, check.label("date"), texts.values, rows)
    return text_days(texts, order), order


def find_decimal(check: Check, table: pa.Table) -> tuple[str, str]:
    """("point", ".") or ("comma", ","): proved by some number of the file, or asked for."""
    if given := check.reading.decimal:
        return given, DECIMALS[given]
    point = comma = 0
    unsure = ""
    for name in table.column_names:
        if name not in CORE[:3] and is_text(table[name].type):
            found = decimal_proofs(Texts.of(table[name]).values[:100_000])
            point, comma = point + found[0], comma + found[1]
            unsure = (unsure or found[2]) if name == "sales" else unsure
    dotted = "." in unsure and check.raw.about.get("separator", ",") == ","
    if unsure and not point and not comma and not dotted:
        words = {"file": check.raw.name, "column": check.label("sales"), "value": unsure}
        sentence = _(
            "%(file)s, column %(column)s: “%(value)s” may be a thousand or a fraction: "
            "say what the decimal mark is."
        )
        raise Question(sentence % words, "decimal", list(DECIMALS))
    return ("comma", ",") if comma > point else ("point", ".")


def check_codes(check: Check, table: pa.Table, name: str, days: Days) -> Texts:
    """Codes of stores or products: not empty, visible, at most 100 characters, each written in one way."""
    if pa.types.is_nested(table[name].type):
        raise SalesError(unfit(check.raw.name, name, table[name].type))
    texts = Texts.of(table[name])
    empty = np.array([not text.strip() for text in texts.values])[texts.codes]
    check.rows("no-code", name, table, empty)
    bad = np.array([len(text) > MAX_CODE or not text.strip().isprintable() for text in texts.values])
    check.rows("bad-code", name, table, bad[texts.codes] & ~empty)
    if len(texts.values) > MAX_CODES:
        words = {"file": check.raw.name, "column": check.label(name), "count": len(texts.values)}
        raise SalesError(
            _("%(file)s, column %(column)s has %(count)d different codes: is it the right column?") % words
        )
    return joined(check, table, name, texts, days)


def unfit(file: str, column: str, kind: pa.DataType) -> str:
    words = {"file": file, "column": column, "kind": kind}
    return _("%(file)s, column %(column)s holds %(kind)s: only texts, numbers and dates can be read.") % words


def extra(check: Check, table: pa.Table, name: str, mark: str) -> Texts | Floats | None:
    """A covariate as numbers or texts; None when it is empty throughout."""
    column = table[name]
    kind = column.type
    if is_text(kind):
        texts = Texts.of(column)
        if not any(text.strip() for text in texts.values):
            check.dropped(name)
            return None
        if not looks_numeric(texts.values, mark) and not nearly_numeric(check, table, name, texts, mark):
            return texts
    elif is_time(kind):
        return Texts.of(column)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        if pa.types.is_null(kind):
            check.dropped(name)
            return None
        if not pa.types.is_boolean(kind):
            raise SalesError(unfit(check.raw.name, name, kind))
    numbers, _wrong = parse_numbers(column, mark)
    check.rows("infinite", name, table, np.isinf(numbers))
    if np.isnan(numbers).all():
        check.dropped(name)
        return None
    return numbers


def nearly_numeric(check: Check, table: pa.Table, name: str, texts: Texts, mark: str) -> bool:
    """Whether a column of many numbers and a few texts is to be read as numbers."""
    numeric = np.array([looks_numeric([text], mark) for text in texts.values])
    if numeric.sum() < max(10, 0.9 * len(numeric)):
        return False
    wrong = np.array([bool(np.isnan(parse_number(text, mark)) and text.strip()) for text in texts.values])
    return check.rows("extra-not-a-number", name, table, wrong[texts.codes]) == "empty"


def sort_unique(check: Check, days: Days, codes: tuple[Texts, Texts], sales: Floats) -> tuple[Rows, Floats]:
    """Rows in order of store, product and day, one for each, and their sales.

    A slice of everything when they are so already: a large sorted file is not copied.
    """
    stores, products = codes
    rows: npt.NDArray[np.int64] = np.flatnonzero(~check.out)
    if not len(rows):
        return rows, sales[rows]
    first, span = int(days[rows].min()), int(days[rows].max()) - int(days[rows].min()) + 1
    key = stores.codes[rows].astype(np.int64) * len(products.values) + products.codes[rows]
    key = key * span + (days[rows] - first)
    if (key[1:] > key[:-1]).all():
        return (slice(None), sales) if len(rows) == len(check.out) else (rows, sales[rows])
    order = np.argsort(key, kind="stable")
    rows, key = rows[order], key[order]
    again = np.append(False, key[1:] == key[:-1])
    if not again.any():
        return rows, sales[rows]
    choice = check.duplicates(rows, again, (days, stores, products), sales)
    starts = np.flatnonzero(~again)
    if choice == "first":
        return rows[starts], sales[rows[starts]]
    last = np.append(starts[1:], len(rows)) - 1
    return rows[last], added(sales[rows], starts) if choice == "sum" else sales[rows[last]]


def added(sales: Floats, starts: npt.NDArray[np.int64]) -> Floats:
    """Sums of groups of rows; empty only where all are.

    >>> added(np.array([1, 2, np.nan, np.nan, 5]), np.array([0, 3, 4]))
    array([ 3., nan,  5.])
    """
    empty = np.isnan(sales)
    total = np.add.reduceat(np.where(empty, 0, sales), starts)
    return np.where(np.logical_and.reduceat(empty, starts), np.nan, total)

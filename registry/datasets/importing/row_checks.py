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

from registry.datasets.importing.canonical import Canonical, Days
from registry.datasets.importing.column_mapping import lengthened, match, renamed
from registry.datasets.importing.covariate_roles import CORE
from registry.datasets.importing.dates import EPOCH, NO_DAY, find_order, is_time, text_days, typed_days
from registry.datasets.importing.errors import Question, SalesError
from registry.datasets.importing.extra_columns import Column, Extras
from registry.datasets.importing.finding_log import Check
from registry.datasets.importing.options import DECIMALS, Reading
from registry.datasets.importing.raw_table import Raw
from registry.datasets.importing.spelling import joined
from registry.datasets.importing.values import (
    Floats,
    Texts,
    decimal_proofs,
    distinct,
    is_text,
    looks_numeric,
    parse_number,
    parse_numbers,
)

Rows = npt.NDArray[np.int64] | slice
Table = dict[str, pa.ChunkedArray]  # of a file, by our names
MAX_CODE = 100
MAX_CODES = 100_000
MOSTLY = 1 / 3  # so many empty cells of a column are no accident
TOTAL = re.compile(
    r"((grand|sub|overall|sous)[ -]?)?tota(ls?|ux)( général)?|sum|somme|((gesamt|end|zwischen)?summe|gesamt)"
    r"|(合计|总计|小计|总和|汇总)|(grand |sub)?total[: ].*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Checked:
    """Canonical rows, the number of each in the file, and how the file was read."""

    content: Canonical
    numbers: npt.NDArray[np.int32]
    about: dict[str, str]
    mapping: dict[str, str] = field(default_factory=dict)


def canonical(raw: Raw, reading: Reading, today: dt.date | None = None) -> tuple[Checked, Check]:
    """Canonical columns in order of store, product and day, and the check with its findings.

    A finding whose choice is "stop" raises SalesError; what only a person can tell raises Question.
    """
    mapping = match(raw.table.column_names, reading.mapping)
    long, mapping = lengthened(raw, mapping)
    table = renamed(long, mapping, reading.ignore)
    check = Check(long, reading, {ours: theirs for ours, theirs in mapping.items() if ours != theirs})
    raw.let_go()
    long.let_go()
    columns = {name: table[name] for name in table.column_names}
    del table
    return replace(checked_rows(check, columns, today), mapping=mapping), check


def checked_rows(check: Check, table: Table, today: dt.date | None) -> Checked:
    """The rows of a file whose columns have our names; a column is let go once it is read."""
    raw = check.raw
    check.ragged()
    if not len(check.out):
        raise SalesError(_("%(file)s has no usable row.") % {"file": raw.name})
    if pa.types.is_nested(table["sales"].type):
        raise SalesError(unfit(raw.name, check.label("sales"), table["sales"].type))
    totals(check, table)
    fill_down(check, table)
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
    if check.rows("negative", "sales", table, sales < 0) == "zero":
        sales = np.where(sales < 0, 0.0, sales)
    for name in CORE:
        del table[name]
    extras = Extras(read_extras(check, table, mark))
    rows, sales = sort_unique(check, days, (stores, products), sales)
    if check.out.all():
        raise SalesError(_("%(file)s has no usable row.") % {"file": raw.name})
    if not isinstance(rows, slice):
        extras = extras.mapped(lambda column: column[rows])
    result = Canonical(days[rows], stores[rows], products[rows], sales, extras)
    if np.isnan(result.sales).all():
        raise SalesError(_("%(file)s, column sales: every cell is empty.") % {"file": raw.name})
    about = {"layout": "long", **raw.about, "dates": order, "decimal": decimal}
    return Checked(result, raw.numbers[rows], about)


def totals(check: Check, table: Table) -> None:
    """Rows of totals, as tills and spreadsheets write them between and below the others."""
    for name in ("date", "store_id", "product_id"):
        if is_text(table[name].type) and any(
            TOTAL.fullmatch(text.strip(" :：")) for text in distinct(table[name])
        ):
            texts = Texts.of(table[name])
            wrong = np.array([bool(TOTAL.fullmatch(text.strip(" :："))) for text in texts.values])
            check.rows("total-row", name, table, wrong[texts.codes])


def fill_down(check: Check, table: Table) -> None:
    """Days, stores and products that stand only in the first of their rows, as joined cells leave them."""
    for name in ("date", "store_id", "product_id"):
        column = table[name]
        if not is_text(column.type) or not (column.null_count or any(map(blank, distinct(column)))):
            continue
        texts = Texts.of(column)
        filled = np.array([not blank(text) for text in texts.values])[texts.codes]
        wrong = ~filled & ~check.out
        if not filled[0] or wrong.sum() <= MOSTLY * len(wrong):
            continue
        if check.rows("filled-down", name, table, wrong) == "above":
            rows = np.maximum.accumulate(np.where(filled & ~check.out, np.arange(len(filled)), 0))
            table[name] = pa.chunked_array([texts[rows].arrow(slice(None))])


def blank(text: str) -> bool:
    return not text.strip()


def read_days(check: Check, table: Table) -> tuple[Days, str]:
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


def find_decimal(check: Check, table: Table) -> tuple[str, str]:
    """("point", ".") or ("comma", ","): proved by some number of the file, or asked for."""
    if given := check.reading.decimal:
        return given, DECIMALS[given]
    point = comma = 0
    unsure = ""
    for name, column in table.items():
        if name not in CORE[:3] and is_text(column.type):
            found = decimal_proofs(distinct(column)[:100_000])
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


def check_codes(check: Check, table: Table, name: str, days: Days) -> Texts:
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


def read_extras(check: Check, table: Table, mark: str) -> Iterator[tuple[str, Column]]:
    """The extra columns in order of their names, each let go by the file before the next is read."""
    for name in sorted(table):
        column = extra(check, table, name, mark)
        del table[name]
        if column is not None:
            yield name, column


def extra(check: Check, table: Table, name: str, mark: str) -> Texts | Floats | None:
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


def nearly_numeric(check: Check, table: Table, name: str, texts: Texts, mark: str) -> bool:
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
    places: Rows = np.flatnonzero(~check.out) if check.out.any() else slice(None)
    if check.out.all():
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

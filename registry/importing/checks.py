"""Checks: from a raw file to canonical columns, every doubt named with row, column and value."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.importing.canonical import Canonical, Column
from registry.importing.problems import EXAMPLES, Example, Finding, SalesError
from registry.importing.readers import Raw
from registry.importing.roles import CORE
from registry.importing.values import NO_DAY, Floats, Texts, is_text, looks_numeric, parse_days, parse_numbers

Rows = npt.NDArray[np.int64] | slice
Mask = npt.NDArray[np.bool_]
MAX_CODE = 100


def canonical(raw: Raw, mapping: dict[str, str], on_problem: str = "stop") -> Canonical:
    """Canonical columns in order of store, product and day.

    `mapping` {canonical name: name in the file}. With on_problem "stop" the first finding that would lose a
    row raises SalesError; with "skip" such rows are left out and reported.
    """
    check = Check(raw, on_problem == "skip", list(raw.findings))
    table = renamed(raw, mapping, check.findings)
    check.stop_at(raw.findings)
    days = parse_days(table["date"])
    check.rows("bad-date", "date", table, days == NO_DAY)
    stores, products = (check_codes(check, table, name) for name in ("store_id", "product_id"))
    sales, wrong = parse_numbers(table["sales"])
    check.rows("not-a-number", "sales", table, wrong)
    check.rows("infinite", "sales", table, np.isinf(sales))
    extras = {name: extra(check, table, name) for name in table.column_names if name not in CORE}
    rows = sort_unique(check, days, stores, products)
    if check.out.all():
        raise SalesError(_("%(file)s has no usable row.") % {"file": raw.name})
    check.note("negative", "sales", table, sales < 0)
    columns: dict[str, Column] = {
        name: value[rows] for name, value in sorted(extras.items()) if value is not None
    }
    result = Canonical(days[rows], stores[rows], products[rows], sales[rows], columns, check.findings)
    if np.isnan(result.sales).all():
        raise SalesError(_("%(file)s, column sales: every cell is empty.") % {"file": raw.name})
    return result


def renamed(raw: Raw, mapping: dict[str, str], findings: list[Finding]) -> pa.Table:
    """Columns under their canonical names; raises SalesError naming what is missing."""
    there = raw.table.column_names
    for target, source in mapping.items():
        if source not in there:
            raise SalesError(missing(raw.name, source, there))
        if target in there and target != source:
            findings.append(Finding("column-replaced", 1, [Example(1, target, source)], "dropped"))
    replaced = set(mapping) - set(mapping.values())
    names = {source: target for target, source in mapping.items()}
    keep = [name for name in there if name and name not in replaced]
    if len(keep) + len(replaced & set(there)) < len(there):
        findings.append(Finding("column-without-name", 1, [Example(1, "", "")], "dropped"))
    table = raw.table.select(keep).rename_columns([names.get(name, name) for name in keep])
    for name in CORE:
        if name not in table.column_names:
            raise SalesError(missing(raw.name, name, there))
    return table


def missing(file: str, column: str, there: list[str]) -> str:
    words = {"file": file, "column": column, "columns": ", ".join(there[:20])}
    return (
        _(
            "%(file)s has no column %(column)s: it has %(columns)s; "
            "name the right one with --map %(column)s=ITS_NAME."
        )
        % words
    )


def check_codes(check: Check, table: pa.Table, name: str) -> Texts:
    """Codes of stores or products: not empty, visible, at most 100 characters."""
    if pa.types.is_nested(table[name].type):
        raise SalesError(unfit(check.raw.name, name, table[name].type))
    texts = Texts.of(table[name])
    empty = np.array([not text.strip() for text in texts.values])[texts.codes]
    check.rows("no-code", name, table, empty)
    bad = np.array([len(text) > MAX_CODE or not text.isprintable() for text in texts.values])
    check.rows("bad-code", name, table, bad[texts.codes])
    return texts


def unfit(file: str, column: str, kind: pa.DataType) -> str:
    words = {"file": file, "column": column, "kind": kind}
    return _("%(file)s, column %(column)s holds %(kind)s: only texts, numbers and dates can be read.") % words


def extra(check: Check, table: pa.Table, name: str) -> Texts | Floats | None:
    """A covariate as numbers or texts; None when it is empty throughout."""
    column = table[name]
    kind = column.type
    if is_text(kind):
        texts = Texts.of(column)
        if texts.values == [""]:
            check.dropped(name)
            return None
        if not looks_numeric(texts.values):
            return texts
    elif pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return Texts.of(column)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        if pa.types.is_null(kind):
            check.dropped(name)
            return None
        if not pa.types.is_boolean(kind):
            raise SalesError(unfit(check.raw.name, name, kind))
    numbers, _wrong = parse_numbers(column)
    check.rows("infinite", name, table, np.isinf(numbers))
    if np.isnan(numbers).all():
        check.dropped(name)
        return None
    return numbers


def sort_unique(check: Check, days: npt.NDArray[np.int32], stores: Texts, products: Texts) -> Rows:
    """Rows in order of store, product and day, without those that are out and later duplicates.

    A slice of everything when they are so already: a large sorted file is not copied.
    """
    rows: npt.NDArray[np.int64] = np.flatnonzero(~check.out)
    if not len(rows):
        return rows
    first, span = int(days[rows].min()), int(days[rows].max()) - int(days[rows].min()) + 1
    key = stores.codes[rows].astype(np.int64) * len(products.values) + products.codes[rows]
    key = key * span + (days[rows] - first)
    if (key[1:] > key[:-1]).all():
        return slice(None) if len(rows) == len(check.out) else rows
    order = np.argsort(key, kind="stable")
    rows, key = rows[order], key[order]
    again = np.append(False, key[1:] == key[:-1])
    check.duplicates(rows[again], days, stores, products)
    kept: Rows = rows[~again]
    return kept


def cell(value: pa.Scalar) -> str:
    """A cell as people read it; a damaged file can hold days that no calendar has."""
    try:
        return "" if value.as_py() is None else str(value.as_py())
    except (OverflowError, ValueError):
        return str(value.value)  # the number behind the day


@dataclass
class Check:
    """Collects findings about one file; `out` [N] marks the rows that cannot be used."""

    raw: Raw
    skip: bool
    findings: list[Finding]
    out: Mask = field(init=False)

    def __post_init__(self) -> None:
        self.out = np.zeros(self.raw.table.num_rows, dtype=bool)

    def add(self, code: str, places: list[Example], count: int, action: str) -> None:
        finding = Finding(code, count, places, action)
        self.findings.append(finding)
        if action == "skipped":
            self.stop_at([finding])

    def stop_at(self, findings: list[Finding]) -> None:
        """Unless rows may be skipped, a row that would be lost ends the import."""
        lost = [finding for finding in findings if finding.action == "skipped"]
        if lost and not self.skip:
            raise SalesError(lost[0].sentence(self.raw.name))

    def places(self, column: str, table: pa.Table, rows: npt.NDArray[np.int64]) -> list[Example]:
        texts = [cell(table[column][int(row)]) for row in rows[:EXAMPLES]]
        return [
            Example(int(self.raw.numbers[row]), column, text) for row, text in zip(rows, texts, strict=False)
        ]

    def rows(self, code: str, column: str, table: pa.Table, wrong: Mask) -> None:
        """Rows that cannot be used."""
        rows = np.flatnonzero(wrong & ~self.out)
        self.out |= wrong
        if len(rows):
            self.add(code, self.places(column, table, rows), len(rows), "skipped")

    def note(self, code: str, column: str, table: pa.Table, odd: Mask) -> None:
        """Rows that are used as they are, but that a person should know of."""
        rows = np.flatnonzero(odd & ~self.out)
        if len(rows):
            self.add(code, self.places(column, table, rows), len(rows), "kept")

    def dropped(self, column: str) -> None:
        """Notes a column that is empty throughout."""
        self.add("column-empty", [Example(1, column, "")], 1, "dropped")

    def duplicates(
        self, rows: npt.NDArray[np.int64], days: npt.NDArray[np.int32], stores: Texts, products: Texts
    ) -> None:
        """Later rows of a date, store and product that was there before."""
        if not len(rows):
            return
        self.out[rows] = True
        places = []
        for row in np.sort(rows)[:EXAMPLES]:
            store, product = stores.values[stores.codes[row]], products.values[products.codes[row]]
            key = f"{np.datetime64(int(days[row]), 'D')} · {store} · {product}"
            places.append(Example(int(self.raw.numbers[row]), "date, store_id, product_id", key))
        self.add("duplicate", places, len(rows), "skipped")

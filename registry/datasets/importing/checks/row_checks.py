"""Checks of rows: a table of faults, worked through in its order, and the canonical rows that remain."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.checks.covariate_checks import read_extras
from registry.datasets.importing.checks.duplicates import sort_unique
from registry.datasets.importing.checks.finding_log import FindingLog, Mask
from registry.datasets.importing.checks.joined_cells import (
    fill_down,
    find_joined_cells,
    find_unnamed,
    take_names,
)
from registry.datasets.importing.checks.left_out import find_left_out
from registry.datasets.importing.checks.receipt_lines import RowDetails
from registry.datasets.importing.checks.sales_columns import NamedColumns, SalesColumns, require_flat
from registry.datasets.importing.checks.series_checks import select_rows
from registry.datasets.importing.checks.spelling import (
    find_rare_spellings,
    find_spaces,
    merge_spellings,
    propose_for_spellings,
    trim_spaces,
)
from registry.datasets.importing.checks.totals import KEY_COLUMNS, find_totals, flag_sums
from registry.datasets.importing.code_texts import is_visible
from registry.datasets.importing.column_mapping import apply_mapping
from registry.datasets.importing.covariate_roles import CORE_COLUMNS
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.extra_columns import ExtraColumns
from registry.datasets.importing.finding_effects import measure_content, measure_left_out, measure_merged
from registry.datasets.importing.options import DECIMAL_MARKS, ImportOptions
from registry.datasets.importing.raw_table import RawTable
from registry.datasets.importing.values import (
    find_missing_values,
)
from registry.lib.days import day_number

WHOLE_FILE_CHECKS = ("filled-down", "named-code")  # they look at the rows above
CODE_COLUMNS = ("store_id", "product_id")
MAX_CODE_LENGTH = 100
MAX_BAD_DATES = 28  # different dates that are not understood


@dataclass(frozen=True)
class CheckedRows:
    """Canonical rows, the number of each in the file, and how the file was read."""

    content: CanonicalTable
    row_numbers: npt.NDArray[np.int32]
    file_format: dict[str, str]
    mapping: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RowCheck:
    """A fault that rows of one column can have.

    `find` marks the faulty rows [N] (None = no row), `repairs` holds what an action changes, and `propose`
    picks the default action where it depends on the data.
    """

    code: str
    column: str
    find: Callable[[SalesColumns, str], Mask | None]
    repairs: Mapping[str, Callable[[SalesColumns, str], None]] = field(default_factory=dict)
    propose: Callable[[SalesColumns, str], str] | None = None

    def run(self, columns: SalesColumns) -> None:
        """Logs the faulty rows and does what the chosen action asks."""
        is_wrong = self.find(columns, self.column)
        if is_wrong is None:
            return
        proposed = self.propose(columns, self.column) if self.propose else ""
        action = columns.log.flag_rows(self.code, self.column, columns.table, is_wrong, proposed)
        if repair := self.repairs.get(action):
            repair(columns, self.column)


def check_table(
    long: RawTable,
    mapping: dict[str, str],
    options: ImportOptions,
    today: dt.date | None = None,
    known: tuple[int, int] | None = None,
) -> tuple[CheckedRows, FindingLog]:
    """Canonical rows in order of store, product and day, and the log of findings.

    `long` has a row for each store, product and day, `mapping` is {our name: its name}, `known` are first and
    last day of the dataset. Raises SalesFileError when a finding's action is "stop", AmbiguousValue when only
    a person can decide. Of a bucket of a large file no row may be left, and the caller does what only all
    rows can tell.
    """
    table = apply_mapping(long, mapping, options.ignore)
    names = {ours: theirs for ours, theirs in mapping.items() if ours != theirs}
    log = FindingLog(long, options, names)
    long.release_table()
    columns = {name: table[name] for name in table.column_names}
    del table
    return replace(check_rows(log, columns, today, known), mapping=mapping), log


def check_rows(
    log: FindingLog, table: NamedColumns, today: dt.date | None, known: tuple[int, int] | None
) -> CheckedRows:
    """The rows of a file whose columns have our names; a column is released once it is parsed."""
    raw = log.raw
    log.add_ragged_rows()
    if not len(log.excluded):
        raise log.no_rows_error()
    require_flat(log, "sales", table["sales"])
    columns = SalesColumns(log, table, today, known)
    for check in ROW_CHECKS:
        if log.decided is None or check.code not in WHOLE_FILE_CHECKS:
            check.run(columns)
    for name in CORE_COLUMNS:
        del table[name]
    about = {"layout": "long", **raw.file_format, "dates": columns.date_order, "decimal": columns.decimal}
    extras = ExtraColumns(read_extras(log, table, DECIMAL_MARKS[columns.decimal]))
    days, sales, details = columns.days, columns.sales, RowDetails(extras, columns.moments)
    measure_left_out(log, sales)
    stores, products = (columns.codes[name] for name in CODE_COLUMNS)
    find_left_out(log, days, stores, products)
    del columns  # a large file has no room for its sales before and after sorting
    rows, sales = sort_unique(log, days, (stores, products), sales, details)
    if log.excluded.all() and log.decided is None:
        raise log.no_rows_error()
    measure_merged(log, sales)
    extras = extras.without(log.dropped_columns)
    if not isinstance(rows, slice):
        extras = extras.map_columns(lambda column: column[rows])
    result = CanonicalTable(days[rows], stores[rows], products[rows], sales, extras)
    numbers = raw.row_numbers[rows]
    if log.decided is not None:
        return CheckedRows(result, numbers, about)
    is_sum = flag_sums(log, result, numbers)
    if is_sum is not None:
        measure_content(log.findings[-1], "left-out", result, is_sum)
        result, numbers = select_rows(result, ~is_sum), numbers[~is_sum]
    if np.isnan(result.sales).all():
        raise SalesFileError(_("%(file)s, column sales: every cell is empty.") % {"file": raw.name})
    return CheckedRows(result, numbers, about)


def find_bad_dates(columns: SalesColumns, _name: str) -> Mask:
    """[N] cells that are not dates."""
    return columns.parse_dates()


def propose_for_dates(columns: SalesColumns, _name: str) -> str:
    """Stop where a month of days is written in a way that nobody understands."""
    return "stop" if columns.bad_dates >= MAX_BAD_DATES else ""


def find_bad_numbers(columns: SalesColumns, _name: str) -> Mask:
    """[N] sales that are not numbers."""
    return columns.parse_sales()


def find_missing_sales(columns: SalesColumns, name: str) -> Mask | None:
    """[N] cells that say they have no value, such as NULL."""
    return find_missing_values(columns.table[name])


def clear_missing(columns: SalesColumns, name: str) -> None:
    """Counts cells without a value as nothing sold."""
    is_missing = find_missing_values(columns.table[name])
    if is_missing is not None:
        columns.sales = np.where(is_missing, 0.0, columns.sales)


def find_infinite(columns: SalesColumns, _name: str) -> Mask:
    """[N] sales too large to be numbers."""
    return np.isinf(columns.sales)


def find_future_sales(columns: SalesColumns, _name: str) -> Mask | None:
    """[N] sales after today; rows without sales are a plan and may lie ahead."""
    if columns.today is None:
        return None
    return (columns.days > day_number(columns.today)) & ~np.isnan(columns.sales)


def find_missing_codes(columns: SalesColumns, name: str) -> Mask:
    """[N] empty codes."""
    return columns.parse_codes(name)


def find_bad_codes(columns: SalesColumns, name: str) -> Mask:
    """[N] codes that are too long or hold invisible characters."""
    texts = columns.codes[name]
    is_bad = [
        bool(text.strip()) and (len(text) > MAX_CODE_LENGTH or not is_visible(text.strip()))
        for text in texts.values
    ]
    return np.array(is_bad)[texts.codes]


def find_negative(columns: SalesColumns, _name: str) -> Mask:
    """[N] sales below zero."""
    return columns.sales < 0


def clear_negative(columns: SalesColumns, _name: str) -> None:
    """Counts sales below zero as nothing sold."""
    columns.sales = np.where(columns.sales < 0, 0.0, columns.sales)


def build_code_checks(name: str) -> list[RowCheck]:
    """The checks of one column of codes."""
    return [
        RowCheck("no-code", name, find_missing_codes),
        RowCheck("bad-code", name, find_bad_codes),
        RowCheck("spaces", name, find_spaces, {"merge": trim_spaces}),
        RowCheck("mixed-case", name, find_rare_spellings, {"merge": merge_spellings}, propose_for_spellings),
    ]


# The order of the list is the order of work: a row that one check leaves out is not checked again, cells are
# filled before they are parsed, and a column is parsed by its first check.
ROW_CHECKS = [
    *(RowCheck("total-row", name, find_totals) for name in KEY_COLUMNS),
    *(RowCheck("filled-down", name, find_joined_cells, {"above": fill_down}) for name in KEY_COLUMNS),
    *(RowCheck("named-code", name, find_unnamed, {"name": take_names}) for name in ("product_id",)),
    RowCheck("bad-date", "date", find_bad_dates, propose=propose_for_dates),
    RowCheck("not-a-number", "sales", find_bad_numbers),
    RowCheck("infinite", "sales", find_infinite),
    RowCheck("missing-sales", "sales", find_missing_sales, {"zero": clear_missing}),
    RowCheck("future-date", "date", find_future_sales),
    *build_code_checks("store_id"),
    *build_code_checks("product_id"),
    RowCheck("negative", "sales", find_negative, {"zero": clear_negative}),
]

"""Checks of extra columns: numbers or texts, never a mixture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from registry.datasets.importing.checks.finding_log import FindingLog
from registry.datasets.importing.checks.sales_columns import NamedColumns, unfit_type_message
from registry.datasets.importing.dates import is_date_type
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.extra_columns import ColumnData
from registry.datasets.importing.values import (
    CategoricalColumn,
    are_numeric,
    is_text_type,
    parse_number,
    parse_numbers,
)

MIN_NUMBERS, MIN_NUMBER_SHARE = 10, 0.9  # different texts that are numbers, in a column of numbers


def read_extras(log: FindingLog, table: NamedColumns, mark: str) -> Iterator[tuple[str, ColumnData]]:
    """(name, column) in order of the names; the file releases each column before the next is read."""
    for name in sorted(table):
        column = read_extra(log, table, name, mark)
        del table[name]
        if column is not None:
            yield name, column


def read_extra(log: FindingLog, table: NamedColumns, name: str, mark: str) -> ColumnData | None:
    """A covariate as numbers or texts; None when the whole column is empty."""
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
    numbers, _is_wrong = parse_numbers(column, mark)
    log.flag_rows("infinite", name, table, np.isinf(numbers))
    if np.isnan(numbers).all():
        log.add_empty_column(name)
        return None
    return numbers


def is_nearly_numeric(
    log: FindingLog, table: NamedColumns, name: str, texts: CategoricalColumn, mark: str
) -> bool:
    """Whether a column of many numbers and a few texts is read as numbers."""
    numeric = np.array([are_numeric([text], mark) for text in texts.values])
    if numeric.sum() < max(MIN_NUMBERS, MIN_NUMBER_SHARE * len(numeric)):
        return False
    is_wrong = np.array([bool(np.isnan(parse_number(text, mark)) and text.strip()) for text in texts.values])
    return log.flag_rows("extra-not-a-number", name, table, is_wrong[texts.codes]) == "empty"

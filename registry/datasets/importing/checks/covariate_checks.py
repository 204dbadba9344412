"""Checks of extra columns: numbers or texts, never a mixture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from registry.datasets.importing.checks.decisions import ExtraKind
from registry.datasets.importing.checks.finding_log import FindingLog, Mask
from registry.datasets.importing.checks.sales_columns import NamedColumns, unfit_type_message
from registry.datasets.importing.covariate_roles import EVENT_PATTERN, NAME_PATTERN
from registry.datasets.importing.dates import is_date_type
from registry.datasets.importing.decimal_marks import choose_mark
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.extra_columns import ColumnData
from registry.datasets.importing.number_texts import (
    ZERO_PADDED,
    are_numeric,
    is_missing,
    is_numeric,
    parse_number,
)
from registry.datasets.importing.values import CategoricalColumn, is_text_type, parse_numbers

MIN_NUMBERS, MIN_NUMBER_SHARE = 10, 0.9  # different texts that are numbers, in a column of numbers
MIN_TOLD_SHARE = 0.5  # rows that are numbers, in a column of texts about which the importer is told
MAX_ODD_TEXTS = 2  # different texts that are no numbers, in a column of few different numbers


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
    decided = log.decided.extras.get(name) if log.decided else None
    if is_text_type(kind):
        texts = CategoricalColumn.from_arrow(column)
        if decided is None:
            counts = np.bincount(texts.codes, minlength=len(texts.values))
            decided = judge_texts(name, texts.values, counts, choose_mark(column, mark))
        if decided.kind == "empty":
            log.add_empty_column(name)
            return None
        mark = decided.mark
        action = ""
        if decided.told is not None:
            code, proposed = decided.told
            action = log.flag_rows(code, name, table, find_unread(texts, mark), proposed)
        if decided.kind == "text" or (
            decided.told is not None and choose_told(log, decided, action) != "empty"
        ):
            return texts
        log.flag_rows("missing-value", name, table, find_missing(texts), "empty")
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
    is_empty = (
        np.isnan(numbers).all() if log.decided is None else decided is not None and decided.kind == "empty"
    )
    if is_empty:
        log.add_empty_column(name)
        return None
    return numbers


def choose_told(log: FindingLog, decided: ExtraKind, action: str) -> str:
    """The action about the texts of a column, also in a bucket that has none of them."""
    if action or decided.told is None or log.decided is None:
        return action
    return log.choose_action(*decided.told)


def judge_texts(name: str, values: list[str], counts: npt.NDArray[np.int64], mark: str) -> ExtraKind:
    """How a column with these different texts is read; `counts` are the rows with each of them."""
    if all(not text.strip() or is_missing(text) for text in values):
        return ExtraKind("empty")
    if are_numeric(values, mark):
        return ExtraKind("number", mark)
    proposed = judge_mixture(name, values, counts, mark)
    return ExtraKind("number", mark, ("extra-not-a-number", proposed)) if proposed else ExtraKind("text")


def find_missing(texts: CategoricalColumn) -> Mask:
    """[N] cells that say they have no value, such as NULL."""
    return np.array([is_missing(text) for text in texts.values])[texts.codes]


def find_unread(texts: CategoricalColumn, mark: str) -> Mask:
    """[N] cells that are filled but not numbers."""
    is_unread = [
        not is_numeric(text, mark) and bool(text.strip()) and not is_missing(text) for text in texts.values
    ]
    return np.array(is_unread, dtype=bool)[texts.codes]


def judge_mixture(name: str, values: list[str], counts: npt.NDArray[np.int64], mark: str) -> str:
    """The action proposed for the few texts of a column of numbers; "" for a column of texts."""
    if EVENT_PATTERN.fullmatch(name) or NAME_PATTERN.search(name):
        return ""
    is_number = np.array([is_numeric(text, mark) for text in values])
    is_empty = np.array([not text.strip() or is_missing(text) for text in values])
    is_code = np.array([bool(ZERO_PADDED.match(text)) for text in values])
    is_unread = ~is_number & ~is_empty
    rows, filled = int(counts[is_number].sum()), int(counts[~is_empty].sum())
    measured = any(is_measure(text, mark) for text in np.array(values, object)[is_number])
    is_class = is_number.sum() < 2 and not measured  # such as 0, a, b
    if rows < MIN_TOLD_SHARE * filled or is_class or (is_code & is_unread).any():
        return ""
    many = is_number.sum() >= max(MIN_NUMBERS, MIN_NUMBER_SHARE * (~is_empty).sum())
    few = measured and rows >= MIN_NUMBER_SHARE * filled and is_unread.sum() <= MAX_ODD_TEXTS
    return "empty" if many or few else "keep"


def is_measure(text: str, mark: str) -> bool:
    """Whether a number measures something: 0 to 9 may also be names of classes."""
    number = parse_number(text, mark)
    return abs(number) >= 10 or number != int(number)

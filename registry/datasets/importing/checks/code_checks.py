"""Codes as a column holds them: tidied, told where nobody could see it, refused where digits are lost."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.checks.finding_log import FindingLog
from registry.datasets.importing.code_texts import is_shortened, tidy_codes
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.values import CategoricalColumn

MAX_TIDIED = 100_000  # different codes; a column with more is none of codes


def tidy_code_column(log: FindingLog, name: str, table: Mapping[str, pa.ChunkedArray]) -> CategoricalColumn:
    """The codes of a column, tidied; raises SalesFileError for numbers that lost their last digits."""
    texts = CategoricalColumn.from_arrow(table[name])
    if log.decided is not None:
        found = log.decided.tidied.get(name, {})
        return replace_texts(log, name, table, texts, [found.get(text, text) for text in texts.values])
    if len(texts.values) > MAX_TIDIED:
        return texts
    counted = texts.codes[~log.excluded] if log.excluded.any() else texts.codes
    is_used = np.bincount(counted, minlength=len(texts.values)) > 0
    tidied = tidy_codes(texts.values, is_used.tolist())
    shortened = [place for place in np.flatnonzero(is_used) if is_shortened(tidied[place])]
    if shortened:
        place = int(np.flatnonzero(np.isin(texts.codes, shortened) & ~log.excluded)[0])
        row = int(log.raw.row_numbers[place])
        raise SalesFileError(shortened_message(log, name, row, tidied[texts.codes[place]]))
    return replace_texts(log, name, table, texts, tidied)


def replace_texts(
    log: FindingLog,
    name: str,
    table: Mapping[str, pa.ChunkedArray],
    texts: CategoricalColumn,
    tidied: list[str],
) -> CategoricalColumn:
    """The tidied codes; tells of those whose change nobody sees."""
    if tidied == texts.values:
        return texts
    pairs = zip(texts.values, tidied, strict=True)
    is_told = np.array([before != after and not before.isascii() for before, after in pairs])
    if is_told.any():
        log.flag_rows("tidied-code", name, table, is_told[texts.codes], "merge")
    return CategoricalColumn.from_codes(texts.codes, tidied)


def shortened_message(log: FindingLog, name: str, row: int, value: str) -> str:
    """The complaint about a number that a spreadsheet shortened."""
    words = {"file": log.raw.name, "row": row, "column": log.column_label(name), "value": value}
    sentence = _(
        "%(file)s, row %(row)d, column %(column)s: “%(value)s” was shortened by a spreadsheet and lost its "
        "last digits. Export the file again without opening it in Excel, or format the column as a number "
        "without decimals before you save it."
    )
    return sentence % words

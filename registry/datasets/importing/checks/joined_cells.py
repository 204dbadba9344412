"""Empty cells below a filled one: joined cells of a spreadsheet, or codes that nobody gave."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from registry.datasets.importing.checks.finding_log import Mask
from registry.datasets.importing.checks.receipt_lines import LINE_PATTERN, mix_bits
from registry.datasets.importing.checks.sales_columns import SalesColumns
from registry.datasets.importing.checks.totals import KEY_COLUMNS
from registry.datasets.importing.date_texts import split_date
from registry.datasets.importing.headers import SYNONYM_SETS, normalize_name
from registry.datasets.importing.number_texts import are_numeric
from registry.datasets.importing.values import CategoricalColumn, distinct_texts, is_text_type

FILL_DOWN_SHARE = 1 / 3  # a column with more empty cells than this may have joined cells
MAX_REPEATED_SHARE = 0.01  # of the filled rows: joined cells do not repeat date, store and code
MAX_PROOF_TEXTS = 10_000  # different texts of a column that are tried as numbers


def find_joined_cells(columns: SalesColumns, name: str) -> Mask | None:
    """[N] empty cells below a filled one, in a column written only in the first of several rows.

    None where date, store and code would repeat once they are filled, or another name changes meanwhile.
    """
    is_wrong = find_blanks(columns, name)
    if is_wrong is None or repeats_keys(columns, is_wrong) or other_name_changes(columns, name, is_wrong):
        return None
    return is_wrong


def find_blanks(columns: SalesColumns, name: str) -> Mask | None:
    """[N] empty cells of a column that begins with a filled one and has many empty ones."""
    column = columns.table[name]
    if not is_text_type(column.type) or not (column.null_count or any(map(is_blank, distinct_texts(column)))):
        return None
    is_filled = find_filled_cells(CategoricalColumn.from_arrow(column))
    is_wrong = ~is_filled & ~columns.log.excluded
    if not is_filled[0] or is_wrong.sum() <= FILL_DOWN_SHARE * len(is_wrong):
        return None
    return is_wrong


def repeats_keys(columns: SalesColumns, is_wrong: Mask) -> bool:
    """Whether filled rows would repeat date, store and code of another row."""
    bits = np.zeros(len(is_wrong), np.uint64)
    for name in KEY_COLUMNS:
        texts = read_key(columns, name)
        codes = texts.codes
        if find_blanks(columns, name) is not None:
            codes = codes[find_sources(texts, columns.log.excluded)]
        bits = mix_bits(bits, codes)
    kept = ~columns.log.excluded
    places, counts = np.unique(bits[kept], return_inverse=True, return_counts=True)[1:]
    repeated = int(((counts > 1)[places] & is_wrong[kept]).sum())
    return bool(repeated > MAX_REPEATED_SHARE * is_wrong.sum())


def read_key(columns: SalesColumns, name: str) -> CategoricalColumn:
    """A main column as texts; dates without their time."""
    texts = CategoricalColumn.from_arrow(columns.table[name])
    if name != "date":
        return texts
    days = {text: date for text in texts.values if (date := split_date(text))}
    values = [str(days[text].parts) if text in days else text for text in texts.values]
    return CategoricalColumn.from_codes(texts.codes, values)


def other_name_changes(columns: SalesColumns, name: str, is_wrong: Mask) -> bool:
    """Whether a text that describes the store or the product changes where its code is empty."""
    if name == "date":
        return False
    owners = [read_key(columns, other).codes for other in KEY_COLUMNS if other != name]
    below = np.flatnonzero(is_wrong)
    for texts in text_extras(columns).values():
        changes = texts.codes[below] != texts.codes[below - 1]
        if changes.any() and not any(depends_on(texts.codes, owner) for owner in owners):
            return True
    return False


def depends_on(codes: npt.NDArray[np.int32], owner: npt.NDArray[np.int32]) -> bool:
    """Whether each value of `owner` comes with one value of `codes` only."""
    pairs = owner.astype(np.int64) * (int(codes.max()) + 1) + codes
    return len(np.unique(pairs)) <= len(np.unique(owner))


def text_extras(columns: SalesColumns) -> dict[str, CategoricalColumn]:
    """The extra columns that hold words: names, towns, categories."""
    found = {}
    for name, column in columns.table.items():
        if name in (*KEY_COLUMNS, "sales") or not is_text_type(column.type):
            continue
        if LINE_PATTERN.search(name.strip()):
            continue
        if are_numeric(distinct_texts(column)[:MAX_PROOF_TEXTS]):
            continue
        texts = CategoricalColumn.from_arrow(column)
        if len(texts.values) > 1:
            found[name] = texts
    return found


def fill_down(columns: SalesColumns, name: str) -> None:
    """Gives each empty cell the text of the last filled cell above it."""
    texts = CategoricalColumn.from_arrow(columns.table[name])
    rows = find_sources(texts, columns.log.excluded)
    columns.table[name] = pa.chunked_array([texts[rows].to_arrow(slice(None))])


def find_sources(texts: CategoricalColumn, excluded: Mask) -> npt.NDArray[np.int64]:
    """[N] the last filled row at or above each row."""
    is_source = find_filled_cells(texts) & ~excluded
    return np.maximum.accumulate(np.where(is_source, np.arange(len(is_source)), 0))


def find_unnamed(columns: SalesColumns, name: str) -> Mask | None:
    """[N] empty codes beside a name that can stand for them."""
    column = columns.table[name]
    if not is_text_type(column.type) or not (column.null_count or any(map(is_blank, distinct_texts(column)))):
        return None
    is_wrong = ~find_filled_cells(CategoricalColumn.from_arrow(column)) & ~columns.log.excluded
    return is_wrong if is_wrong.any() and find_name_column(columns, name, is_wrong) else None


def find_name_column(columns: SalesColumns, name: str, is_wrong: Mask) -> str:
    """The extra column that names what has no code: one name for each code, others where it is empty."""
    codes = CategoricalColumn.from_arrow(columns.table[name]).codes
    coded = ~is_wrong & ~columns.log.excluded
    found = []
    for other, texts in text_extras(columns).items():
        if not find_filled_cells(texts)[is_wrong].all() or not coded.any():
            continue
        is_shared = np.isin(np.unique(texts.codes[is_wrong]), np.unique(texts.codes[coded])).any()
        if not is_shared and depends_on(texts.codes[coded], codes[coded]):
            found.append(other)
    return min(found, key=lambda other: normalize_name(other) not in SYNONYM_SETS[name], default="")


def take_names(columns: SalesColumns, name: str) -> None:
    """Gives each empty code the name beside it."""
    texts = CategoricalColumn.from_arrow(columns.table[name])
    is_wrong = ~find_filled_cells(texts) & ~columns.log.excluded
    names = CategoricalColumn.from_arrow(columns.table[find_name_column(columns, name, is_wrong)])
    codes = np.where(is_wrong, names.codes + len(texts.values), texts.codes).astype(np.int32)
    column = CategoricalColumn.from_codes(codes, [*texts.values, *names.values])
    columns.table[name] = pa.chunked_array([column.to_arrow(slice(None))])


def find_filled_cells(texts: CategoricalColumn) -> Mask:
    """[N] where a cell holds more than spaces."""
    return np.array([not is_blank(text) for text in texts.values])[texts.codes]


def is_blank(text: str) -> bool:
    """Whether a text holds nothing but spaces."""
    return not text.strip()

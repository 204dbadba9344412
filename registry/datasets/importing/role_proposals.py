"""The roles that a file's extra columns will probably get, shown before its rows are checked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from registry.datasets.importing.covariate_roles import (
    CONTROLLABLE_COLUMNS,
    KNOWN_AHEAD_PATTERN,
    NAME_PATTERN,
)
from registry.datasets.importing.number_texts import are_numeric
from registry.datasets.importing.raw_table import RawTable
from registry.datasets.importing.values import CategoricalColumn, is_text_type, to_floats

MAX_ROWS = 200_000  # that a proposal is made from; the check reads all of them
Codes = npt.NDArray[np.int64]


def propose_roles(raw: RawTable, mapping: dict[str, str]) -> dict[str, str]:
    """{column of the file: role} for every column that is not a main one; nothing without products."""
    ours = {theirs: name for name, theirs in mapping.items()}
    names = [name for name in raw.table.column_names if name.strip()]
    extras = [name for name in names if ours.get(name) not in ("date", "store_id", "product_id", "sales")]
    if "product_id" not in mapping or not raw.table.num_rows:
        return {}
    series = np.zeros(min(raw.table.num_rows, MAX_ROWS), np.int64)
    for target in ("store_id", "product_id"):
        if target in mapping:
            codes = code_values(raw, mapping[target])[0]
            series = series * (int(codes.max(initial=0)) + 1) + codes
    _keys, first, place = np.unique(series, return_index=True, return_inverse=True)
    owner = first[place.ravel()]  # [N] the first row of each row's series
    return {name: propose_role_of(raw, name, ours.get(name, name), owner) for name in extras}


def propose_role_of(raw: RawTable, name: str, ours: str, owner: Codes) -> str:
    """The role of one column, by its name and whether it is the same in all rows of a series."""
    codes, is_word = code_values(raw, name)
    is_fixed = bool((codes == codes[owner]).all())
    if is_fixed and is_word and NAME_PATTERN.search(ours):
        return "name"
    if is_fixed and ours.lower() not in CONTROLLABLE_COLUMNS and len(np.unique(owner)) < len(owner):
        return "static"
    return "known" if KNOWN_AHEAD_PATTERN.search(ours) else "past"


def is_number_type(kind: pa.DataType) -> bool:
    """Whether a column holds numbers or flags."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def code_values(raw: RawTable, name: str) -> tuple[Codes, bool]:
    """[N] a number for each different value, and whether the values are words."""
    column = raw.table[name][:MAX_ROWS]
    if is_text_type(column.type):
        texts = CategoricalColumn.from_arrow(column)
        return texts.codes.astype(np.int64), not are_numeric(texts.values)
    if not is_number_type(column.type):  # a day or a list, which the check judges
        return np.zeros(len(column), np.int64), False
    values = to_floats(column)
    return np.unique(values, return_inverse=True)[1].ravel().astype(np.int64), False

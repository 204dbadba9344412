"""Codes that differ only in spaces or in capitals: the same store or product, written twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from registry.datasets.importing.canonical import Days
from registry.datasets.importing.finding_log import FindingLog
from registry.datasets.importing.findings import Example
from registry.datasets.importing.values import CategoricalColumn


def merge_spellings(
    log: FindingLog, table: Mapping[str, pa.ChunkedArray], name: str, texts: CategoricalColumn, days: Days
) -> CategoricalColumn:
    """The codes after what is done about spaces and capitals."""
    tidy = [" ".join(text.split()) for text in texts.values]
    spaced = np.array([clean != text for clean, text in zip(tidy, texts.values, strict=True)])
    if spaced.any() and log.flag_rows("spaces", name, table, spaced[texts.codes]) == "merge":
        texts = CategoricalColumn.from_codes(texts.codes, tidy)
    spelling = pick_spellings(texts)
    odd = np.array([spelling[text] != text for text in texts.values])
    rows = np.flatnonzero(odd[texts.codes] & ~log.excluded)
    if not len(rows):
        return texts
    merged = CategoricalColumn.from_codes(texts.codes, [spelling[text] for text in texts.values])
    places = [
        Example(int(log.raw.row_numbers[row]), log.column_label(name), texts.values[texts.codes[row]])
        for row in rows[: log.MAX_BAD_ROWS]
    ]
    proposed = "keep" if are_distinct_codes(table, name, texts, merged, days) else "merge"
    return merged if log.add_finding("mixed-case", places, len(rows), proposed) == "merge" else texts


def pick_spellings(texts: CategoricalColumn) -> dict[str, str]:
    """{code: the most frequent spelling of it}.

    >>> pick_spellings(CategoricalColumn.from_codes(np.array([0, 0, 1, 2], np.int32), ["a1", "A1", "b"]))
    {'A1': 'a1', 'a1': 'a1', 'b': 'b'}
    """
    counts = np.bincount(texts.codes, minlength=len(texts.values))
    best: dict[str, tuple[int, str]] = {}
    for text, count in zip(texts.values, counts.tolist(), strict=True):
        if text.casefold() not in best or count > best[text.casefold()][0]:
            best[text.casefold()] = (count, text)
    return {text: best[text.casefold()][1] for text in texts.values}


def are_distinct_codes(
    table: Mapping[str, pa.ChunkedArray],
    name: str,
    texts: CategoricalColumn,
    merged: CategoricalColumn,
    days: Days,
) -> bool:
    """Whether both spellings have a row for the same day (and other code): then they are two things."""
    twice = Counter(spelling for spelling in pick_spellings(texts).values())
    groups = np.array([twice[text] > 1 for text in merged.values])[merged.codes]
    rows = np.flatnonzero(groups)
    other = CategoricalColumn.from_arrow(table["product_id" if name == "store_id" else "store_id"])
    key: npt.NDArray[np.int64] = other.codes[rows].astype(np.int64) * len(merged.values) + merged.codes[rows]
    span = int(days[rows].max()) - int(days[rows].min()) + 1
    key = key * span + (days[rows] - days[rows].min())
    pairs = np.stack([key, texts.codes[rows]], axis=1)
    distinct = np.unique(pairs, axis=0)
    return len(np.unique(distinct[:, 0])) < len(distinct)

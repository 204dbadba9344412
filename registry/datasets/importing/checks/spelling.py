"""Codes that differ only in spaces or capitals: one store or product, written in two ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.checks.finding_log import Mask
from registry.datasets.importing.checks.sales_columns import SalesColumns
from registry.datasets.importing.code_texts import fold_code
from registry.datasets.importing.values import CategoricalColumn


def find_spaces(columns: SalesColumns, name: str) -> Mask | None:
    """[N] codes with spaces around them or several in a row."""
    texts = columns.codes[name]
    is_spaced = np.array([collapse_spaces(text) != text for text in texts.values])
    return is_spaced[texts.codes] if is_spaced.any() else None


def trim_spaces(columns: SalesColumns, name: str) -> None:
    """Replaces the codes by the same codes without needless spaces."""
    texts = columns.codes[name]
    columns.codes[name] = CategoricalColumn.from_codes(texts.codes, list(map(collapse_spaces, texts.values)))


def collapse_spaces(text: str) -> str:
    """
    >>> collapse_spaces(" S  1 ")
    'S 1'
    """
    return " ".join(text.split())


def find_rare_spellings(columns: SalesColumns, name: str) -> Mask | None:
    """[N] codes that are more often written with other capitals."""
    texts = columns.codes[name]
    spelling = find_spellings(columns, name, texts)
    is_rare = np.array([spelling[text] != text for text in texts.values])
    return is_rare[texts.codes] if is_rare.any() else None


def merge_spellings(columns: SalesColumns, name: str) -> None:
    """Replaces the codes by their most frequent spelling."""
    texts = columns.codes[name]
    spelling = find_spellings(columns, name, texts)
    columns.codes[name] = CategoricalColumn.from_codes(texts.codes, [spelling[text] for text in texts.values])


def propose_for_spellings(columns: SalesColumns, name: str) -> str:
    """The default action: codes that are two things stay apart, others are merged."""
    if columns.log.decided is not None:  # a bucket cannot tell: they stay apart unless a person merges them
        return "keep"
    return "keep" if are_distinct_codes(columns, name) else "merge"


def find_spellings(columns: SalesColumns, name: str, texts: CategoricalColumn) -> dict[str, str]:
    """{code: its most frequent spelling} in the whole file."""
    if columns.log.decided is None:
        return pick_spellings(texts)
    found = columns.log.decided.spellings.get(name, {})
    return {text: found.get(text, text) for text in texts.values}


def unify_spellings(texts: CategoricalColumn) -> CategoricalColumn:
    """The codes, each in its most frequent spelling."""
    spelling = pick_spellings(texts)
    return CategoricalColumn.from_codes(texts.codes, [spelling[text] for text in texts.values])


def pick_spellings(texts: CategoricalColumn) -> dict[str, str]:
    """{code: its most frequent spelling}.

    >>> pick_spellings(CategoricalColumn.from_codes(np.array([0, 0, 1, 2], np.int32), ["a1", "A1", "b"]))
    {'A1': 'a1', 'a1': 'a1', 'b': 'b'}
    """
    counts = np.bincount(texts.codes, minlength=len(texts.values))
    return pick_most_frequent(dict(zip(texts.values, counts.tolist(), strict=True)))


def pick_most_frequent(counts: Mapping[str, int]) -> dict[str, str]:
    """{code: its most frequent spelling}, from how often each occurs."""
    best: dict[str, tuple[int, str]] = {}
    for text, count in counts.items():
        if fold_code(text) not in best or count > best[fold_code(text)][0]:
            best[fold_code(text)] = (count, text)
    return {text: best[fold_code(text)][1] for text in counts}


def are_distinct_codes(columns: SalesColumns, name: str) -> bool:
    """Whether two spellings have a row for the same day and other code, and so are two things."""
    texts, days = columns.codes[name], columns.days
    merged = unify_spellings(texts)
    spellings = Counter(pick_spellings(texts).values())
    rows = np.flatnonzero(np.array([spellings[text] > 1 for text in merged.values])[merged.codes])
    other = CategoricalColumn.from_arrow(columns.table["product_id" if name == "store_id" else "store_id"])
    # [K] one number for other code, merged code and day; a day that has two spellings of it appears twice
    key: npt.NDArray[np.int64] = other.codes[rows].astype(np.int64) * len(merged.values) + merged.codes[rows]
    span = int(days[rows].max()) - int(days[rows].min()) + 1
    key = key * span + (days[rows] - days[rows].min())
    distinct = np.unique(np.stack([key, texts.codes[rows]], axis=1), axis=0)
    return len(np.unique(distinct[:, 0])) < len(distinct)

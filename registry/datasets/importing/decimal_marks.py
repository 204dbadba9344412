"""The decimal mark of a file: proved by its numbers or asked of the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.covariate_roles import CORE_COLUMNS
from registry.datasets.importing.errors import AmbiguousValue
from registry.datasets.importing.number_texts import are_numeric, count_decimal_proofs, parse_number
from registry.datasets.importing.options import DECIMAL_MARKS
from registry.datasets.importing.values import distinct_texts, is_text_type

MAX_PROOF_TEXTS = 100_000  # different texts of a column that are searched for its decimal mark


@dataclass(frozen=True)
class MarkProof:
    """What the numbers of one column say: texts that prove point or comma, and one that can be either."""

    point: int
    comma: int
    unsure: str

    @property
    def mark(self) -> str:
        """The mark that the column proves, "" when it proves none."""
        if self.point == self.comma:
            return ""
        return "point" if self.point > self.comma else "comma"


def prove_mark(column: pa.ChunkedArray, is_sales: bool = False) -> MarkProof:
    """The proof of one column; a column of texts proves nothing."""
    if not is_text_type(column.type):
        return MarkProof(0, 0, "")
    texts = distinct_texts(column)[:MAX_PROOF_TEXTS]
    point, comma, unsure = count_decimal_proofs(texts)
    if unsure and not is_sales and not any(are_numeric(texts, mark) for mark in DECIMAL_MARKS.values()):
        unsure = ""
    return MarkProof(point, comma, unsure)


def find_decimal_mark(file: str, table: Mapping[str, pa.ChunkedArray], labels: Mapping[str, str]) -> str:
    """ "point" or "comma": what the sales prove, else the other columns; raises AmbiguousValue.

    `labels` are the columns' names in the file, {our name: its name}.
    """
    sales = prove_mark(table["sales"], is_sales=True)
    if sales.mark:
        return sales.mark
    proofs = {name: prove_mark(column) for name, column in table.items() if name not in CORE_COLUMNS}
    marks = {proof.mark for proof in proofs.values() if proof.mark}
    in_doubt = {"sales": sales, **{name: proof for name, proof in proofs.items() if not proof.mark}}
    if len(marks) != 1:
        for name, proof in in_doubt.items():
            if proof.unsure:
                raise AmbiguousValue(
                    ambiguous_number_message(file, labels.get(name, name), proof.unsure),
                    "decimal",
                    list(DECIMAL_MARKS),
                )
    return marks.pop() if len(marks) == 1 else "point"


def ambiguous_number_message(file: str, column: str, text: str) -> str:
    """The question about a number that may be grouped or a fraction, with both readings."""
    point, comma = (parse_number(text, mark) for mark in DECIMAL_MARKS.values())
    words = {"file": file, "column": column, "value": text, "point": f"{point:g}", "comma": f"{comma:g}"}
    sentence = _(
        "%(file)s, column %(column)s: “%(value)s” may be a thousand or a fraction: %(point)s with a decimal "
        "point, %(comma)s with a decimal comma. Choose the decimal mark."
    )
    return sentence % words


def choose_mark(column: pa.ChunkedArray, mark: str) -> str:
    """ "." or ",": what the column proves by itself, else the mark of the file."""
    return DECIMAL_MARKS.get(prove_mark(column).mark, mark)

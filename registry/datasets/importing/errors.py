"""Why a file cannot be imported."""

from __future__ import annotations


class SalesFileError(ValueError):
    """The file cannot be imported. The text is one sentence that names file, row, column and value."""


class AmbiguousValue(SalesFileError):
    """Nobody but a person can tell: `about` dates or decimal, `options` the answers that are possible."""

    def __init__(self, text: str, field_name: str, answers: list[str]) -> None:
        super().__init__(text)
        self.field_name, self.answers = field_name, answers

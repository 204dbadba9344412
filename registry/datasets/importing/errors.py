"""Why a file cannot be imported."""

from __future__ import annotations


class SalesFileError(ValueError):
    """The file cannot be imported; the text is one sentence with file, row, column and value."""


class AmbiguousValue(SalesFileError):
    """Only a person can decide: `field_name` is "dates", "decimal" or "encoding", `answers` the values."""

    def __init__(self, text: str, field_name: str, answers: list[str]) -> None:
        super().__init__(text)
        self.field_name, self.answers = field_name, answers

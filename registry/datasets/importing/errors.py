"""Why a file cannot be imported."""

from __future__ import annotations


class SalesError(ValueError):
    """The file cannot be imported. The text is one sentence that names file, row, column and value."""


class Question(SalesError):
    """Nobody but a person can tell: `about` dates or decimal, `options` the answers that are possible."""

    def __init__(self, text: str, about: str, options: list[str]) -> None:
        super().__init__(text)
        self.about, self.options = about, options

"""What can be wrong with a file of sales, and how it is said."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _

EXAMPLES = 5  # how many rows of each finding are kept


class SalesError(ValueError):
    """The file cannot be imported. The text is one sentence that names file, row, column and value."""


@dataclass(frozen=True)
class Example:
    """One faulty place. `row` counts as a spreadsheet does (the header is row 1); in parquet from 1."""

    row: int
    column: str
    value: str


@dataclass
class Finding:
    """One kind of doubt about a file: its code, how often, the first places, and what was done about it."""

    code: str
    count: int
    examples: list[Example] = field(default_factory=list)
    action: str = "kept"  # kept | skipped | dropped

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def sentence(self, file: str) -> str:
        """The first place in words, with what to do."""
        first = self.examples[0]
        place = {"file": file, "row": first.row, "column": first.column, "value": first.value[:60]}
        return complaint(self.code) % place + more(self.count)


def complaint(code: str) -> str:
    """The sentence of a code, with gaps for file, row, column and value."""
    return {
        "bad-date": _(
            "%(file)s, row %(row)d, column %(column)s: “%(value)s” is not a date; write YYYY-MM-DD."
        ),
        "not-a-number": _("%(file)s, row %(row)d, column %(column)s: “%(value)s” is not a number."),
        "infinite": _("%(file)s, row %(row)d, column %(column)s: “%(value)s” is too large to be a number."),
        "no-code": _("%(file)s, row %(row)d, column %(column)s: the code is empty."),
        "bad-code": _(
            "%(file)s, row %(row)d, column %(column)s: “%(value)s” is not a code; "
            "use at most 100 visible characters."
        ),
        "duplicate": _(
            "%(file)s, row %(row)d, column %(column)s: “%(value)s” appears a second time; "
            "keep one row for each date, store and product."
        ),
        "ragged-row": _(
            "%(file)s, row %(row)d, column %(column)s: %(value)s cells are not as many as the header has; "
            "put texts with separators into quotes."
        ),
    }[code]


def more(count: int) -> str:
    """
    >>> more(1), more(3)
    ('', ' (2 more like it)')
    """
    return _(" (%(count)d more like it)") % {"count": count - 1} if count > 1 else ""

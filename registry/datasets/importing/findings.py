"""What can be wrong with a file of sales, what may be done about it, and how it is said."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

if TYPE_CHECKING:
    pass

MAX_EXAMPLES = 5  # how many rows of each finding are kept


@dataclass(frozen=True)
class Example:
    """One faulty place. `row` counts as a spreadsheet does (the header is row 1); in parquet from 1.

    0 stands for a row that is not in the file, but in the dataset that the file is added to.
    """

    row: int
    column: str
    value: str


@dataclass
class Finding:
    """One kind of doubt about a file: its code, how often, the first places, and what was done about it."""

    code: str
    count: int
    examples: list[Example] = field(default_factory=list)
    action: str = "keep"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def format_sentence(self, file: str) -> str:
        """The first place in words, with what to do."""
        first = self.examples[0]
        place = {"file": file, "row": first.row, "column": first.column, "value": first.value[:60]}
        place["title"] = _(FINDING_TITLES[self.code])
        return finding_message(self.code) % place + format_remaining(self.count)


# What may be done about a finding; the first is done unless somebody says otherwise.
ALLOWED_ACTIONS: dict[str, tuple[str, ...]] = {
    "bad-date": ("skip", "stop"),
    "not-a-number": ("skip", "stop"),
    "infinite": ("skip", "stop"),
    "no-code": ("skip", "stop"),
    "bad-code": ("skip", "stop"),
    "ragged-row": ("skip", "stop"),
    "duplicate": ("sum", "last", "first", "stop"),
    "future-date": ("skip", "keep", "stop"),
    "total-row": ("skip", "keep", "stop"),
    "filled-down": ("above", "keep"),
    "negative": ("keep", "zero", "skip", "stop"),
    "spaces": ("merge", "keep"),
    "mixed-case": ("merge", "keep"),
    "new-store": ("keep", "skip"),
    "new-product": ("keep", "skip"),
    "store-gap": ("closed", "zero"),
    "product-gap": ("unknown", "zero"),
    "constant": ("keep", "skip"),
    "level-change": ("keep", "skip"),
    "outlier": ("keep", "empty"),
    "short": ("keep", "skip"),
    "extra-not-a-number": ("empty", "keep", "stop"),
}
# Findings that would lose or join rows: a strict import (`--on-problem stop`) ends at the first of them.
LOSSY_FINDINGS = {
    "bad-date", "not-a-number", "infinite", "no-code", "bad-code", "ragged-row", "duplicate", "future-date"
}  # fmt: skip

FINDING_TITLES = {
    "bad-date": gettext_noop("Date not understood"),
    "not-a-number": gettext_noop("Not a number"),
    "infinite": gettext_noop("Number too large"),
    "no-code": gettext_noop("Store or product is empty"),
    "bad-code": gettext_noop("Not a code"),
    "ragged-row": gettext_noop("Too few or too many cells"),
    "duplicate": gettext_noop("Same store, product and day twice"),
    "future-date": gettext_noop("Sales in the future"),
    "total-row": gettext_noop("Total row"),
    "filled-down": gettext_noop("Written only in the first of several rows (joined cells?)"),
    "rows-above": gettext_noop("Rows above the names of the columns are left out"),
    "negative": gettext_noop("Negative sales (returns?)"),
    "spaces": gettext_noop("Spaces around a code"),
    "mixed-case": gettext_noop("Same code in capitals and small letters"),
    "new-store": gettext_noop("Store not known so far"),
    "new-product": gettext_noop("Product not known so far"),
    "store-gap": gettext_noop("Days without any sale in a store"),
    "product-gap": gettext_noop("Missing days of a product"),
    "only-sold": gettext_noop("Rows only where something was sold"),
    "constant": gettext_noop("Always the same number"),
    "level-change": gettext_noop("Sudden change of level"),
    "outlier": gettext_noop("A hundred times the usual (wrong unit?)"),
    "short": gettext_noop("Fewer days than are needed to learn"),
    "column-replaced": gettext_noop("Column replaced by the one you chose"),
    "column-without-name": gettext_noop("Column without a name"),
    "column-empty": gettext_noop("Empty column"),
    "other-sheets": gettext_noop("Other sheets are not read"),
    "one-store": gettext_noop("No column for the store: all rows count as one store"),
    "extra-not-a-number": gettext_noop("Not a number in an extra column"),
}
ACTION_LABELS = {
    "skip": gettext_noop("Leave these rows out"),
    "stop": gettext_noop("Stop: I will correct the file"),
    "keep": gettext_noop("Keep as it is"),
    "sum": gettext_noop("Add together"),
    "last": gettext_noop("Keep the last row"),
    "first": gettext_noop("Keep the first row"),
    "zero": gettext_noop("Count as nothing sold"),
    "merge": gettext_noop("Join into one code"),
    "closed": gettext_noop("Shop was closed"),
    "unknown": gettext_noop("Not known"),
    "empty": gettext_noop("Empty the cell"),
    "drop": gettext_noop("Leave it out"),
    "above": gettext_noop("Take it from the row above"),
}


def finding_message(code: str) -> str:
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
        "future-date": _(
            "%(file)s, row %(row)d, column %(column)s: “%(value)s” lies in the future, but has sales."
        ),
    }.get(code) or _("%(file)s, row %(row)d, column %(column)s: “%(value)s” – %(title)s.")


def format_remaining(count: int) -> str:
    """
    >>> format_remaining(1), format_remaining(3)
    ('', ' (2 more like it)')
    """
    return _(" (%(count)d more like it)") % {"count": count - 1} if count > 1 else ""

"""What can be wrong with a sales file: codes, possible actions, and texts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

MAX_EXAMPLES = 5  # of each finding, saved with the version


@dataclass(frozen=True)
class Example:
    """A faulty cell. `row` counts like a spreadsheet (the header is row 1), in parquet from 1.

    Row 0 is not in the file, but in the dataset that the file is added to. `series` pictures the series of
    the cell: see finding_effects.picture_series.
    """

    row: int
    column: str
    value: str
    series: dict[str, Any] | None = None


@dataclass
class Finding:
    """A fault of a file: its code, how often it occurs, first examples, the action taken and its effect."""

    code: str
    count: int
    examples: list[Example] = field(default_factory=list)
    action: str = "keep"
    effect: dict[str, Any] = field(default_factory=dict)  # see finding_effects.build_effect
    units: float = 0.0  # that the effect is about

    def as_json(self) -> dict[str, Any]:
        """Without a picture or an effect where there is none."""
        found = asdict(self)
        del found["units"]
        if not self.effect:
            del found["effect"]
        for example in found["examples"]:
            if example["series"] is None:
                del example["series"]
        return found

    def format_sentence(self, file: str) -> str:
        """The first example as a sentence with a remedy."""
        first = self.examples[0]
        place = {"file": file, "row": first.row, "column": " ".join(first.column.split())}
        place["value"] = " ".join(first.value.split())[:60]
        place["title"] = _(FINDING_TITLES[self.code])
        return finding_message(self.code) % place + format_remaining(self.count)


# The possible actions for a finding; the first one is the default.
ALLOWED_ACTIONS: dict[str, tuple[str, ...]] = {
    "bad-date": ("skip", "stop"),
    "not-a-number": ("skip", "stop"),
    "infinite": ("skip", "stop"),
    "missing-sales": ("empty", "zero", "skip", "stop"),
    "no-code": ("skip", "stop"),
    "bad-code": ("skip", "stop"),
    "ragged-row": ("skip", "stop"),
    "duplicate": ("sum", "last", "first", "stop"),
    "future-date": ("skip", "keep", "stop"),
    "total-row": ("skip", "keep", "stop"),
    "filled-down": ("above", "keep"),
    "named-code": ("name", "skip", "stop"),
    "negative": ("keep", "zero", "skip", "stop"),
    "spaces": ("merge", "keep"),
    "mixed-case": ("merge", "keep"),
    "new-store": ("keep", "skip"),
    "new-product": ("keep", "skip"),
    "store-gap": ("closed", "zero"),
    "product-gap": ("unknown", "zero"),
    "ended": ("unknown", "zero"),
    "constant": ("keep", "skip"),
    "level-change": ("keep", "skip"),
    "outlier": ("keep", "empty"),
    "short": ("keep", "skip"),
    "extra-not-a-number": ("empty", "keep", "stop"),
    "joined-sheets": ("all", "one"),
}
# Findings that lose or merge rows: `--on-problem stop` ends the import at the first of them.
LOSSY_FINDINGS = {
    "bad-date", "not-a-number", "infinite", "no-code", "bad-code", "ragged-row", "duplicate", "future-date"
}  # fmt: skip

FINDING_TITLES = {
    "bad-date": gettext_noop("Date not understood"),
    "not-a-number": gettext_noop("Not a number"),
    "infinite": gettext_noop("Number too large"),
    "missing-sales": gettext_noop("Sales without a value (NULL, N/A, – …)"),
    "missing-value": gettext_noop("Cell without a value (NULL, N/A, – …)"),
    "tidied-code": gettext_noop("Odd spaces or invisible characters in a code"),
    "header-again": gettext_noop("Column names repeated further down were ignored"),
    "rows-below": gettext_noop("Rows below the table were ignored"),
    "no-code": gettext_noop("Store or product is empty"),
    "bad-code": gettext_noop("Invalid code"),
    "ragged-row": gettext_noop("Too few or too many cells"),
    "duplicate": gettext_noop("Same store, product and day twice"),
    "future-date": gettext_noop("Sales in the future"),
    "total-row": gettext_noop("Total row"),
    "receipt-lines": gettext_noop("Lines of receipts, added up to days"),
    "money-for-units": gettext_noop("Units are imported, not the amount of money"),
    "named-code": gettext_noop("No code: the name was taken"),
    "filled-down": gettext_noop("Filled only in the first of several rows (merged cells?)"),
    "rows-above": gettext_noop("Rows above the column names were ignored"),
    "negative": gettext_noop("Negative sales (returns?)"),
    "spaces": gettext_noop("Spaces around a code"),
    "mixed-case": gettext_noop("Same code in upper and lower case"),
    "new-store": gettext_noop("New store"),
    "new-product": gettext_noop("New product"),
    "store-gap": gettext_noop("Days without any sales in a store"),
    "product-gap": gettext_noop("Missing days of a product"),
    "ended": gettext_noop("Rows end while the store goes on (no longer sold?)"),
    "only-sold": gettext_noop("Rows only for days with sales"),
    "constant": gettext_noop("Always the same number"),
    "level-change": gettext_noop("Sudden change in level"),
    "outlier": gettext_noop("Far above the usual amount (wrong unit?)"),
    "short": gettext_noop("Too few days to learn from"),
    "column-replaced": gettext_noop("Column replaced by the one you chose"),
    "column-without-name": gettext_noop("Column without a name"),
    "column-empty": gettext_noop("Empty column"),
    "other-sheets": gettext_noop("Other sheets were ignored"),
    "joined-sheets": gettext_noop("Sheets with the same columns, read together"),
    "one-store": gettext_noop("No store column: all rows count as one store"),
    "extra-not-a-number": gettext_noop("Not a number in an extra column"),
}
ACTION_LABELS = {
    "skip": gettext_noop("Skip these rows"),
    "stop": gettext_noop("Stop: I will correct the file"),
    "keep": gettext_noop("Keep"),
    "sum": gettext_noop("Add up"),
    "last": gettext_noop("Keep the last row"),
    "first": gettext_noop("Keep the first row"),
    "zero": gettext_noop("Count as zero sales"),
    "merge": gettext_noop("Merge into one code"),
    "closed": gettext_noop("Store was closed"),
    "unknown": gettext_noop("Treat as missing"),
    "empty": gettext_noop("Clear the cell"),
    "drop": gettext_noop("Ignore it"),
    "name": gettext_noop("Use the name as the code"),
    "above": gettext_noop("Copy from the row above"),
    "all": gettext_noop("Read all of them"),
    "one": gettext_noop("Read only the first one"),
}


# What was done, where a finding is looked at later.
DONE_LABELS = {
    "skip": gettext_noop("Skipped"),
    "keep": gettext_noop("Kept"),
    "sum": gettext_noop("Added up"),
    "last": gettext_noop("Last row kept"),
    "first": gettext_noop("First row kept"),
    "zero": gettext_noop("Counted as zero sales"),
    "merge": gettext_noop("Merged into one code"),
    "closed": gettext_noop("Store was closed"),
    "unknown": gettext_noop("Treated as missing"),
    "empty": gettext_noop("Cell cleared"),
    "drop": gettext_noop("Ignored"),
    "name": gettext_noop("Name used as the code"),
    "above": gettext_noop("Copied from the row above"),
    "all": gettext_noop("All of them read"),
    "one": gettext_noop("Only the first one read"),
}


def finding_message(code: str) -> str:
    """The sentence for a code, with places for file, row, column and value."""
    return {
        "bad-date": _("%(file)s, row %(row)d, column %(column)s: “%(value)s” is not a date; use YYYY-MM-DD."),
        "not-a-number": _("%(file)s, row %(row)d, column %(column)s: “%(value)s” is not a number."),
        "infinite": _("%(file)s, row %(row)d, column %(column)s: “%(value)s” is too large to be a number."),
        "no-code": _("%(file)s, row %(row)d, column %(column)s: the code is empty."),
        "bad-code": _(
            "%(file)s, row %(row)d, column %(column)s: “%(value)s” is not a valid code; use at "
            "most 100 visible characters."
        ),
        "duplicate": _(
            "%(file)s, row %(row)d, column %(column)s: “%(value)s” appears twice; "
            "keep one row for each date, store and product, or add them up."
        ),
        "ragged-row": _(
            "%(file)s, row %(row)d, column %(column)s: the row has %(value)s cells, not as many "
            "as the header; put texts with separators in quotes."
        ),
        "future-date": _(
            "%(file)s, row %(row)d, column %(column)s: “%(value)s” is in the future but has sales."
        ),
    }.get(code) or _("%(file)s, row %(row)d, column %(column)s: “%(value)s” – %(title)s.")


def format_remaining(count: int) -> str:
    """How many more examples there are, to follow a sentence.

    >>> format_remaining(1), format_remaining(3)
    ('', ' (2 more like it)')
    """
    return _(" (%(count)d more like it)") % {"count": count - 1} if count > 1 else ""

"""Odd sales files as shops really bring them, each with what is right. Test data for the import, written
without looking at the reader: what a row promises comes from the file alone.

`FILES` is the table; `ODD` are the odd ones and `PLAIN` the honest ones, which are to be read without a
question. `CORE` is a part for quick runs: the cases, three siblings of each, and the honest ones.

How a row is meant:

* `right` is what must happen: "read", "ask" (the importer has to put a question) or "refuse" (one sentence
  says what is wrong and nothing is imported). `also` are outcomes that are as good; the fields of those are
  filled too. Whatever is neither in `right` nor in `also` is a fault, above all reading other numbers in
  silence.
* read: `totals` are units by product code, over all stores and days; `aliases` are other names under which
  a code of `totals` may stand (the article's name for its number, a name with its format characters
  dropped); `stores` are the store codes, `codes` the exact product codes where their spelling is the point,
  `days` the number of distinct days with a recorded figure, `span` the first and the last of them, `extras`
  the distinct numbers of further columns in ascending order, `empty` how many cells of a further column
  must be empty (not text, not 0).
* ask: `about` is what the question is about; `answers` are the totals after each answer and `spans` the
  first and last day after it. Answers are named "dmy", "mdy", "ymd" (dates), "point", "comma" (the decimal
  mark), a codec of Python (encoding), "sum", "last" (duplicate) or the name of a column (sales). More
  answers may be offered.
* refuse: `says` are fragments of the sentence, in any case; "a|b" is either of them. The header is row 1.
* `options` are what a person would give: {"map": {ours: theirs}, "known": [...], "dates": ..., "decimal":
  ...}.
* `newer` is a second file, imported into the same dataset afterwards; `totals` and the like are those of
  both.
* `case` is the case of the collection the row stands for and 0 for a sibling; `like` is the case it is a
  sibling of, and 0 where it belongs to a kind only.
"""

from __future__ import annotations

from tests.registry.datasets.importing.odd_files.building import OddFile
from tests.registry.datasets.importing.odd_files.codes import CODES
from tests.registry.datasets.importing.odd_files.containers import CONTAINERS
from tests.registry.datasets.importing.odd_files.encodings import ENCODINGS
from tests.registry.datasets.importing.odd_files.fill_down import FILL_DOWN
from tests.registry.datasets.importing.odd_files.lines import LINES
from tests.registry.datasets.importing.odd_files.money import MONEY
from tests.registry.datasets.importing.odd_files.numbers import NUMBERS
from tests.registry.datasets.importing.odd_files.periods import PERIODS
from tests.registry.datasets.importing.odd_files.plain import PLAIN
from tests.registry.datasets.importing.odd_files.prices import CURRENCIES, NULLS
from tests.registry.datasets.importing.odd_files.skipped import SKIPPED
from tests.registry.datasets.importing.odd_files.swaps import SWAPS
from tests.registry.datasets.importing.odd_files.totals import TOTALS
from tests.registry.datasets.importing.odd_files.writings import WRITINGS

ODD = (
    *WRITINGS, *PERIODS, *SWAPS, *NUMBERS, *CURRENCIES, *NULLS, *LINES, *FILL_DOWN, *TOTALS, *ENCODINGS,
    *CODES, *MONEY, *SKIPPED,
    *CONTAINERS,
)  # fmt: skip
FILES = (*ODD, *PLAIN)


def few(siblings: int = 3) -> tuple[OddFile, ...]:
    """The cases, the first siblings of each case and of each kind without one, and all honest files."""
    seen: dict[object, int] = {}
    out = []
    for file in ODD:
        of = file.like or file.kind
        seen[of] = seen.get(of, 0) + (not file.case)
        if file.case or seen[of] <= siblings:
            out.append(file)
    return (*out, *PLAIN)


CORE = few()

"""What odd files are built from: a row of the table, and the usual days, products and units."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

KINDS = (
    "dates", "numbers", "lines", "fill-down", "totals", "encodings", "codes", "money", "skipped",
    "containers", "plain",
)  # fmt: skip


@dataclass(frozen=True)
class OddFile:
    name: str
    kind: str
    case: int
    like: int
    origin: str
    suffix: str
    make: Callable[[], bytes]
    right: str
    odd: str
    why: str
    also: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    totals: dict[str, float] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    stores: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    days: int = 0
    span: tuple[str, str] | None = None
    extras: dict[str, list[float]] = field(default_factory=dict)
    empty: dict[str, int] = field(default_factory=dict)
    about: str = ""
    answers: dict[str, dict[str, float]] = field(default_factory=dict)
    spans: dict[str, tuple[str, str]] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    newer: Callable[[], bytes] | None = None


def row(more: dict[str, Any], **usual: Any) -> OddFile:
    """A row of the table: what is usual for its kind, and what `more` says otherwise."""
    return OddFile(**usual | more)


# -- building files ----------------------------------------------------------------------------------------

Cells = Sequence[Any]
HEADER = ("date", "store", "product", "sales")
GERMAN = ("Datum", "Filiale", "Artikel", "Menge")
TWO = ("Tea", "Coffee")
THREE = ("Tea", "Coffee", "Cocoa")
START = date(2025, 2, 24)  # a Monday; ten days run into March, so no two of the orders of day and month fit
SPAN = ("2025-02-24", "2025-03-05")


def text(*rows: str, encoding: str = "utf-8", newline: str = "\n", start: bytes = b"") -> bytes:
    """Lines as they are written here."""
    return start + (newline.join(rows) + newline).encode(encoding)


def table(rows: Iterable[Cells], sep: str = ",", encoding: str = "utf-8", newline: str = "\n") -> bytes:
    """Cells with a separator, quoted where they must be."""
    out = io.StringIO()
    csv.writer(out, delimiter=sep, lineterminator=newline).writerows(rows)
    return out.getvalue().encode(encoding)


def book(
    rows: Iterable[Cells],
    *,
    mac: bool = False,
    joined: Sequence[str] = (),
    formats: dict[str, str] | None = None,
) -> bytes:
    """A workbook of one sheet; `joined` are merged ranges, `formats` number formats by column letter."""
    wb = Workbook()
    if mac:
        wb.epoch = CALENDAR_MAC_1904
    for row in rows:
        wb.active.append(list(row))
    for letter, number_format in (formats or {}).items():
        for cell in wb.active[letter][1:]:
            cell.number_format = number_format
    for cells in joined:
        wb.active.merge_cells(cells)
    return saved(wb)


def saved(wb: Workbook) -> bytes:
    out = io.BytesIO()
    wb.save(out)
    return out.getvalue()


def dates(n: int = 10, start: date = START) -> list[date]:
    return [start + timedelta(days=i) for i in range(n)]


def iso(n: int = 10, start: date = START) -> list[str]:
    return [day.isoformat() for day in dates(n, start)]


def units(product: int, day: int) -> int:
    """3, 4, 5, 6, 3 … for the first product, 4 more for each further one."""
    return (3, 4, 5, 6)[day % 4] + 4 * product


def totals(names: Sequence[str] = TWO, n: int = 10, stores: int = 1) -> dict[str, float]:
    return {name: stores * sum(units(i, j) for j in range(n)) for i, name in enumerate(names)}


def rows(
    written: Sequence[Any],
    names: Sequence[str] = TWO,
    header: Cells = HEADER,
    store: Any = "S1",
    number: Callable[[int], Any] = int,
) -> list[list[Any]]:
    """A long table with the usual units, for days as written."""
    lines = [
        [day, store, name, number(units(i, j))]
        for j, day in enumerate(written)
        for i, name in enumerate(names)
    ]
    return [list(header), *lines]


def named(header: Sequence[str], *ours: str) -> dict[str, Any]:
    """The option that matches a table's columns."""
    return {"map": dict(zip(ours or ("date", "store_id", "product_id", "sales"), header, strict=True))}


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return out.getvalue()


def parquet(columns: dict[str, list[Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()

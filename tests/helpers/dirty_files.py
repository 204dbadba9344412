"""Files as tills write them on a bad day: each with the findings and row numbers it must give.

A case is a clean long table with faults planted into it; it is written as CSV, XLSX and parquet where the
fault can live there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO

import pandas as pd

Rows = list[list[str]]
COLUMNS = ["date", "store_id", "product_id", "sales"]
STORES, PRODUCTS, DAYS = ("S1", "S2"), ("A", "B"), 40
START = pd.Timestamp("2026-01-01")


def clean() -> Rows:
    """160 rows in order of day; row 2 of the file is the first."""
    return [
        [f"{START + pd.Timedelta(days=day):%Y-%m-%d}", store, product, str(3 + (day * 7 + number) % 5)]
        for day in range(DAYS)
        for number, (store, product) in enumerate((s, p) for s in STORES for p in PRODUCTS)
    ]


@dataclass(frozen=True)
class Case:
    """What is planted, and {finding: (count, row of the first in a CSV file)}; or the words of a refusal."""

    name: str
    plant: Callable[[Rows], Rows]
    found: dict[str, tuple[int, int]] = field(default_factory=dict)
    refused: str = ""
    header: list[str] = field(default_factory=lambda: list(COLUMNS))
    kinds: tuple[str, ...] = ("csv", "xlsx", "parquet")


def cell(row: int, column: int, value: str) -> Callable[[Rows], Rows]:
    """One cell of the clean table; `row` as a spreadsheet counts."""

    def plant(rows: Rows) -> Rows:
        rows[row - 2][column] = value
        return rows

    return plant


def every(*plants: Callable[[Rows], Rows]) -> Callable[[Rows], Rows]:
    def plant(rows: Rows) -> Rows:
        for one in plants:
            rows = one(rows)
        return rows

    return plant


def added(*more: list[str]) -> Callable[[Rows], Rows]:
    return lambda rows: [*rows, *[list(row) for row in more]]


def without(wrong: Callable[[list[str]], bool]) -> Callable[[Rows], Rows]:
    return lambda rows: [row for row in rows if not wrong(row)]


def changed(column: int, change: Callable[[str], str]) -> Callable[[Rows], Rows]:
    def plant(rows: Rows) -> Rows:
        for row in rows:
            row[column] = change(row[column])
        return rows

    return plant


def numbers(store: str, product: str, change: Callable[[int, float], float]) -> Callable[[Rows], Rows]:
    """Other sales for one series, by day."""

    def plant(rows: Rows) -> Rows:
        mine = [row for row in rows if row[1:3] == [store, product]]
        for day, row in enumerate(mine):
            row[3] = f"{change(day, float(row[3])):g}"
        return rows

    return plant


def weekly(step: int) -> Callable[[Rows], Rows]:
    def plant(rows: Rows) -> Rows:
        for number, row in enumerate(rows):
            row[0] = f"{START + pd.Timedelta(days=step * (number // 4)):%Y-%m-%d}"
        return rows

    return plant


def monthly(rows: Rows) -> Rows:
    for number, row in enumerate(rows):
        row[0] = f"{pd.Timestamp('2020-01-01') + pd.DateOffset(months=number // 4):%Y-%m-%d}"
    return rows


def late(rows: Rows) -> Rows:
    """A product that begins 20 days before the end."""
    return [row for row in rows if row[1:3] != ["S2", "B"] or row[0] >= "2026-01-21"]


AHEAD = "2090-05-01"
ROW, DUPLICATE = 18, ["2026-01-02", "S1", "A", "9"]
CASES = [
    Case("clean", lambda rows: rows),
    Case("bad-date", cell(ROW, 0, "2026-02-31"), {"bad-date": (1, ROW)}),
    Case("empty-date", cell(ROW, 0, ""), {"bad-date": (1, ROW)}),
    Case("two-bad-dates", every(cell(30, 0, "soon"), cell(ROW, 0, "?")), {"bad-date": (2, ROW)}),
    Case("not-a-number", cell(ROW, 3, "many"), {"not-a-number": (1, ROW)}),
    Case("too-large", cell(ROW, 3, "1e999"), {"infinite": (1, ROW)}),
    Case("negative", cell(ROW, 3, "-4"), {"negative": (1, ROW)}),
    Case("no-store", cell(ROW, 1, ""), {"no-code": (1, ROW)}),
    Case("no-product", cell(ROW, 2, " "), {"no-code": (1, ROW)}),
    Case("long-code", cell(ROW, 2, "x" * 101), {"bad-code": (1, ROW)}),
    Case("duplicate", added(DUPLICATE), {"duplicate": (1, 162)}),
    Case("copy", added(["2026-01-02", "S1", "A", "5"], DUPLICATE), {"duplicate": (2, 162)}),
    Case("future", added([AHEAD, "S1", "A", "4"]), {"future-date": (1, 162)}),
    Case("total", added(["Total", "", "", "800"]), {"total-row": (1, 162)}),
    Case("total-chinese", added(["合计", "", "", "800"]), {"total-row": (1, 162)}),
    Case("spaces", cell(ROW, 1, "S1 "), {"spaces": (1, ROW)}),
    Case("inner-spaces", cell(ROW, 2, " A"), {"spaces": (1, ROW)}),
    Case("mixed-case", cell(ROW, 1, "s1"), {"mixed-case": (1, ROW)}),
    Case("store-gap", without(lambda row: row[:2] == ["2026-01-10", "S1"]), {"store-gap": (1, 40)}),
    Case("all-shut", without(lambda row: "2026-01-10" <= row[0] <= "2026-01-11"), {"store-gap": (4, 38)}),
    Case(
        "product-gap",
        without(lambda row: row[1:3] == ["S1", "A"] and row[0] == "2026-01-10"),
        {"product-gap": (1, 41)},
    ),
    Case("constant", numbers("S1", "A", lambda day, sales: 7), {"constant": (1, 2)}),
    Case("outlier", numbers("S1", "A", lambda day, sales: 600 if day == 9 else sales), {"outlier": (1, 38)}),
    Case(
        "level",
        every(
            lambda rows: rows * 1,
            numbers("S1", "B", lambda day, sales: sales * (12 if day >= 12 else 1)),
            lambda rows: [*rows, *more_days(rows)],
            numbers("S1", "B", lambda day, sales: (5 + day % 3) * (9 if day >= 35 else 1)),
        ),
        {"level-change": (1, 3)},
    ),
    Case("short", late, {"short": (1, 65)}),
    Case("weekly", weekly(7), refused="weekly"),
    Case("monthly", monthly, refused="monthly"),
    Case("header-only", lambda rows: [], refused="header but no rows"),
    Case("no-sales", lambda rows: [row[:3] for row in rows], refused="no column sales", header=COLUMNS[:3]),
    Case("all-empty", changed(3, lambda text: ""), refused="every cell is empty"),
    Case("ragged", lambda rows: [*rows[:16], [*rows[16], "9", "9"], *rows[17:]], {"ragged-row": (1, ROW)},
         kinds=("csv", "xlsx")),
    Case("chinese-header", lambda rows: rows, header=["日期", "门店", "药品", "销量"]),
    Case("ambiguous", changed(0, lambda t: f"0{int(t[8:]) % 9 + 1}/01/2026"), refused="may be day/month"),
    Case("dmy", changed(0, lambda t: f"{t[8:]}/{t[5:7]}/{t[:4]}")),
    Case("mdy", changed(0, lambda t: f"{t[5:7]}/{t[8:]}/{t[:4]}")),
    Case("d-m-y", every(changed(0, lambda t: f"{t[8:]}-{t[5:7]}-{t[:4]}"), cell(ROW, 0, "31-02-2026")),
         {"bad-date": (1, ROW)}),
    Case("slashes", changed(0, lambda t: t.replace("-", "/"))),
    Case("chinese-dates",
         every(changed(0, lambda t: f"{t[:4]}年{t[5:7]}月{t[8:]}日"), cell(ROW, 0, "2026年13月1日")),
         {"bad-date": (1, ROW)}),
    Case("serials", changed(0, lambda t: str((pd.Timestamp(t) - pd.Timestamp("1899-12-30")).days))),
    Case("comma", every(changed(3, lambda t: f"{t},5"), cell(ROW, 3, "x,5")), {"not-a-number": (1, ROW)},
         kinds=("xlsx", "parquet")),
    Case(
        "everything",
        every(
            cell(ROW, 0, "31.31.2026"), cell(20, 3, "x"), cell(22, 3, "-1"), cell(24, 1, "s1"),
            cell(27, 2, " B "), added(DUPLICATE, ["Summe", "", "", "9"]),
        ),
        {
            "bad-date": (1, ROW), "not-a-number": (1, 20), "negative": (1, 22), "mixed-case": (1, 24),
            "spaces": (1, 27), "duplicate": (1, 162), "total-row": (1, 163),
        },
    ),
]  # fmt: skip


def more_days(rows: Rows) -> Rows:
    """Forty days more of everything."""
    later = pd.Timedelta(days=DAYS)
    return [[f"{pd.Timestamp(row[0]) + later:%Y-%m-%d}", *row[1:]] for row in rows]


def content(case: Case, kind: str) -> bytes:
    """The case as a file."""
    rows = case.plant(clean())
    if kind == "csv":
        lines = [",".join(case.header), *(",".join(row) for row in rows)]
        return ("\n".join(lines) + "\n").encode()
    sink = BytesIO()
    if kind == "xlsx":
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        sheet = book.create_sheet("Sales")
        for row in [case.header, *rows]:
            sheet.append(row)
        book.save(sink)
    else:
        frame = pd.DataFrame(rows, columns=case.header, dtype="string")
        frame.to_parquet(sink, index=False)
    return sink.getvalue()

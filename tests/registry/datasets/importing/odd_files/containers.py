"""Joined files, sheets, archives, and names that belie the content."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from openpyxl import Workbook

from tests.registry.datasets.importing.odd_files.building import (
    HEADER,
    SPAN,
    Cells,
    OddFile,
    book,
    iso,
    row,
    rows,
    saved,
    table,
    text,
    totals,
    zipped,
)


def contained(
    name: str, origin: str, suffix: str, make: Callable[[], bytes], odd: str, why: str, **more: Any
) -> OddFile:
    fields: dict[str, Any] = {
        "case": 0,
        "like": 0,
        "right": "read",
        "totals": totals(),
        "days": 10,
        "span": SPAN,
    }
    return row(
        more,
        name=name,
        kind="containers",
        origin=origin,
        suffix=suffix,
        make=make,
        odd=odd,
        why=why,
        **fields,
    )


def tied(*parts: list[list[Any]], newline: str = "\n", sep: str = ",", start: str = "\ufeff") -> bytes:
    """Files put behind each other, each with its byte order mark."""
    return b"".join(start.encode() + table(part, sep, newline=newline) for part in parts)


def later(n: int, header: Cells = HEADER) -> list[list[Any]]:
    """The usual table from the n-th day on, so that two parts make up the usual ten days."""
    return [list(header), *rows(iso())[1 + 2 * n :]]


def earlier(n: int) -> list[list[Any]]:
    return rows(iso())[: 1 + 2 * n]


def sheets(*tables: tuple[str, Iterable[Cells]], hidden: Sequence[str] = ()) -> bytes:
    wb = Workbook()
    wb.remove(wb.active)
    for title, lines in tables:
        sheet = wb.create_sheet(title)
        for line in lines:
            sheet.append(list(line))
        if title in hidden:
            sheet.sheet_state = "hidden"
    wb.active = next(i for i, sheet in enumerate(wb) if sheet.sheet_state == "visible")
    return saved(wb)


HTML = "<html><body><table>{}</table></body></html>"
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + b"\x00" * 4096

CONTAINERS = (
    contained("mark-inside-the-file", "copy a+b", ".csv",
        lambda: tied(earlier(6), later(6)[1:], newline="\r\n"),
              "a byte order mark before a row in the middle",
              "two exports behind each other, the second without its header", like=19, case=19,
              also=("refuse",), says=("row 14|rows 14|line 14", "invisible|byte order mark|U+FEFF")),
    contained("header-again", "copy a+b", ".csv", lambda: tied(earlier(6), later(6), start=""),
              "the header stands again in the middle", "it is a header, not a faulty row", like=19),
    contained("mark-and-header-again", "copy a+b", ".csv", lambda: tied(earlier(6), later(6)),
              "byte order mark and header again in the middle", "two whole exports behind each other",
              like=19),
    contained("header-on-every-page", "German till", ".csv", lambda: table([
        *earlier(3), ["", "", "", ""], list(HEADER), *rows(iso())[7:13], ["", "", "", ""], list(HEADER),
        *rows(iso())[13:]], ";"),
              "a blank line and the header again on every page", "a printed report", like=19),
    contained("header-again-workbook", "Excel", ".xlsx", lambda: book([*earlier(5), *later(5)]),
              "the header again in the middle of a sheet", "two sheets pasted under each other", like=19),
    contained("second-part-in-other-order", "copy a+b", ".csv", lambda: table(earlier(6)) + table(
        [[r[0], r[2], r[1], r[3]] for r in later(6)]),
              "a second header in the middle with store and product swapped",
              "read by its own header, or refuse; never product for store",
              like=19, also=("refuse", "ask"), says=("row 14|rows 14|line 14|header",), about="columns"),
    contained("mixed-line-ends", "copy a+b", ".csv",
        lambda: table(earlier(6), newline="\r\n") + table(later(6)[1:]),
              "lines end in CR LF, then in LF", "both end a line", like=19),
    contained("dos-end-of-file", "DOS till", ".csv", lambda: table(rows(iso()), newline="\r\n") + b"\x1a",
              "a last byte 1A", "how DOS ended a file: not a row", like=19),
    contained("footer-of-a-report", "SQL export", ".csv",
        lambda: table(rows(iso())) + b"\n(20 rows affected)\n",
              "“(20 rows affected)” behind the last row", "not a sale: left out and told, or named", like=19,
              also=("refuse",), says=("row 23|rows 23|line 23|row 22|line 22", "20 rows affected")),
    contained("separator-line", "Excel", ".csv",
        lambda: b"sep=;\r\n" + table(rows(iso()), ";", newline="\r\n"),
              "“sep=;” above the header", "Excel's own sign for the separator"),
    contained("report-head", "Lightspeed", ".csv",
        lambda: text("Sales by item", "Printed on 2025-03-06 by A. Smith", "") + table(rows(iso())),
              "three lines of title above the header", "rows above are not sales"),
    contained("first-sheet-is-a-note", "Excel", ".xlsx",
        lambda: sheets(("Readme", [["Sales of our shops"], ["Ask Ann"]]), ("Data", rows(iso()))),
              "the first sheet holds two lines of text", "the first sheet with a table counts"),
    contained("sheet-for-each-half", "Excel", ".xlsx",
        lambda: sheets(("Feb", earlier(5)), ("Mar", later(5)), ("Notes", [["Ask Ann"]])),
              "the first five days on one sheet, the next five on another with the same columns",
              "a sheet per month: all of them are the sales"),
    contained("sheet-for-each-half-ods-order", "LibreOffice", ".xlsx",
        lambda: sheets(("Feb", [["Sales of February"], [], *earlier(5)]),
                       ("Mar", [[r[3], r[0], r[2], r[1]] for r in later(5)])),
              "the second sheet has its columns in another order, the first a title",
              "columns are found by their names on every sheet"),
    contained("sheets-with-other-columns", "Excel", ".xlsx",
        lambda: sheets(("Feb", earlier(5)), ("Mar", [[*r, "x"] for r in later(5, (*HEADER[:4],))])),
              "the second sheet has a column more, without a name", "it says nothing: both are read",
              also=("refuse", "ask"), about="columns", says=("sheet|column|cells",)),
    contained("sheets-that-differ", "Excel", ".xlsx",
        lambda: sheets(("Feb", earlier(5)), ("Mar", [["date", "product", "qty"],
            *([r[0], r[2], r[3]] for r in later(5)[1:])])),
              "the second sheet lacks the store", "never one of them in silence", right="refuse",
              also=("ask",), about="columns", says=("Feb", "Mar", "columns"), totals={}, days=0, span=None),
    contained("sheet-for-each-store", "Excel", ".xlsx",
        lambda: sheets(*((town, [["date", "product", "qty"], *([r[0], r[2], r[3]] for r in rows(iso())[1:])])
            for town in ("Bonn", "Köln"))),
              "a sheet for each store, no column names it",
              "added up, two stores would be one: say so, or take the sheets' names", right="refuse",
              also=("ask",), about="store", says=("Bonn", "store"), totals={}, days=0, span=None),
    contained("hidden-old-sheet", "Excel", ".xlsx",
        lambda: sheets(("Old", rows(iso(), number=lambda q: 100 * q)), ("Sales", rows(iso())),
            hidden=("Old",)),
              "a hidden first sheet with other numbers", "nobody sees it: the visible one is meant",
              also=("ask",), about="sheet",
              answers={"Sales": totals()}),
    contained("workbook-named-csv", "Clover", ".csv", lambda: book(rows(iso())),
        "a workbook whose name ends in .csv",
              "read what it is, or say so", also=("refuse",), says=("Excel|xlsx|workbook",)),
    contained("text-named-xlsx", "Web shop", ".xlsx", lambda: table(rows(iso())),
        "a text file whose name ends in .xlsx",
              "read what it is, or say so", also=("refuse",), says=("Excel|xlsx|workbook|CSV|text",)),
    contained("zip-of-one", "Shopify", ".zip", lambda: zipped(orders__csv=table(rows(iso()))),
        "a CSV file in a zip",
              "not a format of the product: say so, or read it", right="refuse", also=("read",),
              says=("zip|unpack|format|CSV",)),
    contained("zip-of-two-months", "Toast", ".zip",
        lambda: zipped(feb__csv=table(earlier(5)), mar__csv=table(later(5))), "two CSV files in a zip",
              "say so, or read both; never one of them in silence", right="refuse", also=("read", "ask"),
              about="files", says=("zip|unpack|format|CSV",)),
    contained("gzip", "Unix", ".csv.gz", lambda: gzip.compress(table(rows(iso())), mtime=0),
        "a packed CSV file", "say so, or read it",
              right="refuse", also=("read",), says=("gz|unpack|format|CSV|packed",)),
    contained("html-named-xls", "SAP", ".xls", lambda: HTML.format("".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows(iso()))).encode(),
              "a web page whose name ends in .xls", "say what it is and what to save instead", right="refuse",
              also=("read",), says=("xls|HTML|format",)),
    contained("old-or-locked-workbook", "Excel 97", ".xls", lambda: OLE,
        "the old binary form, which a password makes too",
              "say to save it as .xlsx", right="refuse", says=("xls|xlsx|format|password",), totals={},
              days=0, span=None),
    contained("broken-workbook", "Mail", ".xlsx", lambda: book(rows(iso()))[:2000],
        "the second half of a workbook is missing",
              "say that it is damaged", right="refuse",
              says=("damaged|broken|cannot be read|not a|invalid|incomplete|corrupt|xlsx",), totals={},
              days=0, span=None),
)  # fmt: skip

"""Exported tables: nothing a person typed can act as a formula."""

from __future__ import annotations

import io
from datetime import date

import openpyxl

from registry.lib.export import Column, Table, render_csv, render_excel

EVIL = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]


def table(values: list) -> Table:
    return Table(
        "a/b", [Column("=name"), Column("day", "day")], [[value, date(2026, 1, 2)] for value in values]
    )


def test_texts_that_look_like_formulas_get_a_quote_in_csv():
    lines = render_csv(table(EVIL)).decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    assert lines[:3] == ["'=name,day", "'=1+1,2026-01-02", "'+1,2026-01-02"]
    assert render_csv(table([])).startswith(b"\xef\xbb\xbf") and not render_csv(
        table([]), with_bom=False
    ).startswith(b"\xef")


def test_texts_that_look_like_formulas_stay_texts_in_excel():
    sheet = openpyxl.load_workbook(io.BytesIO(render_excel([table([*EVIL[:4], -1.5])]))).active
    assert sheet.title == "a_b"
    assert [row[0].data_type for row in sheet.iter_rows()] == ["s"] * 5 + ["n"]
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [f"'{text}" for text in EVIL[:4]] + [-1.5]


def test_control_characters_do_not_break_the_workbook():
    sheet = openpyxl.load_workbook(io.BytesIO(render_excel([table(["a\x00b\x1f"])]))).active
    assert sheet["A2"].value == "ab"


def test_two_tables_of_one_name_become_two_sheets():
    book = openpyxl.load_workbook(io.BytesIO(render_excel([table([1]), table([2])])))
    assert len(book.sheetnames) == 2

"""Exported tables: nothing a person typed can act as a formula."""

from __future__ import annotations

import csv
import io
from datetime import date

import openpyxl
import pytest

from registry.lib.csv_safe import escape_formula, format_csv_rows
from registry.lib.export import EXPORT_FORMATS, export_table, render_csv, render_excel
from registry.lib.http import clean_filename, download_response, stream_csv
from registry.lib.tables import Column, Table

EVIL = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠SUM(A1)", "﹦1"]
PLAIN = ["-1", "-1.5", "-.5", "P-1", "", "1+1"]


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


def test_dates_are_dates_and_totals_stand_below_the_filter():
    days = Table("a", [Column("what"), Column("value", "units")], [["from", date(2026, 1, 2)]], ["sum", 7])
    sheet = openpyxl.load_workbook(io.BytesIO(render_excel([days]))).active
    assert sheet["B2"].is_date and sheet["B2"].number_format == "yyyy-mm-dd"
    assert sheet["B3"].value == 7 and sheet["B3"].font.bold and sheet.auto_filter.ref == "A1:B2"
    assert render_csv(days, with_bom=False).decode().split() == ["what,value", "from,2026-01-02"]


def test_control_characters_do_not_break_the_workbook():
    sheet = openpyxl.load_workbook(io.BytesIO(render_excel([table(["a\x00b\x1f"])]))).active
    assert sheet["A2"].value == "ab"


def test_two_tables_of_one_name_become_two_sheets():
    book = openpyxl.load_workbook(io.BytesIO(render_excel([table([1]), table([2])])))
    assert len(book.sheetnames) == 2


def test_csv_excel_and_streams_escape_the_same_texts():
    column = [*EVIL, *PLAIN]
    expected = [*(f"'{text}" for text in EVIL), *PLAIN]
    assert [escape_formula(text) for text in column] == expected
    assert [row[0] for row in csv.reader(io.StringIO(format_csv_rows([text] for text in column)))] == expected
    lines = csv.DictReader(io.StringIO(render_csv(table(column)).decode("utf-8-sig")))
    assert [line["'=name"] for line in lines] == expected
    texts = [text for text in column if text.isprintable()]  # Excel drops the others
    sheet = openpyxl.load_workbook(io.BytesIO(render_excel([table(texts)]))).active
    values = [row[0].value or "" for row in sheet.iter_rows(min_row=2)]
    assert values == [escape_formula(text) for text in texts]


@pytest.mark.parametrize("kind", EXPORT_FORMATS)
def test_every_download_names_its_file_and_its_type_in_the_same_way(kind: str):
    name = f'Berlin / 药店 "1".{kind}'
    responses = [download_response(b"content", name), download_response(iter([b"content"]), name)]
    responses.append(download_response(io.BytesIO(b"content"), name))
    responses.append(export_table(name.removesuffix(f".{kind}"), kind, table([1])))
    headers = {(one["Content-Type"], one["Content-Disposition"]) for one in responses}
    assert len(headers) == 1
    assert headers.pop()[1] == f'attachment; filename="Berlin_1.{kind}"'
    assert responses[2]["Content-Length"] == "7"


def test_streamed_csv_begins_with_a_byte_order_mark():
    body = b"".join(stream_csv(["a,药\n", "1,2\n"], "x.csv").streaming_content)
    assert body == "\ufeffa,药\n1,2\n".encode()


def test_a_file_name_never_breaks_its_header():
    for name in ('a"b.csv', "a\r\nb.csv", "../../b.csv", "..csv", "药.csv", "a\0b.csv"):
        assert set(clean_filename(name)) <= set("abcdefilsv._-"), name

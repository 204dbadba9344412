"""Spreadsheets of LibreOffice (.ods), written cell by cell."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date
from typing import Any
from xml.sax.saxutils import escape, quoteattr

KIND = "application/vnd.oasis.opendocument.spreadsheet"
NAMES = "urn:oasis:names:tc:opendocument:xmlns"


def pack(members: dict[str, bytes]) -> bytes:
    """A zip archive of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def build_spreadsheet(sheets: dict[str, Sequence[Sequence[Any]]]) -> bytes:
    """A spreadsheet with these rows of dates, numbers and texts on each sheet."""
    tables = "".join(
        f"<table:table table:name={quoteattr(title)}>{''.join(map(_row, rows))}</table:table>"
        for title, rows in sheets.items()
    )
    content = (
        f"<?xml version='1.0'?><office:document-content xmlns:office='{NAMES}:office:1.0' "
        f"xmlns:table='{NAMES}:table:1.0' xmlns:text='{NAMES}:text:1.0'><office:body><office:spreadsheet>"
        f"{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        f"<?xml version='1.0'?><manifest:manifest xmlns:manifest='{NAMES}:manifest:1.0'>"
        f"<manifest:file-entry manifest:full-path='/' manifest:media-type='{KIND}'/></manifest:manifest>"
    )
    files = {"mimetype": KIND, "content.xml": content, "META-INF/manifest.xml": manifest}
    return pack({name: text.encode() for name, text in files.items()})


def _row(cells: Sequence[Any]) -> str:
    return f"<table:table-row>{''.join(map(_cell, cells))}</table:table-row>"


def _cell(value: Any) -> str:
    if isinstance(value, date):
        kind = f"'date' office:date-value='{value.isoformat()}'"
    elif isinstance(value, int | float):
        kind = f"'float' office:value='{value}'"
    else:
        kind = "'string'"
    shown = escape(str(value))
    return f"<table:table-cell office:value-type={kind}><text:p>{shown}</text:p></table:table-cell>"

"""Tables as JSON pages, CSV or parquet, as the program accepts them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.http import HttpRequest
from django.utils.translation import gettext as _

from registry.lib.csv_safe import format_csv_rows
from registry.lib.http import download_response
from registry.lib.refusals import Problem

JSON, CSV, PARQUET = FORMATS = ("json", "csv", "parquet")
MEDIA_TYPES = {JSON: "application/json", CSV: "text/csv", PARQUET: "application/vnd.apache.parquet"}


def choose_format(request: HttpRequest, *offered: str) -> str:
    """What the address (`?format=`) or Accept asks for, else the first that is offered.

    Raises Problem 406 where nothing fits. The address counts first: spreadsheets cannot set Accept.
    """
    asked = request.GET.get("format", "")
    media = {MEDIA_TYPES[kind]: kind for kind in offered}
    found = asked if asked in offered else None
    if not asked:
        found = media.get(str(request.get_preferred_type(list(media))))
    if found is None:
        words = {"formats": ", ".join(offered)}
        raise Problem(406, _("This address has these formats: %(formats)s.") % words)
    return found


def answer_table(
    request: HttpRequest,
    name: str,
    rows: Callable[[], Iterable[dict[str, Any]]],
    page: Callable[[], Any],
) -> Any:
    """A page of JSON, or all rows as a file."""
    kind = choose_format(request, *FORMATS)
    if kind == JSON:
        return page()
    found = list(rows())
    if kind == CSV:
        heads = list(found[0]) if found else []
        text = format_csv_rows([heads, *(row.values() for row in found)])
        return download_response(text.encode(), f"{name}.csv")
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(found), buffer)
    return download_response(buffer.getvalue(), f"{name}.parquet")

"""Lists in pages: a cursor says where the next one begins, whatever was added meanwhile."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import Field

from registry.lib.refusals import Problem

MAX_PAGE, DEFAULT_PAGE = 1000, 100
Item = TypeVar("Item")


class Paging(Schema):
    """Where a page begins and how long it is."""

    limit: int = Field(DEFAULT_PAGE, ge=1, le=MAX_PAGE)
    cursor: str = Field("", max_length=300, description="`next` of the page before; empty for the first.")


class Page(Schema, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next: str | None = Field(None, description="The cursor of the next page; null on the last one.")


def encode_cursor(*values: Any) -> str:
    """A cursor that says nothing to people.

    >>> decode_cursor(encode_cursor("2026-01-01", 7), 2)
    ['2026-01-01', 7]
    """
    return base64.urlsafe_b64encode(json.dumps(values, default=str).encode()).decode().rstrip("=")


def decode_cursor(text: str, length: int) -> list[Any]:
    """Its values; raises Problem for a text that is no cursor."""
    try:
        values = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        values = None
    if not isinstance(values, list) or len(values) != length:
        raise wrong_cursor()
    return values


def wrong_cursor() -> Problem:
    """The answer to a cursor that no list has given."""
    return Problem(400, _("The cursor is none that this list has given."))


def page_newest(rows: QuerySet[Any], asked: Paging, show: Callable[[Any], Any]) -> dict[str, Any]:
    """A page of rows with `created_at`, the newest first."""
    rows = rows.order_by("-created_at", "-pk")
    if asked.cursor:
        moment, key = decode_cursor(asked.cursor, 2)
        rows = rows.filter(read_place(rows, moment, key))
    found = list(rows[: asked.limit + 1])
    more = found[asked.limit - 1] if len(found) > asked.limit else None
    cursor = encode_cursor(more.created_at.isoformat(), str(more.pk)) if more is not None else None
    return {"items": [show(row) for row in found[: asked.limit]], "next": cursor}


def read_place(rows: QuerySet[Any], moment: Any, key: Any) -> Q:
    """The condition of all rows after that place; raises Problem."""
    try:
        at, pk = parse_datetime(moment), rows.model._meta.pk.to_python(key)
    except Exception:  # whatever a forged cursor brings about
        raise wrong_cursor() from None
    if at is None or at.tzinfo is None:
        raise wrong_cursor()
    return Q(created_at__lt=at) | Q(created_at=at, pk__lt=pk)


def page_offset(count: int, asked: Paging) -> tuple[range, str | None]:
    """The places of a page of a list that does not change, and the cursor of the next page."""
    start = 0
    if asked.cursor:
        (start,) = decode_cursor(asked.cursor, 1)
        if not isinstance(start, int) or isinstance(start, bool) or start < 0:
            raise wrong_cursor()
    stop = min(start + asked.limit, count)
    return range(min(start, count), stop), encode_cursor(stop) if stop < count else None

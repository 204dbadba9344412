"""Ids, texts and lists from the address or a form; every view reads them here.

A value that cannot be an id is None, so that callers answer 404 or ignore it; the database never sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Field
from django.http import QueryDict

MAX_ID = 2**63 - 1  # the largest number that the databases store
MAX_TEXT = 100  # characters of a search
MAX_LIST = 20  # values of one list
PLAIN_ID = re.compile(r"[0-9]{1,19}", re.ASCII)
UUID_FORM = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # what no database or encoding accepts


class IdConverter:
    """Path converter of a row's id; a number that no database stores does not match, which gives 404."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        """The id."""
        return int(value)

    def to_url(self, value: int) -> str:
        """The id as text."""
        return str(value)


def read_id(text: str | None) -> int | None:
    """The id that the text holds in plain digits; None for anything else.

    >>> [read_id(text) for text in ("7", "007", "²", "٣", "-1", "", None, "9" * 19, "9" * 5000)]
    [7, 7, None, None, None, None, None, None, None]
    """
    if not text or not PLAIN_ID.fullmatch(text):
        return None
    number = int(text)
    return number if number <= MAX_ID else None


def read_uuid(text: str | None) -> UUID | None:
    """The UUID; None for anything else.

    >>> read_uuid("00000000-0000-0000-0000-00000000000a")
    UUID('00000000-0000-0000-0000-00000000000a')
    >>> read_uuid("{urn:uuid:0}"), read_uuid("٣" * 32), read_uuid(None)
    (None, None, None)
    """
    return UUID(text) if text and UUID_FORM.fullmatch(text) else None


def clean_text(text: str | None, max_length: int = MAX_TEXT) -> str:
    r"""The stripped text without NUL and lone surrogates, at most `max_length` characters.

    >>> clean_text(" a\x00b\ud800 "), clean_text(None), clean_text("x" * 500, 3)
    ('a b', '', 'xxx')
    """
    return UNSTORABLE.sub(" ", text or "").strip()[:max_length].strip()


def read_text(query: QueryDict, name: str, max_length: int = MAX_TEXT) -> str:
    """A text of the address or form; empty when it is missing."""
    return clean_text(query.get(name), max_length)


def read_uuids(query: QueryDict, name: str) -> list[UUID]:
    """The valid UUIDs among the first MAX_LIST values of a list, in order, each once."""
    return valid_uuids(query.getlist(name))


def valid_uuids(texts: Iterable[str]) -> list[UUID]:
    """The valid UUIDs among the first MAX_LIST texts, in order, each once.

    >>> valid_uuids(["nonsense", "0" * 32, "0" * 32])
    [UUID('00000000-0000-0000-0000-000000000000')]
    """
    found = (read_uuid(text) for text in list(texts)[:MAX_LIST])
    return list(dict.fromkeys(one for one in found if one is not None))


def fits_field(field: Field[Any, Any], value: str) -> bool:
    """Whether the text is a value that the field can hold, for example the primary key of an admin action."""
    if UNSTORABLE.search(value):
        return False
    if "Integer" in field.get_internal_type() or "Auto" in field.get_internal_type():
        return read_id(value) is not None
    try:
        field.to_python(value)
    except (ValidationError, ValueError, OverflowError):
        return False
    return True

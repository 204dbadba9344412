"""Addresses inside a dataset, /d/3/models/, and those of the whole site, such as the admin's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.urls import get_script_prefix, reverse, set_script_prefix

SITE_PREFIX = "/"
INSIDE = re.compile(r"/d/([0-9]{1,18})(/.*)", re.DOTALL)  # an address inside a dataset: its id, and the rest


def dataset_prefix(dataset_id: int) -> str:
    """What the addresses of a dataset begin with.

    >>> dataset_prefix(3)
    '/d/3/'
    """
    return f"/d/{dataset_id}/"


@contextmanager
def address_prefix(prefix: str) -> Iterator[None]:
    """While it lasts, `reverse` and the tag `url` begin with `prefix`."""
    before = get_script_prefix()
    set_script_prefix(prefix)
    try:
        yield
    finally:
        set_script_prefix(before)


def reverse_in_dataset(dataset_id: int, name: str, *args: Any) -> str:
    """The address of a page inside that dataset, wherever the reader is now."""
    with address_prefix(dataset_prefix(dataset_id)):
        return reverse(name, args=args)


def reverse_on_site(name: str, *args: Any) -> str:
    """The address of a page of the whole site: sign-in, language, admin."""
    with address_prefix(SITE_PREFIX):
        return reverse(name, args=args)

"""Countries with public holidays, by name in the reader's language."""

from __future__ import annotations

import re
from functools import cache

from django.utils.translation import get_language
from django.utils.translation import gettext as _

REGION_PATTERN = re.compile(r"[a-z]{2,3}(?:-[a-z]{4})?-([a-z]{2})\b", re.IGNORECASE)
Choices = list[tuple[str, str]]


def country_choices(languages: str = "") -> Choices:
    """("", none) first, then the country of an Accept-Language header, then all others by name."""
    countries = list_countries((get_language() or "en").replace("-", "_"))
    near = browser_country(languages)
    first = [pair for pair in countries if pair[0] == near]
    return [("", _("none")), *first, *(pair for pair in countries if pair[0] != near)]


@cache
def list_countries(locale: str) -> Choices:
    """Code and name of every country whose holidays are known, by name."""
    import holidays
    from babel import Locale

    names = Locale.parse(locale).territories
    known = ((code, names.get(code, code)) for code in holidays.list_supported_countries() if len(code) == 2)
    return sorted(known, key=lambda pair: pair[1])


def browser_country(languages: str) -> str:
    """The first country that an Accept-Language header names; empty if none.

    >>> browser_country("de,en-GB;q=0.8,zh-Hans-CN"), browser_country("zh-Hans-CN"), browser_country("en")
    ('GB', 'CN', '')
    """
    found = REGION_PATTERN.search(languages[:200])
    return found[1].upper() if found else ""

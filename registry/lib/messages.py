"""Messages of code that knows no Django, translated for the reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from registry.lib.errors import MessageError, fill_places
from registry.lib.old_messages import PRESENT_WORDING


def translate_message(message: str, values: Mapping[str, Any] | None = None) -> str:
    """The message in the reader's language with its values in place; unchanged when it has no translation.

    >>> translate_message("{days} days ahead cannot be forecast: use 1 or more.", {"days": 0})
    '0 days ahead cannot be forecast: use 1 or more.'
    """
    return fill_places(gettext(PRESENT_WORDING.get(message, message)), values) if message else ""


def translate_error(error: Exception) -> str:
    """The text of an error in the reader's language; Django code has translated its own when it raised them.

    >>> translate_error(MessageError("{days} days", days=2)), translate_error(ValueError("Broken."))
    ('2 days', 'Broken.')
    """
    if isinstance(error, MessageError):
        return translate_message(error.message, error.values)
    return translate_message(str(error))

"""Errors whose text is one sentence for the user and can be translated later. Pure: no Django."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def gettext_noop(message: str) -> str:
    """The same message: makemessages collects what stands in this call."""
    return message


def fill_places(message: str, values: Mapping[str, Any] | None) -> str:
    """The message with its {places} filled; a message without values is returned as it is.

    >>> fill_places("{days} days", {"days": 3}), fill_places("a {brace}", None)
    ('3 days', 'a {brace}')
    """
    return message.format(**values) if values else message


class MessageError(ValueError):
    """An English message with {places} and their values; str() gives the whole English sentence.

    The values are saved as JSON beside the message, so they are plain numbers and texts.

    >>> error = MessageError("{days} days ahead cannot be forecast.", days=0)
    >>> str(error), error.message, error.values
    ('0 days ahead cannot be forecast.', '{days} days ahead cannot be forecast.', {'days': 0})
    """

    def __init__(self, message: str, **values: Any) -> None:
        super().__init__(fill_places(message, values))
        self.message, self.values = message, values


def split_error(error: Exception) -> tuple[str, dict[str, Any]]:
    """Message and values of an error; of one without values its text, and no values.

    >>> split_error(MessageError("{days} days", days=2)), split_error(ValueError("Broken."))
    (('{days} days', {'days': 2}), ('Broken.', {}))
    """
    return (error.message, error.values) if isinstance(error, MessageError) else (str(error), {})

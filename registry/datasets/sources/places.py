"""Where files arrive: what every kind of place can do, and the place of a source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar, Protocol

from registry.lib.errors import MessageError, gettext_noop

MARKER = ".done"  # beside a file: it is complete
MAX_NAME = 200
NOT_REACHED = gettext_noop("{address} cannot be read: {reason}.")


class PlaceUnreachable(MessageError):
    """The place does not answer, or refuses; one sentence."""

    def __init__(self, address: str, reason: object) -> None:
        super().__init__(NOT_REACHED, address=address, reason=" ".join(str(reason).split())[:200])


@dataclass(frozen=True)
class FoundFile:
    """A file in a place. `stamp` changes with its content; `order` sorts by age."""

    name: str
    size: int
    stamp: str
    order: str
    has_marker: bool = False


class Place(Protocol):
    """Files of one folder or prefix, without those below it; all methods may raise PlaceUnreachable."""

    is_atomic: ClassVar[bool]  # a file is there as a whole, or not at all

    def list_files(self) -> list[FoundFile]:
        """What is there, without markers and without names that cannot be used."""

    def read(self, name: str) -> AbstractContextManager[Iterator[bytes]]:
        """The content in chunks."""

    def find_stamp(self, name: str) -> str:
        """The stamp of a file now; empty if it is gone."""

    def move(self, name: str, folder: str, new_name: str, from_folder: str = "") -> None:
        """Moves a file below the place, and removes its marker; nothing if it is gone. Safe to repeat."""


def list_matching(place: Place, pattern: str) -> list[FoundFile]:
    """Files whose names fit the pattern, the oldest first; capitals do not count."""
    found = [one for one in place.list_files() if fnmatchcase(one.name.lower(), pattern.lower())]
    return sorted(found, key=lambda one: (one.order, one.name))


def is_usable_name(name: str) -> bool:
    """Whether a file of this name is looked at: no hidden ones, markers or odd characters.

    >>> [is_usable_name(name) for name in ("a.csv", ".a.csv", "a.csv.done", "a/b.csv", "..")]
    [True, False, False, False, False]
    """
    is_plain = name.isprintable() and "/" not in name and "\\" not in name
    return is_plain and 0 < len(name) <= MAX_NAME and name[0] != "." and not name.endswith(MARKER)

"""What the whole of a large file says about its columns, for checks that see a bucket of its rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.datasets.importing.checks.receipt_lines import RepeatedRows


@dataclass(frozen=True)
class ExtraKind:
    """How an extra column is read: "empty", "number" or "text"; numbers with a decimal mark.

    `told` is the finding about its texts, with the action that is proposed.
    """

    kind: str
    mark: str = "."
    told: tuple[str, str] | None = None


@dataclass(frozen=True)
class Decisions:
    """Days and codes by the texts of the file, and what was decided about numbers and repeated rows."""

    date_order: str
    decimal: str
    days: dict[str, int] = field(default_factory=dict)
    bad_dates: int = 0
    has_moments: bool = False
    tidied: dict[str, dict[str, str]] = field(default_factory=dict)
    spellings: dict[str, dict[str, str]] = field(default_factory=dict)
    extras: dict[str, ExtraKind] = field(default_factory=dict)
    repeated: RepeatedRows | None = None

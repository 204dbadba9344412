"""Findings about series and gaps, added up over pieces of the sales that are checked one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from registry.datasets.importing.checks.finding_log import FindingLog
from registry.datasets.importing.finding_effects import build_effect, measure_gaps
from registry.datasets.importing.findings import MAX_EXAMPLES, Example


@dataclass
class Collected:
    """One finding so far: how often, where, what its action takes away, and in how many series."""

    count: int = 0
    places: list[Example] = field(default_factory=list)
    effect: str = ""  # "left-out" or "cleared"
    rows: int = 0
    units: float = 0.0
    series: int = 0


class CollectedFindings:
    """Findings that no piece can tell alone."""

    def __init__(self, log: FindingLog) -> None:
        self.log = log
        self.found: dict[str, Collected] = {}

    def count_pictures(self, code: str) -> int:
        """How many more examples of a finding get a picture."""
        return MAX_EXAMPLES - min(MAX_EXAMPLES, len(self.found.get(code, Collected()).places))

    def add(self, code: str, places: Sequence[Example], count: int, series: int = 0) -> str:
        """Adds to a finding; returns its action, "" where there is nothing to add."""
        if not count:
            return ""
        found = self.found.setdefault(code, Collected())
        found.count += count
        found.series += series
        found.places += places[: FindingLog.MAX_BAD_ROWS - len(found.places)]
        return self.log.choose_action(code)

    def add_effect(self, code: str, kind: str, rows: int, units: float) -> None:
        """Adds what the action of a finding takes away."""
        found = self.found[code]
        found.effect, found.rows, found.units = kind, found.rows + rows, found.units + units

    def tell(self, codes: Sequence[str], rows: int, units: float) -> None:
        """Tells the log of these findings in their order; `rows` and `units` are those of all sales."""
        for code in codes:
            if (found := self.found.pop(code, None)) is None:
                continue
            self.log.add_finding(code, found.places, found.count)
            if found.effect:
                effect = build_effect(found.effect, found.rows, rows, (found.units, units))
                self.log.findings[-1].effect = effect

    def tell_gaps(self, code: str, told_as: str = "", proposed: str = "") -> str:
        """Tells the log of missing days, maybe under another code; returns the action."""
        if (found := self.found.pop(code, None)) is None:
            return ""
        action = self.log.add_finding(told_as or code, found.places, found.count, proposed)
        measure_gaps(self.log.findings[-1], found.count, found.series)
        return action

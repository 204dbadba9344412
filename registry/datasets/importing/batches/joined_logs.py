"""The findings about all buckets of a large file as findings about the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from registry.datasets.importing.checks.finding_log import FAULTS, FindingLog
from registry.datasets.importing.checks.row_checks import ROW_CHECKS
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.finding_effects import build_effect
from registry.datasets.importing.findings import MAX_EXAMPLES, Example, Finding

MAX_LINES = 5_000  # places that are kept until all buckets are added up
CODES = list(dict.fromkeys(check.code for check in ROW_CHECKS))
LAST = len(CODES)
ORDER = {code: place for place, code in enumerate(CODES)} | {
    "tidied-code": CODES.index("no-code") - 0.5,
    "duplicate": LAST + 1,
    "receipt-lines": LAST + 1,
}
ONCE = {"column-empty", "column-replaced", "column-without-name", "one-store"}  # about the file, not its rows


@dataclass
class JoinedFinding:
    """A finding of one column: how often, where, what it did, and what its effect is about."""

    action: str
    count: int = 0
    examples: list[Example] = field(default_factory=list)
    flagged: list[Example] = field(default_factory=list)  # for the list of faulty rows
    kind: str = ""
    rows: int = 0
    units: float = 0.0

    def add(self, finding: Finding, flagged: list[Example]) -> None:
        """Adds what a bucket has of it."""
        self.count += finding.count
        self.examples = first_places([*self.examples, *finding.examples], MAX_LINES)
        self.flagged = first_places([*self.flagged, *flagged], FindingLog.MAX_BAD_ROWS)
        if finding.effect:
            self.kind = str(finding.effect["kind"])
            self.rows += int(finding.effect["rows"])
            self.units += finding.units

    def build_finding(self, code: str) -> Finding:
        """The finding about the file."""
        examples = self.examples
        if code == "receipt-lines":
            days = sum(int(place.value.partition(" → ")[2]) for place in examples)
            examples = [replace(examples[0], value=f"{self.count} → {days}")]
        if code in ONCE:
            return Finding(code, 1, examples[:1], self.action)
        return Finding(code, self.count, examples[:MAX_EXAMPLES], self.action)


def first_places(places: list[Example], most: int) -> list[Example]:
    """The places in the first rows."""
    return sorted(places, key=lambda place: place.row)[:most]


def join_logs(log: FindingLog, logs: Sequence[FindingLog], row_count: int) -> None:
    """Tells the log of the file what the logs of its buckets hold; raises SalesFileError for a "stop"."""
    told = {finding.code for finding in log.findings}
    kept = sum(int((~one.excluded).sum()) for one in logs)
    units = sum(one.kept_units for one in logs)
    for (code, _column), found in collect_findings(logs).items():
        if code in ONCE and code in told:
            continue
        if code in FAULTS and 2 * found.count >= row_count:
            found.action = log.choose_action(code, "stop")
        finding = found.build_finding(code)
        if found.action == "stop":
            raise SalesFileError(finding.format_sentence(log.raw.name))
        if found.kind == "left-out":
            whole = (found.units, units + found.units)
            finding.effect = build_effect(found.kind, found.rows, row_count, whole)
        elif found.kind:
            finding.effect = build_effect(found.kind, found.rows, kept, (found.units, units))
        log.findings.append(finding)
        if found.flagged:
            log.bad_places.append((code, found.flagged))
    for one in logs:
        log.left_out_sales |= one.left_out_sales
        log.lost_sales |= one.lost_sales
    if not kept:
        raise log.no_rows_error()


def collect_findings(logs: Sequence[FindingLog]) -> dict[tuple[str, str], JoinedFinding]:
    """{code and column: the finding in all logs}, in the order of the checks."""
    joined: dict[tuple[str, str], JoinedFinding] = {}
    for log in logs:
        flagged = list(log.bad_places)
        for finding in log.findings:
            key = (finding.code, finding.examples[0].column if finding.examples else "")
            is_flagged = bool(flagged) and flagged[0][0] == finding.code
            found = joined.setdefault(key, JoinedFinding(finding.action))
            found.add(finding, flagged.pop(0)[1] if is_flagged else [])
    return dict(sorted(joined.items(), key=lambda one: place_finding(*one[0])))


def place_finding(code: str, column: str) -> tuple[float, str, str]:
    """Where a finding stands: in the order of the checks, and of the columns for extra ones."""
    place = ORDER.get(code, LAST)
    return (place, column, code) if place == LAST else (place, "", "")

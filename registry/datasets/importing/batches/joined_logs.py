"""The findings about all buckets of a large file as findings about the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from registry.datasets.importing.checks.finding_log import FAULTS, FindingLog
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.finding_effects import build_effect
from registry.datasets.importing.findings import MAX_EXAMPLES, Example, Finding

ONCE = {"column-empty", "column-replaced", "column-without-name", "one-store"}  # about the file, not its rows


@dataclass
class JoinedFinding:
    """A finding of one column: how often, where, what it did, and what its effect is about."""

    action: str
    count: int = 0
    places: list[Example] = field(default_factory=list)
    kind: str = ""
    rows: int = 0
    units: float = 0.0


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
        count = 1 if code in ONCE else found.count
        places = sorted(found.places, key=lambda place: place.row)[: FindingLog.MAX_BAD_ROWS]
        finding = Finding(code, count, places[:MAX_EXAMPLES], found.action)
        if found.action == "stop":
            raise SalesFileError(finding.format_sentence(log.raw.name))
        if found.kind == "left-out":
            finding.effect = build_effect(
                found.kind, found.rows, row_count, (found.units, units + found.units)
            )
        elif found.kind:
            finding.effect = build_effect(found.kind, found.rows, kept, (found.units, units))
        log.findings.append(finding)
        log.bad_places.append((code, places))
    for one in logs:
        log.left_out_sales |= one.left_out_sales
        log.lost_sales |= one.lost_sales
    if not kept:
        raise log.no_rows_error()


def collect_findings(logs: Sequence[FindingLog]) -> dict[tuple[str, str], JoinedFinding]:
    """{code and column: the finding in all logs}, in the order of the checks."""
    joined: dict[tuple[str, str], JoinedFinding] = {}
    order: list[tuple[str, str]] = []
    for log in logs:
        places = dict(zip(map(id, log.findings), (finding.examples for finding in log.findings), strict=True))
        told = iter(log.bad_places)
        before = -1
        for finding in log.findings:
            key = (finding.code, finding.examples[0].column if finding.examples else "")
            if key not in joined:
                joined[key] = JoinedFinding(finding.action)
                order.insert(before + 1, key)
            before = order.index(key)
            found = joined[key]
            found.count += finding.count
            rows = next((rows for code, rows in told if code == finding.code), places[id(finding)])
            found.places += rows[: FindingLog.MAX_BAD_ROWS]
            if finding.effect:
                found.kind = str(finding.effect["kind"])
                found.rows += int(finding.effect["rows"])
                found.units += finding.units
    return {key: joined[key] for key in order}

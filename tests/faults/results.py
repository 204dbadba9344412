"""What was tried under faults and what was seen, a JSON line each: an interrupted run of the faults goes on.

`python -m tests.faults.results FILE` prints them as a table for docs/results/fault-injection.md.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

MOST_IN_VAIN = 10


class NotReady(Exception):
    """What a trial needs did not come about, before anything was done: it does not count."""


class Tally:
    """The trials of one fault. `file` None: they are only remembered."""

    def __init__(self, fault: str, wanted: int, seed: int, file: Path | None = None) -> None:
        self.fault, self.wanted, self.seed, self.file = fault, wanted, seed, file
        self.vain = 0
        lines = file.read_text().splitlines() if file and file.exists() else []
        self.seen: list[dict[str, Any]] = [row for row in map(json.loads, lines) if row["fault"] == fault]

    @property
    def count(self) -> int:
        """How often it was tried."""
        return sum(row.get("count", 1) for row in self.seen)

    def left(self) -> Iterator[Random]:
        """For each trial that is still to be done: its own chance, the same when it is repeated."""
        while self.count < self.wanted:
            yield Random(f"{self.seed} {self.fault} {self.count}")

    def add(self, ok: bool = True, **seen: Any) -> None:
        row = {"fault": self.fault, "ok": ok, "load": round(os.getloadavg()[0], 1), "seed": self.seed, **seen}
        self.seen.append(row | {"at": time.strftime("%H:%M:%S")})
        print(json.dumps(self.seen[-1]), flush=True)
        if self.file:
            with self.file.open("a") as stream:
                stream.write(json.dumps(self.seen[-1]) + "\n")

    def attempt(self, trial: Callable[[Random], dict[str, Any]]) -> None:
        """Tries it as often as is wanted; a trial that fails is noted, the others follow, then it is told."""
        for chance in self.left():
            try:
                self.add(**trial(chance))
            except NotReady as error:
                self.vain += 1
                print(f"{self.fault}: not tried, {error}", flush=True)
                assert self.vain <= MOST_IN_VAIN, error
            except Exception as error:
                self.add(ok=False, error=f"{type(error).__name__}: {error}"[-500:])
        assert not self.failed, self.failed

    @property
    def failed(self) -> list[dict[str, Any]]:
        return [row for row in self.seen if not row["ok"]]


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A line of markdown for each fault: how often, how many were right, and what was measured."""
    for fault in dict.fromkeys(row["fault"] for row in rows):
        own = [row for row in rows if row["fault"] == fault]
        count, right = (sum(r.get("count", 1) for r in own if r["ok"] >= least) for least in (False, True))
        loads = [row["load"] for row in own]
        names = dict.fromkeys(n for r in own for n, v in r.items() if isinstance(v, int | float))
        measured = [n for n in names if n not in {"ok", "load", "seed", "count"}]
        seen = ", ".join(extremes(n, sorted(r[n] for r in own if n in r)) for n in measured)
        yield f"| {fault} | {count} | {right} of {count} | {seen} | {min(loads)} to {max(loads)} |"


def extremes(name: str, values: list[float]) -> str:
    """The middle and the most of a measure.

    >>> extremes("s", [1, 2, 9])
    's median 2 most 9'
    """
    return f"{name} median {values[len(values) // 2]:g} most {values[-1]:g}"


if __name__ == "__main__":
    print("| fault | tried | right | seen | load |\n|---|---|---|---|---|")
    print(*table([json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]), sep="\n")

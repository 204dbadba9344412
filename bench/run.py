"""The bench: every algorithm on every window of every data set, then docs/benchmarks.md.

    make bench
    make bench BENCH="pasta rossmann" ALGORITHMS="kan trees lightgbm-l1" BUDGET=60 WINDOWS=3

Cells are kept below DATA_DIR: a bench that was interrupted goes on, and only what changed is run again.
FRESH=1 runs all again; KEPT=1 runs nothing and reports what is kept; SCALE=1 adds growing numbers of series;
REPORT=0 leaves docs alone; NOTE says something about this run in them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bench import cells, data, report, scale


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to run."""

    names: list[str]
    algorithms: list[str]
    budget: float = 60.0
    windows: int = 3
    threads: int = 2
    seed: int = 0


def plan(given: Mapping[str, str]) -> Plan:
    """From the environment; raises ValueError with one sentence.

    >>> plan({"BENCH": "sample", "ALGORITHMS": "ets kan", "BUDGET": "5"}).algorithms
    ['ets', 'kan']
    """
    numbers = {"BUDGET": 60.0, "WINDOWS": 3.0, "THREADS": 2.0, "SEED": 0.0}
    for name, default in numbers.items():
        try:
            numbers[name] = float(given.get(name) or default)
        except ValueError:
            raise ValueError(f"{name} is {given[name]!r}: use a number.") from None
    if min(numbers["BUDGET"], numbers["WINDOWS"], numbers["THREADS"]) <= 0:
        raise ValueError("BUDGET, WINDOWS and THREADS must be above 0.")
    names = given.get("BENCH", "").split() or list(data.available())
    for name in names:
        data.get(name)
    return Plan(
        names=names,
        algorithms=chosen(given.get("ALGORITHMS", "").split()),
        budget=numbers["BUDGET"],
        windows=int(numbers["WINDOWS"]),
        threads=int(numbers["THREADS"]),
        seed=int(numbers["SEED"]),
    )


def chosen(names: list[str]) -> list[str]:
    """These algorithms, or all: peers first, for they are quick or tell what is to be beaten.

    Each comes once: with statsforecast beside us AutoETS is both a peer and of ours.
    """
    from registry import algorithms

    ours = [name for name, _label in algorithms.list_choices()]
    unknown = [name for name in names if name not in cells.PEERS and name not in ours]
    if unknown:
        raise ValueError(
            f"There is no algorithm {unknown[0]!r}: use some of {', '.join([*cells.PEERS, *ours])}."
        )
    return names or list(dict.fromkeys([*cells.PEERS, *ours]))


def cells_of(wanted: Plan) -> Iterator[cells.Cell]:
    """Data set by data set, algorithm by algorithm, oldest window first."""
    for name in wanted.names:
        days = data.origins(data.read(name), data.get(name).horizon, wanted.windows)
        for algorithm in wanted.algorithms:
            for day in days:
                yield cells.Cell(name, algorithm, str(day), wanted.budget, wanted.threads, wanted.seed)


def run(wanted: Plan, fresh: bool = False, only_kept: bool = False) -> list[dict[str, Any]]:
    """All cells, told on stderr one by one."""
    results = []
    for cell in cells_of(wanted):
        if only_kept and not cells.kept(cell).is_file():
            continue
        found = cells.result(cell, fresh)
        results.append(found)
        said = (
            f"error {found['scores']['wape']:.4f}" if "scores" in found else f"failed: {found['log'][-300:]}"
        )
        sys.stderr.write(f"{cell.name}: {said} ({found['wall']:.0f} s)\n")
    return results


def main(given: Mapping[str, str]) -> int:
    """Exit code; prints the tables."""
    try:
        wanted = plan(given)
        scale.sizes(given.get("SCALE", ""))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    results = run(wanted, given.get("FRESH") == "1", given.get("KEPT") == "1")
    grown = scale.run(wanted.threads, given["SCALE"]) if given.get("SCALE") else []
    words = ("BENCH", "ALGORITHMS", "BUDGET", "WINDOWS", "THREADS", "SEED", "KEPT", "SCALE")
    command = " ".join(["make bench", *(f'{name}="{given[name]}"' for name in words if given.get(name))])
    said = asdict(wanted) | {"command": command, "note": given.get("NOTE", "")}
    place = data.ROOT / "docs" if given.get("REPORT") != "0" else cells.folder()
    print(report.write(results, place, said, grown))
    return 1 if any(result.get("failed") for result in results) else 0


if __name__ == "__main__":
    sys.exit(main(os.environ))

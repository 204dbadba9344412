"""Benchmark every algorithm on every window of every data set; writes docs/results/benchmarks.md.

    make bench
    make bench BENCH="pasta rossmann" ALGORITHMS="kan trees lightgbm-l1" BUDGET=60 WINDOWS=3

Results are cached below DATA_DIR, so an interrupted run resumes and only changed code is run again.
FRESH=1 ignores the cache; KEPT=1 reports only what is cached; SCALE=1 adds growing numbers of series;
REPORT=0 leaves docs/ and bench/results/ untouched; NOTE adds a remark on this run to the report.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bench import cells, data, report, scale


@dataclass(frozen=True, kw_only=True)
class BenchPlan:
    """What to run: every algorithm on every window of every data set."""

    names: list[str]
    algorithms: list[str]
    budget: float = 60.0
    windows: int = 3
    threads: int = 2
    seed: int = 0


def parse_plan(given: Mapping[str, str]) -> BenchPlan:
    """The plan that the environment describes; raises ValueError with a message for the user.

    >>> parse_plan({"BENCH": "sample", "ALGORITHMS": "ets kan", "BUDGET": "5"}).algorithms
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
    names = given.get("BENCH", "").split() or list(data.list_available())
    for name in names:
        data.get_data_set(name)
    return BenchPlan(
        names=names,
        algorithms=choose_algorithms(given.get("ALGORITHMS", "").split()),
        budget=numbers["BUDGET"],
        windows=int(numbers["WINDOWS"]),
        threads=int(numbers["THREADS"]),
        seed=int(numbers["SEED"]),
    )


def choose_algorithms(names: list[str]) -> list[str]:
    """The named algorithms, or all: peers first, because most are quick.

    Each appears once: where statsforecast is installed, AutoETS is both a peer and one of ours.
    """
    from registry import algorithms

    ours = [name for name, _label in algorithms.list_choices()]
    unknown = [name for name in names if name not in cells.PEERS and name not in ours]
    if unknown:
        raise ValueError(f"Unknown algorithm {unknown[0]!r}: choose from {', '.join([*cells.PEERS, *ours])}.")
    return names or list(dict.fromkeys([*cells.PEERS, *ours]))


def generate_cells(wanted: BenchPlan) -> Iterator[cells.Cell]:
    """Data set by data set, algorithm by algorithm, oldest window first."""
    for name in wanted.names:
        days = data.choose_origins(data.read_panel(name), data.get_data_set(name).horizon, wanted.windows)
        for algorithm in wanted.algorithms:
            for day in days:
                yield cells.Cell(name, algorithm, str(day), wanted.budget, wanted.threads, wanted.seed)


def run_cells(wanted: BenchPlan, fresh: bool = False, only_kept: bool = False) -> list[dict[str, Any]]:
    """Results of all cells; progress goes to stderr."""
    results = []
    for cell in generate_cells(wanted):
        if only_kept and not cells.get_result_path(cell).is_file():
            continue
        found = cells.load_or_run(cell, fresh)
        results.append(found)
        outcome = (
            f"error {found['scores']['wape']:.4f}" if "scores" in found else f"failed: {found['log'][-300:]}"
        )
        sys.stderr.write(f"{cell.name}: {outcome} ({found['wall']:.0f} s)\n")
    return results


def main(given: Mapping[str, str]) -> int:
    """Runs the benchmark, prints the report and returns the exit code."""
    try:
        wanted = parse_plan(given)
        scale.parse_sizes(given.get("SCALE", ""))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    results = run_cells(wanted, given.get("FRESH") == "1", given.get("KEPT") == "1")
    grown = scale.run_sizes(wanted.threads, given["SCALE"]) if given.get("SCALE") else []
    names = ("BENCH", "ALGORITHMS", "BUDGET", "WINDOWS", "THREADS", "SEED", "KEPT", "SCALE")
    command = " ".join(["make bench", *(f'{name}="{given[name]}"' for name in names if given.get(name))])
    plan = asdict(wanted) | {"command": command, "note": given.get("NOTE", "")}
    content = report.build_content(plan, results, grown)
    files = report.FILES if given.get("REPORT") != "0" else report.name_files(cells.get_cache_folder())
    print(report.write_report(content, files))
    return 1 if any(result.get("failed") for result in results) else 0


if __name__ == "__main__":
    sys.exit(main(os.environ))

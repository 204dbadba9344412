"""The benchmark report: medians over the windows and ratios to the best peer, as Markdown and JSON.

`python -m bench.report` writes docs/results/benchmarks.md again from bench/results/benchmarks.json.
"""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import distributions
from pathlib import Path
from statistics import median
from textwrap import fill
from typing import Any

from bench import cells, data

LEVELS = ("50", "80", "95")
METRICS = ("wape", "bias", "smape", "mase", "rmsse", "wql")
HEAD = (
    "| algorithm | windows | WAPE | to best peer | bias | sMAPE | MASE | RMSSE | wQL | in 50 / 80 / 95% "
    "| fit s | forecast s | peak MB | remarks |\n|---|" + "--:|" * 12 + "---|"
)
LIBRARIES = ("lightgbm", "mlforecast", "neuralforecast", "numpy", "pandas", "statsforecast", "torch")
Result = dict[str, Any]


def name_files(folder: Path) -> tuple[Path, Path]:
    """The files of raw results and report when both lie in one folder."""
    return folder / "benchmarks.json", folder / "benchmarks.md"


FILES = (
    data.ROOT / "bench" / "results" / "benchmarks.json",
    data.ROOT / "docs" / "results" / "benchmarks.md",
)


def summarize_results(results: list[Result]) -> list[dict[str, Any]]:
    """One row per data set and algorithm, smallest error first."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result["data"], result["algorithm"]), []).append(result)
    rows = [summarize_algorithm(name, algorithm, group) for (name, algorithm), group in groups.items()]
    for one in rows:
        one["ratio"] = ratio_to_best_peer(
            one, [peer for peer in rows if peer["peer"] and peer["data"] == one["data"]]
        )
    return sorted(rows, key=lambda one: (one["data"], one["wape"] is None, one["wape"]))


def summarize_algorithm(name: str, algorithm: str, group: list[Result]) -> dict[str, Any]:
    """Medians over the windows that did not fail."""
    good = [result for result in group if not result.get("failed")]
    scores = [result["scores"] for result in good]
    line: dict[str, Any] = {"data": name, "algorithm": algorithm, "peer": algorithm in cells.PEERS}
    line |= {"windows": len(good), "failed": len(group) - len(good)}
    line["errors"] = {result["window"]: result["scores"]["wape"] for result in good}
    line |= {metric: known_median([score[metric] for score in scores]) for metric in METRICS}
    line |= {key: known_median([result[key] for result in good]) for key in ("fit", "forecast", "peak_mb")}
    line["coverage"] = {
        k: known_median([score["coverage"][k] for score in scores]) for k in ("50", "80", "95")
    }
    line["intervals"] = all(result["intervals"] for result in good)
    line["note"] = good[-1].get("note", "") if good else "failed"
    line["totals"], line["levels"] = median_coverage(good, "totals"), median_coverage(good, "levels")
    return line


def median_coverage(group: list[Result], kind: str) -> dict[str, float | None]:
    """Median coverage of the 80% interval, by kind of total or by sales level."""
    names = dict.fromkeys(name for result in group for name in result.get(kind, {}))
    found = {name: [r[kind][name]["80"] for r in group if name in r.get(kind, {})] for name in names}
    return {name: known_median(shares) for name, shares in found.items()}


def known_median(values: list[float | None]) -> float | None:
    """The median of the known values; None if there are none.

    >>> known_median([3.0, None, 1.0]), known_median([])
    (2.0, None)
    """
    known = [value for value in values if value is not None]
    return median(known) if known else None


def ratio_to_best_peer(one: dict[str, Any], peers: list[dict[str, Any]]) -> float | None:
    """Median WAPE relative to the best peer that ran on all windows of `one`.

    >>> ratio_to_best_peer({"errors": {"a": 0.5}}, [{"errors": {"a": 1.0, "b": 0.1}}, {"errors": {"b": 0.2}}])
    0.5
    """
    days = set(one["errors"])
    rivals = [
        known_median([peer["errors"][day] for day in days]) for peer in peers if days <= set(peer["errors"])
    ]
    own, best = known_median(list(one["errors"].values())), min((r for r in rivals if r), default=None)
    return own / best if best and own is not None else None


def format_table(rows: list[dict[str, Any]]) -> str:
    """The accuracy table."""
    lines = [HEAD]
    for one in rows:
        covered = " / ".join(format_number(one["coverage"][k], 2) for k in LEVELS)
        parts = [
            one["algorithm"] if one["peer"] else f"**{one['algorithm']}**",
            str(one["windows"]) + (f" ({one['failed']} failed)" if one["failed"] else ""),
            format_number(one["wape"], 4),
            format_number(one["ratio"], 3),
            format_number(one["bias"], 3, sign=True),
            format_number(one["smape"], 2),
            format_number(one["mase"], 3),
            format_number(one["rmsse"], 3),
            format_number(one["wql"], 4) if one["intervals"] else "–",
            covered if one["intervals"] else "–",
            format_number(one["fit"], 1),
            format_number(one["forecast"], 2),
            format_number(one["peak_mb"], 0),
            one["note"],
        ]
        lines.append(f"| {' | '.join(parts)} |")
    return "\n".join(lines)


def format_number(value: float | None, digits: int, sign: bool = False) -> str:
    """A rounded number; a dash if it is unknown.

    >>> format_number(0.25, 1), format_number(None, 1), format_number(0.012, 2, sign=True)
    ('0.2', '–', '+0.01')
    """
    return "–" if value is None else f"{value:{'+' if sign else ''}.{digits}f}"


def build_content(plan: dict[str, Any], results: list[Result], scale: list[dict[str, Any]]) -> dict[str, Any]:
    """The content of benchmarks.json: the plan, the machine, one row per algorithm, and every cell."""
    rows = summarize_results(results)
    return {"plan": plan, "machine": describe_machine(), "rows": rows, "cells": results, "scale": scale}


def write_report(content: dict[str, Any], files: tuple[Path, Path] = FILES) -> str:
    """Writes the raw results as JSON and the report as Markdown; returns the report."""
    raw, report = files
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
    raw.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    text = format_report(content)
    report.write_text(text, encoding="utf-8")
    return text


def format_report(content: dict[str, Any]) -> str:
    """The report in Markdown, from the content of benchmarks.json."""
    parts = [INTRODUCTION, describe_run(content), *format_sections(content["rows"])]
    return "\n\n".join([*parts, *format_scale(content["scale"])]) + "\n"


def format_sections(rows: list[dict[str, Any]]) -> list[str]:
    """Heading, tables and coverage of each data set."""
    parts = []
    for name in dict.fromkeys(row["data"] for row in rows):
        own = [row for row in rows if row["data"] == name]
        parts += [
            f"## {name}, {data.get_data_set(name).horizon} days",
            format_table(own),
            format_windows(own),
        ]
        for kind, label in (("totals", "totals"), ("levels", "days by sales level")):
            shares = [f"{row['algorithm']}: {format_shares(row[kind])}" for row in own if row[kind]]
            parts += [f"Coverage of the 80% interval, {label}: " + "; ".join(shares) + "."] if shares else []
    return parts


def format_windows(rows: list[dict[str, Any]]) -> str:
    """WAPE after each origin; not every algorithm ran on every window."""
    days = sorted({day for row in rows for day in row["errors"]})
    lines = [f"| WAPE after | {' | '.join(days)} |", "|---|" + "--:|" * len(days)]
    for row in rows:
        found = " | ".join(format_number(row["errors"].get(day), 4) for day in days)
        lines.append(f"| {row['algorithm'] if row['peer'] else '**' + row['algorithm'] + '**'} | {found} |")
    return "\n".join(lines)


def format_shares(found: dict[str, float | None]) -> str:
    """Shares by name.

    >>> format_shares({"all": 0.8, "store": 0.75})
    'all 0.80, store 0.75'
    """
    return ", ".join(f"{kind} {format_number(share, 2)}" for kind, share in found.items())


def format_scale(rows: list[dict[str, Any]]) -> list[str]:
    """The scale section: time and memory by number of series."""
    if not rows:
        return []
    head = (
        "| series | days | horizon | algorithm | read s | fit s | forecast s | CPU s | "
        "s per 1,000 series | peak MB |\n"
        "|" + "--:|" * 3 + "---|" + "--:|" * 6
    )
    lines = [
        f"| {r['series']:,} | {r['days']} | {r['horizon']} | {r['algorithm']} | {r['read']:.1f} | "
        f"{r['fit']:.1f} | {r['forecast']:.2f} | {r['forecast_cpu']:.2f} | "
        f"{1000 * r['forecast'] / r['series']:.3f} | {r['peak_mb']:.0f} |"
        for r in rows
    ]
    return ["## Scale", SCALE, "\n".join([head, *lines])]


def describe_run(content: dict[str, Any]) -> str:
    """The command, the machine and its load, and the note."""
    plan, machine, results = content["plan"], content["machine"], content["cells"]
    loads = [result["load"] for result in results]
    load = f"{min(loads):.1f} to {max(loads):.1f}" if loads else "unknown"
    packages = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    commits = ", ".join(sorted({result["commit"] for result in results if "commit" in result}))
    lines = [
        f"* Run: `{plan['command']}` at commit {commits}; {len(results)} cells, "
        f"{plan['budget']:g} s per window, {plan['threads']} threads, seed {plan['seed']}.",
        f"* Machine: {machine['cores']} cores, {machine['system']}, Python {machine['python']}, {packages}.",
        f"* Load before each cell: {load}. Other work on the machine lengthens the times "
        "and shrinks the budget of every algorithm alike.",
        *(f"* {remark}" for remark in plan.get("note", "").splitlines()),
    ]
    return "## Run\n\n" + "\n".join(
        fill(line, 116, subsequent_indent="  ", break_on_hyphens=False) for line in lines
    )


def describe_machine() -> dict[str, Any]:
    """Cores, system, Python and library versions; no host name."""
    installed = {package.metadata["Name"].lower(): package.version for package in distributions()}
    libraries = {name: installed[name] for name in LIBRARIES if name in installed}
    system = f"{platform.system()} {platform.machine()}"
    return {
        "cores": os.cpu_count(),
        "system": system,
        "python": platform.python_version(),
        "libraries": libraries,
    }


INTRODUCTION = """# Benchmarks

Written by `make bench`; do not edit. Our algorithms (bold) and their peers run on the same data and windows,
with the same threads and time budget, each cell in its own process.

* A model sees nothing after the origin except covariates known ahead. Peers get our
  covariates (`bench/exchange.py`).
* All are scored by `registry/series/metrics.py`: point errors on the median, bias and RMSSE on the mean.
  Days without actual sales (closed, not recorded, not yet listed) do not count.
* Where sales are counts, every median is rounded to whole units.
* Figures are medians over the windows. "To best peer" is the ratio of WAPE on the same windows.
* LightGBM has no intervals here: L1 is tuned for the error (recursive, and direct on lags of at least the
  horizon), Tweedie for the bias."""
SCALE = (
    "Generated chains. Fit: 200 training steps with one held-back window, then 200 steps on all days,\n"
    "whatever the size. Forecast: all series, warm; wall and CPU seconds."
)


if __name__ == "__main__":
    print(write_report(json.loads(FILES[0].read_text(encoding="utf-8"))))

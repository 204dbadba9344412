"""What the bench says: medians over the windows, ratios to the best peer; for people and as JSON."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import distributions
from pathlib import Path
from statistics import median
from typing import Any

from bench import cells, data

METRICS = ("wape", "bias", "smape", "mase", "rmsse", "wql")
HEAD = (
    "| algorithm | windows | WAPE | to best peer | bias | sMAPE | MASE | RMSSE | wQL | in 50 / 80 / 95% "
    "| fit s | forecast s | peak MB | remarks |\n|---|" + "--:|" * 12 + "---|"
)
LIBRARIES = ("lightgbm", "mlforecast", "neuralforecast", "numpy", "pandas", "statsforecast", "torch")
Result = dict[str, Any]


def summary(results: list[Result]) -> list[dict[str, Any]]:
    """One row for each data set and algorithm, medians over its windows; best error first."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result["data"], result["algorithm"]), []).append(result)
    rows = [row(name, algorithm, group) for (name, algorithm), group in groups.items()]
    for one in rows:
        one["ratio"] = ratio(one, [peer for peer in rows if peer["peer"] and peer["data"] == one["data"]])
    return sorted(rows, key=lambda one: (one["data"], one["wape"] is None, one["wape"]))


def row(name: str, algorithm: str, group: list[Result]) -> dict[str, Any]:
    """Medians over the windows that worked."""
    good = [result for result in group if not result.get("failed")]
    scores = [result["scores"] for result in good]
    line: dict[str, Any] = {"data": name, "algorithm": algorithm, "peer": algorithm in cells.PEERS}
    line |= {"windows": len(good), "failed": len(group) - len(good)}
    line["errors"] = {result["window"]: result["scores"]["wape"] for result in good}
    line |= {metric: middle([score[metric] for score in scores]) for metric in METRICS}
    line |= {key: middle([result[key] for result in good]) for key in ("fit", "forecast", "peak_mb")}
    line["coverage"] = {k: middle([score["coverage"][k] for score in scores]) for k in ("50", "80", "95")}
    line["intervals"] = all(result["intervals"] for result in good)
    line["note"] = good[-1].get("note", "") if good else "did not end"
    line["totals"], line["levels"] = inside(good, "totals"), inside(good, "levels")
    return line


def inside(group: list[Result], kind: str) -> dict[str, float | None]:
    """Median coverage of the 80% interval, by kind of total or by sales level."""
    names = dict.fromkeys(name for result in group for name in result.get(kind, {}))
    found = {name: [r[kind][name]["80"] for r in group if name in r.get(kind, {})] for name in names}
    return {name: middle(shares) for name, shares in found.items()}


def middle(values: list[float | None]) -> float | None:
    """The median of what is known.

    >>> middle([3.0, None, 1.0]), middle([])
    (2.0, None)
    """
    known = [value for value in values if value is not None]
    return median(known) if known else None


def ratio(one: dict[str, Any], peers: list[dict[str, Any]]) -> float | None:
    """Median WAPE over that of the best peer, on the windows of `one`; peers that lack some do not count.

    >>> ratio({"errors": {"a": 0.5}}, [{"errors": {"a": 1.0, "b": 0.1}}, {"errors": {"b": 0.2}}])
    0.5
    """
    days = set(one["errors"])
    rivals = [middle([peer["errors"][day] for day in days]) for peer in peers if days <= set(peer["errors"])]
    own, best = middle(list(one["errors"].values())), min((r for r in rivals if r), default=None)
    return own / best if best and own is not None else None


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    lines = [HEAD]
    for one in rows:
        covered = " / ".join(number(one["coverage"][k], 2) for k in ("50", "80", "95"))
        parts = [
            one["algorithm"] if one["peer"] else f"**{one['algorithm']}**",
            str(one["windows"]) + (f" ({one['failed']} failed)" if one["failed"] else ""),
            number(one["wape"], 4),
            number(one["ratio"], 3),
            number(one["bias"], 3, sign=True),
            number(one["smape"], 2),
            number(one["mase"], 3),
            number(one["rmsse"], 3),
            number(one["wql"], 4) if one["intervals"] else "–",
            covered if one["intervals"] else "–",
            number(one["fit"], 1),
            number(one["forecast"], 2),
            number(one["peak_mb"], 0),
            one["note"],
        ]
        lines.append(f"| {' | '.join(parts)} |")
    return "\n".join(lines)


def number(value: float | None, digits: int, sign: bool = False) -> str:
    """A figure, or a dash.

    >>> number(0.25, 1), number(None, 1), number(0.012, 2, sign=True)
    ('0.2', '–', '+0.01')
    """
    return "–" if value is None else f"{value:{'+' if sign else ''}.{digits}f}"


def write(results: list[Result], place: Path, plan: dict[str, Any], scale: list[dict[str, Any]]) -> str:
    """benchmarks.md and benchmarks.json in the folder; gives the text."""
    rows = summary(results)
    text = "\n\n".join([INTRODUCTION, how(plan, results), *sections(rows), *scales(scale)]) + "\n"
    place.mkdir(parents=True, exist_ok=True)
    (place / "benchmarks.md").write_text(text, encoding="utf-8")
    whole = {"plan": plan, "machine": machine(), "rows": rows, "cells": results, "scale": scale}
    (place / "benchmarks.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    return text


def sections(rows: list[dict[str, Any]]) -> list[str]:
    """A heading and a table for each data set, and how often totals and sales levels stayed in range."""
    parts = []
    for name in dict.fromkeys(row["data"] for row in rows):
        own = [row for row in rows if row["data"] == name]
        parts += [f"## {name}, {data.get(name).horizon} days", table(own), by_window(own)]
        for kind, words in (("totals", "Totals"), ("levels", "Days, by what a series used to sell,")):
            said = [f"{row['algorithm']}: {in_words(row[kind])}" for row in own if row[kind]]
            parts += [f"{words} inside their 80% range: " + "; ".join(said) + "."] if said else []
    return parts


def by_window(rows: list[dict[str, Any]]) -> str:
    """WAPE after each origin, for not every algorithm may have run on every window."""
    days = sorted({day for row in rows for day in row["errors"]})
    lines = [f"| WAPE after | {' | '.join(days)} |", "|---|" + "--:|" * len(days)]
    for row in rows:
        found = " | ".join(number(row["errors"].get(day), 4) for day in days)
        lines.append(f"| {row['algorithm'] if row['peer'] else '**' + row['algorithm'] + '**'} | {found} |")
    return "\n".join(lines)


def in_words(found: dict[str, float | None]) -> str:
    """Kinds of totals with their shares.

    >>> in_words({"all": 0.8, "store": 0.75})
    'all 0.80, store 0.75'
    """
    return ", ".join(f"{kind} {number(share, 2)}" for kind, share in found.items())


def scales(rows: list[dict[str, Any]]) -> list[str]:
    """How seconds and memory grow with the number of series."""
    if not rows:
        return []
    head = (
        "| series | days | horizon | algorithm | read s | fit s | forecast s | of a core | "
        "per 1,000 series | peak MB |\n"
        "|" + "--:|" * 3 + "---|" + "--:|" * 6
    )
    lines = [
        f"| {r['series']:,} | {r['days']} | {r['horizon']} | {r['algorithm']} | {r['read']:.1f} | "
        f"{r['fit']:.1f} | {r['forecast']:.2f} | {r['forecast_cpu']:.2f} | "
        f"{1000 * r['forecast'] / r['series']:.3f} | {r['peak_mb']:.0f} |"
        for r in rows
    ]
    return ["## Scale", SCALE, "\n".join([head, *lines])]


def how(plan: dict[str, Any], results: list[Result]) -> str:
    """What was run, where, and how busy the machine was."""
    loads = [result["load"] for result in results]
    busy = f"{min(loads):.1f} to {max(loads):.1f}" if loads else "not known"
    said = machine()
    packages = ", ".join(f"{name} {number}" for name, number in said["libraries"].items())
    commits = ", ".join(sorted({result["commit"] for result in results if "commit" in result}))
    return (
        f"Run: `{plan['command']}` at commit {commits}: {len(results)} cells, {plan['budget']:g} s a "
        f"window, {plan['threads']} threads, seed {plan['seed']}.\n"
        f"Machine: {said['cores']} cores, {said['system']}, Python {said['python']}, {packages}.\n"
        f"Load before a cell: {busy} (above 0 something else was using the cores, and seconds are longer "
        "and budgets smaller than on a quiet machine, for everybody)."
    ) + (f"\n\n{plan['note']}" if plan.get("note") else "")


def machine() -> dict[str, Any]:
    """Without its name."""
    there = {package.metadata["Name"].lower(): package.version for package in distributions()}
    libraries = {name: there[name] for name in LIBRARIES if name in there}
    system = f"{platform.system()} {platform.machine()}"
    return {
        "cores": os.cpu_count(),
        "system": system,
        "python": platform.python_version(),
        "libraries": libraries,
    }


INTRODUCTION = """# Benchmarks

Written by `make bench`; do not edit. Our algorithms (bold) and their peers on the same data, the same windows
at the end of the sales, the same threads and the same seconds per window, each cell in a process of its own.

Each window is forecast by a model that saw nothing after its first day but what is known ahead. The peers get
our covariates as our own encoder makes them (`bench/exchange.py`). Metrics are those of
`registry/series/metrics.py` for everybody: point errors on the median, bias and RMSSE on the mean; a day
without an actual (closed, not recorded, not yet listed) does not count. Figures are medians over the
windows that were run; "to best peer" compares on the same windows only. LightGBM
gives no intervals here: L1 is there for the error (fed back, and direct on lags of at least the horizon),
Tweedie for the bias."""
SCALE = (
    "Made-up chains of growing size. Fit: 200 learning steps, one held-back window and as many steps again "
    "on all days, whatever the size; forecast: all series, warm, and the processor seconds of that."
)

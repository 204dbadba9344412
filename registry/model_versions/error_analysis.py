"""Where the error of a version lies: by day ahead, product and store, for its page and for comparisons.

Versions tested by early releases have no such tables; their pages leave them out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from registry.datasets.names import ItemNames, load_names
from registry.lib.tables import Column, Table
from registry.model_versions.models import ModelVersion

ROWS_PER_END = 8  # products shown from either end
BREAKDOWN_KEYS = {"products": "by_product", "stores": "by_store"}
Row = dict[str, Any]


def analyze_errors(version: ModelVersion) -> dict[str, Any]:
    """Context of a version's page: `steps` for the chart, `sides` with worst and best parts, `ranges`."""
    names = load_names(version.dataset_version)
    sides = [worst_and_best(side, error_rows(version, side, names)) for side in BREAKDOWN_KEYS]
    return {
        "steps": error_by_step([version]),
        "sides": [side for side in sides if side["count"] > 1],
        "ranges": list(interval_coverage(version.metrics)),
    }


def read_same_days(version: ModelVersion) -> dict[str, Any] | None:
    """The fresh test of the version that was in use when this one was trained; None without one."""
    found = version.metrics.get("same_days")
    if not found:
        return None
    other = ModelVersion.objects.filter(pk=found["version"]).first()
    return {**found, "other": other, "title": other.title if other else found["name"]}


def compare_errors(versions: Sequence[ModelVersion]) -> dict[str, Any]:
    """Context of a comparison: `steps` with a line for each version, `sides` with a column for each."""
    sides = [{"side": side, "rows": errors_by_version(versions, side)} for side in BREAKDOWN_KEYS]
    return {"steps": error_by_step(versions), "sides": [side for side in sides if len(side["rows"]) > 1]}


def error_by_step(versions: Sequence[ModelVersion]) -> dict[str, Any] | None:
    """{"days", "lines": one per version, "rows"}: the error by days ahead; None if no version has it."""
    tables = [{row["step"]: row for row in version.metrics.get("by_step") or []} for version in versions]
    days = sorted({day for table in tables for day in table})
    if len(days) < 2:
        return None
    lines = [
        {"name": version.title, "errors": [table.get(day, {}).get("wape") for day in days]}
        for version, table in zip(versions, tables, strict=True)
    ]
    nothing = {"wape": None, "bias": None}
    rows = [{"day": day, "found": [table.get(day, nothing) for table in tables]} for day in days]
    return {"days": days, "lines": lines, "rows": rows}


def interval_coverage(metrics: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """(label, coverage) of the usual range: slow, medium and fast sellers, then totals."""
    levels = {"low": _("Slow sellers"), "middle": _("Medium sellers"), "high": _("Fast sellers")}
    for row in metrics.get("by_level") or []:
        if row["level"] in levels and row["coverage"] is not None:
            yield levels[row["level"]], row["coverage"]
    kinds = {
        "product": _("Totals per product"),
        "store": _("Totals per store"),
        "all": _("Grand total"),
    }
    totals = metrics.get("totals") or {}
    for kind, word in kinds.items():
        if (share := (totals.get(kind) or {}).get("80")) is not None:
            yield word, share


def error_rows(version: ModelVersion, side: str, names: ItemNames) -> list[Row]:
    """The products or stores, worst first, each with its name and its share of all errors."""
    found = version.metrics.get(BREAKDOWN_KEYS[side]) or []
    known = [row for row in found if row.get("wape") is not None and row.get("units")]
    missed = sum(row["wape"] * row["units"] for row in known)
    table = names.products if side == "products" else names.stores
    return [
        {
            **row,
            "name": table.get(row["code"], ""),
            "share": row["wape"] * row["units"] / missed if missed else None,
        }
        for row in sorted(known, key=lambda row: -row["wape"])
    ]


def worst_and_best(side: str, rows: list[Row]) -> dict[str, Any]:
    """The worst and the best rows; all in one table if they are few.

    >>> found = worst_and_best("products", [{"wape": error} for error in range(20, 0, -1)])
    >>> len(found["worst"]), [row["wape"] for row in found["best"]]
    (8, [1, 2, 3, 4, 5, 6, 7, 8])
    """
    few = len(rows) <= 2 * ROWS_PER_END
    best = [] if few else list(reversed(rows[-ROWS_PER_END:]))
    return {"side": side, "worst": rows if few else rows[:ROWS_PER_END], "best": best, "count": len(rows)}


def errors_by_version(versions: Sequence[ModelVersion], side: str) -> list[Row]:
    """The largest products or stores with the error of every version, None if it does not know them."""
    names = load_names(versions[0].dataset_version)
    tables = [
        {row["code"]: row for row in version.metrics.get(BREAKDOWN_KEYS[side]) or []} for version in versions
    ]
    units: dict[str, float] = {}
    for table in tables:
        for code, row in table.items():
            units[code] = max(units.get(code, 0.0), row["units"] or 0.0)
    largest = sorted(units, key=lambda code: (-units[code], code))[: 2 * ROWS_PER_END]
    titles: Mapping[str, str] = names.products if side == "products" else names.stores
    return [
        {
            "code": code,
            "name": titles.get(code, ""),
            "errors": [table.get(code, {}).get("wape") for table in tables],
        }
        for code in largest
    ]


def error_table(version: ModelVersion) -> Table:
    """The table for export: days ahead, products, stores."""
    columns = [
        Column(_("By")),
        Column(_("Code")),
        Column(_("Name")),
        Column(_("Error"), "share"),
        Column(_("Bias (plus = too high)"), "share"),
        Column(_("Units sold"), "units"),
        Column(_("Share of all errors"), "share"),
    ]
    rows: list[list[Any]] = [
        [_("days ahead"), row["step"], "", row["wape"], row["bias"], None, None]
        for row in version.metrics.get("by_step") or []
    ]
    names, words = load_names(version.dataset_version), {"products": _("product"), "stores": _("store")}
    for side, word in words.items():
        rows += [
            [word, row["code"], row["name"], row["wape"], row["bias"], row["units"], row["share"]]
            for row in error_rows(version, side, names)
        ]
    return Table(_("Errors"), columns, rows)

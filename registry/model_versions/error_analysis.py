"""Where the error of a version lies: by day ahead, product and store, for its page and for comparisons.

Versions that were tested before this was counted have no such tables; their pages say nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from registry.datasets.names import Names, names_of
from registry.lib.export import Column, Table
from registry.model_versions.models import ModelVersion

ENDS = 8  # products shown from either end
SIDES = {"products": "by_product", "stores": "by_store"}
Row = dict[str, Any]


def errors_of(version: ModelVersion) -> dict[str, Any]:
    """Context of a version's page: `steps` for the chart, `sides` with the worst and best parts, `ranges`."""
    names = names_of(version.dataset_version)
    sides = [ends(side, rows_of(version, side, names)) for side in SIDES]
    return {
        "steps": steps([version]),
        "sides": [side for side in sides if side["count"] > 1],
        "ranges": list(ranges(version.metrics)),
    }


def errors_beside(versions: Sequence[ModelVersion]) -> dict[str, Any]:
    """Context of a comparison: `steps` with a line for each version, `sides` with a column for each."""
    sides = [{"side": side, "rows": beside(versions, side)} for side in SIDES]
    return {"steps": steps(versions), "sides": [side for side in sides if len(side["rows"]) > 1]}


def steps(versions: Sequence[ModelVersion]) -> dict[str, Any] | None:
    """{"days", "lines": one for each version, "rows"}: the error by days ahead; None where nobody has it."""
    tables = [{row["step"]: row for row in version.metrics.get("by_step") or []} for version in versions]
    days = sorted({day for table in tables for day in table})
    if len(days) < 2:
        return None
    lines = [
        {"name": version.name, "errors": [table.get(day, {}).get("wape") for day in days]}
        for version, table in zip(versions, tables, strict=True)
    ]
    nothing = {"wape": None, "bias": None}
    rows = [{"day": day, "found": [table.get(day, nothing) for table in tables]} for day in days]
    return {"days": days, "lines": lines, "rows": rows}


def ranges(metrics: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Of whom the usual range held what share: slow and quick sellers, then totals."""
    levels = {"low": _("Slow sellers"), "middle": _("Middling sellers"), "high": _("Quick sellers")}
    for row in metrics.get("by_level") or []:
        if row["level"] in levels and row["coverage"] is not None:
            yield levels[row["level"]], row["coverage"]
    kinds = {
        "product": _("Totals of a product"),
        "store": _("Totals of a store"),
        "all": _("The total of all"),
    }
    totals = metrics.get("totals") or {}
    for kind, word in kinds.items():
        if (share := (totals.get(kind) or {}).get("80")) is not None:
            yield word, share


def rows_of(version: ModelVersion, side: str, names: Names) -> list[Row]:
    """The parts of one side, worst first, each with its name and its share of all that was missed."""
    kept = version.metrics.get(SIDES[side]) or []
    known = [row for row in kept if row.get("wape") is not None and row.get("units")]
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


def ends(side: str, rows: list[Row]) -> dict[str, Any]:
    """The worst parts and the best; all of them in one table while they are few.

    >>> found = ends("products", [{"wape": error} for error in range(20, 0, -1)])
    >>> len(found["worst"]), [row["wape"] for row in found["best"]]
    (8, [1, 2, 3, 4, 5, 6, 7, 8])
    """
    few = len(rows) <= 2 * ENDS
    best = [] if few else list(reversed(rows[-ENDS:]))
    return {"side": side, "worst": rows if few else rows[:ENDS], "best": best, "count": len(rows)}


def beside(versions: Sequence[ModelVersion], side: str) -> list[Row]:
    """The largest parts with the error of every version; None for a version that does not know it."""
    names = names_of(versions[0].dataset_version)
    tables = [{row["code"]: row for row in version.metrics.get(SIDES[side]) or []} for version in versions]
    units: dict[str, float] = {}
    for table in tables:
        for code, row in table.items():
            units[code] = max(units.get(code, 0.0), row["units"] or 0.0)
    largest = sorted(units, key=lambda code: (-units[code], code))[: 2 * ENDS]
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
    """All of it for export: days ahead, products, stores."""
    columns = [
        Column(_("By")),
        Column(_("Code")),
        Column(_("Name")),
        Column(_("Error"), "share"),
        Column(_("Leans (plus = high)"), "share"),
        Column(_("Units sold"), "units"),
        Column(_("Share of all misses"), "share"),
    ]
    rows: list[list[Any]] = [
        [_("days ahead"), row["step"], "", row["wape"], row["bias"], None, None]
        for row in version.metrics.get("by_step") or []
    ]
    names, words = names_of(version.dataset_version), {"products": _("product"), "stores": _("store")}
    for side, word in words.items():
        rows += [
            [word, row["code"], row["name"], row["wape"], row["bias"], row["units"], row["share"]]
            for row in rows_of(version, side, names)
        ]
    return Table(_("Errors"), columns, rows)

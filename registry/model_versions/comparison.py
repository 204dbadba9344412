"""Two to four versions side by side: what they scored, test by test, and only the settings that differ."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from registry.lib.export import Column, Table
from registry.model_versions.error_analysis import errors_beside
from registry.model_versions.metric_labels import MEASURES
from registry.model_versions.models import ModelVersion

MOST = 4


def picked(ids: list[str]) -> list[ModelVersion]:
    """The ready versions of these ids, best first; what is no id is left out."""
    rows = ModelVersion.objects.ready().select_related("model__dataset", "model__best", "dataset_version")
    return list(rows.filter(pk__in=[text for text in ids if is_id(text)]).best_first()[:MOST])


def is_id(text: str) -> bool:
    """
    >>> is_id("nonsense"), is_id("00000000-0000-0000-0000-000000000000")
    (False, True)
    """
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def side_by_side(versions: list[ModelVersion]) -> dict[str, Any]:
    """Rows for the page, each with one value a version."""
    measured = [
        {"measure": measure, "values": marked([measure.value(v.metrics) for v in versions], measure.key)}
        for measure in MEASURES
    ]
    errors = errors_beside(versions)
    for row in (row for side in errors["sides"] for row in side["rows"]):
        row["values"] = marked(row["errors"], "wape")
    return {
        "measures": measured,
        "tests": tests(versions),
        "settings": settings_that_differ(versions),
        **errors,
    }


def marked(values: list[float | None], key: str) -> list[tuple[float | None, bool]]:
    """Each value with whether it is the best of its row; coverage and bias are best near their goal."""
    goal = float(key.removeprefix("coverage.")) / 100 if key.startswith("coverage.") else 0.0
    known = [abs(value - goal) for value in values if value is not None]
    best = min(known) if len(known) > 1 and min(known) < max(known) else None
    return [(value, value is not None and best is not None and abs(value - goal) == best) for value in values]


def tests(versions: list[ModelVersion]) -> list[dict[str, Any]]:
    """Error by last known day of the test, newest last; None for a version not tested there."""
    tables = [
        {window["origin"]: window.get("wape") for window in version.metrics.get("windows") or []}
        for version in versions
    ]
    days = sorted({day for table in tables for day in table})
    return [{"origin": day, "values": marked([table.get(day) for table in tables], "wape")} for day in days]


def settings_that_differ(versions: list[ModelVersion]) -> list[dict[str, Any]]:
    """Knobs and circumstances with more than one value; what all share is left out."""
    rows: list[dict[str, Any]] = [
        {"name": _("Data"), "values": [str(v.dataset_version) for v in versions]},
        {"name": _("Learned"), "values": [str(v.model) for v in versions]},
        {"name": _("Days ahead"), "values": [v.horizon for v in versions]},
        {"name": _("Seed"), "values": [v.seed for v in versions]},
    ]
    knobs = sorted({name for version in versions for name in version.config})
    rows += [{"name": name, "values": [v.config.get(name, "–") for v in versions]} for name in knobs]
    return [row for row in rows if len({str(value) for value in row["values"]}) > 1]


def compare_table(versions: list[ModelVersion]) -> Table:
    """The comparison for export."""
    found = side_by_side(versions)
    rows = [
        [str(row["measure"].word), row["measure"].technical, *(value for value, _best in row["values"])]
        for row in found["measures"]
    ]
    rows += [
        [_("Error"), row["origin"], *(value for value, _best in row["values"])] for row in found["tests"]
    ]
    rows += [[row["name"], "", *row["values"]] for row in found["settings"]]
    rows += [[_("Error"), row["code"], *row["errors"]] for side in found["sides"] for row in side["rows"]]
    columns = [Column(_("Measure")), Column(_("Technical name")), *(Column(v.name) for v in versions)]
    return Table(_("Models"), columns, rows)

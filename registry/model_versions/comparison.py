"""Two to four versions side by side: metrics, errors test by test, and the settings that differ."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from registry.datasets.models import Dataset
from registry.lib.request_values import valid_uuids
from registry.lib.tables import Column, Table
from registry.model_versions.error_analysis import compare_errors
from registry.model_versions.metric_labels import METRIC_LABELS
from registry.model_versions.models import ModelVersion

MAX_VERSIONS = 4


def selected_versions(ids: list[str], dataset: Dataset | None = None) -> list[ModelVersion]:
    """The ready versions with these ids, best first; invalid ids and other datasets' are left out."""
    rows = ModelVersion.objects.ready().select_related("model__dataset", "model__best", "dataset_version")
    if dataset is not None:
        rows = rows.filter(model__dataset=dataset)
    return list(rows.filter(pk__in=valid_uuids(ids)).best_first()[:MAX_VERSIONS])


def comparison_rows(versions: list[ModelVersion]) -> dict[str, Any]:
    """Context of the page: rows with one value per version."""
    measured = [
        {
            "measure": measure,
            "values": highlight_best([measure.read_value(v.metrics) for v in versions], measure.key),
        }
        for measure in METRIC_LABELS
    ]
    errors = compare_errors(versions)
    for row in (row for side in errors["sides"] for row in side["rows"]):
        row["values"] = highlight_best(row["errors"], "wape")
    return {
        "measures": measured,
        "tests": errors_by_test(versions),
        "settings": differing_settings(versions),
        **errors,
    }


def highlight_best(values: list[float | None], key: str) -> list[tuple[float | None, bool]]:
    """Each value and whether it is the best of its row; coverage and bias are best near their target."""
    goal = float(key.removeprefix("coverage.")) / 100 if key.startswith("coverage.") else 0.0
    known = [abs(value - goal) for value in values if value is not None]
    best = min(known) if len(known) > 1 and min(known) < max(known) else None
    return [(value, value is not None and best is not None and abs(value - goal) == best) for value in values]


def errors_by_test(versions: list[ModelVersion]) -> list[dict[str, Any]]:
    """Errors by origin of the test, newest last; None for a version not tested there."""
    tables = [
        {window["origin"]: window.get("wape") for window in version.metrics.get("windows") or []}
        for version in versions
    ]
    days = sorted({day for table in tables for day in table})
    return [
        {"origin": day, "values": highlight_best([table.get(day) for table in tables], "wape")}
        for day in days
    ]


def differing_settings(versions: list[ModelVersion]) -> list[dict[str, Any]]:
    """Knobs and other settings in which the versions differ."""
    rows: list[dict[str, Any]] = [
        {"name": _("Data"), "values": [str(v.dataset_version) for v in versions]},
        {"name": _("Scope"), "values": [str(v.model) for v in versions]},
        {"name": _("Days ahead"), "values": [v.horizon for v in versions]},
        {"name": _("Seed"), "values": [v.seed for v in versions]},
    ]
    knobs = sorted({name for version in versions for name in version.config})
    rows += [{"name": name, "values": [v.config.get(name, "–") for v in versions]} for name in knobs]
    return [row for row in rows if len({str(value) for value in row["values"]}) > 1]


def comparison_table(versions: list[ModelVersion]) -> Table:
    """The comparison as a table for export."""
    found = comparison_rows(versions)
    rows = [
        [str(row["measure"].label), row["measure"].technical_name, *(value for value, _best in row["values"])]
        for row in found["measures"]
    ]
    rows += [
        [_("Error"), row["origin"], *(value for value, _best in row["values"])] for row in found["tests"]
    ]
    rows += [[row["name"], "", *row["values"]] for row in found["settings"]]
    rows += [[_("Error"), row["code"], *row["errors"]] for side in found["sides"] for row in side["rows"]]
    columns = [Column(_("Measure")), Column(_("Technical name")), *(Column(v.name) for v in versions)]
    return Table(_("Models"), columns, rows)

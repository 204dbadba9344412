"""A scenario as the plan of the data: the next dataset version, with the changed days ahead as rows."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.contrib.auth.models import User

from prediction.engine import load_panel
from prediction.explanations.inputs import find_column
from prediction.scenarios.edits import EditedPlan, apply_edits
from prediction.scenarios.models import Scenario
from registry.datasets.importer import import_file, import_folder
from registry.datasets.importing.options import ImportOptions
from registry.datasets.levels import read_levels
from registry.datasets.models import DatasetVersion
from registry.datasets.scope import Scope
from registry.datasets.store.reading import RowFilter, read_rows
from registry.lib.errors import MessageError, gettext_noop
from registry.series.panels.column_groups import OPEN, PRICE, PROMOTION

if TYPE_CHECKING:
    from registry.series.panel import Panel

KEYS = ("date", "store_id", "product_id", "sales")
OUTDATED = gettext_noop("Newer sales were saved since: try the plan on them first.")
NOTHING = gettext_noop("This plan changes nothing.")
NO_OPENING = gettext_noop("The data has no column that says when stores are open, so this cannot be adopted.")


def adopt_scenario(scenario: Scenario, user: User) -> DatasetVersion:
    """The next version of the dataset, with this plan; raises ValueError or CorruptArtifact."""
    data = scenario.dataset_version
    if data.dataset.current_version != data:
        raise MessageError(OUTDATED)
    panel, edits = load_panel(data, Scope()), scenario.list_edits()
    if any(edit.opens is not None for edit in edits) and OPEN not in panel.known:
        raise MessageError(NO_OPENING)
    plan = apply_edits(panel, edits, read_levels(data), scenario.horizon)
    if not plan.touched.any():
        raise MessageError(NOTHING)
    columns = list_changed_columns(panel, plan.panel)
    with import_folder() as folder:
        path = folder / "plan.csv"
        write_plan(path, plan, columns, find_anchor(data, panel, columns))
        mapping = {name: name for name in KEYS}
        options = ImportOptions(mapping=mapping, dates="ymd", decimal="point", file=f"{scenario.name}.csv")
        version = import_file(path, data.dataset.name, options=options, created_by=user)
    Scenario.objects.filter(pk=scenario.pk).update(adopted=version)
    return version


def list_changed_columns(panel: Panel, changed: Panel) -> list[str]:
    """The columns that a plan may write, as far as it has written them."""
    names = (find_column(panel, PROMOTION), find_column(panel, PRICE), OPEN)
    return [name for name in names if name in panel.known and changed.known[name] is not panel.known[name]]


def find_anchor(data: DatasetVersion, panel: Panel, columns: list[str]) -> list[Any]:
    """A row of the data as it is: a file of sales must have at least one sale."""
    recorded = ~np.isnan(panel.sales)
    row = int(np.argmax(np.where(recorded, np.arange(panel.days), -1).max(axis=1)))
    store, product = panel.keys[row]
    table = read_rows(data, RowFilter("product", product), [*KEYS, *columns])
    found = [one for one in table.to_pylist() if one["store_id"] == store and one["sales"] is not None]
    return [found[-1][name] for name in (*KEYS, *columns)]


def write_plan(path: Path, plan: EditedPlan, columns: list[str], anchor: list[Any]) -> None:
    """The changed days as a file of sales without sales, but for the anchor."""
    panel = plan.panel
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*KEYS, *columns])
        writer.writerow(["" if value is None else value for value in anchor])
        for row, day in zip(*np.nonzero(plan.touched), strict=True):
            date = panel.origin + np.timedelta64(int(day) + 1, "D")
            writer.writerow([date, *panel.keys[row], "", *list_values(panel, columns, row, panel.days + day)])


def list_values(panel: Panel, columns: list[str], row: int, column: int) -> Iterator[Any]:
    """What stands in these columns on a day, as a file has it; empty where nothing is planned."""
    for name in columns:
        values = panel.known[name]
        value = values[row, column] if column < values.shape[1] else np.nan
        if np.isnan(value):
            yield ""
        elif name in panel.categories:
            yield panel.categories[name][int(value)]
        else:
            yield f"{round(float(value), 4):g}"

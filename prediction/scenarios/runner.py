"""Works out what a scenario changes: at once for few series, else by a job."""

from __future__ import annotations

from prediction.engine import run_forecast
from prediction.scenarios.models import Scenario
from prediction.scenarios.outcome import try_edits
from registry.datasets.levels import read_levels
from registry.datasets.models import DatasetVersion
from registry.model_versions.models import ModelVersion
from registry.series.levels import Selection
from registry.storage.artifacts import CorruptArtifact

QUICK_SERIES = 40  # a forecast of so many takes a moment


def run_scenario(scenario: Scenario) -> None:
    """Works out and saves the outcome, or why there is none."""
    try:
        data = scenario.dataset_version
        outlook = run_forecast(scenario.version, scenario.selection, scenario.horizon, data)
        levels = read_levels(data) if needs_levels(scenario) else ()
        scenario.save_content(try_edits(outlook, scenario.list_edits(), levels).to_json())
    except (ValueError, CorruptArtifact) as problem:
        scenario.save_problem(problem)


def update_scenario(scenario: Scenario) -> None:
    """Runs it now if that takes a moment, else asks for the job."""
    if is_quick(scenario.version, scenario.dataset_version, scenario.selection):
        run_scenario(scenario)
    else:
        scenario.ask()


def needs_levels(scenario: Scenario) -> bool:
    """Whether any change is about a group."""
    return any(edit.selection.levels for edit in scenario.list_edits())


def is_quick(version: ModelVersion, data: DatasetVersion, asked: Selection) -> bool:
    """Whether few series are asked for: one, one of each store or product, or a small dataset."""
    scope = version.model.scope
    has_store = bool(asked.store or scope.kind == "store")
    has_product = bool(asked.product or scope.kind == "product")
    if has_store and has_product:
        return True
    most = data.products if has_store else data.stores if has_product else data.series
    return (len(most) if isinstance(most, (list, tuple)) else int(most)) <= QUICK_SERIES

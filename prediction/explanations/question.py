"""A question for a why: answered at once for few series, by a job for many."""

from __future__ import annotations

from dataclasses import dataclass

from prediction.engine import ScopeForecast, run_forecast
from prediction.explanations.content import Explanation, explain_outlook
from prediction.explanations.models import StoredExplanation
from registry.datasets.models import DatasetVersion
from registry.model_versions.models import ModelVersion
from registry.series.levels import Selection
from registry.storage.artifacts import CorruptArtifact

QUICK_SERIES = 2  # that a page explains while its reader waits


@dataclass(frozen=True)
class WhyQuestion:
    """Which forecast to explain: by which version, from which sales, of what, for how many days."""

    version: ModelVersion
    data: DatasetVersion
    selection: Selection
    horizon: int

    def explain(self) -> Explanation:
        """The explanation, now; raises ValueError or CorruptArtifact."""
        return explain_outlook(self.forecast())

    def forecast(self) -> ScopeForecast:
        return run_forecast(self.version, self.selection, self.horizon, self.data)

    def find(self) -> Explanation | StoredExplanation:
        """The explanation, or the row that a job fills; raises ValueError or CorruptArtifact."""
        if self.is_quick:
            outlook = self.forecast()
            if outlook.prediction.steady is None:  # a new series is forecast many times over
                return explain_outlook(outlook)
        row = StoredExplanation.find(self.version, self.data, self.selection, self.horizon)
        return row if row.content is None else Explanation.from_json(row.content)

    @property
    def is_quick(self) -> bool:
        """Whether only one series is asked for, or hardly more."""
        scope, asked = self.version.model.scope, self.selection
        is_series = bool(asked.store or scope.kind == "store") and bool(
            asked.product or scope.kind == "product"
        )
        return is_series or self.data.series <= QUICK_SERIES


def explain_stored(row: StoredExplanation) -> None:
    """Works out and saves the content of a row."""
    try:
        asked = WhyQuestion(row.version, row.dataset_version, row.asked, row.horizon)
        row.save_content(asked.explain().to_json())
    except (ValueError, CorruptArtifact) as problem:
        row.save_problem(problem)

"""What the overview gathers."""

from __future__ import annotations

from typing import Any

from prediction.models import Forecast
from prediction.page import recent
from registry.artifacts import Artifact, CorruptArtifact
from registry.models import DatasetVersion, ModelVersion
from registry.said import said

PAST, AHEAD = 56, 28  # days on the chart: eight weeks behind, four ahead


def steps_done() -> list[bool]:
    """Which of the three steps to a first forecast are done: sales, model, forecast."""
    ready = Artifact.State.READY
    return [kind.objects.filter(state=ready).exists() for kind in (DatasetVersion, ModelVersion, Forecast)]


def newest_chart(forecast: Forecast | None) -> dict[str, Any]:
    """The newest forecast with its chart; without the chart, and a word why, when its file is damaged."""
    if forecast is None:
        return {"newest": None}
    try:
        content = forecast.content()
    except (CorruptArtifact, ValueError) as problem:
        return {"newest": forecast, "problem": said(str(problem))}
    return {"newest": forecast, "analysis": content["analysis"], "chart": recent(content, PAST, AHEAD)}

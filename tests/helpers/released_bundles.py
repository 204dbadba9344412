"""Small bundles of every released schema, and what they forecast; a release with a new schema adds its own.

`python -m tests.helpers.released_bundles`, run in a checkout of the release, writes those of its schema.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from registry.series.panel import Panel
from tests.helpers.waves import ROLES, wave_frame

FOLDER = Path(__file__).parents[1] / "registry" / "model_versions" / "released"
DAYS_AHEAD, HORIZON, BUDGET = 28, 14, 30
SMALL = {  # method -> settings that keep its file small
    "seasonal_naive": {},
    "trees": {"steps": 3, "leaves": 6, "rate": 0.5},
    "kan": {"steps": 40, "batch": 64, "past_days": 14, "width": 8, "layers": 1, "bumps": 2},
}


def released_panel() -> Panel:
    """The wave with visitors: a covariate known only afterwards, which releases have shown differently."""
    frame: pd.DataFrame = wave_frame()
    frame["visits"] = (frame["sales"] * 0.8).round() + 1
    return Panel.from_frame(frame, ROLES | {"visits": "past"})


def read_means(folder: Path) -> dict[str, list[list[float]]]:
    """method -> mean forecast [S, DAYS_AHEAD], as the release itself computed it."""
    return json.loads((folder / "means.json").read_text())


def record() -> None:
    """Learns and stores the bundles of today's schema, and their forecasts."""
    from registry.model_versions.bundle import SCHEMA_VERSION, Bundle
    from training.learning.pipeline import TrainingConfig, TrainingPipeline

    folder, panel, means = FOLDER / f"schema_{SCHEMA_VERSION}", released_panel(), {}
    folder.mkdir(parents=True)
    for name, knobs in SMALL.items():
        learning = TrainingPipeline(panel, TrainingConfig(name, knobs, HORIZON, BUDGET, windows=1))
        list(learning)
        content = learning.result.bundle.to_bytes()
        (folder / f"{name}.safetensors").write_bytes(content)
        mean = Bundle.from_bytes(content).forecast(panel, DAYS_AHEAD).mean
        means[name] = [[float(f"{units:.7g}") for units in row] for row in mean]
    (folder / "means.json").write_text(json.dumps(means) + "\n")


if __name__ == "__main__":
    record()

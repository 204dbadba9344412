"""The overrides of a run, as its page shows them."""

from __future__ import annotations

from typing import Any

from prediction.overrides.wording import describe_change, describe_days, load_item_names, name_series
from prediction.runs.models import ForecastRun


def show_trail(run: ForecastRun) -> list[dict[str, Any]]:
    """The overrides in the order of application, with the units before and after each."""
    names = load_item_names(run.dataset_version.dataset)
    return [
        {
            "use": use,
            "override": use.override,
            "series": name_series(use.override, names),
            "days": describe_days(use.override),
            "change": describe_change(use.override),
        }
        for use in run.overrides.select_related("override__created_by")
    ]

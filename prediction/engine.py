"""Runs a model version on the newest sales of its scope, or of chosen series of it.

A few bundles, panels and predictions of whole scopes are cached in memory, so that further forecasts of a
version are fast. Torch is imported inside functions only: Django starts without it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.utils.translation import gettext as _

from prediction.overrides.applying import adjust_alone, adjust_prediction, list_in_force
from registry.datasets.levels import describe_selection, read_levels
from registry.datasets.models import DatasetVersion
from registry.datasets.names import ItemNames
from registry.datasets.scope import Scope
from registry.lib.messages import translate_error
from registry.lib.small_cache import SmallCache
from registry.model_versions.models import ModelVersion
from registry.series.levels import Level, Selection
from registry.storage.artifacts import CorruptArtifact

if TYPE_CHECKING:
    from registry.model_versions.bundle import Bundle
    from registry.series.panel import Panel
    from registry.series.prediction import Prediction

Rows = npt.NDArray[np.intp]


class ForecastError(ValueError):
    """The forecast cannot be made. The text is one translated sentence."""


BUNDLE_CACHE: SmallCache[Bundle] = SmallCache(4)
PANEL_CACHE: SmallCache[Panel] = SmallCache(2)
PREDICTION_CACHE: SmallCache[Prediction] = SmallCache(4)
MAX_NEW_SERIES = 300  # series without sales in one forecast
MAX_CACHED_CELLS = 1_000_000  # series times days of a cached prediction: 32 MB


def forget_cached() -> None:
    """Frees the memory of cached bundles, panels and predictions."""
    for cache in (BUNDLE_CACHE, PANEL_CACHE, PREDICTION_CACHE):
        cache.clear()


@dataclass(frozen=True)
class ScopeForecast:
    """The prediction of a version for its scope, and the chosen series of it."""

    version: ModelVersion
    data: DatasetVersion
    bundle: Bundle
    panel: Panel
    prediction: Prediction
    rows: Rows  # the chosen series in panel and prediction
    source: tuple[Panel, Rows] | None = None  # where the panel is not whole: the whole one, and its rows

    @property
    def whole_panel(self) -> tuple[Panel, Rows]:
        """The panel with all series, by which new ones are judged, and the chosen rows of it."""
        return self.source or (self.panel, self.rows)


def load_bundle(version: ModelVersion) -> Bundle:
    """The trained model; its file is read and verified each time, but parsed only once."""
    from registry.model_versions.bundle import Bundle

    content = version.read()
    return BUNDLE_CACHE.get(version.sha256, lambda: Bundle.from_bytes(content))


def load_panel(data: DatasetVersion, scope: Scope) -> Panel:
    from registry.datasets.reader import read_panel

    return PANEL_CACHE.get((data.pk, scope), lambda: read_panel(data, scope))


def run_forecast(
    version: ModelVersion, selection: Selection, horizon: int, data: DatasetVersion | None = None
) -> ScopeForecast:
    """Forecasts from `data`, by default the newest sales; raises ForecastError."""
    check_horizon(horizon)
    data = data or find_newest_sales(version)
    try:
        bundle, panel = load_bundle(version), load_panel(data, version.model.scope)
        levels = read_levels(data) if selection.levels else ()
    except CorruptArtifact as problem:
        raise ForecastError(translate_error(problem)) from None
    is_new = not selection.levels and not len(selection.find_rows(panel.keys, levels))
    panel = announce_series(panel, data, version, (selection.store, selection.product)) if is_new else panel
    rows = select_rows(panel, selection, version, levels)
    frozen = None if is_new else find_frozen(version, data, horizon, panel)
    if frozen is not None:
        return ScopeForecast(version, data, bundle, panel, frozen, rows)
    overrides = list_in_force(version, data, horizon)
    is_alone = len(rows) == 1 and not overrides
    if is_new or is_alone:  # without the others, among which a new one finds its like
        prediction = adjust_alone(bundle.forecast(panel, horizon, rows), data, overrides)
        source, panel, rows = (panel, rows), panel.select_series(rows), np.arange(len(rows))
        return ScopeForecast(version, data, bundle, panel, prediction, rows, source)
    key = (version.sha256, data.pk, version.model.scope, horizon)
    prediction, _effects = adjust_prediction(predict_all(bundle, panel, horizon, key), data, overrides)
    return ScopeForecast(version, data, bundle, panel, prediction, rows)


def find_newest_sales(version: ModelVersion) -> DatasetVersion:
    """The current version of the model's dataset; raises ForecastError when it has none."""
    data = version.model.dataset.current_version
    if data is None:
        raise ForecastError(_("%(dataset)s has no sales yet.") % {"dataset": version.model.dataset})
    return data


def find_frozen(version: ModelVersion, data: DatasetVersion, horizon: int, panel: Panel) -> Prediction | None:
    """The first days of a run that reaches as far, so that pages show the numbers that were ordered from."""
    found = load_fitting(version, data, horizon)
    return found if found is not None and found.keys == panel.keys else None


def load_fitting(version: ModelVersion, data: DatasetVersion, horizon: int) -> Prediction | None:
    """The first days of every series of such a run; None where there is none that can be read."""
    from prediction.runs.frozen import load_prediction
    from prediction.runs.models import ForecastRun

    run = ForecastRun.objects.find_fitting(version, data, horizon)
    if run is None:
        return None
    try:
        return load_prediction(run).first_days(horizon)
    except (CorruptArtifact, ValueError):
        return None


def predict_all(bundle: Bundle, panel: Panel, horizon: int, key: Hashable) -> Prediction:
    """The prediction for the whole scope; cached, since every total in the scope starts from it."""
    if len(panel.keys) * horizon > MAX_CACHED_CELLS:
        return bundle.forecast(panel, horizon)
    return PREDICTION_CACHE.get(key, lambda: bundle.forecast(panel, horizon))


def announce_series(
    panel: Panel, data: DatasetVersion, version: ModelVersion, place: tuple[str, str]
) -> Panel:
    """The panel with the series of a store and product ("" = any) that never sold; raises ForecastError.

    These are the series that a plan or catalogue has; a store and a product may also meet for the first time.
    """
    from registry.datasets.reader import read_unsold
    from registry.series.newcomers.announced import add_series

    store, product = place
    found = read_unsold(data, version.model.scope, store, product)
    pairs = found[["store_id", "product_id"]].astype(str).drop_duplicates().itertuples(index=False, name=None)
    keys = [
        key for key in pairs if all(not code or code == own for code, own in zip(place, key, strict=True))
    ]
    if not keys and store in data.stores and product in data.products:
        keys = [place]
    if len(keys) > MAX_NEW_SERIES:
        text = _("%(count)d series have no sales so far: ask for one product, or at most %(most)d at once.")
        raise ForecastError(text % {"count": len(keys), "most": MAX_NEW_SERIES})
    return add_series(panel, keys, found) if keys else panel


def check_horizon(horizon: int) -> None:
    """Raises ForecastError unless the horizon is between 1 and MAX_HORIZON."""
    if not 1 <= horizon <= settings.MAX_HORIZON:
        words = {"days": horizon, "most": settings.MAX_HORIZON}
        raise ForecastError(_("%(days)d days ahead cannot be forecast: use 1 to %(most)d.") % words)


def select_rows(
    panel: Panel, selection: Selection, version: ModelVersion, levels: Sequence[Level] = ()
) -> Rows:
    """Rows of the selected series; raises ForecastError if there are none."""
    rows = selection.find_rows(panel.keys, levels)
    if not len(rows):
        words = {"version": version, "wanted": describe_selection(selection, ItemNames())}
        words["near"] = " · ".join(reversed(panel.keys[0]))
        raise ForecastError(_("%(version)s does not know %(wanted)s: it knows %(near)s and others.") % words)
    return rows

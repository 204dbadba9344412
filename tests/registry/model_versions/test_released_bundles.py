"""Models of every release still forecast, and still the same."""

from __future__ import annotations

import numpy as np
import pytest

from registry.model_versions.bundle import SCHEMA_VERSION, Bundle
from registry.model_versions.golden import TOLERANCE
from tests.helpers.released_bundles import DAYS_AHEAD, FOLDER, SMALL, read_means, released_panel

FIRST_SCHEMA = 2  # of release 0.1; nothing before it was released
FOLDERS = sorted(FOLDER.glob("schema_*"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("name", SMALL)
def test_a_model_of_an_earlier_release_forecasts_the_same_numbers(folder, name):
    bundle = Bundle.from_bytes((folder / f"{name}.safetensors").read_bytes())
    made = bundle.forecast(released_panel(), DAYS_AHEAD)
    np.testing.assert_allclose(made.mean, read_means(folder)[name], rtol=1e-5)
    assert np.isfinite(made.quantiles).all() and (np.diff(made.quantiles, axis=2) >= 0).all()
    assert all(member.golden_drift <= TOLERANCE for member in bundle.members)


def test_every_schema_has_its_bundles():
    kept = {int(folder.name.removeprefix("schema_")) for folder in FOLDERS}
    assert kept >= set(range(FIRST_SCHEMA, SCHEMA_VERSION + 1)), (
        "record them with tests/helpers/released_bundles.py in a checkout of that release"
    )


def test_sums_of_a_model_that_did_not_measure_dependence_have_an_assumed_range():
    bundle = Bundle.from_bytes((FOLDERS[0] / "kan.safetensors").read_bytes())
    assert bundle.dependence.windows == 0
    made = bundle.forecast(released_panel(), DAYS_AHEAD)
    total, low, high = made.sum_with_interval()
    assert 0 <= low < total < high and len(made.week_quantiles()) == DAYS_AHEAD // 7

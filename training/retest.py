"""Tests the version in use afresh on the newest days, so that the gate compares like with like."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from registry.model_versions.in_use import version_in_use
from registry.model_versions.models import ModelVersion
from training.models import TrainingRun

if TYPE_CHECKING:
    from training.learning.pipeline import TrainingResult

logger = logging.getLogger(__name__)


def retest_version_in_use(run: TrainingRun, result: TrainingResult) -> dict[str, Any]:
    """{"same_days": both versions on the same days}; empty without another version or if it cannot forecast.

    Versions that learned the same sales were tested on the same days already.
    """
    from registry.model_versions.bundle import Bundle
    from training.learning.same_days import compare_on_same_days

    current = version_in_use(run.dataset_version.dataset, run.scope)
    if current is None or result.holdout is None or has_same_test(run, current):
        return {}
    try:
        bundle = Bundle.from_bytes(current.read())
        last_learned = np.datetime64(current.dataset_version.last, "D")
        found = compare_on_same_days(result.holdout, bundle, last_learned)
    except (ValueError, OSError) as problem:  # a damaged file must not cost the new version
        logger.warning("%s could not be tested again: %s", current, problem)
        return {}
    return {"same_days": {"version": str(current.pk), "name": current.name, **found}} if found else {}


def has_same_test(run: TrainingRun, version: ModelVersion) -> bool:
    """Whether the version was tested on the same days of the same sales."""
    same_sales = version.dataset_version.content_hash == run.dataset_version.content_hash
    return same_sales and version.horizon == run.horizon

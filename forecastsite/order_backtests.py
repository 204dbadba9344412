"""Learns for a back-test of orders: as the version in use did, on the sales that were known before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from prediction.order_backtests.models import OrderBacktest

if TYPE_CHECKING:
    from registry.model_versions.bundle import Bundle
    from registry.series.panel import Panel

WINDOWS = 3  # that are held back to calibrate


def learn_bundle(test: OrderBacktest, panel: Panel) -> Bundle:
    """A bundle for the days that an order must last; raises MessageError for sales that are too short."""
    from training.learning.pipeline import TrainingConfig, TrainingPipeline

    config = TrainingConfig(
        algorithm=test.algorithm,
        knobs=test.config,
        horizon=test.lead_days + test.review_days,
        budget=float(test.budget),
        windows=WINDOWS,
        threads=settings.TRAINING_THREADS,
    )
    learning = TrainingPipeline(panel, config)
    for _round in learning:
        continue
    return learning.result.bundle

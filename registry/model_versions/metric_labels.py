"""Names and explanations of the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from registry.model_versions.gate import NO_SCORE, sold_nothing

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


NOTHING_SOLD = gettext_noop("Nothing was sold on the test days, so no error can be computed.")


@dataclass(frozen=True)
class MetricLabel:
    """One metric; `kind` is its format: share, lean (bias in words), gain (better or worse) or plain."""

    key: str
    label: StrOrPromise
    technical_name: str
    kind: str
    explanation: StrOrPromise

    @property
    def needs_interval(self) -> bool:
        """Whether it measures intervals, which a point forecast does not have."""
        return self.key.startswith("coverage.") or self.key == "wql"

    def read_value(self, metrics: dict[str, Any]) -> float | None:
        """Its value in the metrics of a version; None if not measured."""
        if self.key.startswith("coverage."):
            inside: float | None = (metrics.get("coverage") or {}).get(self.key.removeprefix("coverage."))
            return inside
        plain: float | None = metrics.get(self.key)
        return plain

    def read_worst(self, windows: list[dict[str, Any]]) -> float | None:
        """The value of the worst test: the farthest from its goal; None if no test has one.

        >>> METRIC_LABELS[1].read_worst([{"bias": 0.2}, {"bias": -0.3}])
        -0.3
        """
        goal = int(self.key.removeprefix("coverage.")) / 100 if self.key.startswith("coverage.") else 0.0
        known = [value for window in windows if (value := self.read_value(window)) is not None]
        return max(known, key=lambda value: abs(value - goal), default=None)


METRIC_LABELS = (
    MetricLabel(
        "wape",
        _("Error"),
        "WAPE",
        "share",
        _("Sum of all errors of the middle value as a share of all units sold: lower is better."),
    ),
    MetricLabel(
        "bias",
        _("Bias"),
        "bias",
        "lean",
        _("Whether the units expected were too high or too low overall: balanced is best."),
    ),
    MetricLabel(
        "coverage.50",
        _("In range (50%)"),
        "coverage 50",
        "share",
        _("Share of days whose sales fell within the narrow range: ideally 50%."),
    ),
    MetricLabel(
        "coverage.80",
        _("In range (80%)"),
        "coverage 80",
        "share",
        _("Share of days whose sales fell within the usual range: ideally 80%."),
    ),
    MetricLabel(
        "coverage.95",
        _("In range (95%)"),
        "coverage 95",
        "share",
        _("Share of days whose sales fell within the wide range: ideally 95%."),
    ),
    MetricLabel(
        "mase",
        _("Against last week, per product"),
        "MASE",
        "plain",
        _("Typical error compared with repeating last week: below 1 is better."),
    ),
    MetricLabel(
        "rmsse",
        _("Against last week, large errors count more"),
        "RMSSE",
        "plain",
        _("As above for the units expected, but one large error counts more than many small ones."),
    ),
    MetricLabel(
        "smape",
        _("Error per day"),
        "sMAPE",
        "plain",
        _("Typical error of a day relative to its sales, from 0 (perfect) to 200."),
    ),
    MetricLabel(
        "wql",
        _("Error of the ranges"),
        "wQL",
        "plain",
        _("How well the whole range fits, not only its middle: lower is better."),
    ),
)

SKILL_LABEL = MetricLabel(
    "gain",
    _("vs. repeating last week"),
    "skill",
    "gain",
    _("How much smaller or larger the error is than that of repeating last week, the simplest forecast."),
)
LABEL_BY_METRIC = {measure.key: measure for measure in (*METRIC_LABELS, SKILL_LABEL)}


def missing_error_reason(metrics: dict[str, Any]) -> str:
    """Why a version has no error; empty if it has one.

    >>> missing_error_reason({"wape": 0.2})
    ''
    """
    if metrics.get("wape") is not None:
        return ""
    return gettext(NOTHING_SOLD if sold_nothing(metrics) else NO_SCORE)


def metric_rows(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """A table row per metric: its value, that of repeating last week (no intervals), the worst test."""
    naive, windows = metrics.get("seasonal_naive") or {}, metrics.get("windows") or []
    return [
        {
            "measure": m,
            "value": m.read_value(metrics),
            "naive": None if m.needs_interval else m.read_value(naive),
            "worst": m.read_worst(windows) if len(windows) > 1 else None,
        }
        for m in METRIC_LABELS
    ]

"""Test results in plain words: what each number is called, what it says, and its technical name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class MetricLabel:
    """One number of a test: `kind` says how to print it (share, lean or plain)."""

    key: str
    label: StrOrPromise
    technical_name: str
    kind: str
    explanation: StrOrPromise

    @property
    def needs_interval(self) -> bool:
        """Says something about ranges: a forecast without them has no such number."""
        return self.key.startswith("coverage.") or self.key == "wql"

    def read_value(self, metrics: dict[str, Any]) -> float | None:
        """The number in a table of metrics; coverage lies one level deeper."""
        if self.key.startswith("coverage."):
            inside: float | None = (metrics.get("coverage") or {}).get(self.key.removeprefix("coverage."))
            return inside
        plain: float | None = metrics.get(self.key)
        return plain


METRIC_LABELS = (
    MetricLabel(
        "wape",
        _("Error"),
        "WAPE",
        "share",
        _("All misses added up, as a share of all units sold: lower is better."),
    ),
    MetricLabel(
        "bias",
        _("Leans"),
        "bias",
        "lean",
        _("Whether the forecasts were too high or too low altogether: even is best."),
    ),
    MetricLabel(
        "coverage.50",
        _("In range (50%)"),
        "coverage 50",
        "share",
        _("Share of days whose sales fell inside the narrow range: right is 50%."),
    ),
    MetricLabel(
        "coverage.80",
        _("In range (80%)"),
        "coverage 80",
        "share",
        _("Share of days whose sales fell inside the usual range: right is 80%."),
    ),
    MetricLabel(
        "coverage.95",
        _("In range (95%)"),
        "coverage 95",
        "share",
        _("Share of days whose sales fell inside the wide range: right is 95%."),
    ),
    MetricLabel(
        "mase",
        _("Against last week, per product"),
        "MASE",
        "plain",
        _("Typical miss compared with repeating last week: below 1 is better than that."),
    ),
    MetricLabel(
        "rmsse",
        _("Against last week, big misses count more"),
        "RMSSE",
        "plain",
        _("Like the line above, but one large miss weighs more than many small ones."),
    ),
    MetricLabel(
        "smape",
        _("Error per day"),
        "sMAPE",
        "plain",
        _("Typical miss of one day relative to its sales, from 0 (perfect) to 200."),
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
    _("Better than last week"),
    "skill",
    "share",
    _("How much smaller the error is than that of simply repeating last week: higher is better."),
)
LABEL_BY_METRIC = {measure.key: measure for measure in (*METRIC_LABELS, SKILL_LABEL)}


def metric_rows(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Each measure with its value and that of repeating last week, which has no ranges, ready for a table."""
    naive = metrics.get("seasonal_naive") or {}
    return [
        {
            "measure": m,
            "value": m.read_value(metrics),
            "naive": None if m.needs_interval else m.read_value(naive),
        }
        for m in METRIC_LABELS
    ]

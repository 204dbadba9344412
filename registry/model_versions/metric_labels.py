"""Test results in plain words: what each number is called, what it says, and its technical name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Measure:
    """One number of a test: `kind` says how to print it (share, lean or plain)."""

    key: str
    word: StrOrPromise
    technical: str
    kind: str
    sentence: StrOrPromise

    @property
    def of_ranges(self) -> bool:
        """Says something about ranges: a forecast without them has no such number."""
        return self.key.startswith("coverage.") or self.key == "wql"

    def value(self, metrics: dict[str, Any]) -> float | None:
        """The number in a table of metrics; coverage lies one level deeper."""
        if self.key.startswith("coverage."):
            inside: float | None = (metrics.get("coverage") or {}).get(self.key.removeprefix("coverage."))
            return inside
        plain: float | None = metrics.get(self.key)
        return plain


MEASURES = (
    Measure(
        "wape",
        _("Error"),
        "WAPE",
        "share",
        _("All misses added up, as a share of all units sold: lower is better."),
    ),
    Measure(
        "bias",
        _("Leans"),
        "bias",
        "lean",
        _("Whether the forecasts were too high or too low altogether: even is best."),
    ),
    Measure(
        "coverage.50",
        _("In range (50%)"),
        "coverage 50",
        "share",
        _("Share of days whose sales fell inside the narrow range: right is 50%."),
    ),
    Measure(
        "coverage.80",
        _("In range (80%)"),
        "coverage 80",
        "share",
        _("Share of days whose sales fell inside the usual range: right is 80%."),
    ),
    Measure(
        "coverage.95",
        _("In range (95%)"),
        "coverage 95",
        "share",
        _("Share of days whose sales fell inside the wide range: right is 95%."),
    ),
    Measure(
        "mase",
        _("Against last week, per product"),
        "MASE",
        "plain",
        _("Typical miss compared with repeating last week: below 1 is better than that."),
    ),
    Measure(
        "rmsse",
        _("Against last week, big misses count more"),
        "RMSSE",
        "plain",
        _("Like the line above, but one large miss weighs more than many small ones."),
    ),
    Measure(
        "smape",
        _("Error per day"),
        "sMAPE",
        "plain",
        _("Typical miss of one day relative to its sales, from 0 (perfect) to 200."),
    ),
    Measure(
        "wql",
        _("Error of the ranges"),
        "wQL",
        "plain",
        _("How well the whole range fits, not only its middle: lower is better."),
    ),
)

GAIN = Measure(
    "gain",
    _("Better than last week"),
    "skill",
    "share",
    _("How much smaller the error is than that of simply repeating last week: higher is better."),
)
HEADINGS = {measure.key: measure for measure in (*MEASURES, GAIN)}


def explained(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Each measure with its value and that of repeating last week, which has no ranges, ready for a table."""
    naive = metrics.get("seasonal_naive") or {}
    return [
        {"measure": m, "value": m.value(metrics), "naive": None if m.of_ranges else m.value(naive)}
        for m in MEASURES
    ]

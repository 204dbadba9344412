"""Progress: what a training reports while it learns, and the log lines for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from registry.algorithms import FitProgress
from registry.lib.errors import gettext_noop
from registry.series.metrics import replace_nan

PREPARED = gettext_noop("{series} series, {days} days of sales")
TESTED_PART = gettext_noop("The test is on {part} of the {series} series, an even sample of them")
ROUND = gettext_noop("{method}, round {round}: error {error:.1%}")
CHECKED = gettext_noop("{method}, round {round}: error {error:.1%}, validation error {check:.1%}")
CHECKED_ONLY = gettext_noop("{method}, round {round}: validation error {check:.1%}")
NOTHING_SOLD = gettext_noop("{method}, round {round}: no error, because nothing was sold on these days")
STARTED = gettext_noop("{method}: started")
SCORED = gettext_noop("{method}: error {error:.1%} on the days held back")
NOT_SCORED = gettext_noop("{method}: no error, because nothing was sold on the days held back")
RAN_AWAY = gettext_noop(
    "{method} is left out: some forecasts were above three times the largest day ever sold"
)
SAVING = gettext_noop("Saving the model")


@dataclass(frozen=True)
class Progress:
    """Where a training stands; errors are shares of sales, None where nothing was sold."""

    step: str
    round: int = 0
    progress: float = 0.0
    seconds_left: float | None = None
    train_error: float | None = None
    check_error: float | None = None
    text: str = ""  # with {places} for the values
    values: dict[str, Any] = field(default_factory=dict)
    trials: dict[str, Any] | None = None  # what became of each method so far, where several are tried


def describe_round(method: str, number: int, sign: FitProgress) -> tuple[str, dict[str, Any]]:
    """The log line of a round and its values; an error that cannot be computed is None.

    >>> text, values = describe_round("newnet", 3, FitProgress(0.5, float("nan"), 0.2))
    >>> text.format(**values), values["error"]
    ('newnet, round 3: validation error 20.0%', None)
    """
    values = replace_nan({"method": method, "round": number, "error": sign.error, "check": sign.check})
    if values["error"] is None:
        return (NOTHING_SOLD if values["check"] is None else CHECKED_ONLY), values
    return (ROUND if values["check"] is None else CHECKED), values


def describe_score(method: str, error: float) -> tuple[str, dict[str, Any]]:
    """The log line of a candidate's error on the holdout days, and its values."""
    values = replace_nan({"method": method, "error": error})
    return (NOT_SCORED if values["error"] is None else SCORED), values

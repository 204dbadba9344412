"""What came of a step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from forecastsite.automation.models import PlanStep


@dataclass(frozen=True)
class Outcome:
    """A sentence with {places} and their values, pages that tell more, and the state of the step.

    RUNNING: the step waits and is done again later.
    """

    text: str
    values: dict[str, Any] = field(default_factory=dict)
    links: dict[str, Any] = field(default_factory=dict)
    state: str = PlanStep.State.DONE


def skip(text: str, **values: Any) -> Outcome:
    """There was nothing to do."""
    return Outcome(text, values, state=PlanStep.State.SKIPPED)


def wait(text: str, links: dict[str, Any] | None = None, **values: Any) -> Outcome:
    """Something else has to end first."""
    return Outcome(text, values, links or {}, PlanStep.State.RUNNING)

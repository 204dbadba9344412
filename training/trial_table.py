"""Trial table: each method that the automatic choice tries, as a row and a colour of the live page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry.labels import algorithm_label, describe_choice, describe_skipped
from registry.lib.formatting import format_whole_number
from training.models import TrainingRun

TONES = 9  # colours in the stylesheet, --m1 to --m9; further methods begin again
STATE_LABELS = {
    "waiting": gettext_lazy("waiting"),
    "learning": gettext_lazy("learning"),
    "learned": gettext_lazy("learned"),
    "tested": gettext_lazy("tested"),
    "refitting": gettext_lazy("learning from all days"),
    "used": gettext_lazy("used"),
    "unused": gettext_lazy("not used"),
    "skipped": gettext_lazy("not tried"),
    "interrupted": gettext_lazy("interrupted"),
}
BADGES = {"learning": "busy", "refitting": "busy", "used": "good"}  # classes
BUSY_STATES = ("learning", "refitting")


@dataclass(frozen=True)
class TrialRow:
    """One method as the page shows it."""

    name: str
    tone: str
    state: str
    badge: str
    done: float | None  # share of its learning, while it learns
    error: float | None
    test_error: float | None
    share: float | None

    @property
    def label(self) -> str:
        return algorithm_label(self.name)

    @property
    def state_label(self) -> str:
        return str(STATE_LABELS.get(self.state, self.state))


@dataclass(frozen=True)
class TrialTable:
    """All methods of a training, and what was decided."""

    rows: list[TrialRow]
    skipped: str
    choice: str


def build_trial_table(run: TrainingRun) -> TrialTable | None:
    """The table of a training that tries several methods; None for any other."""
    trials = run.trials
    if not trials.get("methods"):
        return None
    rows = [build_row(trial, number, run) for number, trial in enumerate(trials["methods"])]
    return TrialTable(rows, describe_skipped(trials), describe_choice(trials.get("choice", {})))


def build_row(trial: dict[str, Any], number: int, run: TrainingRun) -> TrialRow:
    state = trial["state"]
    if run.has_ended:
        ended = {"waiting": "skipped", "learning": "interrupted", "refitting": "interrupted"}
        state = "used" if run.state == "done" and trial["share"] else ended.get(state, state)
    return TrialRow(
        trial["name"],
        f"m{number % TONES + 1}",
        state,
        BADGES.get(state, ""),
        trial["done"] if state in BUSY_STATES else None,
        trial["error"],
        trial["test_error"],
        trial["share"],
    )


def label_points(points: Iterable[dict[str, Any]], run: TrainingRun) -> list[dict[str, Any]]:
    """The points of the learning curve; those of a training of several methods with label and colour.

    Points of earlier releases name no method.
    """
    table = build_trial_table(run)
    rows = {row.name: row for row in table.rows} if table else {}
    result = []
    for point in points:
        row = rows.get(point.get("method", ""))
        result.append({**point, "label": row.label if row else "", "tone": row.tone if row else ""})
    return result


def reading_text(run: TrainingRun) -> str:
    """What a training does before it has anything else to tell; empty later."""
    if run.state != run.State.RUNNING or run.step != "prepare":
        return ""
    return _("Reading %(rows)s rows") % {"rows": format_whole_number(run.dataset_version.rows)}

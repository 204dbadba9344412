"""What changed since the run before: the series that moved most, and why.

Sales, plan and model are replaced by the new ones in every order, for the series that moved most; the file
of each run gives both ends. What overrides made of the model's numbers is a part of its own. Where a version
or sales are gone, nothing can be forecast, so no why is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prediction.runs.attribution import Inputs, has_same_plan, replace_plan, split_change
from prediction.runs.change_row import RunChange
from prediction.runs.frozen import load_prediction
from prediction.runs.listing import list_spans
from prediction.runs.maker import load_run_panel
from prediction.runs.models import ForecastRun
from registry.lib.errors import split_error
from registry.storage.artifacts import CorruptArtifact

if TYPE_CHECKING:
    from registry.series.panel import Panel
    from registry.series.prediction import Prediction

TOP = 20  # series listed for each span
DIGITS = 3
Key = tuple[str, str]
Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Move:
    """Units of a series before and now; parts of the difference: {sales, plan, model, overrides}.

    They are empty if unknown.
    """

    store: str
    product: str
    before: float
    now: float
    parts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SpanChange:
    """Units of all series in the next `days` days, before and now, and the series that moved most."""

    days: int
    before: float
    now: float
    moves: list[Move]


@dataclass(frozen=True)
class ChangeFacts:
    """previous: id of the run before, "" if there is none. days: that both runs cover.

    inputs: those of sales, plan and model that changed. problem: why there are no parts.
    """

    previous: str = ""
    days: int = 0
    inputs: list[str] = field(default_factory=list)
    spans: list[SpanChange] = field(default_factory=list)
    problem: dict[str, Any] = field(default_factory=dict)


def explain_run(run: ForecastRun) -> None:
    """Works out and saves what changed in a done run."""
    RunChange.objects.update_or_create(run=run, defaults={"content": asdict(find_change(run))})


def find_previous(run: ForecastRun) -> ForecastRun | None:
    """The run of the same scope before this one, by another version or on other sales."""
    runs = ForecastRun.objects.done().filter(version__model=run.version.model_id)
    other = runs.exclude(version=run.version_id, dataset_version=run.dataset_version_id, as_of=run.as_of)
    earlier = other.filter(created_at__lt=run.created_at, origin__lte=run.origin)
    related = ("version__model", "dataset_version__dataset")
    return earlier.select_related(*related).order_by("-created_at").first()


def find_change(run: ForecastRun) -> ChangeFacts:
    """The facts, from the files of both runs and from forecasts of what moved most."""
    previous = find_previous(run)
    if previous is None:
        return ChangeFacts()
    try:
        pair = RunPair(run, previous)
        if not pair.days:
            return ChangeFacts(str(previous.pk))
        chosen = pair.choose_moved()
    except (ValueError, CorruptArtifact) as problem:
        return ChangeFacts(str(previous.pk), problem=describe_problem(problem))
    try:
        inputs, parts = pair.split(chosen)
    except (ValueError, CorruptArtifact) as problem:
        return pair.describe({}, [], describe_problem(problem))
    return pair.describe(parts, inputs, {})


def describe_problem(problem: Exception) -> dict[str, Any]:
    """The problem as it is kept, to be translated when it is shown."""
    message, values = split_error(problem)
    return {"message": message, "values": values}


class RunPair:
    """A run and the one before, on the days that both cover."""

    def __init__(self, run: ForecastRun, previous: ForecastRun) -> None:
        self.run, self.previous = run, previous
        now, then = load_prediction(run), load_prediction(previous)
        self.after = now.origin
        last = min(now.dates[-1], then.dates[-1])
        self.days = max(0, int((last - self.after) / np.timedelta64(1, "D")))
        self.keys = sorted({*now.keys, *then.keys})
        self.in_both = {*now.keys} & {*then.keys}
        self.now, self.then = (self._spread(one) for one in (now, then))  # [K, D] units
        self.model_now, self.model_then = (self._spread(one.of_model()) for one in (now, then))

    def _spread(self, prediction: Prediction) -> Values:
        """Units of every key on the days of both, 0 where the run has none."""
        found, place = np.zeros((len(self.keys), self.days)), {key: row for row, key in enumerate(self.keys)}
        found[[place[key] for key in prediction.keys]] = self._days_of(prediction)
        return found

    def _days_of(self, prediction: Prediction) -> Values:
        start = int((self.after - prediction.origin) / np.timedelta64(1, "D"))
        return prediction.mean[:, start : start + self.days].astype(np.float64)

    @property
    def spans(self) -> list[int]:
        """Days summed up: the next 7, 14 and 28, as far as both runs reach."""
        return sorted({min(days, self.days) for days in list_spans(self.run.horizon)})

    def rank(self, days: int) -> list[int]:
        """The rows that moved in the first days, those that moved most first."""
        moved = np.abs((self.now - self.then)[:, :days].sum(axis=1))
        order = np.argsort(-moved, kind="stable")[:TOP]
        return [int(row) for row in order if round(float(moved[row]), DIGITS) > 0]

    def choose_moved(self) -> list[int]:
        """The rows that moved most in any span."""
        return sorted({row for days in self.spans for row in self.rank(days)})

    def split(self, rows: Sequence[int]) -> tuple[list[str], dict[int, dict[str, Values]]]:
        """The inputs that changed, and for each row their parts [D] of the difference.

        What only one of the runs knows, or what hardly sold before, moved by its sales.
        """
        from registry.series.newcomers.introduction import find_newcomers

        mixer = InputMixer(self, [self.keys[row] for row in rows if self.keys[row] in self.in_both])
        inputs, parts = mixer.list_inputs(), {}
        is_new = find_newcomers(mixer.panels[True]) | find_newcomers(mixer.panels[False])
        grown = {key: place for place, key in enumerate(mixer.keys) if not is_new[place]}
        found = mixer.split(inputs)
        for row in rows:
            difference = self.model_now[row] - self.model_then[row]
            place = grown.get(self.keys[row])
            own = {name: found[name][place] for name in inputs} if place is not None else {}
            parts[row] = own or {"sales": difference}
            if np.any(changed := self.now[row] - self.then[row] - difference):
                parts[row]["overrides"] = changed
        return inputs, parts

    def describe(
        self, parts: dict[int, dict[str, Values]], inputs: list[str], problem: dict[str, Any]
    ) -> ChangeFacts:
        """The facts as they are kept."""
        spans = [
            SpanChange(
                days,
                round(float(self.then[:, :days].sum()), DIGITS),
                round(float(self.now[:, :days].sum()), DIGITS),
                [self._describe_row(row, days, parts.get(row, {})) for row in self.rank(days)],
            )
            for days in self.spans
        ]
        return ChangeFacts(str(self.previous.pk), self.days, inputs, spans, problem)

    def _describe_row(self, row: int, days: int, parts: dict[str, Values]) -> Move:
        before, now = (round(float(table[row, :days].sum()), DIGITS) for table in (self.then, self.now))
        split = {name: round(float(part[:days].sum()), DIGITS) for name, part in parts.items()}
        return Move(*self.keys[row], before, now, split)


class InputMixer:
    """Forecasts some series with old and new inputs in any mixture."""

    def __init__(self, pair: RunPair, keys: list[Key]) -> None:
        self.pair, self.keys = pair, keys
        self.runs = {True: pair.run, False: pair.previous}
        place = {key: row for row, key in enumerate(pair.keys)}
        self.rows = [place[key] for key in keys]

    @cached_property
    def panels(self) -> dict[bool, Panel]:
        """The sales and plan of the new run (True) and of the one before (False), of these series only."""
        found = {}
        for is_new, run in self.runs.items():
            panel = load_run_panel(run)
            place = {key: row for row, key in enumerate(panel.keys)}
            found[is_new] = panel.select_series(np.array([place[key] for key in self.keys], np.intp))
        return found

    def list_inputs(self) -> list[str]:
        """Those of sales, plan and model that are not the same in both runs."""
        new, old = self.runs[True], self.runs[False]
        has_other_sales = (new.dataset_version_id, new.as_of) != (old.dataset_version_id, old.as_of)
        is_same_plan = not has_other_sales or has_same_plan(
            self.panels[True], self.panels[False], self.pair.after, self.pair.days
        )
        changed = {
            "sales": has_other_sales,
            "plan": not is_same_plan,
            "model": new.version_id != old.version_id,
        }
        return [name for name, is_changed in changed.items() if is_changed]

    def split(self, inputs: list[str]) -> dict[str, Values]:
        """The part [R, D] of each input in the difference of the runs."""
        if not self.keys:  # nothing moved, or only what one of the runs does not know
            return {name: np.zeros((0, self.pair.days)) for name in inputs}
        return split_change(inputs, lambda new: self.forecast(new, inputs))

    def forecast(self, new: Inputs, inputs: Sequence[str]) -> Values:
        """Units [R, D] with these inputs new and the others old; both ends are those of the files."""
        if len(new) == len(inputs):
            return self.pair.model_now[self.rows]
        if not new:
            return self.pair.model_then[self.rows]
        return self.pair._days_of(self.predict(new))

    def predict(self, new: Inputs) -> Prediction:
        """The prediction of these series with these inputs new and the others old."""
        from prediction.engine import load_bundle

        sales, plan, model = (name in new for name in ("sales", "plan", "model"))
        panel = self.panels[sales]
        if plan != sales:
            panel = replace_plan(panel, self.panels[plan], self.pair.after)
        return load_bundle(self.runs[model].version).forecast(panel, self.runs[sales].horizon)

"""What the JSON file of a forecast holds, as dataclasses. The names of their fields are the keys of the file.

Files of earlier releases may lack keys: those take the default.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from registry.series.quantiles import QUANTILE_NAMES

SCHEMA_VERSION = 1
SIDES = ("stores", "products")  # of a breakdown


@dataclass(frozen=True)
class JsonRow:
    """A dataclass whose fields are the keys of a JSON object, in that order."""

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Ignores keys that it does not know."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__ if name in values})

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class DayMean(JsonRow):
    """Units expected on an ISO day."""

    date: str
    mean: float


@dataclass(frozen=True)
class HistoryDay(JsonRow):
    """A past day: units sold (None = no record), promotion (None = unknown), closed."""

    date: str
    sales: float | None
    promo: bool | None
    closed: bool


@dataclass(frozen=True)
class HoldoutDay(JsonRow):
    """What the model forecast for a held-back day before it had learned that day."""

    date: str
    mean: float | None


@dataclass(frozen=True)
class ForecastDay:
    """A day ahead: mean and quantiles (in the order of QUANTILE_NAMES) in units, promotion, closed.

    model: mean and quantiles before people changed the forecast; None where nobody did.
    """

    date: str
    mean: float
    quantiles: tuple[float | None, ...]
    promo: bool | None
    closed: bool
    model: tuple[float | None, ...] | None = None

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        quantiles = tuple(values.get(name) for name in QUANTILE_NAMES)
        model = tuple(values["model"]) if values.get("model") else None
        return cls(values["date"], values["mean"], quantiles, values.get("promo"), values["closed"], model)

    @property
    def model_numbers(self) -> tuple[float | None, ...]:
        """Mean and quantiles of the model."""
        return self.model or (self.mean, *self.quantiles)

    def to_json(self) -> dict[str, Any]:
        """One flat object: date, mean, q0.025 … q0.975, promo, closed; model where it differs."""
        quantiles = dict(zip(QUANTILE_NAMES, self.quantiles, strict=True))
        return {
            "date": self.date,
            "mean": self.mean,
            **quantiles,
            "promo": self.promo,
            "closed": self.closed,
            **({"model": self.model} if self.model else {}),
        }


@dataclass(frozen=True)
class WeekAhead:
    """The quantiles (in the order of QUANTILE_NAMES) of the units of seven days from an ISO day.

    The last week of a forecast may have fewer days.
    """

    date: str
    quantiles: tuple[float | None, ...]

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(values["date"], tuple(values.get(name) for name in QUANTILE_NAMES))

    def to_json(self) -> dict[str, Any]:
        """One flat object: date, q0.025 … q0.975."""
        return {"date": self.date, **dict(zip(QUANTILE_NAMES, self.quantiles, strict=True))}


@dataclass(frozen=True)
class Event(JsonRow):
    """A named promotion, or another event of the plan, from a first to a last ISO day."""

    name: str
    first: str
    last: str


@dataclass(frozen=True)
class Part(JsonRow):
    """A store, product or group: units of the total, 80% interval of its own sum, relative changes."""

    code: str
    total: float
    low: float
    high: float
    change_last_year: float | None
    change_last_period: float | None
    name: str = ""


@dataclass(frozen=True)
class LevelParts:
    """The parts of a forecast by the values of a level: its column, and the side that it groups."""

    column: str
    side: str  # stores or products
    parts: list[Part]

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(values["column"], values["side"], [Part.from_json(part) for part in values["parts"]])

    def to_json(self) -> dict[str, Any]:
        return {"column": self.column, "side": self.side, "parts": rows_to_json(self.parts)}


@dataclass(frozen=True)
class MovedPart(JsonRow):
    """A store or product whose newest days sold clearly more or less than expected, as a share."""

    side: str  # stores or products
    code: str
    name: str
    change: float
    days: int


@dataclass(frozen=True)
class Analysis(JsonRow):
    """The total with its 80% interval, and how it compares with earlier sales. Changes are relative."""

    total: float
    low: float
    high: float
    last_period: float | None = None  # units of as many days before the origin
    last_year: float | None = None
    change_last_period: float | None = None
    change_last_year: float | None = None
    weekly: list[float | None] = field(default_factory=list)  # mean of each weekday, Monday first
    trend_per_week: float | None = None  # units a day gained from week to week
    peak: DayMean | None = None  # the highest and the lowest open day
    low_day: DayMean | None = None

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        days = {name: DayMean.from_json(values[name]) for name in ("peak", "low_day") if values.get(name)}
        return super().from_json({**values, **days})

    def to_json(self) -> dict[str, Any]:
        return {
            name: value.to_json() if isinstance(value, DayMean) else value
            for name, value in vars(self).items()
        }


@dataclass(frozen=True, kw_only=True)
class ForecastContent:
    """Everything that a forecast's page, chart and exports show."""

    schema: int = SCHEMA_VERSION
    version: str  # name of the model version
    created_at: str
    origin: str  # last known day
    horizon: int
    unit: str = "units"
    history: list[HistoryDay]
    test: list[HoldoutDay]
    forecast: list[ForecastDay]
    analysis: Analysis
    breakdown: dict[str, list[Part]] = field(default_factory=dict)  # by side; a single part is left out
    assumptions: list[dict[str, str]] = field(default_factory=list)  # {"column", "default"}
    weeks: list[WeekAhead] = field(default_factory=list)  # empty when no range of a week was measured
    events: list[Event] = field(default_factory=list)
    moved: list[MovedPart] = field(default_factory=list)  # most units first
    range_windows: int | None = None  # independent windows that ranges of sums stand on; 0: assumed
    range_days: int = 0  # days of each of these windows
    new_days: int | None = None  # days on which all of it has been on sale so far, if it is new
    levels: list[LevelParts] = field(default_factory=list)  # breakdowns by category, brand, region …

    @property
    def model_total(self) -> float | None:
        """Units expected before people changed the forecast; None where nobody did."""
        numbers = [day.model[0] for day in self.forecast if day.model]
        return sum(value or 0.0 for value in numbers) if numbers else None

    @property
    def missing_plan(self) -> list[dict[str, str]]:
        """The columns known ahead, such as promotion and price, without values for all of the days."""
        return [item for item in self.assumptions if item["column"] != "open"]

    @property
    def is_closing_assumed(self) -> bool:
        """Whether nobody planned on which days the stores close."""
        return len(self.missing_plan) < len(self.assumptions)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        sides = values.get("breakdown", {}).items()
        parsed = {
            "history": [HistoryDay.from_json(day) for day in values["history"]],
            "test": [HoldoutDay.from_json(day) for day in values["test"]],
            "forecast": [ForecastDay.from_json(day) for day in values["forecast"]],
            "analysis": Analysis.from_json(values["analysis"]),
            "breakdown": {side: [Part.from_json(part) for part in parts] for side, parts in sides},
            "weeks": [WeekAhead.from_json(week) for week in values.get("weeks", [])],
            "events": [Event.from_json(event) for event in values.get("events", [])],
            "moved": [MovedPart.from_json(part) for part in values.get("moved", [])],
            "levels": [LevelParts.from_json(level) for level in values.get("levels", [])],
        }
        values = {**values, **parsed}
        return cls(**{name: values[name] for name in cls.__dataclass_fields__ if name in values})

    def to_json(self) -> dict[str, Any]:
        sides = self.breakdown.items()
        return {
            **vars(self),
            "history": rows_to_json(self.history),
            "test": rows_to_json(self.test),
            "forecast": rows_to_json(self.forecast),
            "analysis": self.analysis.to_json(),
            "breakdown": {side: rows_to_json(parts) for side, parts in sides},
            "weeks": rows_to_json(self.weeks),
            "events": rows_to_json(self.events),
            "moved": rows_to_json(self.moved),
            "levels": rows_to_json(self.levels),
        }


def rows_to_json(rows: Iterable[JsonRow | ForecastDay | WeekAhead | LevelParts]) -> list[dict[str, Any]]:
    return [row.to_json() for row in rows]

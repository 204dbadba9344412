"""What the API takes and gives of trainings, versions, forecasts and their accuracy."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from forecastsite.api.schemas import Text

Reason = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]
RowId = Annotated[int, Field(ge=1, le=2**53)]
ScopeKind = Literal["global", "store", "product"]


class TrainingIn(Schema):
    """What to learn, how, and for how long."""

    dataset: RowId
    kind: ScopeKind = "global"
    code: Text = Field("", description="Of the store or product.")
    algorithm: Text = "auto"
    horizon: Annotated[int, Field(ge=1, le=100_000)] = 28
    budget: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="Seconds; null: what suits method and data."
    )
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    settings: dict[Text, bool | int | float | Text] = Field(
        {}, description="Settings of the algorithm; `manage.py algorithms` lists them."
    )


class TrainingOut(Schema):
    """A training."""

    id: UUID
    dataset: int
    dataset_version: UUID
    kind: ScopeKind
    code: str
    algorithm: str
    settings: dict[str, Any]
    horizon: int
    budget: int
    seed: int
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    step: str
    progress: float
    seconds_left: float | None
    error: str = Field(description="Why it failed, in one sentence.")
    version: UUID | None = Field(description="The model version that it published.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class VersionOut(Schema):
    """A model version."""

    id: UUID
    name: str
    dataset: int
    kind: ScopeKind
    code: str
    algorithm: str
    number: int
    horizon: int
    in_use: bool
    wape: float | None
    metrics: dict[str, Any]
    learned_from: UUID
    created_at: datetime


class ReasonIn(Schema):
    """Why, for those who ask later."""

    reason: Reason


class ForecastRunIn(Schema):
    """A forecast of every product in every store by the version in use on the newest sales."""

    horizon: Annotated[int, Field(ge=1, le=365)] = 28


class ForecastRunOut(Schema):
    """A forecast run."""

    id: UUID
    dataset: int
    dataset_version: UUID
    version: UUID
    horizon: int
    stage: Literal["queued", "running", "done", "failed"]
    current: bool
    origin: date | None = Field(description="The last known day.")
    series: int
    rows: int
    total: float | None = Field(description="Units of all series and days.")
    error: str
    created_at: datetime
    finished_at: datetime | None


class RowsOut(Schema):
    """A page of the rows of a forecast run."""

    items: list[dict[str, Any]] = Field(
        description="store_id, product_id, date, mean, q0.025 … q0.975, open, and the plan."
    )
    next: str | None


class ForecastIn(Schema):
    """A question: a product, a store, or with empty codes their total."""

    dataset: RowId
    product: Text = ""
    store: Text = ""
    horizon: Annotated[int, Field(ge=1, le=100_000)] = 28
    version: UUID | None = Field(None, description="null: the version in use.")


class ForecastOut(Schema):
    """A saved forecast; `days` only where one is asked for."""

    id: UUID
    dataset: int
    version: UUID
    product: str
    store: str
    horizon: int
    origin: date
    total: float
    low: float = Field(description="Lower end of the 80% range of the total.")
    high: float
    created_at: datetime
    days: list[dict[str, Any]] | None = None


class AccuracyOut(Schema):
    """The errors of forecasts for the days of one week, made so many days ahead."""

    week: date = Field(description="Its Monday.")
    lag: int = Field(description="The first day ahead of its group: 1, 8, 15, 29.")
    count: int
    units: float
    wape: float | None
    bias: float | None
    mase: float | None
    skill: float | None = Field(description="How much lower the error is than that of repeating last week.")
    inside_80: float | None


class AlertOut(Schema):
    """Forecasts and sales have moved apart."""

    id: int
    dataset: int
    kind: Literal["bias", "skill"]
    group: str = Field(description="`column:value`; empty for everything.")
    state: Literal["open", "acknowledged", "closed"]
    first: date
    last: date
    weeks: int
    change: float
    sentence: str


class AlertIn(Schema):
    """The new state of an alert."""

    state: Literal["acknowledged", "closed"]

"""What the API takes and gives of plans that are tried, and of back-tests of orders."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from forecastsite.api.schemas import Text

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]
Days = Annotated[int, Field(ge=1, le=10_000)]
Cover = Annotated[float, Field(ge=0, le=10_000)]
Rule = Literal["cover", "minmax", "weeks"]


class PlanEditIn(Schema):
    """What changes on some days: promotion, price or opening; for the whole forecast, or for a part of it."""

    days: list[date] = Field(min_length=1, max_length=366)
    promotion: bool | None = None
    price: Annotated[float, Field(ge=-0.9, le=2.0)] | None = Field(
        None, description="Relative change of the planned price, such as -0.1."
    )
    opens: bool | None = Field(None, description="Whether stores are open.")
    product: Text = ""
    store: Text = ""
    group: Text = Field("", description="`column:value`, such as brand:Acme.")
    everything: bool = Field(False, description="For all series, also those that the forecast is not about.")


class ScenarioIn(Schema):
    """A forecast, saved or described as in `POST /forecasts`, and the changes that are tried on it."""

    forecast: UUID | None = None
    product: Text = ""
    store: Text = ""
    horizon: Annotated[int, Field(ge=1, le=100_000)] = 28
    version: UUID | None = Field(None, description="null: the version in use.")
    edits: list[PlanEditIn] = Field(min_length=1, max_length=50)


class EditsIn(Schema):
    """All changes; they take the place of those before."""

    edits: list[PlanEditIn] = Field(max_length=50)


class ScenarioNameIn(Schema):
    """What it is called, and whether everybody sees it."""

    name: Name
    shared: bool = False


class ScenarioOut(Schema):
    """A plan that was tried."""

    id: UUID
    dataset: int
    dataset_version: UUID
    version: UUID
    name: str
    product: str
    store: str
    groups: list[str]
    horizon: int
    shared: bool
    edits: list[dict[str, Any]] = Field(description="days, promotion, price, opens, store, product, levels.")
    state: Literal["queued", "done", "failed"]
    error: str
    outcome: dict[str, Any] | None = Field(
        description="Once it is done: dates; mean, low and high by day without and with the plan; sums."
    )
    adopted: UUID | None = Field(description="The dataset version that has taken it over.")
    created_at: datetime


class BacktestIn(Schema):
    """Weeks of the past that are ordered anew, and the rule of today."""

    weeks: Days = 12
    lead_days: Days = 3
    review_days: Days = 7
    rule: Rule = "cover"
    least: Cover = Field(14, description="Days of cover, or the least days of minmax.")
    most: Cover = Field(21, description="The most days of minmax.")
    budget: Days = Field(60, description="Seconds to learn on what was known then.")


class BacktestOut(Schema):
    """What the last weeks would have cost by our policy and by other rules."""

    id: UUID
    dataset: int
    dataset_version: UUID
    stage: Literal["queued", "running", "done", "failed"]
    weeks: int
    lead_days: int
    review_days: int
    rule: Rule
    least: float
    most: float
    budget: int
    algorithm: str
    result: dict[str, Any] | None = Field(
        description="By rule, class and store, once it is done; not in lists."
    )
    error: str
    created_at: datetime
    finished_at: datetime | None

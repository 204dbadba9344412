"""What the API takes and gives of orders and overrides."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from forecastsite.api.model_schemas import Reason
from forecastsite.api.schemas import Text

Place = Annotated[int, Field(ge=0, le=2**31 - 1)]
PolicyKind = Literal["cycle", "fill", "cost"]
OverrideReason = Literal[
    "promotion", "tender", "season", "delisting", "competitor", "weather", "supply", "other"
]
ItemClass = Literal["AX", "AY", "AZ", "BX", "BY", "BZ", "CX", "CY", "CZ"]
ServiceLevel = Annotated[float, Field(ge=0.5, le=0.999)]


class OrderOut(Schema):
    """An order of everything: forecast run x stock x terms x policy."""

    id: UUID
    dataset: int
    forecast_run: UUID
    stock: UUID
    as_of: date = Field(description="The day on which the stock was counted.")
    policy: int
    stage: Literal["queued", "running", "done", "failed"]
    lines: int
    ordered: int = Field(description="Lines that order something.")
    units: float
    money: float
    notes: dict[str, int] = Field(description="What was assumed: code, and for how many lines.")
    error: str
    created_at: datetime
    finished_at: datetime | None


class OrderLineOut(Schema):
    """A line of an order with the figures behind it."""

    place: int
    store: str
    product: str
    supplier: str
    state: Literal["draft", "approved", "exported"]
    verdict: str
    quantity: float
    proposed: float
    expected: float
    on_hand: float
    on_order: float
    run_out_chance: float
    cost: float
    item_class: str
    notes: list[str]


class LinesIn(Schema):
    """Which lines, by their places."""

    lines: list[Place] = Field(min_length=1, max_length=100_000)


class ChangeIn(LinesIn):
    """Another quantity for lines, rounded to whole packs."""

    how: Literal["set", "add", "percent"] = "set"
    value: Annotated[float, Field(ge=-1e9, le=1e9)]
    reason: Annotated[Reason, Field(max_length=300)]


class CountOut(Schema):
    """How many lines were changed."""

    count: int


class ExportIn(Schema):
    """Which approved lines become a file, once."""

    supplier: Annotated[str, Field(max_length=120, pattern=r"^[^\x00]*$")] | None = Field(
        None, description="null: all suppliers."
    )
    format: Literal["csv", "xlsx"] = "csv"


class ExportOut(Schema):
    """A file of approved lines."""

    id: int
    supplier: str
    lines: int
    units: float
    file: str = Field(description="Address of the file.")


class PolicyIn(Schema):
    """How much is enough."""

    kind: PolicyKind = "cycle"
    level: ServiceLevel = 0.95
    classes: dict[ItemClass, tuple[PolicyKind, ServiceLevel]] = {}
    reason: Annotated[Reason, Field(max_length=300)]


class PolicyOut(Schema):
    """The policy that counts."""

    number: int
    kind: PolicyKind
    level: float
    classes: dict[str, Any]
    reason: str
    created_at: datetime


class OverrideIn(Schema):
    """A person's change of the forecast, with a reason."""

    product: Text = ""
    store: Text = ""
    first: date
    last: date
    kind: Literal["percent", "add", "set"] = Field(
        "percent", description="add, set: units of all days and series together."
    )
    amount: Annotated[float, Field(ge=-1e12, le=1e12)]
    reason: OverrideReason
    text: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = ""
    expires: date | None = None


class OverrideOut(Schema):
    """An override; once withdrawn it counts no more."""

    id: int
    dataset: int
    product: str
    store: str
    groups: list[str]
    first: date
    last: date
    kind: str
    amount: float
    reason: str
    text: str
    expires: date | None
    withdrawn_at: datetime | None
    created_at: datetime

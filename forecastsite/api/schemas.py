"""What the API takes and gives of data and jobs. Days are ISO dates, amounts units, shares 0 to 1."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

Name = Annotated[str, Field(max_length=80, pattern=r"^[^\x00]*$")]
Text = Annotated[str, Field(max_length=300, pattern=r"^[^\x00]*$")]


class ProblemOut(Schema):
    """RFC 9457: why a request was not served, in one sentence."""

    type: str
    title: str
    status: int
    detail: str = Field(description="One sentence in the language of Accept-Language (en, zh-hans).")
    errors: list[dict[str, str]] | None = Field(None, description="What does not fit: field, message.")
    question: dict[str, Any] | None = Field(
        None, description="What only a person can decide about a file: parameter, and its possible answers."
    )


class DatasetVersionOut(Schema):
    """The sales of a dataset at one time."""

    id: UUID
    number: int
    content_hash: str
    rows: int
    first: date
    last: date
    stores: int
    products: int
    series: int
    created_at: datetime


class DatasetOut(Schema):
    """The sales of a business; `version` is the current one, null before the first import."""

    id: int
    name: str
    country: str
    paused: bool
    version: DatasetVersionOut | None
    created_at: datetime


class DatasetIn(Schema):
    """What to change of a dataset."""

    name: Name | None = None
    paused: bool | None = Field(None, description="Leave it out of what needs attention.")


class ImportOut(Schema):
    """The saved version, and what was found and done in the file."""

    dataset: DatasetOut
    changed: bool = Field(description="False: the file held nothing new, and no version was made.")
    findings: list[dict[str, Any]]


class CheckOut(Schema):
    """What importing a file would do; nothing was saved."""

    rows: int
    columns: dict[str, str] = Field(description="Our column: that of the file.")
    findings: list[dict[str, Any]]


class ItemOut(Schema):
    """A store or product with its figures."""

    kind: Literal["store", "product"]
    code: str
    name: str
    category: str
    first: date | None
    last: date | None
    total: float
    zeros: float = Field(description="Share of days without a sale.")


class StockOut(Schema):
    """Stock as it was counted."""

    id: UUID
    dataset: int
    as_of: date
    rows: int
    below_zero: int
    unknown: int = Field(description="Rows of stores or products that the sales do not have.")
    file: str
    created_at: datetime


class TermsOut(Schema):
    """How products are ordered; empty fields are left to the next level."""

    level: Literal["all", "supplier", "category", "product"]
    key: str
    supplier: str
    lead_days: int | None
    review_days: int | None
    weekdays: str
    shut_days: str
    pack: float | None
    min_order: float | None
    shelf_min: float | None
    shelf_max: float | None
    shelf_life: int | None
    unit_cost: float | None
    price: float | None
    holding_cost: float | None
    waste_cost: float | None
    service_level: float | None
    changed_at: datetime


class SavedRowsOut(Schema):
    """How many rows a file has saved."""

    rows: int


class JobOut(Schema):
    """Long work, by the id of what it makes."""

    id: UUID
    kind: Literal["training", "forecast_run", "order", "order_backtest", "import"]
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: float | None = Field(description="0 to 1; null where it is not known.")
    error: str
    result: str | None = Field(description="Address of what it made, once it is done.")
    created_at: datetime
    finished_at: datetime | None


class EnabledIn(Schema):
    """On or off."""

    enabled: bool

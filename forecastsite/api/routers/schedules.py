"""Schedules: made, changed, switched, tried and run."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Schema, Status
from pydantic import Field

from forecastsite.api.access import KeyRequest, needs, router
from forecastsite.api.errors import require_valid
from forecastsite.api.forms import encode_form
from forecastsite.api.paging import Page, Paging, page_newest
from forecastsite.api.schemas import EnabledIn, Name, Text
from forecastsite.api.shapes import pick
from forecastsite.automation.forms import PlanForm, delete_plan, switch_plan
from forecastsite.automation.models import Plan, PlanRun
from forecastsite.automation.preview import preview_plan
from forecastsite.automation.starting import start_plan
from registry.datasets.models import Dataset

READ, WRITE = "automation:read", "automation:write"
PERMISSION = "forecastsite.{}_plan"


class ScheduleIn(Schema):
    """What happens by itself, and when."""

    name: Name
    trigger: Literal["time", "sales"] = "time"
    weekdays: list[Annotated[int, Field(ge=1, le=7)]] = Field([1, 2, 3, 4, 5, 6, 7], max_length=7)
    at: dt.time = dt.time(4, 0)
    time_zone: Annotated[str, Field(max_length=60, pattern=r"^[^\x00]*$")] = "UTC"
    retrain: Literal["never", "weeks", "drift", "both"] = "weeks"
    retrain_weeks: Annotated[int, Field(ge=1, le=52)] = 4
    budget: Annotated[int, Field(ge=1, le=7200)] = 300
    makes_order: bool = False
    mail_to: list[Text] = Field([], max_length=20)


class NewScheduleIn(ScheduleIn):
    """The same for a dataset."""

    dataset: int = Field(ge=0, le=2**63 - 1)


class ScheduleOut(ScheduleIn):
    """A schedule; `next_at` is null while it waits for sales or is switched off."""

    id: int
    dataset: int
    enabled: bool
    next_at: dt.datetime | None


class StepOut(Schema):
    """A step and what came of it."""

    step: str
    state: str
    text: str
    started_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None


class ScheduleRunOut(Schema):
    """A run of a schedule: queued, running, done or failed."""

    id: uuid.UUID
    schedule: int
    stage: str
    cause: str
    error: str
    created_at: dt.datetime
    finished_at: dt.datetime | None
    steps: list[StepOut]


@router.get("/schedules", response=Page[ScheduleOut], **needs(READ))
def list_schedules(request: KeyRequest, paging: Query[Paging]) -> Any:
    """All schedules."""
    return page_newest(Plan.objects.all(), paging, show_plan)


@router.post("/schedules", response={201: ScheduleOut}, **needs(WRITE, PERMISSION.format("add")))
def create_schedule(request: KeyRequest, body: NewScheduleIn) -> Any:
    """A new schedule of a dataset."""
    dataset = get_object_or_404(Dataset, pk=body.dataset)
    return Status(201, save_plan(request, body, Plan(dataset=dataset)))


@router.put("/schedules/{id:schedule}", response=ScheduleOut, **needs(WRITE, PERMISSION.format("change")))
def put_schedule(request: KeyRequest, schedule: int, body: ScheduleIn) -> Any:
    """Changes a schedule."""
    return save_plan(request, body, get_object_or_404(Plan, pk=schedule))


@router.patch("/schedules/{id:schedule}", response=ScheduleOut, **needs(WRITE, PERMISSION.format("run")))
def patch_schedule(request: KeyRequest, schedule: int, body: EnabledIn) -> Any:
    """Switches a schedule on or off."""
    found = get_object_or_404(Plan, pk=schedule)
    switch_plan(found, body.enabled, request.user)
    return show_plan(found)


@router.get("/schedules/{id:schedule}/preview", response=list[StepOut], **needs(READ))
def preview_schedule(request: KeyRequest, schedule: int) -> Any:
    """What a run would do now."""
    steps = preview_plan(get_object_or_404(Plan, pk=schedule))
    return [{"step": one.kind, "state": "open", "text": one.sentence} for one in steps]


@router.post(
    "/schedules/{id:schedule}/runs", response={202: ScheduleRunOut}, **needs(WRITE, PERMISSION.format("run"))
)
def run_schedule(request: KeyRequest, response: HttpResponse, schedule: int) -> Any:
    """Runs a schedule now."""
    run = start_plan(get_object_or_404(Plan, pk=schedule), PlanRun.Cause.API, request.user)
    response["Location"] = f"/api/v1/schedule-runs/{run.pk}"
    return Status(202, show_run(run))


@router.get("/schedule-runs/{uuid:run}", response=ScheduleRunOut, **needs(READ))
def get_schedule_run(request: KeyRequest, run: uuid.UUID) -> Any:
    """A run with its steps."""
    return show_run(get_object_or_404(PlanRun, pk=run))


@router.delete("/schedules/{id:schedule}", response={204: None}, **needs(WRITE, PERMISSION.format("delete")))
def remove_schedule(request: KeyRequest, schedule: int) -> Any:
    """Deletes a schedule; what its runs made stays."""
    delete_plan(get_object_or_404(Plan, pk=schedule), request.user)
    return Status(204, None)


def save_plan(request: KeyRequest, body: ScheduleIn, plan: Plan) -> dict[str, Any]:
    """Saves what the body says by the form of the page."""
    more = {"at": f"{body.at:%H:%M}", "mail_to": ", ".join(body.mail_to)}
    data = encode_form(body.dict(exclude={"dataset"}) | more)
    form = PlanForm(plan.dataset, data, instance=plan)
    require_valid(form)
    return show_plan(form.save_plan(request.user))


def show_plan(plan: Plan) -> dict[str, Any]:
    """A schedule as programs see it."""
    names = ("id", "name", "trigger", "at", "time_zone", "retrain", "retrain_weeks", "budget", "makes_order")
    more = {"dataset": plan.dataset_id, "enabled": plan.is_enabled, "weekdays": plan.day_numbers}
    return pick(plan, *names, "mail_to", "next_at") | more


def show_run(run: PlanRun) -> dict[str, Any]:
    """A run with its steps."""
    names = ("state", "started_at", "ended_at")
    steps = [
        pick(step, *names) | {"step": step.kind, "text": step.sentence}
        for step in run.steps.order_by("place")
    ]
    facts = {"schedule": run.plan_id, "error": run.error_text, "steps": steps}
    return pick(run, "id", "stage", "cause", "created_at", "finished_at") | facts

"""Trainings: started, watched, ended early, stopped, repeated."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from ninja import Query

from forecastsite.api.access import KeyRequest, needs, router
from forecastsite.api.errors import require_valid
from forecastsite.api.forms import encode_form
from forecastsite.api.model_schemas import RowId, TrainingIn, TrainingOut
from forecastsite.api.paging import Page, Paging, page_newest
from forecastsite.api.routers.jobs import accept_job
from forecastsite.api.schemas import JobOut
from forecastsite.api.shapes import show_training
from registry.access.permissions import require
from training.config_form import KNOB_PREFIX
from training.forms import TrainForm
from training.models import TrainingRun
from training.queue import repeat_run

READ, WRITE = "training:read", "training:write"
START, STEER = "training.add_trainingrun", "training.change_trainingrun"


@router.get("/trainings", response=Page[TrainingOut], **needs(READ))
def list_trainings(
    request: KeyRequest,
    paging: Query[Paging],
    dataset: RowId | None = None,
    state: Literal["queued", "running", "done", "failed", "cancelled"] | None = None,
) -> Any:
    """Trainings, newest first."""
    rows = TrainingRun.objects.select_related("dataset_version")
    if dataset is not None:
        rows = rows.filter(dataset_version__dataset=dataset)
    return page_newest(rows.filter(state=state) if state else rows, paging, show_training)


@router.get("/trainings/{uuid:training}", response=TrainingOut, **needs(READ))
def get_training(request: KeyRequest, training: UUID) -> Any:
    """One training with its progress."""
    return show_training(find_training(training))


@router.post("/trainings", response={202: JobOut}, **needs(WRITE, START))
def start_training(request: KeyRequest, response: HttpResponse, body: TrainingIn) -> Any:
    """Queues a training on the newest sales of a dataset."""
    form = TrainForm(fill_form(body, str(request.once)))
    require_valid(form, form.knobs)
    return accept_job(response, form.enqueue_run(request.user))


def fill_form(body: TrainingIn, token: str) -> QueryDict:
    """The form of the page as this request fills it in."""
    given: dict[str, Any] = body.dict(exclude={"settings", "code", "budget"})
    given |= {"form_token": token, body.kind: body.code}
    given |= {f"{KNOB_PREFIX}-{name}": value for name, value in body.settings.items()}
    data = encode_form(given)
    data["budget"] = str(body.budget or TrainForm(data).suggested_budget)
    return data


@router.post("/trainings/{uuid:training}/cancel", response={202: JobOut}, **needs(WRITE))
def cancel_training(request: KeyRequest, response: HttpResponse, training: UUID) -> Any:
    """Stops a training; its progress is lost."""
    found = find_steerable(request, training)
    found.cancel(request.user)
    return accept_job(response, find_training(training))


@router.post("/trainings/{uuid:training}/finish", response={202: JobOut}, **needs(WRITE))
def finish_training(request: KeyRequest, response: HttpResponse, training: UUID) -> Any:
    """Ends learning early; the model as it is now is tested and saved."""
    found = find_steerable(request, training)
    found.finish_early(request.user)
    return accept_job(response, find_training(training))


@router.post("/trainings/{uuid:training}/repeat", response={202: JobOut}, **needs(WRITE, START))
def repeat_training(request: KeyRequest, response: HttpResponse, training: UUID) -> Any:
    """Queues a training with the same data, method and settings."""
    return accept_job(response, repeat_run(find_training(training), request.user, request.once))


def find_training(pk: UUID) -> TrainingRun:
    """The training with its dataset; 404 for an unknown one."""
    return get_object_or_404(TrainingRun.objects.select_related("dataset_version__dataset"), pk=pk)


def find_steerable(request: KeyRequest, pk: UUID) -> TrainingRun:
    """The training, if this person may stop it."""
    found = find_training(pk)
    require(found.may_steer(request.user), STEER)
    return found

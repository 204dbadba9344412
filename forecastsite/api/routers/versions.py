"""Model versions: read, put in use, rolled back, trained again, deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Status

from forecastsite.api.access import KeyRequest, needs, router
from forecastsite.api.model_schemas import ReasonIn, RowId, VersionOut
from forecastsite.api.paging import Page, Paging, page_newest
from forecastsite.api.routers.jobs import accept_job
from forecastsite.api.schemas import JobOut
from forecastsite.api.shapes import show_version
from registry.access.permissions import require
from registry.model_versions.models import ModelVersion
from training.queue import retrain_version
from training.successors import retrain_token

READ, WRITE, CHANGE = "models:read", "models:write", "registry.change_modelversion"


@router.get("/versions", response=Page[VersionOut], **needs(READ))
def list_versions(
    request: KeyRequest, paging: Query[Paging], dataset: RowId | None = None, in_use: bool | None = None
) -> Any:
    """Model versions, newest first."""
    rows = ModelVersion.objects.in_use() if in_use else ModelVersion.objects.ready()
    if dataset is not None:
        rows = rows.filter(model__dataset=dataset)
    return page_newest(rows.select_related("model__dataset"), paging, show_version)


@router.get("/versions/{uuid:version}", response=VersionOut, **needs(READ))
def get_version(request: KeyRequest, version: UUID) -> Any:
    """One model version."""
    return show_version(find_version(version))


@router.post("/versions/{uuid:version}/promote", response=VersionOut, **needs(WRITE, CHANGE))
def promote_version(request: KeyRequest, version: UUID, body: ReasonIn) -> Any:
    """Puts the version in use."""
    find_version(version).promote(body.reason, request.user)
    return show_version(find_version(version))


@router.post("/versions/{uuid:version}/roll-back", response=VersionOut, **needs(WRITE, CHANGE))
def roll_back_version(request: KeyRequest, version: UUID) -> Any:
    """Puts the version before this one back in use, once however often it is asked for."""
    found = find_version(version)
    return show_version(find_version(found.model.roll_back(found, request.user).pk))


@router.post(
    "/versions/{uuid:version}/retrain",
    response={202: JobOut},
    **needs("training:write", "training.add_trainingrun"),
)
def retrain(request: KeyRequest, response: HttpResponse, version: UUID) -> Any:
    """Queues a training with the settings of the version on the newest sales."""
    found = find_version(version)
    return accept_job(response, retrain_version(found, request.user, retrain_token(found)))


@router.delete("/versions/{uuid:version}", response={204: None}, **needs(WRITE))
def delete_version(request: KeyRequest, version: UUID) -> Any:
    """Deletes the version with its file and its forecasts."""
    found = get_object_or_404(ModelVersion, pk=version)
    require(found.may_delete(request.user), "registry.delete_modelversion")
    found.deletion_notice()  # raises where it must stay
    found.delete_with_files(by=request.user)
    return Status(204, None)


def find_version(pk: UUID) -> ModelVersion:
    """The ready version with its model; 404 for an unknown one."""
    rows = ModelVersion.objects.ready().select_related("model__dataset", "model__best")
    return get_object_or_404(rows, pk=pk)

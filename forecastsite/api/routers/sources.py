"""Sources: made, changed, switched, and files that programs send to them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from django.conf import settings
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Schema, Status
from pydantic import Field

from forecastsite.api.access import KeyRequest, needs, router
from forecastsite.api.documents import file_body
from forecastsite.api.errors import require_valid
from forecastsite.api.forms import encode_form
from forecastsite.api.paging import Page, Paging, page_newest
from forecastsite.api.schemas import EnabledIn, Name, Text
from forecastsite.api.shapes import pick
from registry.datasets.models import Dataset
from registry.datasets.sources.forms import SourceForm, delete_source, switch_source
from registry.datasets.sources.models import Source, SourceFile
from registry.datasets.sources.places import is_usable_name
from registry.datasets.sources.service import request_look
from registry.datasets.sources.taking import receive_file
from registry.lib.refusals import Problem

READ, WRITE, DATA = "automation:read", "automation:write", "data:write"
PERMISSION = "registry.{}_source"
CHUNK_BYTES = 1 << 20


class SourceIn(Schema):
    """A place where files arrive."""

    name: Name
    kind: Literal["sales", "stock", "terms"] = "sales"
    place: Literal["folder", "s3", "http"] = "http"
    address: Text = ""
    pattern: Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")] = "*"
    mode: Literal["add", "whole"] = "add"
    needs_marker: bool = False
    max_lost: float = Field(
        0, ge=0, le=100, description="Percent of the rows of a file that may be left out."
    )
    columns: dict[Text, Text] = Field({}, max_length=100, description="our column: that of the file")
    dates: Literal["", "ymd", "dmy", "mdy"] = ""
    decimal: Literal["", "point", "comma"] = ""


class NewSourceIn(SourceIn):
    """The same for a dataset."""

    dataset: int = Field(ge=0, le=2**63 - 1)


class SourceOut(Schema):
    """A source; `problem` says why its place cannot be read."""

    id: int
    dataset: int
    name: str
    kind: str
    place: str
    address: str
    pattern: str
    mode: str
    needs_marker: bool
    max_lost: float
    enabled: bool
    problem: str
    looked_at: dt.datetime | None


class SourceFileOut(Schema):
    """A file of a source: seen, taken, checked, saved, held or repeated; `reason` says why."""

    id: int
    name: str
    size: int
    sha256: str
    state: str
    reason: str
    rows: int
    seen_at: dt.datetime
    ended_at: dt.datetime | None


@router.get("/sources", response=Page[SourceOut], **needs(READ))
def list_sources(request: KeyRequest, paging: Query[Paging]) -> Any:
    """All sources."""
    return page_newest(Source.objects.all(), paging, show_source)


@router.post("/sources", response={201: SourceOut}, **needs(WRITE, PERMISSION.format("add")))
def create_source(request: KeyRequest, body: NewSourceIn) -> Any:
    """A new source of a dataset."""
    dataset = get_object_or_404(Dataset, pk=body.dataset)
    return Status(201, save_source(request, body, Source(dataset=dataset)))


@router.put("/sources/{id:source}", response=SourceOut, **needs(WRITE, PERMISSION.format("change")))
def put_source(request: KeyRequest, source: int, body: SourceIn) -> Any:
    """Changes a source."""
    return save_source(request, body, get_object_or_404(Source, pk=source))


@router.patch("/sources/{id:source}", response=SourceOut, **needs(WRITE, PERMISSION.format("run")))
def patch_source(request: KeyRequest, source: int, body: EnabledIn) -> Any:
    """Switches a source on or off."""
    found = get_object_or_404(Source, pk=source)
    switch_source(found, body.enabled, request.user)
    return show_source(found)


@router.post("/sources/{id:source}/look", response={202: SourceOut}, **needs(WRITE, PERMISSION.format("run")))
def look_at_source(request: KeyRequest, response: HttpResponse, source: int) -> Any:
    """Has a source looked at now."""
    found = get_object_or_404(Source, pk=source)
    request_look(found)
    response["Location"] = f"/api/v1/sources/{found.pk}/files"
    return Status(202, show_source(found))


@router.delete("/sources/{id:source}", response={204: None}, **needs(WRITE, PERMISSION.format("delete")))
def remove_source(request: KeyRequest, source: int) -> Any:
    """Deletes a source; sales that it brought stay."""
    delete_source(get_object_or_404(Source, pk=source), request.user)
    return Status(204, None)


@router.get("/sources/{id:source}/files", response=Page[SourceFileOut], **needs(READ))
def list_source_files(request: KeyRequest, source: int, paging: Query[Paging]) -> Any:
    """The files of a source, newest first."""
    found = get_object_or_404(Source, pk=source)
    rows = SourceFile.objects.filter(source=found).annotate(created_at=F("seen_at"))
    return page_newest(rows, paging, show_file)


@router.put(
    "/sources/{id:source}/files/{name}",
    response={202: SourceFileOut},
    **needs(DATA, "registry.add_datasetversion"),
    **file_body(),
)
def put_source_file(
    request: KeyRequest, response: HttpResponse, source: int, name: Annotated[str, Field(max_length=200)]
) -> Any:
    """Takes the body as a file; it is checked and saved, or held, within a minute."""
    found = get_object_or_404(Source.objects.select_related("dataset", "created_by"), pk=source)
    if not found.is_enabled:
        raise Problem(409, _("%(name)s is switched off.") % {"name": found})
    if not is_usable_name(name):
        raise Problem(422, _("This is no name of a file."))
    row = found.files.create(name=name, stamp=uuid.uuid4().hex)
    try:
        receive_file(row, read_body(request, row))
    except BaseException:
        row.delete()
        raise
    request_look(found)
    response["Location"] = f"/api/v1/sources/{found.pk}/files"
    return Status(202, show_file(row))


def read_body(request: KeyRequest, row: SourceFile) -> Iterator[bytes]:
    """The body in chunks; raises Problem for an empty or a too large one."""
    while chunk := request.read(CHUNK_BYTES):
        row.size += len(chunk)
        if row.size > settings.MAX_UPLOAD_MB << 20:
            raise Problem(413, _("At most %(most)d MB.") % {"most": settings.MAX_UPLOAD_MB})
        yield chunk
    if not row.size:
        raise Problem(422, _("The file is empty."))


def save_source(request: KeyRequest, body: SourceIn, source: Source) -> dict[str, Any]:
    """Saves what the body says by the form of the page."""
    columns = "\n".join(f"{ours}={theirs}" for ours, theirs in body.columns.items())
    data = encode_form(body.dict(exclude={"dataset"}) | {"columns": columns})
    form = SourceForm(source.dataset, data, instance=source)
    require_valid(form)
    saved = form.save_source(request.user)
    request_look(saved)
    return show_source(saved)


def show_source(source: Source) -> dict[str, Any]:
    """A source as programs see it."""
    names = ("id", "name", "kind", "place", "address", "pattern", "mode", "needs_marker", "max_lost")
    more = {"dataset": source.dataset_id, "enabled": source.is_enabled, "problem": source.problem_text}
    return pick(source, *names, "looked_at") | more


def show_file(row: SourceFile) -> dict[str, Any]:
    """A file of a source."""
    names = ("id", "name", "size", "sha256", "state", "rows", "seen_at", "ended_at")
    return pick(row, *names) | {"reason": row.reason_text}

"""Files of sales, stock and terms: the body is the file, and a faulty one changes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Schema, Status
from pydantic import Field

from forecastsite.api.access import KeyRequest, needs, router
from forecastsite.api.documents import file_body
from forecastsite.api.paging import Page, Paging, page_newest
from forecastsite.api.routers.jobs import accept_job
from forecastsite.api.schemas import CheckOut, ImportOut, JobOut, SavedRowsOut, StockOut, TermsOut, Text
from forecastsite.api.shapes import show_dataset, show_stock, show_terms
from forecastsite.api.tables import answer_table
from registry.datasets.importer import import_file, import_folder, inspect_file
from registry.datasets.importing.formats.readers import READERS
from registry.datasets.importing.options import ImportOptions
from registry.datasets.models import Dataset
from registry.datasets.stock.importer import import_stock, import_terms
from registry.datasets.stock.models import StockSnapshot, Terms
from registry.datasets.upload_jobs.models import UploadJob
from registry.datasets.uploads import Upload
from registry.lib.refusals import Problem
from registry.storage.artifacts import Artifact

IMPORT, STOCK = "registry.add_datasetversion", "registry.add_stocksnapshot"
SUFFIXES = {
    "text/csv": ".csv",
    "application/vnd.apache.parquet": ".parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/zip": ".zip",
}
CHUNK_BYTES = 1 << 20
Pair = Annotated[str, Field(max_length=300, pattern=r"^[^=\x00]+=[^\x00]+$")]


class Reading(Schema):
    """How a file is read, where it does not say so itself; as the options of `manage.py import_sales`."""

    filename: Text = Field("", description="Its name in messages; its end tells the format, such as .csv.gz.")
    map: list[Pair] = Field([], max_length=100, description="our column=that of the file, such as sales=qty")
    dates: Literal["", "ymd", "dmy", "mdy"] = ""
    decimal: Literal["", "point", "comma"] = ""
    encoding: Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9._-]*$")] = ""
    replace: bool = Field(False, description="What the file lacks is removed.")

    def build_options(self, **more: Any) -> ImportOptions:
        """The same for the importer."""
        pairs = dict(pair.partition("=")[::2] for pair in self.map)
        given = self.dict(include={"dates", "decimal", "encoding", "replace"})
        return ImportOptions(mapping=pairs, file=PurePath(self.filename).name[:200], **given, **more)


class SalesReading(Reading):
    """The same for sales."""

    on_problem: Literal["stop", "skip"] = Field("stop", description="skip: leave faulty rows out")
    country: Annotated[str, Field(pattern=r"^([A-Za-z]{2})?$")] = ""
    choose: list[Pair] = Field([], max_length=50, description="finding=action, such as duplicate=sum")

    def build_options(self, **more: Any) -> ImportOptions:
        """The same for the importer."""
        choices = dict(pair.partition("=")[::2] for pair in self.choose)
        return super().build_options(
            on_problem=self.on_problem, country=self.country, choices=choices, **more
        )


@contextmanager
def received_file(request: KeyRequest, reading: Reading) -> Iterator[Path]:
    """The body as a file of the type that its name or Content-Type tells; raises Problem."""
    suffix = PurePath(reading.filename).suffix.lower() or SUFFIXES.get(request.content_type or "", "")
    if suffix not in READERS:
        *most, last = READERS
        words = {"kinds": ", ".join(most), "last": last}
        raise Problem(415, _("Choose a %(kinds)s or %(last)s file.") % words)
    with import_folder() as folder:
        path, size = folder / f"file{suffix}", 0
        with path.open("wb") as stream:
            while chunk := request.read(CHUNK_BYTES):
                size += len(chunk)
                if size > settings.MAX_UPLOAD_MB << 20:
                    raise Problem(413, _("At most %(most)d MB.") % {"most": settings.MAX_UPLOAD_MB})
                stream.write(chunk)
        if not size:
            raise Problem(422, _("The file is empty."))
        yield path


def save_sales(
    request: KeyRequest, response: HttpResponse, name: str, reading: SalesReading, status: int = 200
) -> Any:
    """Imports the body into the dataset of that name; a large one by a job, with status 202."""
    earlier = Dataset.objects.filter(name=name).first()
    before = earlier.current_version if earlier else None
    with received_file(request, reading) as path:
        if Upload(suffix=path.suffix, size=path.stat().st_size).is_large:
            options = reading.build_options()
            about = {"file": options.file or path.name, "reading": asdict(options), "name": name.strip()}
            upload = Upload.objects.create_from_chunks(
                iter_chunks(path), path.suffix, dataset=earlier, created_by=request.user, **about
            )
            return accept_job(response, UploadJob.objects.start(upload, UploadJob.Task.IMPORT))
        version = import_file(path, name, None, reading.build_options(), request.user)
    dataset = Dataset.objects.get(pk=version.dataset_id)  # with its new current version
    facts: dict[str, Any] = {"dataset": show_dataset(dataset), "changed": version != before}
    return Status(status, facts | {"findings": version.findings if version != before else []})


def iter_chunks(path: Path) -> Iterator[bytes]:
    """The file in pieces."""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


@router.put(
    "/datasets/{id:dataset}/sales",
    response={200: ImportOut, 202: JobOut},
    **needs("data:write", IMPORT),
    **file_body(),
)
def import_sales(
    request: KeyRequest, response: HttpResponse, dataset: int, reading: Query[SalesReading]
) -> Any:
    """Adds sales: rows of the file take the place of those of the same day, store and product.

    A large file is imported by a job (202).
    """
    return save_sales(request, response, get_object_or_404(Dataset, pk=dataset).name, reading)


@router.post(
    "/datasets", response={201: ImportOut, 202: JobOut}, **needs("data:write", IMPORT), **file_body()
)
def create_dataset(
    request: KeyRequest,
    response: HttpResponse,
    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00]*$")],
    reading: Query[SalesReading],
) -> Any:
    """A new dataset with the sales of the body; a large file is imported by a job (202)."""
    if Dataset.objects.filter(name=name.strip()).exists():
        raise ValueError(_("Another dataset has this name."))
    return save_sales(request, response, name, reading, 201)


@router.post("/datasets/{id:dataset}/check", response=CheckOut, **needs("data:write", IMPORT), **file_body())
def check_sales(request: KeyRequest, dataset: int, reading: Query[SalesReading]) -> Any:
    """What importing the body would do; saves nothing."""
    owner = get_object_or_404(Dataset, pk=dataset)
    with received_file(request, reading) as path:
        report = inspect_file(path, path.parent, reading.build_options(), owner)
    return {"rows": report["rows"], "columns": report["mapping"], "findings": report["findings"]}


@router.put("/datasets/{id:dataset}/stock", response=StockOut, **needs("stock:write", STOCK), **file_body())
def put_stock(
    request: KeyRequest, dataset: int, reading: Query[Reading], as_of: dt.date | None = None
) -> Any:
    """Stock as it was counted; `as_of` is the day of a file without one."""
    owner = get_object_or_404(Dataset, pk=dataset)
    with received_file(request, reading) as path:
        return show_stock(import_stock(path, owner, reading.build_options(), as_of, request.user))


@router.get("/datasets/{id:dataset}/stock", response=Page[StockOut], **needs("stock:read"))
def list_stock(request: KeyRequest, dataset: int, paging: Query[Paging]) -> Any:
    """Stock as it was counted, the newest file first."""
    rows = StockSnapshot.objects.filter(
        dataset=get_object_or_404(Dataset, pk=dataset), state=Artifact.State.READY
    )
    return page_newest(rows, paging, show_stock)


@router.put(
    "/datasets/{id:dataset}/terms", response=SavedRowsOut, **needs("stock:write", STOCK), **file_body()
)
def put_terms(request: KeyRequest, dataset: int, reading: Query[Reading]) -> Any:
    """Terms: each row takes the place of the one for the same product, category or supplier."""
    owner = get_object_or_404(Dataset, pk=dataset)
    with received_file(request, reading) as path:
        return {"rows": import_terms(path, owner, reading.build_options(), request.user)}


@router.get("/datasets/{id:dataset}/terms", response=list[TermsOut], **needs("stock:read"))
def list_terms(request: KeyRequest, dataset: int) -> Any:
    """How products are ordered."""
    rows = Terms.objects.filter(dataset=get_object_or_404(Dataset, pk=dataset))

    def show_all() -> list[dict[str, Any]]:
        return [show_terms(row) for row in rows]

    return answer_table(request, "terms", show_all, show_all)

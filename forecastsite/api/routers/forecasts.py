"""Forecast runs and their rows; single forecasts."""

from __future__ import annotations

import io
from typing import IO, Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Status

from forecastsite.api.access import KeyRequest, needs, require_store, router
from forecastsite.api.errors import require_valid
from forecastsite.api.model_schemas import (
    ForecastIn,
    ForecastOut,
    ForecastRunIn,
    ForecastRunOut,
    ReasonIn,
    RowId,
)
from forecastsite.api.paging import Page, Paging, page_newest, page_offset
from forecastsite.api.routers.jobs import accept_job
from forecastsite.api.schemas import JobOut, Text
from forecastsite.api.shapes import show_forecast, show_forecast_run
from forecastsite.api.tables import CSV, JSON, PARQUET, choose_format
from prediction.forecast_page.forms import ForecastForm
from prediction.models import Forecast, ForecastRun
from prediction.runs.current import promote_run, roll_back
from prediction.runs.exports import open_table, stream_csv_parts
from registry.access.permissions import require
from registry.datasets.models import Dataset
from registry.lib.downloads import costly_download
from registry.lib.http import download_response
from registry.model_versions.in_use import version_in_use

READ, WRITE = "forecasts:read", "forecasts:write"
START, CHANGE = "prediction.add_forecastrun", "prediction.change_forecastrun"
RUN_ROWS = ForecastRun.objects.select_related("dataset_version__dataset", "version", "totals")
Wanted = dict[str, list[str]]  # codes by column


@router.get(
    "/datasets/{id:dataset}/forecast-runs", response=Page[ForecastRunOut], **needs(READ, stores="filtered")
)
def list_forecast_runs(request: KeyRequest, dataset: int, paging: Query[Paging]) -> Any:
    """The forecast runs of a dataset, newest first."""
    rows = RUN_ROWS.filter(dataset_version__dataset=get_object_or_404(Dataset, pk=dataset))
    return page_newest(rows.prefetch_related("current_rows"), paging, show_forecast_run)


@router.post("/datasets/{id:dataset}/forecast-runs", response={202: JobOut}, **needs(WRITE, START))
def start_forecast_run(request: KeyRequest, response: HttpResponse, dataset: int, body: ForecastRunIn) -> Any:
    """Queues a forecast of everything by the version in use on the newest sales."""
    owner = get_object_or_404(Dataset, pk=dataset)
    made = ForecastRun.objects.filter(pk=request.once).first()
    if made is None:
        made = queue_forecast_run(owner, body.horizon, request)
    return accept_job(response, made)


def queue_forecast_run(dataset: Dataset, horizon: int, request: KeyRequest) -> ForecastRun:
    """The queued run, with the id that a repeated request has, too."""
    version, sales = version_in_use(dataset), dataset.current_version
    if sales is None or version is None:
        raise ValueError(_("A forecast needs a trained model. Train one first."))
    run = ForecastRun(pk=request.once, version=version, dataset_version=sales, horizon=horizon)
    run.reason, run.created_by = ForecastRun.Reason.API, request.user
    return run.queue()


@router.get(
    "/datasets/{id:dataset}/forecast-runs/current", response=ForecastRunOut, **needs(READ, stores="filtered")
)
def get_current_run(request: KeyRequest, dataset: int) -> Any:
    """The current forecast run of a dataset."""
    return show_forecast_run(find_current(dataset))


@router.get("/datasets/{id:dataset}/forecast-runs/current/rows", **needs(READ, stores="filtered"))
def get_current_rows(
    request: KeyRequest, dataset: int, paging: Query[Paging], store: Text = "", product: Text = ""
) -> Any:
    """The rows of the current run: an address that a spreadsheet can refresh."""
    return answer_rows(request, find_current(dataset), paging, {"store_id": store, "product_id": product})


@router.get("/forecast-runs/{uuid:run}", response=ForecastRunOut, **needs(READ, stores="filtered"))
def get_forecast_run(request: KeyRequest, run: UUID) -> Any:
    """One forecast run."""
    return show_forecast_run(get_object_or_404(RUN_ROWS, pk=run))


@router.get("/forecast-runs/{uuid:run}/rows", **needs(READ, stores="filtered"))
def get_forecast_rows(
    request: KeyRequest, run: UUID, paging: Query[Paging], store: Text = "", product: Text = ""
) -> Any:
    """Days of all series: store_id, product_id, date, mean, q0.025 … q0.975, open and the plan."""
    found = get_object_or_404(RUN_ROWS, pk=run)
    return answer_rows(request, found, paging, {"store_id": store, "product_id": product})


@router.post("/forecast-runs/{uuid:run}/promote", response=ForecastRunOut, **needs(WRITE, CHANGE))
def promote_forecast_run(request: KeyRequest, run: UUID, body: ReasonIn) -> Any:
    """Makes it the current one until the version in use or the sales change."""
    promote_run(get_object_or_404(RUN_ROWS, pk=run), body.reason, request.user)
    return show_forecast_run(get_object_or_404(RUN_ROWS, pk=run))


@router.post("/forecast-runs/{uuid:run}/roll-back", response=ForecastRunOut, **needs(WRITE, CHANGE))
def roll_back_forecast_run(request: KeyRequest, run: UUID) -> Any:
    """Makes the run before this one the current one again."""
    return show_forecast_run(roll_back(get_object_or_404(RUN_ROWS, pk=run), request.user))


@router.delete("/forecast-runs/{uuid:run}", response={204: None}, **needs(WRITE))
def delete_forecast_run(request: KeyRequest, run: UUID) -> Any:
    """Deletes the run with its files."""
    found = get_object_or_404(RUN_ROWS, pk=run)
    if blocker := found.removal_blocker():
        raise ValueError(blocker)
    require(found.may_delete(request.user), "prediction.delete_forecastrun")
    found.remove(by=request.user)
    return Status(204, None)


def find_current(dataset: int) -> ForecastRun:
    """The current run of a dataset; 404 without one."""
    get_object_or_404(Dataset, pk=dataset)
    run = RUN_ROWS.filter(current_rows__dataset=dataset).first()
    if run is None:
        raise Http404
    return run


def answer_rows(
    request: KeyRequest, run: ForecastRun, paging: Paging, where: dict[str, str]
) -> dict[str, Any] | HttpResponseBase:
    """The rows as a page of JSON, CSV or parquet; raises ValueError for a run that is not done."""
    kind = choose_format(request, JSON, CSV, PARQUET)
    if not run.is_done:
        raise ValueError(_("This forecast is not finished."))
    wanted = {name: [code] for name, code in where.items() if code}
    if where["store_id"]:
        require_store(request, where["store_id"])
    elif request.api_key and request.api_key.stores:
        wanted["store_id"] = list(request.api_key.stores)
    if kind != JSON:
        return send_rows(request, run, wanted, kind)
    with open_table(run) as stream:
        table = read_rows(pq.ParquetFile(stream), wanted)
    places, following = page_offset(table.num_rows, paging)
    rows = table.slice(places.start, len(places)).to_pylist()
    items = [{key: plain(value) for key, value in row.items()} for row in rows]
    return {"items": items, "next": following}


@costly_download
def send_rows(request: KeyRequest, run: ForecastRun, wanted: Wanted, kind: str) -> HttpResponseBase:
    """All rows, or those of some stores and products, as a file."""
    stream: IO[bytes] = open_table(run)
    if wanted:
        with stream:
            buffer = io.BytesIO()
            pq.write_table(read_rows(pq.ParquetFile(stream), wanted), buffer)
        stream = io.BytesIO(buffer.getvalue())
    name = f"forecast_{run.version.name}_{run.origin}.{kind}"
    return download_response(stream if kind == PARQUET else stream_csv_parts(stream), name)


def read_rows(file: pq.ParquetFile, wanted: Wanted) -> pa.Table:
    """The rows of these stores and products, and nothing of others: no codes, no facts of the run."""
    batches = []
    for batch in file.iter_batches(100_000, use_threads=False):
        found = pa.Table.from_batches([batch])
        for column, codes in wanted.items():
            found = found.filter(pc.is_in(found[column], pa.array(codes, pa.string())))
        batches.append(found)
    table = pa.concat_tables(batches) if batches else file.schema_arrow.empty_table()
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table[place].cast(pa.string()).dictionary_encode())
    return table.replace_schema_metadata()


def plain(value: Any) -> Any:
    """Numbers with as many digits as pages show."""
    return round(value, 4) if isinstance(value, float) else value


@router.get("/forecasts", response=Page[ForecastOut], **needs(READ))
def list_forecasts(request: KeyRequest, paging: Query[Paging], dataset: RowId | None = None) -> Any:
    """Saved forecasts, newest first."""
    rows = Forecast.objects.ready().by_people().select_related("dataset_version")
    if dataset is not None:
        rows = rows.filter(dataset_version__dataset=dataset)
    return page_newest(rows, paging, show_forecast)


@router.post(
    "/forecasts", response={201: ForecastOut}, **needs(WRITE, "prediction.add_forecast", stores="filtered")
)
def make_forecast(request: KeyRequest, body: ForecastIn) -> Any:
    """Forecasts a product, a store or a total now, and saves it."""
    require_store(request, body.store)
    dataset = get_object_or_404(Dataset, pk=body.dataset)
    given = {name: str(value) for name, value in body.dict(exclude_none=True).items()}
    form = ForecastForm(dataset, {**given, "token": str(request.once)})
    require_valid(form)
    made = form.save_forecast(request.user)
    return Status(201, show_forecast(made) | {"days": show_days(made)})


@router.get("/forecasts/{uuid:forecast}", response=ForecastOut, **needs(READ, stores="filtered"))
def get_forecast(request: KeyRequest, forecast: UUID) -> Any:
    """A saved forecast with its days."""
    found = get_object_or_404(Forecast.objects.ready().select_related("dataset_version"), pk=forecast)
    require_store(request, found.store)
    return show_forecast(found) | {"days": show_days(found)}


@router.delete("/forecasts/{uuid:forecast}", response={204: None}, **needs(WRITE))
def delete_forecast(request: KeyRequest, forecast: UUID) -> Any:
    """Deletes the forecast with its file."""
    found = get_object_or_404(Forecast, pk=forecast)
    require(found.may_delete(request.user), "prediction.delete_forecast")
    found.deletion_notice()
    found.remove(by=request.user)
    return Status(204, None)


def show_days(forecast: Forecast) -> list[dict[str, Any]]:
    """Each day ahead: date, mean, q0.025 … q0.975, promo, closed; raises CorruptArtifact."""
    content = forecast.fresh_content or forecast.load_content()
    return [day.to_json() for day in content.forecast]

"""Long work: a request that starts it is answered at once with a job to ask for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from ninja import Status

from forecastsite.api.access import KeyRequest, needs, router
from forecastsite.api.schemas import JobOut
from forecastsite.api.shapes import JobRow, show_job
from prediction.models import ForecastRun, OrderRun
from prediction.order_backtests.models import OrderBacktest
from registry.datasets.upload_jobs.models import UploadJob
from training.models import TrainingRun

KINDS: tuple[tuple[type[Any], str], ...] = (
    (TrainingRun, "training"),
    (ForecastRun, "forecasts"),
    (OrderRun, "orders"),
    (OrderBacktest, "orders"),
    (UploadJob, "data"),
)


@router.get("/jobs/{uuid:job}", response=JobOut, **needs("", stores="filtered"))
def get_job(request: KeyRequest, job: UUID) -> Any:
    """State of long work; ask every few seconds until it is done, failed or cancelled."""
    for kind, scope in KINDS:
        row = kind._default_manager.filter(pk=job).first()
        if row is not None:
            if request.api_key and not {f"{scope}:read", f"{scope}:write"} & set(request.api_key.scopes):
                raise PermissionDenied(_("This key lacks the scope %(scope)s.") % {"scope": f"{scope}:read"})
            return show_job(row)
    raise Http404


def accept_job(response: HttpResponse, row: JobRow) -> Any:
    """Status 202 with the job and where to ask for it."""
    response["Location"] = f"/api/v1/jobs/{row.pk}"
    return Status(202, show_job(row))

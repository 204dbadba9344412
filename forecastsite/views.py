"""Pages across all apps: overview, list of models, help, refusals."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe
from django_htmx.http import reswap, retarget

from forecastsite.help import READERS, find_own_reader, list_readers, render_help
from forecastsite.leaderboard import ModelFilterForm, build_export_table, group_by_scope, list_columns
from forecastsite.overview import overview_context
from registry.datasets.chosen import chosen_dataset
from registry.lib import export
from registry.lib.http import HtmxRequest

PER_PAGE = 25
MAX_FAILED_RUNS = 10  # failed trainings below the list of models


@require_safe
def overview_page(request: HtmxRequest) -> HttpResponse:
    """The overview of the dataset; on a new installation the first steps."""
    return render(request, "overview.html", overview_context(chosen_dataset(request), request.user))


@require_safe
def model_list(request: HttpRequest) -> HttpResponse:
    """The dataset's versions, ranked inside each scope, and its failed trainings; also as CSV and Excel."""
    filters = ModelFilterForm(chosen_dataset(request), request.GET)
    versions, failed_runs = filters.list_versions(), filters.list_failed_runs()
    if (kind := request.GET.get("export")) in export.EXPORT_FORMATS:
        return export.export_table("models", kind, build_export_table(versions, failed_runs))
    page = Paginator(versions, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "filters": filters,
        "columns": list_columns(filters.sort),
        "page": page,
        "scopes": group_by_scope(page.object_list),
        "failed_runs": failed_runs[:MAX_FAILED_RUNS],
        "failed_count": failed_runs.count(),
    }
    return render(request, "model_versions/list.html", context)


def permission_denied(request: HtmxRequest, exception: Exception) -> HttpResponse:
    """A page, or for htmx requests a message, that names the role needed."""
    if not request.htmx:
        return render(request, "403.html", {"exception": str(exception)}, status=403)
    messages.error(request, str(exception))
    response = render(request, "partials/messages.html", status=403)
    return reswap(retarget(response, "#messages"), "outerHTML")


@require_safe
def help_page(request: HttpRequest, who: str = "") -> HttpResponse:
    """A help page, in English if it has no translation; without a reader that of the person's own work."""
    who = who or find_own_reader(request.user)
    if who not in READERS:
        raise Http404
    context = {
        "who": who,
        "readers": list_readers(request.user, who),
        "content": render_help(who, get_language() or "en"),
    }
    return render(request, "help.html", context)

"""The accuracy page: how far forecasts were off when the sales came."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from prediction.accuracy.alerts import change_alert
from prediction.accuracy.groups import STORES
from prediction.accuracy.models import AccuracyAlert
from prediction.accuracy.page import find_since, page_context
from prediction.accuracy.reading import ErrorSums, Group, load_rows
from prediction.accuracy.wording import alert_sentence, lag_title, name_group
from prediction.accuracy.worst import MissedSeries, list_worst
from prediction.runs.views import signed_in_user
from registry.access.permissions import permission_required
from registry.datasets.chosen import chosen_dataset
from registry.datasets.models import Dataset
from registry.datasets.names import load_names
from registry.lib.export import EXPORT_FORMATS, export_table
from registry.lib.request_values import clean_text, read_text
from registry.lib.tables import Column, Table
from registry.model_versions.in_use import version_in_use
from registry.storage.artifacts import CorruptArtifact
from registry.templatetags.pages import forecast_url

MAX_GROUP = 300
CHANGE_ALERT = "prediction.change_accuracyalert"


@require_safe
def accuracy_page(request: HttpRequest) -> HttpResponse:
    """The errors of all runs of the dataset by week, lag and group; also as CSV and Excel."""
    dataset = chosen_dataset(request)
    if dataset is None:
        return render(request, "prediction/accuracy.html")
    column, _colon, value = clean_text(request.GET.get("of", ""), MAX_GROUP).partition(":")
    group, week = Group(column, value), read_week(request.GET.get("week", ""))
    if (kind := request.GET.get("export")) in EXPORT_FORMATS:
        return export_table("accuracy", kind, accuracy_table(dataset, group))
    by = read_text(request.GET, "by") or STORES
    context = page_context(dataset, group, by, week)
    if context:
        context |= {"worst": list_rows(dataset, group, week), "group": name_group(dataset, group)}
        context |= {"alerts": list_alerts(dataset), "in_use": version_in_use(dataset), "by": by}
    return render(request, "prediction/accuracy.html", context)


@require_POST
@permission_required(CHANGE_ALERT)
def alert_state(request: HttpRequest, pk: int, state: str) -> HttpResponse:
    """Acknowledges or closes an alert."""
    alert = get_object_or_404(AccuracyAlert, pk=pk)
    if state not in (AccuracyAlert.State.ACKNOWLEDGED, AccuracyAlert.State.CLOSED):
        raise Http404
    change_alert(alert, state, signed_in_user(request))
    messages.success(request, _("The alert is %(state)s.") % {"state": AccuracyAlert.State(state).label})
    return redirect("accuracy")


def list_alerts(dataset: Dataset) -> list[dict[str, Any]]:
    """The alerts that are not closed, with their sentences."""
    found = AccuracyAlert.objects.filter(dataset=dataset).exclude(state=AccuracyAlert.State.CLOSED)
    return [{"alert": alert, "sentence": alert_sentence(alert, dataset)} for alert in found]


def read_week(text: str) -> date | None:
    """The Monday of an address; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def list_rows(dataset: Dataset, group: Group, week: date | None) -> list[dict[str, Any]]:
    """The worst series as the page shows them; none if a file is damaged."""
    try:
        found: list[MissedSeries] = list_worst(dataset, group, week)
    except CorruptArtifact:
        return []
    names = load_names(dataset.current_version) if found and dataset.current_version else None
    return [
        {
            "series": row,
            "address": forecast_url(store=row.store, product=row.product, horizon=28),
            "labels": (names.format_product(row.product), names.format_store(row.store)) if names else (),
        }
        for row in found
    ]


def accuracy_table(dataset: Dataset, group: Group) -> Table:
    """The metrics by week and lag."""
    titles = [_("Week from"), _("Days ahead"), _("Days compared"), _("Units sold")]
    titles += [_("Error"), _("Bias"), "MASE", _("vs. repeating last week")]
    kinds = ("day", "text", "count", "units", "share", "share", "units", "share")
    rows = load_rows(dataset, ("week", "lag"), find_since(dataset), group, kind="day")
    found = []
    for row in sorted(rows, key=lambda one: (one["week"], one["lag"])):
        sums = ErrorSums.add_up([row])
        numbers = (sums.count, sums.units, sums.wape, sums.bias, sums.mase, sums.skill)
        found.append((row["week"], lag_title(row["lag"]), *numbers))
    columns = [Column(title, kind) for title, kind in zip(titles, kinds, strict=True)]
    return Table(_("Accuracy"), columns, found)

"""The accuracy page: how far forecasts were off when the sales came."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from prediction.accuracy.groups import SIZE_LIMITS, SIZES, STORES
from prediction.accuracy.page import find_since, page_context
from prediction.accuracy.reading import ErrorSums, Group, load_rows
from prediction.accuracy.wording import group_title, lag_title, size_title
from prediction.accuracy.worst import MissedSeries, list_worst
from registry.datasets.chosen import chosen_dataset
from registry.datasets.models import Dataset
from registry.datasets.names import load_names
from registry.lib.export import EXPORT_FORMATS, export_table
from registry.lib.request_values import clean_text, read_text
from registry.lib.tables import Column, Table
from registry.storage.artifacts import CorruptArtifact
from registry.templatetags.pages import forecast_url

MAX_GROUP = 300


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
    context = page_context(dataset, group, read_text(request.GET, "by") or STORES, week)
    if context:
        context |= {"worst": list_rows(dataset, group, week), "group": name_group(dataset, group)}
        context["by"] = read_text(request.GET, "by") or STORES
    return render(request, "prediction/accuracy.html", context)


def read_week(text: str) -> date | None:
    """The Monday of an address; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def name_group(dataset: Dataset, group: Group) -> str:
    """The group in words; empty for everything."""
    if group == Group():
        return ""
    value = group.value or _("not given")
    if group.column == SIZES and group.value in map(str, range(len(SIZE_LIMITS) + 1)):
        value = size_title(group.value)
    if group.column == STORES and dataset.current_version:
        value = load_names(dataset.current_version).format_store(group.value)
    return _("%(level)s: %(value)s") % {"level": group_title(group.column), "value": value}


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
    titles = [_("Week from"), _("Days ahead"), _("Days"), _("Units sold")]
    titles += [_("Error"), _("Bias"), "MASE", _("Better than last week")]
    kinds = ("day", "text", "count", "units", "share", "share", "units", "share")
    rows = load_rows(dataset, ("week", "lag"), find_since(dataset), group, kind="day")
    found = []
    for row in sorted(rows, key=lambda one: (one["week"], one["lag"])):
        sums = ErrorSums.add_up([row])
        numbers = (sums.count, sums.units, sums.wape, sums.bias, sums.mase, sums.skill)
        found.append((row["week"], lag_title(row["lag"]), *numbers))
    columns = [Column(title, kind) for title, kind in zip(titles, kinds, strict=True)]
    return Table(_("Accuracy"), columns, found)

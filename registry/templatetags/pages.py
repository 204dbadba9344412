"""Tags and filters of every page."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import urlencode

from django import template
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop

from registry import labels
from registry.access.permissions import Person, role_names
from registry.datasets import finding_text, levels
from registry.datasets.models import DatasetVersion
from registry.datasets.names import ItemNames, load_names
from registry.datasets.summary_text import summary_facts
from registry.lib import formatting
from registry.model_versions.metric_labels import LABEL_BY_METRIC, MetricLabel, missing_error_reason
from registry.series.levels import LevelValue
from registry.storage.tombstones import rule_text

register = template.Library()

FILTERS: dict[str, Callable[..., Any]] = {
    "units": formatting.format_units,
    "signed_units": formatting.format_signed_units,
    "units_range": formatting.format_units_range,
    "whole_number": formatting.format_whole_number,
    "percent": formatting.format_percent,
    "points": formatting.format_points,
    "decimal": formatting.format_decimal,
    "bias_text": formatting.bias_text,
    "gain_text": formatting.gain_text,
    "change_text": formatting.change_text,
    "fixed": formatting.format_fixed,
    "duration": formatting.format_duration,
    "last_year_text": formatting.last_year_text,
    "day": formatting.format_day,
    "weekday_date": formatting.weekday_date,
    "machine_number": formatting.machine_number,
    "skill_score": labels.skill_score,
    "interval_coverage": labels.interval_coverage,
    "role_names": role_names,
    "scope_text": labels.scope_text,
    "version_title": labels.version_title,
    "with_name": labels.with_name,
    "forecast_label": labels.forecast_label,
    "forecast_title": labels.forecast_title,
    "algorithm_label": labels.algorithm_label,
    "run_title": labels.run_title,
    "event_text": labels.event_text,
    "choice_text": labels.describe_choice,
    "skipped_text": labels.describe_skipped,
    "finding_title": labels.finding_title,
    "action_text": labels.action_text,
    "column_label": labels.column_label,
    "covariate_role_label": labels.covariate_role_label,
    "date_order_label": labels.date_order_label,
    "layout_label": labels.layout_label,
    "side_label": labels.side_label,
    "level_label": levels.level_label,
    "value_label": levels.value_label,
    "examples_text": labels.examples_text,
    "metric_value": labels.metric_value,
    "missing_error_reason": missing_error_reason,
    "rule_text": rule_text,
    "table_label": labels.table_label,
    "count_text": finding_text.count_text,
    "done_text": labels.done_text,
    "series_count_text": finding_text.series_count_text,
    "effect_text": finding_text.effect_text,
    "example_text": labels.example_text,
    "span_text": finding_text.span_text,
    "spot_box": finding_text.spot_box,
    "summary_facts": summary_facts,
}
for name, function in FILTERS.items():
    register.filter(name, function)
register.simple_tag(formatting.sparkline_points)
register.simple_tag(labels.training_steps)

TIP_NUMBERS = count()
SECTIONS = {
    "dataset": "data",
    "upload": "data",
    "catalogue": "data",
    **dict.fromkeys(("automation", "source", "plan", "planrun"), "data"),
    "run": "train",
    "queue": "train",
    "override": "products",
    "overrides": "products",
    "scorecard": "accuracy",
    "scenario": "forecast",
    "scenarios": "forecast",
    "model": "models",
}
LISTS = {  # by the first part of an address
    "data": ("data", gettext_noop("Data")),
    "automation": ("automation", gettext_noop("Automation")),
    "models": ("models", gettext_noop("Models")),
    "forecasts": ("history", gettext_noop("Forecast history")),
    "orders": ("orders", gettext_noop("Orders")),
    "plans": ("scenarios", gettext_noop("Plans")),
    "runs": ("queue", gettext_noop("Queue")),
    "help": ("help", gettext_noop("Help")),
}


@register.simple_tag(takes_context=True)
def nav_section(context: RequestContext) -> str:
    """The entry of the navigation that this page belongs to."""
    match = context["request"].resolver_match if "request" in context else None
    name = (match.url_name or "").split("-")[0] if match else ""
    return SECTIONS.get(name, name)


@register.simple_tag(takes_context=True)
def list_link(context: RequestContext) -> dict[str, str] | None:
    """The list that an address without a page would belong to."""
    path = context["request"].path_info if "request" in context else ""
    name, label = LISTS.get(path.strip("/").split("/")[0], ("", ""))
    return {"address": reverse(name), "label": gettext(label)} if name else None


@register.filter
def may_delete(row: Any, user: Person) -> bool:
    """Whether the page offers it."""
    return bool(row.may_delete(user))


@register.simple_tag
def dataset_names(version: DatasetVersion | None) -> ItemNames:
    """What the codes of a dataset's version are called."""
    return load_names(version) if version else ItemNames()


@register.filter
def get_item(table: dict[str, Any], key: str) -> Any:
    """A value of a dict whose key no template syntax can name ("q0.1")."""
    return table.get(key)


@register.simple_tag
def metric_label(key: str) -> MetricLabel:
    """What a number of a test is called and says, for headings with an explanation."""
    return LABEL_BY_METRIC[key]


@register.inclusion_tag("partials/tip.html")
def metric_tip(metric: MetricLabel | str, label: str = "") -> dict[str, Any]:
    """A metric by its label (or another word) as a button that opens its explanation.

    Each gets an id of its own: a page may explain the same metric twice.
    """
    found = LABEL_BY_METRIC[metric] if isinstance(metric, str) else metric
    tip_id = f"tip-{found.key.replace('.', '-')}-{next(TIP_NUMBERS)}"
    return {"metric": found, "label": label or found.label, "id": tip_id}


@register.filter
def repeat_url(run: Any) -> str:
    """The address of the training form filled in as for this run."""
    query = {"dataset": run.dataset_version.dataset_id, "kind": run.kind, run.kind: run.code}
    query |= {"algorithm": run.algorithm, "horizon": run.horizon}
    return f"{reverse('train')}?{urlencode({name: value for name, value in query.items() if value})}"


@register.simple_tag
def part_url(forecast: Any, side: str, code: str, column: str | None = None) -> str:
    """The address that shows a part of this forecast: the same version and days, one code or one group.

    `side`: stores or products. `column`: of the level whose value `code` is.
    """
    asked = forecast.selection
    question = {"store": asked.store, "product": asked.product, "level": [str(one) for one in asked.levels]}
    if column:
        question["level"] = [*question["level"], str(LevelValue(column, code))]
    else:
        question["store" if side == "stores" else "product"] = code
    return forecast_url(version=forecast.version_id, horizon=forecast.horizon, **question)


@register.simple_tag
def forecast_url(**question: Any) -> str:
    """The address that computes and shows a forecast without saving it.

    Without a `version` the one in use is taken, without `store` and `product` all of them. `level`: a list.
    """
    given = {name: value for name, value in question.items() if value}
    return f"{reverse('forecast')}?{urlencode(given, doseq=True)}"


@register.filter
def group_texts(forecast: Any) -> list[str]:
    """The groups of a forecast as an address names them."""
    return [str(group) for group in forecast.selection.levels]

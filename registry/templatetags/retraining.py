"""Tags about versions that have not learned the newest sales."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import RequestContext

from registry.datasets.models import Dataset
from registry.model_versions.models import ModelVersion
from registry.model_versions.staleness import count_newer_days, list_stale_in_use

register = template.Library()
register.filter("newer_days", count_newer_days)


@register.inclusion_tag("model_versions/_retrain.html", takes_context=True)
def retrain_card(context: RequestContext, dataset: Dataset | None) -> dict[str, Any]:
    """A card that offers to train what is in use on the newest sales; empty if it knows them."""
    stale = list_stale_in_use(dataset) if dataset else []
    return {**pass_on(context), "dataset": dataset, "stale": stale}


@register.inclusion_tag("model_versions/_retrain_button.html", takes_context=True)
def retrain_button(context: RequestContext, version: ModelVersion) -> dict[str, Any]:
    """A button that trains the version's settings on the newest sales, for people who may train."""
    return {**pass_on(context), "version": version}


@register.inclusion_tag("model_versions/_stale_badge.html")
def stale_badge(version: ModelVersion) -> dict[str, Any]:
    """A badge on a version that learned before the newest sales."""
    return {"days": count_newer_days(version)}


def pass_on(context: RequestContext) -> dict[str, Any]:
    """What a form in an included template needs."""
    return {name: context.get(name) for name in ("request", "csrf_token", "perms", "user")}

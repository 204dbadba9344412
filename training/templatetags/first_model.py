"""What pages say that need a model while there is none."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import RequestContext

from registry.datasets.models import Dataset
from training.models import TrainingRun

register = template.Library()


@register.inclusion_tag("training/_first_model.html", takes_context=True)
def first_model(context: RequestContext, dataset: Dataset | None) -> dict[str, Any]:
    """The training that goes on with the dataset, or a button that leads to one."""
    ended = TrainingRun.ENDED_STATES
    going_on = TrainingRun.objects.filter(dataset_version__dataset=dataset).exclude(state__in=ended)
    return {"run": going_on.order_by("created_at").first(), "perms": context.get("perms")}

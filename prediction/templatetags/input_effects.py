"""The tag that shows on a version's page what its inputs do."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import RequestContext

from prediction.explanations.models import InputEffects
from prediction.explanations.wording import list_directions, list_shares
from registry.model_versions.models import ModelVersion

register = template.Library()


@register.inclusion_tag("model_versions/_input_effects.html", takes_context=True)
def input_effects(context: RequestContext, version: ModelVersion) -> dict[str, Any]:
    """What each input does in the test windows, and whether the version is fit for trying plans."""
    row = InputEffects.find(version)
    shown: dict[str, Any] = {
        "request": context.get("request"),
        "due": row.is_due,
        "problem": row.problem_text,
    }
    if row.content is None:
        return shown
    shares, directions = list_shares(row.content["shares"]), list_directions(row.content["directions"])
    return {**shown, "content": row.content, "shares": shares, "directions": directions}

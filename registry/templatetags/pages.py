"""Tags and filters of every page."""

from __future__ import annotations

from itertools import count
from typing import Any

from django import template
from django.template.context import RequestContext

from registry import labels
from registry.access.permissions import Person
from registry.datasets.models import DatasetVersion
from registry.datasets.names import Names, names_of
from registry.lib import formatting
from registry.model_versions.metric_labels import HEADINGS, Measure
from registry.storage.tombstones import rule_text

register = template.Library()

FILTERS = (
    formatting.units,
    formatting.whole,
    formatting.percent,
    formatting.decimal,
    formatting.lean,
    formatting.change,
    formatting.fixed,
    formatting.duration,
    formatting.than_last_year,
    formatting.day,
    formatting.unlocal,
    labels.gain,
    labels.coverage,
    labels.scope_text,
    labels.named,
    labels.what,
    labels.method,
    labels.told,
    labels.said,
    labels.finding_title,
    labels.action_text,
    rule_text,
)
for function in FILTERS:
    register.filter(function)
register.simple_tag(formatting.spark)
register.simple_tag(labels.steps)

TIPS = count()


SECTIONS = {
    "dataset": "data",
    "upload": "data",
    "catalogue": "data",
    "run": "train",
    "queue": "train",
    "model": "models",
}


@register.simple_tag(takes_context=True)
def section(context: RequestContext) -> str:
    """The entry of the navigation that this page belongs to."""
    match = context["request"].resolver_match if "request" in context else None
    name = (match.url_name or "").split("-")[0] if match else ""
    return SECTIONS.get(name, name)


@register.filter
def may_delete(row: Any, user: Person) -> bool:
    """Whether the page offers it."""
    return bool(row.may_delete(user))


@register.simple_tag
def names(version: DatasetVersion | None) -> Names:
    """What the codes of a dataset's version are called."""
    return names_of(version) if version else Names()


@register.filter
def at(table: dict[str, Any], key: str) -> Any:
    """A value of a dict whose key no template syntax can name ("q0.1")."""
    return table.get(key)


@register.simple_tag
def measure(key: str) -> Measure:
    """What a number of a test is called and says, for headings with an explanation."""
    return HEADINGS[key]


@register.simple_tag
def tip(measure: Measure) -> str:
    """An id for the explanation: the same measure may be explained twice on a page, ids may not."""
    return f"tip-{measure.key.replace('.', '-')}-{next(TIPS)}"

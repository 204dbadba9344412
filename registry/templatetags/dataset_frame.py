"""Tags of the header: the chooser of the dataset, and addresses that belong to no dataset."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import RequestContext
from django.urls import NoReverseMatch

from registry.datasets.addresses import dataset_prefix, reverse_on_site
from registry.datasets.chosen import chosen_dataset
from registry.datasets.models import Dataset
from registry.templatetags.pages import nav_section

register = template.Library()
register.simple_tag(reverse_on_site, name="site_url")


@register.inclusion_tag("partials/chooser.html", takes_context=True)
def dataset_chooser(context: RequestContext) -> dict[str, Any]:
    """The dataset of this page, and the others with the address of the same page there."""
    current = chosen_dataset(context["request"])
    page = page_without_row(context)
    choices = [
        {"name": name, "address": dataset_prefix(number) + page, "is_current": number == current.pk}
        for number, name in (Dataset.objects.values_list("pk", "name") if current else [])
        if current
    ]
    return {"current": current, "choices": choices}


def page_without_row(context: RequestContext) -> str:
    """The address of this page, or of the list that it belongs to, without the slash in front."""
    try:
        return reverse_on_site(nav_section(context)).removeprefix("/")
    except NoReverseMatch:
        return ""

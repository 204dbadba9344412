"""Autocomplete of stores and products: one form field and one search for every form."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from itertools import islice
from typing import Any

from django import forms
from django.db.models import Case, Q, Value, When
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.text import format_lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from registry.datasets.catalog import Item
from registry.datasets.levels import group_label, read_levels, search_groups
from registry.datasets.models import Dataset, DatasetVersion, list_codes
from registry.datasets.names import load_names
from registry.lib.formatting import format_whole_number
from registry.lib.request_values import read_id, read_text
from registry.model_versions.comparison import selected_versions
from registry.model_versions.models import known_codes
from registry.series.levels import Side
from registry.storage.artifacts import CorruptArtifact

SIDES: dict[str, Side] = {"store": "stores", "product": "products"}
MAX_SUGGESTIONS = 12  # suggestions in a list, few enough to read
MAX_GROUPS = 4  # groups among the suggestions
MAX_SIMILAR = 3  # codes in an error message
MIN_LIKENESS = 0.6  # of a misspelled name and the right one, from 0 to 1


def make_code_field(kind: str, label: Any, source: str, **options: Any) -> forms.CharField:
    """A text field that suggests stores or products of the dataset or version in the field `source`.

    Without JavaScript it is a plain text field that accepts a code or a name. With `groups` it suggests the
    levels of these, too.
    """
    address = reverse_lazy("suggest", args=[kind])
    attributes = {
        "autocomplete": "off",
        "spellcheck": "false",
        "placeholder": options.pop("placeholder", ""),
        "data-suggest": f"{kind}-options",
        "hx-get": format_lazy("{}?groups=1", address) if options.pop("groups", False) else address,
        "hx-trigger": "input changed delay:120ms, suggest",
        "hx-include": f"#id_{source}",
        "hx-target": f"#{kind}-options",
        "hx-swap": "innerHTML",
        "hx-sync": "this:replace",
    }
    widget = forms.TextInput(attributes)
    return forms.CharField(label=label, required=False, max_length=300, widget=widget, **options)


def search_catalog(version: DatasetVersion, kind: str, words: str, known: Collection[str]) -> list[Item]:
    """Matches: the exact code first, then codes and names with this prefix, then bestsellers."""
    likeness = Case(
        When(code__iexact=words, then=Value(0)),
        When(code__istartswith=words, then=Value(1)),
        When(name__istartswith=words, then=Value(2)),
        default=Value(3),
    )
    items = Item.objects.filter(dataset=version.dataset_id, kind=kind).search(words)
    items = items.order_by(*([likeness] if words else []), "-total", "code")
    fitting = (item for item in items.defer("weeks").iterator() if item.code in known)
    return list(islice(fitting, MAX_SUGGESTIONS + 1))


def resolve_code(version: DatasetVersion, kind: str, typed: str) -> str:
    """The code for a typed code, name or suggestion; the text itself if nothing matches."""
    codes = list_codes(version, kind)
    if typed in codes:
        return typed
    alike = [code for code in codes if code.casefold() == typed.casefold()]
    return alike[0] if len(alike) == 1 else load_names(version).resolve_code(kind, typed)


def match_codes(version: DatasetVersion, kind: str, typed: str) -> list[str]:
    """What a typed text can mean: the code or name itself, else all whose code or name holds its words."""
    code, codes = resolve_code(version, kind, typed), set(list_codes(version, kind))
    if code in codes:
        return [code]
    return [item.code for item in search_catalog(version, kind, typed[:100], codes)]


def similar_codes(version: DatasetVersion, kind: str, typed: str, known: list[str]) -> str:
    """Up to three codes with names for an error message, similar ones if there are any."""
    names = load_names(version)
    items = search_catalog(version, kind, typed[:100], set(known))[:MAX_SIMILAR]
    codes = [item.code for item in items] or find_misspelled(version, kind, typed, known) or known[:3]
    return ", ".join(names.format_series(**{"store": "", "product": "", kind: code}) for code in codes)


def find_misspelled(version: DatasetVersion, kind: str, typed: str, known: Collection[str]) -> list[str]:
    """Up to three codes whose code, name or first word of the name is written much like the text."""
    names = load_names(version)
    table = names.products if kind == "product" else names.stores
    spellings: dict[str, str] = {}
    for code in known:
        name = table.get(code, "").casefold()
        for spelling in (code.casefold(), name, *name.split(maxsplit=1)[:1]):
            spellings.setdefault(spelling, code)
    close = get_close_matches(typed[:100].casefold(), spellings, MAX_SIMILAR, MIN_LIKENESS)
    return list(dict.fromkeys(spellings[spelling] for spelling in close))


def find_elsewhere(dataset: Dataset, kind: str, typed: str) -> Item | None:
    """The store or product of that code or name in another dataset that has a model in use."""
    is_exact = Q(code__iexact=typed) | Q(name__iexact=typed)
    others = Item.objects.filter(kind=kind, dataset__models__best__isnull=False).exclude(dataset=dataset)
    likeness = Case(When(is_exact, then=Value(0)), default=Value(1))
    return others.search(typed).select_related("dataset").order_by(likeness, "-total").first()


@require_safe
def suggest_codes(request: HttpRequest, kind: str) -> HttpResponse:
    """Suggestions for the text in a form field, from its dataset or its model version."""
    if kind not in ("store", "product"):
        raise Http404
    version, known = find_source(request.GET, kind)
    words = read_text(request.GET, kind)
    items = search_catalog(version, kind, words, set(known)) if version else []
    groups = suggest_groups(version, kind, words) if version and "groups" in request.GET else []
    is_more = len(items) > MAX_SUGGESTIONS or len(groups) > MAX_GROUPS
    context = {"kind": kind, "items": items[:MAX_SUGGESTIONS], "groups": groups[:MAX_GROUPS], "more": is_more}
    return render(request, "partials/suggestions.html", context)


def suggest_groups(version: DatasetVersion, kind: str, words: str) -> list[tuple[str, str]]:
    """The labels of matching groups, and how many stores or products each has."""
    try:
        levels = read_levels(version)
    except CorruptArtifact:
        return []
    found = islice(search_groups(levels, SIDES[kind], words), MAX_GROUPS + 1)
    return [(group_label(group), count_codes(kind, count)) for group, count in found]


def count_codes(kind: str, count: int) -> str:
    """So many stores or products."""
    words = {"count": format_whole_number(count)}
    if kind == "store":
        return ngettext("%(count)s store", "%(count)s stores", count) % words
    return ngettext("%(count)s product", "%(count)s products", count) % words


def find_source(given: QueryDict, kind: str) -> tuple[DatasetVersion | None, list[str]]:
    """The dataset version to search and the codes that may be chosen."""
    if models := selected_versions([given.get("version", "")]):
        return models[0].dataset_version, known_codes(models[0], kind)
    number = read_id(given.get("dataset"))
    dataset = Dataset.objects.filter(pk=number).first() if number is not None else None
    version = dataset.current_version if dataset else None
    return version, list_codes(version, kind) if version else []

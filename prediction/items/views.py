"""The product list, and a few products or stores beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from prediction.current_forecast import CurrentState, load_current
from prediction.items.forecasts import LEVEL_PREFIX, SIDE_KINDS, ItemForecast
from prediction.items.listing import COLUMNS, ItemQuery, list_filters
from prediction.items.sparkline import draw_sparkline
from prediction.items.tables import item_table, side_title
from prediction.items.unsold import find_unsold
from prediction.items.wording import FLAG_TITLES, describe_flags
from registry.autocomplete import count_codes
from registry.datasets.chosen import chosen_dataset
from registry.datasets.levels import value_label
from registry.datasets.models import Dataset
from registry.labels import with_name
from registry.lib.export import EXPORT_FORMATS, export_table
from registry.lib.formatting import DASH, change_text
from registry.lib.request_values import clean_text
from registry.series.levels import SIDE_PLACES, LevelValue
from registry.templatetags.pages import forecast_url

PAGE_SIZE = 50
MAX_COMPARED = 6
MIN_SHOWN = 0.005  # a smaller change is about the same
ADD_FORECAST = "prediction.add_forecast"


@require_safe
def item_list(request: HttpRequest) -> HttpResponse:
    """All products or stores, filtered and sorted by the query string; also as CSV and Excel."""
    dataset, query = chosen_dataset(request), ItemQuery.from_address(request.GET)
    state = load_current(dataset) if dataset else CurrentState()
    items = state.items.get(query.side, [])
    found = query.select(items)
    if (kind := request.GET.get("export")) in EXPORT_FORMATS:
        name = query.side if query.side in SIDE_PLACES else "groups"
        return export_table(name, kind, item_table(found, query.side))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "state": state,
        "query": query,
        "page": page,
        "rows": list_rows(page.object_list, query.side, state),
        "expected": sum(item.expected for item in found),
        "columns": list_columns(query),
        "filters": list_filters(items, query),
        "sides": list_sides(state),
        "title": side_title(query.side),
        "unsold": list_unsold(dataset, query, state) if dataset and state.forecast else None,
        "flags": [(code, _(title)) for code, title in FLAG_TITLES.items()],
    }
    part = request.headers.get("HX-Target") == "items"
    return render(request, "prediction/products.html#items" if part else "prediction/products.html", context)


def list_sides(state: CurrentState) -> list[tuple[str, str]]:
    """What can be listed: products, stores, and the groups of each level, with their titles."""
    return [(side, side_title(side)) for side in state.items]


def list_columns(query: ItemQuery) -> list[dict[str, str]]:
    """The headings: what a click sorts by, and how the rows are sorted now."""
    item = {"products": _("Product"), "stores": _("Store")}.get(query.side) or side_title(query.side)
    return [
        {
            "label": item if name == "item" else _(label),
            "kind": kind,
            "sort": query.next_sort(name) if name else "",
            "direction": query.direction(name) if name else "",
        }
        for name, label, kind in COLUMNS
    ]


def list_rows(items: Iterable[ItemForecast], side: str, state: CurrentState) -> list[dict[str, Any]]:
    """The rows as the templates show them: plain texts and points, since a page has many."""
    start, members = item_address(side, "", state), count_members(side, state)
    return [
        {
            "item": item,
            "label": item_label(side, item),
            "address": f"{start}{quote(item.code)}",
            "members": members.get(item.code),
            "line": draw_sparkline(item.weeks, item.ahead),
            "newest": item.weeks[-4:],
            "changes": [describe_change(item.change_last_year), describe_change(item.change_before)],
            "flags": describe_flags(item.flags),
        }
        for item in items
    ]


def list_unsold(dataset: Dataset, query: ItemQuery, state: CurrentState) -> dict[str, Any]:
    """What never sold, with the address that forecasts it, and how many more there are."""
    found = find_unsold(dataset, query, [item.code for item in state.items.get(query.side, [])])
    start = item_address(query.side, "", state)
    rows = [
        {"item": item, "label": with_name(item.code, item.name), "address": f"{start}{quote(item.code)}"}
        for item in found.items
    ]
    return {"rows": rows, "count": found.count, "more": found.count - len(rows)}


def describe_change(change: float | None) -> tuple[str, str, str]:
    """A relative change as the class of its arrow, the arrow, and the words."""
    if change is None:
        return "", "", DASH
    kind, arrow = ("up", "▲") if change >= MIN_SHOWN else ("down", "▼") if change <= -MIN_SHOWN else ("", "")
    return kind, arrow, change_text(change)


@require_safe
def item_compare(request: HttpRequest) -> HttpResponse:
    """A few products or stores beside each other; the forecast itself when only one was chosen."""
    dataset, query = chosen_dataset(request), ItemQuery.from_address(request.GET)
    state = load_current(dataset) if dataset else CurrentState()
    codes = [clean_text(code) for code in request.GET.getlist("code")[:MAX_COMPARED]]
    by_code = {item.code: item for item in state.items.get(query.side, [])}
    found = [by_code[code] for code in codes if code in by_code]
    if len(found) == 1 and request.user.has_perm(ADD_FORECAST):
        return redirect(item_address(query.side, found[0].code, state))
    context = {
        "state": state,
        "query": query,
        "rows": list_rows(found, query.side, state),
        "most": MAX_COMPARED,
        "title": side_title(query.side),
    }
    return render(request, "prediction/products_compare.html", context)


def item_address(side: str, code: str, state: CurrentState) -> str:
    """Where the forecast of one product or store is computed and shown; the code comes last."""
    horizon = state.forecast.horizon if state.forecast else ""
    if side.startswith(LEVEL_PREFIX):
        return f"{forecast_url(horizon=horizon)}&level={quote(str(LevelValue(level_column(side), code)))}"
    return f"{forecast_url(horizon=horizon)}&{'store' if side == 'stores' else 'product'}={quote(code)}"


def item_label(side: str, item: ItemForecast) -> str:
    """A product or store with its name, or the value of a level in words."""
    return value_label(item.code) if side.startswith(LEVEL_PREFIX) else with_name(item.code, item.name)


def level_column(side: str) -> str:
    """The column of a side that lists the groups of a level."""
    return side.removeprefix(LEVEL_PREFIX)


def count_members(side: str, state: CurrentState) -> dict[str, dict[str, Any]]:
    """By value of a level: how many products or stores have it, and the address that lists them."""
    column = level_column(side)
    found: dict[str, dict[str, Any]] = {}
    for place in SIDE_PLACES if side.startswith(LEVEL_PREFIX) else ():
        values = Counter(item.levels[column] for item in state.items.get(place, []) if column in item.levels)
        for value, count in values.items():
            question = urlencode({"show": place, "level": str(LevelValue(column, value))})
            address = f"{reverse('products')}?{question}"
            found[value] = {"text": count_codes(SIDE_KINDS[place], count), "address": address}
    return found

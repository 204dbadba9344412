"""What the page of a run shows of its changes."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from prediction.runs.change_row import load_change
from prediction.runs.listing import SeriesQuery
from prediction.runs.models import ForecastRun
from registry.datasets.names import ItemNames, load_names
from registry.lib.messages import translate_message
from registry.templatetags.pages import forecast_url

INPUT_LABELS = {
    "sales": _("New sales"),
    "plan": _("Changed plan"),
    "model": _("Changed model"),
    "overrides": _("Overrides"),
}
MAX_SHOWN = 10


def show_changes(run: ForecastRun, query: SeriesQuery) -> dict[str, Any]:
    """The changes of the span that the address asks for, else of the longest; asks for missing ones."""
    row = load_change(run)
    if row is None or row.content is None:
        return {"is_due": True}
    facts: dict[str, Any] = row.content
    problem = facts["problem"]
    shown: dict[str, Any] = {
        "previous": facts["previous"],
        "problem": translate_message(problem["message"], problem["values"]) if problem else "",
    }
    spans = {span["days"]: span for span in facts["spans"]}
    if not spans:
        return shown
    span = spans.get(query.last if query.first == 1 else 0) or spans[max(spans)]
    changed = [name for name in INPUT_LABELS if any(name in move["parts"] for move in span["moves"])]
    inputs = changed if len(changed) > 1 else []  # the difference itself says it
    names = load_names(run.dataset_version)
    return {
        **shown,
        "span": span,
        "is_shorter": facts["days"] < run.horizon and span["days"] == facts["days"],
        "run": ForecastRun.objects.filter(pk=facts["previous"]).first(),
        "only_input": INPUT_LABELS[changed[0]] if len(changed) == 1 else "",
        "input_labels": [INPUT_LABELS[name] for name in inputs],
        "moves": [show_move(move, inputs, names) for move in span["moves"][:MAX_SHOWN]],
    }


def show_move(move: dict[str, Any], inputs: list[str], names: ItemNames) -> dict[str, Any]:
    """A row of the table."""
    parts = [(INPUT_LABELS[name], move["parts"].get(name, 0.0)) for name in inputs] if move["parts"] else []
    return {
        "address": forecast_url(store=move["store"], product=move["product"]),
        "labels": (names.format_store(move["store"]), names.format_product(move["product"])),
        "before": move["before"],
        "now": move["now"],
        "difference": move["now"] - move["before"],
        "parts": parts,
    }

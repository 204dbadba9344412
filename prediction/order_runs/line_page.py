"""What the page of a line shows: figures, terms, notes, trail."""

from __future__ import annotations

from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from prediction.order_runs.listing import STATES, load_states, load_table
from prediction.order_runs.models import OrderLine, OrderPolicy, OrderRun
from prediction.order_runs.notes import describe_notes
from prediction.order_runs.page import BADGES
from prediction.order_runs.wording import (
    VERDICT_TITLES,
    describe_cover,
    describe_packs,
    describe_run_out,
    explain_quantity,
    next_arrival,
)
from registry.datasets.stock.models import Terms
from registry.datasets.stock.resolving import FIELDS, ProductTerms
from registry.lib.formatting import DASH, format_percent, format_signed_units, format_units


def show_line(run: OrderRun, place: int) -> dict[str, Any]:
    """The context of the page; raises CorruptArtifact."""
    table = load_table(run)
    states, found = load_states(run, table), table.lines.describe(place)
    row = run.line_states.filter(place=place).select_related("approved_by", "export__by").first()
    state = STATES[states.state[place]]
    quantity = float(states.quantity[place])
    return {
        "run": run,
        "place": place,
        "labels": table.labels[place],
        "quantity": quantity,
        "packs": describe_packs(quantity, table.lines.terms[place].pack),
        "sentence": explain_quantity(table.lines, place, run.stock.as_of),
        "verdict": VERDICT_TITLES[found["verdict"]],
        "badge": BADGES[found["verdict"]],
        "state": state.label,
        "is_draft": state == OrderLine.State.DRAFT,
        "notes": describe_notes(table.lines.notes[place]),
        "figures": list_figures(run, place, found),
        "terms": list_terms(table.lines.terms[place]),
        "supplier": table.lines.terms[place].supplier,
        "row": row,
        "edits": row.edits.select_related("by") if row else [],
        "trail": list_trail(run),
    }


def list_figures(run: OrderRun, place: int, found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The sum that leads to the quantity: label, value, explanation."""
    lines = load_table(run).lines
    arrives, following = next_arrival(lines, place, run.stock.as_of)
    words = {"arrives": date_format(arrives), "day": date_format(following)}
    level = "" if lines.kinds[place] == "cost" else format_percent(lines.levels[place])
    aim = {"aim": OrderPolicy.Kind(lines.kinds[place]).label, "level": level, "name": lines.classes[place]}
    units = {name: format_units(value) for name, value in found.items() if isinstance(value, float)}
    chance = format_percent(found["run_out_chance"], 0)
    signed = {name: format_signed_units(found[name]) for name in ("limits", "rounding")}
    return [
        (_("Expected"), units["expected"], _("until the next order arrives on %(day)s") % words),
        (_("Lost before"), units["lost_before"], _("before this order arrives on %(arrives)s") % words),
        (_("Safety"), units["safety"], _("meets demand in %(share)s of the cases")
            % {"share": format_percent(found["quantile"], 0)}),
        (_("On hand"), units["on_hand"], _("as counted on %(day)s") % {"day": date_format(run.stock.as_of)}),
        (_("On order"), units["on_order"], _("arrives in time")),
        (_("Expiring"), units["expiring"], _("before the next order arrives, on average")),
        (_("Needed"), units["needed"], _("aim: %(aim)s %(level)s, class %(name)s") % aim),
        (_("Shelf limits"), signed["limits"], _("what the shelf or the shelf life adds or takes away")),
        (_("Rounding"), signed["rounding"], _("to whole packs and the minimum order")),
        (_("Proposed"), units["quantity"], ""),
        (_("Lasts"), describe_cover(found["cover_days"]), _("at the expected rate, with this order")),
        (_("Would run out"), chance, describe_run_out(found, run.stock.as_of)),
    ]  # fmt: skip


def list_terms(terms: ProductTerms) -> list[tuple[str, str]]:
    """The terms that the line was made by, as they were then."""
    labels = {field.name: field.verbose_name for field in Terms._meta.fields}
    found = []
    for name in FIELDS:
        value = getattr(terms, name)
        if isinstance(value, float):
            shown = format_percent(value) if name == "service_level" else f"{value:g}"
        else:
            shown = str(value) if value not in (None, "") else DASH
        found.append((str(labels[name]), shown))
    return found


def list_trail(run: OrderRun) -> dict[str, Any]:
    """Everything that the line was made from, back to the files."""
    forecast, version = run.forecast_run, run.forecast_run.version
    return {
        "order": run,
        "forecast": forecast,
        "version": version,
        "training": getattr(version, "run", None),
        "sales": forecast.dataset_version,
        "stock": run.stock,
        "policy": run.policy,
    }

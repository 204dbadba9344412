"""What the page of an order shows, as plain texts and numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from prediction.order_runs.listing import SHOWN, STATES, LineQuery, LineStates, OrderTable
from prediction.order_runs.models import OrderRun
from prediction.order_runs.notes import NOTES
from prediction.order_runs.wording import SHOWN_TITLES, VERDICT_TITLES, describe_cover
from prediction.orders.classes import CLASSES
from prediction.orders.proposal import VERDICTS

BADGES = {"urgent": "bad", "order": "busy", "none": ""}
STATE_BADGES = ("", "good", "busy")


def list_rows(
    run: OrderRun, table: OrderTable, states: LineStates, places: Iterable[Any]
) -> list[dict[str, Any]]:
    """The lines of one page."""
    figures = table.lines.figures
    found = []
    for place in map(int, places):
        verdict, state = VERDICTS[int(figures["verdict"][place])], int(states.state[place])
        found.append({
            "place": place,
            "labels": table.labels[place],
            "supplier": str(table.suppliers[place]),
            "quantity": float(states.quantity[place]),
            "proposed": float(figures["quantity"][place]),
            "is_changed": bool(states.is_changed[place]),
            "cost": float(states.quantity[place] * table.cost[place]),
            "expected": float(figures["expected"][place]),
            "on_hand": float(figures["on_hand"][place]),
            "on_order": float(figures["on_order"][place]),
            "chance": float(figures["run_out_chance"][place]),
            "cover": describe_cover(float(figures["cover_days"][place])),
            "verdict": VERDICT_TITLES[verdict],
            "badge": BADGES[verdict],
            "state": STATES[state].label,
            "state_badge": STATE_BADGES[state],
            "is_draft": state == 0,
            "class": table.lines.classes[place],
            "notes": len(table.lines.notes[place]),
        })  # fmt: skip
    return found


def list_choices(run: OrderRun, table: OrderTable, states: LineStates, query: LineQuery) -> dict[str, Any]:
    """What the filters and the headings offer."""
    stores = dict(zip(table.stores.tolist(), (label for label, _product in table.labels), strict=True))
    return {
        "stores": list(stores.items()),
        "supplier_names": sorted(set(table.suppliers.tolist())),
        "shown_choices": [(name, SHOWN_TITLES[name]) for name in SHOWN],
        "states": [(str(state), state.label) for state in STATES],
        "classes": CLASSES,
        "sorts": {name: query.next_sort(name) for name in ("item", "quantity", "cost", "cover", "chance")},
    }


def show_notes(run: OrderRun) -> list[dict[str, Any]]:
    """How many lines have each note, in the order of NOTES."""
    return [
        {"text": _(text), "count": run.notes[code]} for code, text in NOTES.items() if run.notes.get(code)
    ]

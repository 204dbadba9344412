"""Orders as files: the list on the page, and the approved lines that go to a supplier."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _

from prediction.order_runs.listing import STATES, LineStates, OrderTable, Rows, load_table
from prediction.order_runs.models import OrderExport, OrderLine, OrderRun
from prediction.order_runs.notes import describe_notes
from prediction.order_runs.wording import VERDICT_TITLES, next_arrival
from prediction.orders.proposal import VERDICTS
from registry.lib.export import export_table
from registry.lib.tables import Column, Table


def list_table(run: OrderRun, table: OrderTable, states: LineStates, rows: Rows) -> Table:
    """The lines on the page with the figures behind them."""
    columns = [
        *(Column(name) for name in (_("Supplier"), _("Store"), _("Product"), _("State"), _("Verdict"))),
        *(Column(name, "units") for name in (_("Quantity"), _("Proposed"), _("Expected"), _("On hand"))),
        *(Column(name, "units") for name in (_("On order"), _("Expiring"), _("Safety"))),
        Column(_("Runs out (chance)"), "share"),
        Column(_("Cost"), "units"),
        Column(_("Class")),
        Column(_("Notes")),
    ]
    figures = table.lines.figures
    found = [
        (
            str(table.suppliers[row]),
            *table.labels[row],
            str(STATES[states.state[row]].label),
            str(VERDICT_TITLES[VERDICTS[figures["verdict"][row]]]),
            round(float(states.quantity[row]), 3),
            *(
                round(float(figures[name][row]), 3)
                for name in ("quantity", "expected", "on_hand", "on_order", "expiring", "safety")
            ),
            float(figures["run_out_chance"][row]),
            round(float(states.quantity[row] * table.cost[row]), 2),
            table.lines.classes[row],
            " ".join(describe_notes(table.lines.notes[row])),
        )
        for row in rows.tolist()
    ]
    return Table(_("Order"), columns, found)


def supplier_table(export: OrderExport) -> Table:
    """The lines of an export as a supplier reads them: codes, names, units, packs, day of arrival."""
    run, first = export.run, export.repeats or export
    table = load_table(run)
    columns = [
        *(Column(name) for name in (_("Supplier"), _("Store code"), _("Store"))),
        *(Column(name) for name in (_("Product code"), _("Product"))),
        Column(_("Quantity"), "units"),
        Column(_("Packs"), "units"),
        Column(_("Unit cost"), "units"),
        Column(_("Cost"), "units"),
        Column(_("On the shelf from"), "day"),
    ]
    rows = []
    for line in OrderLine.objects.filter(export=first).order_by("place"):
        place, terms = line.place, table.lines.terms[line.place]
        store, product = table.labels[place]
        rows.append((
            terms.supplier, line.store, store, line.product, product, round(line.quantity, 3),
            round(line.quantity / (terms.pack or 1), 3), terms.unit_cost,
            round(line.quantity * (terms.unit_cost or 0), 2),
            next_arrival(table.lines, place, run.stock.as_of)[0],
        ))  # fmt: skip
    return Table(export.supplier or _("Order"), columns, rows)


def send_export(export: OrderExport) -> HttpResponse:
    """The file of an export."""
    name = f"order_{export.run.stock.as_of}_{export.supplier}_{export.pk}"
    return export_table(name, export.suffix, supplier_table(export))

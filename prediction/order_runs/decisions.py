"""What people decide about the lines of an order: change, approve, export. Each line goes one way, once.

    draft --approve_lines--> approved --export_lines--> exported

Whoever decides holds the lock of the order, so that two people, or two clicks, decide one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from prediction.order_runs.lines_file import LineTable, load_lines
from prediction.order_runs.models import OrderEdit, OrderExport, OrderLine, OrderRun
from registry.access.audit import AuditAction, record_action

How = Literal["set", "add", "percent"]
MAX_QUANTITY = 1e7
TINY = 1e-6
BATCH = 500


@dataclass(frozen=True)
class Change:
    """A new quantity: `value` itself, so many units more, or so many percent more."""

    how: How
    value: float

    def apply(self, quantity: float, pack: float | None) -> float:
        """The new quantity in whole packs, the nearest number of them; raises ValueError.

        >>> Change("set", 13).apply(0, 6), Change("percent", -50).apply(30, 6), Change("add", -9).apply(4, 1)
        (12, 18, 0)
        """
        target = {"set": self.value, "add": quantity + self.value,
                  "percent": quantity * (1 + self.value / 100)}[self.how]  # fmt: skip
        if not abs(target) <= MAX_QUANTITY:
            raise ValueError(_("A quantity lies between 0 and 10 million."))
        size = pack or 1.0
        packs = int(target / size + 0.5 + TINY) if target > 0 else 0
        return packs * size


def change_lines(
    run: OrderRun, places: Sequence[int], change: Change, reason: str, by: AbstractBaseUser | None
) -> int:
    """Changes drafts and returns how many; raises ValueError without a reason, or if none is a draft."""
    if not reason.strip():
        raise ValueError(_("Enter a reason, so that others understand why."))
    with decide(run) as table:
        rows = [row for row in load_rows(run, table, places) if row.state == row.State.DRAFT]
        if not rows:
            raise ValueError(_("None of these lines is a draft, so none was changed."))
        edits = []
        for row in rows:
            before, row.quantity = row.quantity, change.apply(row.quantity, table.terms[row.place].pack)
            if row.quantity != before:
                edit = OrderEdit(before=before, after=row.quantity, reason=reason.strip()[:300])
                edit.line, edit.by_id = row, by.pk if by else None
                edits.append(edit)
        save_rows([edit.line for edit in edits], ["quantity"])
        for edit in edits:
            edit.line_id = edit.line.pk
        OrderEdit.objects.bulk_create(edits, BATCH)
        if edits:
            record_action(AuditAction.CHANGED, run, by, f"{len(edits)}: {reason.strip()}")
    return len(edits)


def approve_lines(run: OrderRun, places: Sequence[int], by: AbstractBaseUser | None) -> int:
    """Approves the drafts among the lines that order something; returns how many."""
    with decide(run) as table:
        rows = load_rows(run, table, places)
        drafts = [row for row in rows if row.state == row.State.DRAFT and row.quantity > 0]
        for row in drafts:
            row.state, row.approved_at = row.State.APPROVED, timezone.now()
            row.approved_by_id = by.pk if by else None
        save_rows(drafts, ["state", "approved_at", "approved_by"])
        if drafts:
            record_action(AuditAction.APPROVED, run, by, str(len(drafts)))
    return len(drafts)


def export_lines(
    run: OrderRun, supplier: str | None, suffix: str, by: AbstractBaseUser | None, token: UUID | None = None
) -> OrderExport:
    """Marks the approved lines of a supplier, None = of all, as exported, before their file is sent.

    The token of an export gives that export again: a click that was sent twice. Raises ValueError if no line
    is approved.
    """
    with decide(run) as table:
        if token and (same := OrderExport.objects.filter(run=run, form_token=token).first()):
            return same
        approved = run.line_states.filter(state=OrderLine.State.APPROVED)
        places = [row for row in approved.values_list("place", flat=True)
                  if supplier is None or table.terms[row].supplier == supplier]  # fmt: skip
        if not places:
            raise ValueError(
                _("No approved line waits to be exported. To export again, choose an earlier file.")
            )
        made = OrderExport(
            run=run, supplier=supplier or "", suffix=suffix, lines=len(places), form_token=token
        )
        made.by_id = by.pk if by else None
        made.save()
        for start in range(0, len(places), BATCH):
            chosen = run.line_states.filter(place__in=places[start : start + BATCH])
            chosen.update(state=OrderLine.State.EXPORTED, export=made)
        made.units = made.line_rows.aggregate(units=Sum("quantity"))["units"] or 0
        made.save(update_fields=["units"])
        record_action(AuditAction.EXPORTED, run, by, str(len(places)))
    return made


def repeat_export(
    export: OrderExport, reason: str, by: AbstractBaseUser | None, token: UUID | None = None
) -> OrderExport:
    """Notes that the same file is made again; raises ValueError without a reason."""
    if not reason.strip():
        raise ValueError(_("Enter a reason, so that nobody orders twice by mistake."))
    with decide(export.run):
        if token and (same := OrderExport.objects.filter(run=export.run, form_token=token).first()):
            return same
        facts = {name: getattr(export, name) for name in ("supplier", "suffix", "lines", "units")}
        again = OrderExport(run=export.run, repeats=export.repeats or export, form_token=token, **facts)
        again.reason, again.by_id = reason.strip()[:300], by.pk if by else None
        again.save()
        record_action(AuditAction.EXPORTED, export.run, by, again.reason)
    return again


@contextmanager
def decide(run: OrderRun) -> Iterator[LineTable]:
    """Holds the lock of a done order and counts its revision; raises ValueError if it is gone."""
    table = load_lines(run)
    with transaction.atomic():
        locked = run.lock_row()
        if locked is None or locked.state != locked.State.READY:
            raise ValueError(_("%(name)s no longer exists.") % {"name": run})
        yield table
        OrderRun.objects.filter(pk=run.pk).update(revision=F("revision") + 1)
    run.refresh_from_db(fields=["revision"])


def load_rows(run: OrderRun, table: LineTable, places: Sequence[int]) -> list[OrderLine]:
    """The row of each line; of one that nobody touched a new one with the quantity of the file."""
    known: dict[int, OrderLine] = {}
    for start in range(0, len(places), BATCH):
        found = run.line_states.filter(place__in=places[start : start + BATCH])
        known |= {row.place: row for row in found}
    return [known.get(place) or build_row(run, table, place) for place in places]


def build_row(run: OrderRun, table: LineTable, place: int) -> OrderLine:
    """An unsaved draft."""
    store, product = table.keys[place]
    return OrderLine(
        run=run, place=place, store=store, product=product, quantity=float(table.quantity[place])
    )


def save_rows(rows: Sequence[OrderLine], columns: list[str]) -> None:
    """Saves new rows, and these columns of known ones."""
    known = [row for row in rows if row.pk is not None]  # before the others get their ids
    OrderLine.objects.bulk_create([row for row in rows if row.pk is None], BATCH)
    OrderLine.objects.bulk_update(known, columns, BATCH)

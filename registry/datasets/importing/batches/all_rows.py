"""Checks that need all rows of a large file: codes that the dataset lacks, and totals by arithmetic."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.batches.large_file import LargeFile
from registry.datasets.importing.checks.totals import MIN_DAYS, MIN_SISTERS, ROUNDING
from registry.datasets.importing.facts.sales_facts import SalesFacts
from registry.datasets.importing.finding_effects import build_effect
from registry.datasets.importing.findings import Example
from registry.datasets.importing.pieces.assembly import Assembly
from registry.datasets.importing.pieces.shelf import CheckedPiece

Mask = npt.NDArray[np.bool_]
KINDS = (("store", "store_id", "new-store"), ("product", "product_id", "new-product"))


def check_all_rows(file: LargeFile, assembly: Assembly) -> None:
    """Tells the log what the rows say together, and leaves out what the actions leave out."""
    file.tell_rows()
    file.check_lost_days(assembly.facts)
    for place, (kind, column, code) in enumerate(KINDS):
        leave_out(file, assembly, place, ("total-row", column, find_sums(assembly, kind)))
        if assembly.base is not None:
            there = assembly.base.facts.stores if kind == "store" else assembly.base.facts.products
            now = assembly.facts.stores if kind == "store" else assembly.facts.products
            leave_out(file, assembly, place, (code, column, sorted(set(now) - set(there))))


def leave_out(file: LargeFile, assembly: Assembly, place: int, found: tuple[str, str, list[str]]) -> None:
    """Adds a finding about stores or products, and removes them where its action says so."""
    code, column, names = found
    if not names:
        return
    log, kind = file.log, KINDS[place][0]
    label = log.column_label(column)
    if code == "total-row":
        numbers = [row for name in names for row in list_row_numbers(assembly, kind, name)]
        places = [Example(row, label, names[0]) for row in sorted(numbers)]
    else:
        places = [Example(file.first_row(place, name), label, name) for name in names]
    facts = assembly.facts
    codes = facts.stores if kind == "store" else facts.products
    chosen = facts.series[np.isin(facts.series[kind], [codes.index(name) for name in names])]
    rows, units = int(chosen["rows"].sum()), float(chosen["units"].sum())
    count = rows if code == "total-row" else len(names)
    if log.add_finding(code, places[: log.MAX_BAD_ROWS], count) == "skip":
        whole = float(facts.series["units"].sum())
        log.findings[-1].effect = build_effect("left-out", rows, facts.row_count, (units, whole))
        assembly.remove(kind, set(names))


def find_sums(assembly: Assembly, kind: str) -> list[str]:
    """A store or product that adds all others up, on every day; nothing where none does."""
    facts = assembly.facts
    codes = facts.stores if kind == "store" else facts.products
    if len(codes) <= MIN_SISTERS:
        return []
    totals = np.bincount(facts.series[kind], weights=facts.series["units"], minlength=len(codes))
    is_half = np.abs(2 * totals - totals.sum()) <= ROUNDING * max(abs(float(totals.sum())), 1.0)
    return [codes[place] for place in np.flatnonzero(is_half) if is_sum_of_days(assembly, kind, codes[place])]


def is_sum_of_days(assembly: Assembly, kind: str, name: str) -> bool:
    """Whether a store or product sells half of all units on each day of at least a week."""
    facts: SalesFacts = assembly.facts
    units = np.zeros(facts.days.count)
    for one, rows in iter_rows(assembly, kind, name):
        days, sales = one.content.days[rows] - facts.days.first, np.nan_to_num(one.content.sales[rows])
        units += np.bincount(days, weights=sales, minlength=len(units))
    whole = facts.days.units
    fits = np.abs(2 * units - whole) <= ROUNDING * np.maximum(np.abs(whole), 1)
    return bool(fits.all() and (units != 0).sum() >= MIN_DAYS)


def list_row_numbers(assembly: Assembly, kind: str, name: str) -> list[int]:
    """The rows of the file with a store or product."""
    numbers = (one.row_numbers[rows] for one, rows in iter_rows(assembly, kind, name))
    return [row for found in numbers for row in found.tolist() if row > 0]


def iter_rows(assembly: Assembly, kind: str, name: str) -> Iterator[tuple[CheckedPiece, Mask]]:
    """The rows [N] of a store or product in each piece that has it."""
    for one in assembly.shelf:
        texts = one.content.stores if kind == "store" else one.content.products
        if name in texts.values:
            yield one, texts.codes == texts.values.index(name)

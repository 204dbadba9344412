"""The checks of a large file, bucket by bucket, and what only all buckets together can tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from django.utils.translation import gettext as _

from registry.datasets.importing.batches.buckets import CodePair, RowBuckets, count_series
from registry.datasets.importing.batches.deciding import Decider, final_codes
from registry.datasets.importing.batches.encoded import EncodedFile
from registry.datasets.importing.batches.joined_logs import join_logs
from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.checks.decisions import Decisions
from registry.datasets.importing.checks.finding_log import FindingLog
from registry.datasets.importing.checks.left_out import MAX_LOST_DAYS, longest_run
from registry.datasets.importing.checks.receipt_lines import RepeatedRows
from registry.datasets.importing.checks.row_checks import check_table
from registry.datasets.importing.column_mapping import DEFAULT_STORE, DetectedColumns, apply_mapping
from registry.datasets.importing.dates import NO_DAY, convert_days
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.facts.sales_facts import SalesFacts
from registry.datasets.importing.options import ImportOptions
from registry.datasets.importing.pieces.base import PlacedPart, SalesBase
from registry.datasets.importing.pieces.plan import PIECE_ROWS, Piece, PiecePlan, RowNumbers
from registry.datasets.importing.raw_table import RawTable, too_large_message
from registry.datasets.store.layout import Layout, choose_layout


class RowsDiffer(Exception):
    """Repeated rows of one bucket look like something else than those of another."""


@dataclass
class LargeFile:
    """A file on the disk whose columns are known; `log` is told what its buckets say together."""

    detected: DetectedColumns
    options: ImportOptions
    today: dt.date | None
    base: SalesBase | None
    logs: list[FindingLog] = field(default_factory=list)
    repeated: RepeatedRows | None = None

    def __post_init__(self) -> None:
        raw, mapping = self.detected.long, self.detected.mapping
        if not isinstance(raw.large, EncodedFile):
            raise SalesFileError(too_large_message(raw.name))
        self.file = raw.large
        table = apply_mapping(raw, mapping, self.options.ignore)
        names = {ours: theirs for ours, theirs in mapping.items() if ours != theirs}
        raw.release_table()
        self.log = FindingLog(raw, self.options, names)
        self.log.add_ragged_rows()
        self.file_format = raw.file_format
        if "store_id" not in mapping:
            self.file.add_constant("store_id", DEFAULT_STORE)
        for name in ("store_id", "product_id"):
            if (theirs := mapping.get(name, name)) not in self.file.texts:
                self.file.encode_codes(theirs)
        known = self.base.facts.date_range if self.base is not None else None
        decider = Decider(self.file, table, mapping, self.options)
        self.decided: Decisions = decider.decide(self.today, known)
        self.pairs = [
            CodePair(theirs, final_codes(self.file.texts[theirs], self.log, self.decided, name))
            for name in ("store_id", "product_id")
            for theirs in (mapping.get(name, name),)
        ]
        self.columns = list(decider.theirs.values())
        self.first_day, self.last_day, self.recent_end = self.find_days(mapping["date"])
        self.plan = self.plan_pieces()
        self.buckets = RowBuckets(
            self.file, self.plan.rows_layout or Layout(1, 1, "series"), self.columns, self.file.folder
        )
        self.buckets.sort(self.pairs[0], self.pairs[1], self.file.iter_numbers())

    def find_days(self, column: str) -> tuple[int, int, int]:
        """The first and the last day of the file, and the last one that is not in the future."""
        limit = (self.today or dt.date.max) - dt.date(1970, 1, 1)
        texts = self.file.texts.get(column)
        table = None
        if texts is not None:
            table = np.array([self.decided.days[text] for text in texts.codes.texts], np.int32)
        found = []
        for batch in self.file.iter_batches([column]):
            days = table[batch[column].to_numpy()] if table is not None else convert_days(batch[column])
            days = days[days != NO_DAY]
            if len(days):
                past = days[days <= limit.days]
                newest = int(past.max()) if len(past) else int(days.min())
                found.append((int(days.min()), int(days.max()), newest))
        if not found:
            raise SalesFileError(_("%(file)s has no usable rows.") % {"file": self.file.name})
        firsts, lasts, newest_days = zip(*found, strict=True)
        return min(firsts), max(lasts), max(newest_days)

    def plan_pieces(self) -> PiecePlan:
        """A piece for each bucket; more of them than the layout has where a bucket has too many rows."""
        stores, products = self.pairs
        series, codes = count_series(self.file, stores, products), set(products.codes)
        first, last, before = self.first_day, self.last_day, None
        if self.base is not None:
            facts, before = self.base.facts, self.base.layout
            series, codes = max(series, len(facts.series)), codes | set(facts.products)
            first, last = min(first, facts.date_range[0]), max(last, facts.date_range[1])
        layout = choose_layout(series, len(codes), last - first + 1, before)
        buckets = layout.buckets
        while buckets * PIECE_ROWS < self.file.row_count:
            buckets *= 2
        rows_layout = Layout(buckets, layout.span_days, layout.key)
        pieces = tuple(Piece(bucket, self.find_parts(bucket, rows_layout)) for bucket in range(buckets))
        return PiecePlan(pieces, layout, rows_layout=rows_layout)

    def find_parts(self, bucket: int, rows_layout: Layout) -> tuple[PlacedPart, ...]:
        """The parts of the dataset that may hold rows of a bucket."""
        if self.base is None or self.base.layout is None:
            return ()
        there = self.base.layout
        if there.buckets > 1 and (there.key != rows_layout.key or there.buckets > rows_layout.buckets):
            return tuple(self.base.parts)
        return tuple(part for part in self.base.parts if part.bucket == bucket % there.buckets)

    def split(self) -> Iterator[tuple[Piece, CanonicalTable | None, RowNumbers]]:
        """Each piece with its checked rows; raises RowsDiffer where buckets contradict each other."""
        self.logs, self.repeated = [], None
        self.log.dropped_columns = ()
        for piece in self.plan.pieces:
            found = self.buckets.read(piece.bucket or 0)
            if found is None:
                yield piece, None, np.zeros(0, np.int32)
                continue
            raw = RawTable(self.file.name, *found, decided=self.decided)
            raw.file_format = dict(self.file_format)
            checked, log = check_table(raw, self.detected.mapping, self.options, self.today)
            self.file_format = checked.file_format
            self.compare_repeated(log)
            self.logs.append(log)
            yield piece, checked.content if checked.content.row_count else None, checked.row_numbers

    def compare_repeated(self, log: FindingLog) -> None:
        """Raises RowsDiffer where repeated rows are not what those of other buckets were taken for."""
        if log.repeated is None or self.decided.repeated is not None:
            self.log.dropped_columns = log.dropped_columns or self.log.dropped_columns
            return
        if self.repeated is None:
            self.repeated = log.repeated
        self.log.dropped_columns = log.dropped_columns or self.log.dropped_columns
        if self.repeated != log.repeated:
            kinds = {self.repeated.kind, log.repeated.kind}
            columns = sorted({*self.repeated.line_columns, *log.repeated.line_columns})
            kind = "lines" if "lines" in kinds and columns else "unclear"
            agreed = RepeatedRows(kind, tuple(columns) if kind == "lines" else ())
            self.decided = replace(self.decided, repeated=agreed)
            raise RowsDiffer

    def tell_rows(self) -> None:
        """Tells the log what the checks of rows found in all buckets; raises SalesFileError."""
        join_logs(self.log, self.logs, self.file.row_count)
        self.logs = []

    def check_lost_days(self, facts: SalesFacts) -> None:
        """Raises SalesFileError where a whole month of a store would be left out, unasked."""
        lost = self.log.lost_sales
        if self.options.on_problem != "propose" or self.log.has_skip_choice or not lost.spans:
            return
        if (totals := facts.store_days) is not None:
            marks = lost.mark_stores(facts.stores, totals.first, totals.count)
            if longest_run(marks & (totals.sold + totals.blank == 0)) >= MAX_LOST_DAYS:
                raise self.log.no_rows_error()

    def first_row(self, kind: int, code: str) -> int:
        """The first row with a code of a store (0) or product (1)."""
        pair = self.pairs[kind]
        rows = self.file.texts[pair.column].first_rows
        return int(min(rows[place] for place, other in enumerate(pair.codes) if other == code))

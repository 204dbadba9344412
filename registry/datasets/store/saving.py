"""Saves a sorted file of sales as the parts of a version; those of the version before are shared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from django.db import transaction
from django.utils.translation import gettext as _

from registry.datasets.importing.canonical import LEFT_OUT_KEY, read_metadata
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.facts.sales_facts import FACTS_KEY
from registry.datasets.models import DatasetVersion
from registry.datasets.store.cutting import CutPart, cut_file
from registry.datasets.store.layout import Layout, choose_layout
from registry.datasets.store.models import SalesPart

BATCH_SIZE = 500


@dataclass
class SavedParts:
    """The parts of a version that is being saved: those it shares, and its own, which are pending."""

    layout: Layout
    shared: list[SalesPart] = field(default_factory=list)
    own: list[SalesPart] = field(default_factory=list)
    left_out: bytes = b""
    facts: bytes = b""

    @property
    def all(self) -> list[SalesPart]:
        return [*self.shared, *self.own]

    def publish(self, version: DatasetVersion) -> None:
        """Marks the parts as ready and gives them to the version, in the transaction that makes it ready.

        Raises SalesFileError when a shared part was deleted in the meantime.
        """
        ids = [part.pk for part in self.shared]
        there = SalesPart.objects.filter(pk__in=ids, state=SalesPart.State.READY).select_for_update()
        if len(there) != len(ids):
            words = {"dataset": version.dataset}
            raise SalesFileError(_("%(dataset)s has changed in the meantime: check the file again.") % words)
        for part in self.own:
            part.state = SalesPart.State.READY
        SalesPart.objects.bulk_update(self.own, ["state", "size", "sha256"], batch_size=BATCH_SIZE)
        links = DatasetVersion.parts.through.objects
        rows = [links.model(datasetversion_id=version.pk, salespart_id=part.pk) for part in self.all]
        links.bulk_create(rows, batch_size=BATCH_SIZE)

    def remove(self) -> None:
        """Removes the pending parts of a version that will not be saved."""
        for part in self.own:
            part.remove()


def save_parts(
    version: DatasetVersion,
    content: Path,
    base: DatasetVersion | None = None,
    places: Collection[Sequence[int]] | None = None,
) -> SavedParts:
    """Cuts the file and writes every part that `base` does not have; the version is pending.

    With `places`, each a bucket and a span, the file holds only those: the other parts of the base stay.
    Removes its parts on any error.
    """
    days = (version.last - version.first).days + 1
    before = base.layout if base is not None else None
    layout = choose_layout(version.series, len(version.products), days, before)
    saved = SavedParts(layout if places is None else cast(Layout, before))
    saved.left_out, saved.facts = (read_metadata(content).get(key, b"") for key in (LEFT_OUT_KEY, FACTS_KEY))
    known: dict[tuple[int, int, str], SalesPart] = {}
    if base is not None and before == saved.layout:
        parts = list(base.parts.filter(state=SalesPart.State.READY))
        known = {(part.bucket, part.span, part.content_hash): part for part in parts}
        if places is not None:
            kept = {tuple(place) for place in places}
            saved.shared = [part for part in parts if (part.bucket, part.span) not in kept]
    try:
        for cut in cut_file(content, saved.layout, content.parent):
            if there := known.get((cut.bucket, cut.span, cut.content_hash)):
                saved.shared.append(there)
            else:
                saved.own.append(write_part(version, cut))
    except BaseException:
        saved.remove()
        raise
    return saved


def write_part(version: DatasetVersion, cut: CutPart) -> SalesPart:
    """A pending part with its file."""
    first, last = cast(tuple[dt.date, dt.date], cut.dates)
    part = SalesPart.objects.create(
        dataset_id=version.dataset_id,
        content_hash=cut.content_hash,
        bucket=cut.bucket,
        span=cut.span,
        rows=cut.rows.num_rows,
        first=first,
        last=last,
    )
    try:
        part.write(cut.to_parquet())
    except BaseException:
        part.remove()
        raise
    return part


def is_same_content(saved: SavedParts, base: DatasetVersion | None) -> bool:
    """Whether the parts are exactly those of the base."""
    if base is None or saved.own or not base.layout:
        return False
    return {part.pk for part in saved.shared} == set(base.parts.values_list("pk", flat=True))


@transaction.atomic
def share_parts(version: DatasetVersion, source: DatasetVersion) -> None:
    """Gives all parts of an earlier version to a new one. Call in the transaction that makes it ready."""
    layout = cast(Layout, source.layout)
    SavedParts(layout, list(source.parts.all())).publish(version)

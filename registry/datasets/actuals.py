"""Actual sales by store, product and period, to compare forecasts with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property, lru_cache
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from django.db.models import Exists, OuterRef, QuerySet

from registry.datasets.models import DatasetVersion
from registry.datasets.store.reading import RowFilter, read_rows
from registry.lib.days import day_number
from registry.series.levels import SeriesCodes
from registry.storage.artifacts import Artifact

DAYS_LOADED = 400  # newest days; no forecast covers older ones


@dataclass(frozen=True)
class ActualSales:
    """Recorded sales, 4 bytes per value because a chain has millions of rows.

    [N] days since 1970, positions of store and product in `codes`, and units.
    """

    days: npt.NDArray[np.int32]
    stores: npt.NDArray[np.int32]
    products: npt.NDArray[np.int32]
    units: npt.NDArray[np.float32]
    codes: tuple[dict[str, int], dict[str, int]]

    def sum_units(self, codes: SeriesCodes, first: date, last: date) -> float | None:
        """Units of these stores and products from `first` to `last`. None when nothing was recorded."""
        is_wanted = self._find_rows(codes, first, last)
        return float(self.units[is_wanted].sum(dtype=np.float64)) if is_wanted.any() else None

    def units_by_day(self, codes: SeriesCodes, first: date, last: date) -> list[float | None]:
        """Units of each day from `first` to `last`; None for a day without a record."""
        size = (last - first).days + 1
        is_wanted = self._find_rows(codes, first, last)
        place = self.days[is_wanted] - day_number(first)
        sums = np.bincount(place, self.units[is_wanted].astype(np.float64), size)
        if self.lists_only_sales:  # no row on a day when others sold: nothing was sold
            place = self.days[self._find_rows((None, None), first, last)] - day_number(first)
        is_recorded = np.bincount(place, minlength=size) > 0
        return [float(units) if known else None for units, known in zip(sums, is_recorded, strict=True)]

    def _find_rows(self, codes: SeriesCodes, first: date, last: date) -> npt.NDArray[np.bool_]:
        """[N] whether a row is of these days, stores and products."""
        is_wanted = (self.days >= day_number(first)) & (self.days <= day_number(last))
        for column, places, wanted in zip((self.stores, self.products), self.codes, codes, strict=True):
            if wanted is not None:
                is_wanted &= np.isin(column, [places[code] for code in wanted if code in places])
        return is_wanted

    @cached_property
    def lists_only_sales(self) -> bool:
        """Whether the source has rows only for days with a sale, as a panel of these sales would find."""
        from registry.series.panels.trading import LOG_HOLE_SHARE, LOG_ZERO_SHARE

        if not len(self.units):
            return False
        series = self.stores.astype(np.int64) * len(self.codes[1]) + self.products
        holes = 1 - len(series) / (len(np.unique(series)) * len(np.unique(self.days)))
        return bool(holes > LOG_HOLE_SHARE and (self.units == 0).mean() < LOG_ZERO_SHARE)


def current_versions() -> QuerySet[DatasetVersion]:
    """The newest ready version of each dataset."""
    return build_current_versions().all()


@cache  # to put it together takes longer than to ask the database
def build_current_versions() -> QuerySet[DatasetVersion]:
    """The same, never to be read itself: it would keep its rows."""
    ready = Artifact.State.READY
    later = DatasetVersion.objects.filter(
        dataset=OuterRef("dataset"), state=ready, number__gt=OuterRef("number")
    )
    return DatasetVersion.objects.filter(~Exists(later), state=ready)


def current_by_dataset(datasets: Iterable[int]) -> dict[int, DatasetVersion]:
    """The current version of each dataset, in one query."""
    rows = current_versions().filter(dataset__in=set(datasets))
    light = rows.select_related("dataset").defer("stores", "products", "findings", "roles")
    return {row.dataset_id: row for row in light}


@lru_cache(maxsize=2)  # a version never changes
def load_actuals(pk: UUID) -> ActualSales:
    """The newest sales of a version; raises CorruptArtifact."""
    version = DatasetVersion.objects.get(pk=pk)
    since = RowFilter(since=version.last - timedelta(days=DAYS_LOADED - 1))
    table = read_rows(version, since, ["date", "store_id", "product_id", "sales"])
    table = table.filter(pc.is_valid(table["sales"]))
    stores, store_codes = index_codes(table["store_id"])
    products, product_codes = index_codes(table["product_id"])
    return ActualSales(
        table["date"].to_numpy().astype("datetime64[D]").astype(np.int32),
        stores,
        products,
        table["sales"].to_numpy().astype(np.float32),
        (store_codes, product_codes),
    )


def index_codes(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], dict[str, int]]:
    """[N] positions of the values, and {value: position}."""
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], whole.type)
    whole = whole if isinstance(whole, pa.DictionaryArray) else whole.dictionary_encode()
    codes = {str(code): place for place, code in enumerate(whole.dictionary.to_pylist())}
    return whole.indices.to_numpy(zero_copy_only=False).astype(np.int32), codes

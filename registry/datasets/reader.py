"""The sales of a version or of one scope, as an Arrow table, a pandas frame or a panel."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial, reduce
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from registry.datasets.importing.canonical import read_left_out
from registry.datasets.importing.covariate_roles import CORE_COLUMNS, COVARIATE_ROLES
from registry.datasets.models import DatasetVersion
from registry.datasets.scope import Scope
from registry.datasets.store.reading import RowFilter, iter_tables, read_rows, read_version_metadata
from registry.datasets.store.texts import join_tables, sort_by_series

if TYPE_CHECKING:
    import pandas as pd

    from registry.series.panel import Panel
    from registry.series.panels.shards import PanelShards
    from registry.series.panels.trading import BusinessActivity, Days

BATCH_ROWS = 1 << 17


def read_table(version: DatasetVersion, scope: Scope) -> pa.Table:
    """The rows of a scope in order of store, product and day; raises CorruptArtifact."""
    version.check_scope(scope)
    return sort_by_series(read_rows(version, filter_scope(scope)))


def filter_scope(scope: Scope) -> RowFilter:
    """The rows of a scope."""
    return RowFilter() if scope.kind == "global" else RowFilter(scope.kind, scope.code)


def read_batches(version: DatasetVersion, wanted: RowFilter, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """The wanted rows, some at a time; those of a series stand in order of days."""
    for table in iter_tables(version, wanted, columns):
        yield from table.to_batches(BATCH_ROWS)


def read_frame(version: DatasetVersion, scope: Scope | None = None) -> pd.DataFrame:
    """date (datetime64), store_id and product_id (categories), sales (float, NaN = not recorded), extras."""
    return to_frame(read_table(version, scope or Scope()))


def to_frame(table: pa.Table) -> pd.DataFrame:
    """The rows of read_table() in pandas."""
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    for name in CORE_COLUMNS[1:3]:
        frame[name] = frame[name].cat.remove_unused_categories()
    return frame


def read_panel(version: DatasetVersion, scope: Scope | None = None) -> Panel:
    """The sales of a scope with a value for each day, and its covariates; without series that never sold."""
    scope = scope or Scope()
    return build_shards(version, scope, [filter_scope(scope)]).read_whole()


def read_shards(version: DatasetVersion, scope: Scope | None = None) -> PanelShards:
    """The panels that the sales of a scope are read as: one for each bucket of all series, else one."""
    scope = scope or Scope()
    if scope.kind != "global":
        return build_shards(version, scope, [filter_scope(scope)])
    buckets = version.parts.order_by("bucket").values_list("bucket", flat=True).distinct() or [0]
    return build_shards(version, scope, [RowFilter(buckets=(one,)) for one in buckets])


def build_shards(version: DatasetVersion, scope: Scope, parts: list[RowFilter]) -> PanelShards:
    """The panels of the wanted rows; a series lies wholly in one of them."""
    from registry.series.panels.rows import SalesRows
    from registry.series.panels.shards import PanelShards, describe_scope

    version.check_scope(scope)
    roles = {name: role for name, role in version.roles.items() if role in COVARIATE_ROLES}
    rows = [SalesRows(partial(read_batches, version, wanted)) for wanted in parts]
    activity = None if scope.kind == "global" else read_business(version)
    if len(rows) > 1:
        activity = describe_scope(rows)
    return PanelShards(
        rows, roles, version.dataset.country, activity, read_left_out(read_version_metadata(version))
    )


def read_unsold(version: DatasetVersion, scope: Scope, store: str, product: str) -> pd.DataFrame:
    """The rows of series that never sold and have this store or this product; an empty code asks for none."""
    table = read_table(version, scope)
    asked = [
        pc.equal(table[f"{side}_id"], code) for side, code in (("store", store), ("product", product)) if code
    ]
    return split_unsold(to_frame(table.filter(reduce(pc.or_, asked))))[1]


def split_unsold(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of series with a sales record, and of those without: a catalogue may hold thousands."""
    sold = frame["sales"].notna()
    if sold.all():
        return frame, frame[:0]
    series = frame["store_id"].cat.codes.astype("int64") * len(frame["product_id"].cat.categories)
    series += frame["product_id"].cat.codes
    has_sold = sold | series.isin(series[sold].unique())
    return frame[has_sold], frame[~has_sold]


def read_business(version: DatasetVersion) -> BusinessActivity:
    """Facts about the whole business that one scope lacks: last day, and days recorded by each store."""
    return find_activity(version.pk)


@lru_cache(maxsize=4)  # a version never changes
def find_activity(pk: UUID) -> BusinessActivity:
    """The facts of a version; raises CorruptArtifact."""
    from registry.series.panels.trading import BusinessActivity

    version = DatasetVersion.objects.get(pk=pk)
    sold: list[pa.Table] = []
    blank: list[pa.Table] = []
    for table in iter_tables(version, columns=["date", "store_id", "sales"]):
        is_sold = pc.is_valid(table["sales"])
        for found, mask in ((sold, is_sold), (blank, pc.invert(is_sold))):
            found.append(table.filter(mask).group_by(["store_id", "date"]).aggregate([]))
    days, blank_days = (group_days(join_tables(found), version.stores) for found in (sold, blank))
    return BusinessActivity(np.datetime64(version.last, "D"), days, blank_days)


def group_days(table: pa.Table, stores: list[str]) -> dict[str, Days]:
    """The days of each store's rows."""
    pairs = table.group_by(["store_id", "date"]).aggregate([])
    days = pairs["date"].to_numpy().astype("datetime64[D]")
    names = pairs["store_id"].combine_chunks().to_numpy(zero_copy_only=False)
    return {store: days[names == store] for store in stores}

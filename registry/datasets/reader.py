"""The sales of a version or of one scope, as an Arrow table, a pandas frame or a panel."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial, reduce
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from registry.datasets.importing.canonical import read_left_out
from registry.datasets.importing.covariate_roles import CORE_COLUMNS, COVARIATE_ROLES
from registry.datasets.models import DatasetVersion
from registry.datasets.scope import Scope

if TYPE_CHECKING:
    import pandas as pd

    from registry.series.panel import Panel
    from registry.series.panels.shards import PanelShards
    from registry.series.panels.trading import BusinessActivity, Days

BATCH_ROWS = 1 << 17


def read_table(version: DatasetVersion, scope: Scope) -> pa.Table:
    """The rows of a scope in order of store, product and day; checks the file's hash."""
    file = open_file(version, scope)
    return pa.Table.from_batches(read_batches(file, scope, file.schema_arrow.names), file.schema_arrow)


def open_file(version: DatasetVersion, scope: Scope) -> pq.ParquetFile:
    """The file with the sales of a scope; checks its hash."""
    version.check_scope(scope)
    return pq.ParquetFile(pa.BufferReader(version.read()))


def read_batches(file: pq.ParquetFile, scope: Scope, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a scope, some at a time."""
    if scope.kind == "global":
        yield from file.iter_batches(BATCH_ROWS, columns=columns)
        return
    column = f"{scope.kind}_id"
    groups = [
        group
        for group in range(file.num_row_groups)
        if row_group_may_contain(file, group, column, scope.code)
    ]
    wanted = columns if column in columns else [*columns, column]
    for batch in file.iter_batches(BATCH_ROWS, groups, wanted):
        yield batch.filter(pc.equal(batch[column], scope.code)).select(columns)


def row_group_may_contain(file: pq.ParquetFile, group: int, column: str, code: str) -> bool:
    """Whether the code is within a row group's bounds."""
    place = file.schema_arrow.names.index(column)
    bounds = file.metadata.row_group(group).column(place).statistics
    return bounds is None or not bounds.has_min_max or bool(bounds.min <= code <= bounds.max)


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
    return read_shards(version, scope).read_whole()


def read_shards(version: DatasetVersion, scope: Scope | None = None) -> PanelShards:
    """The panels that the sales of a scope are read as: one, of a version that is one file."""
    from registry.series.panels.rows import SalesRows
    from registry.series.panels.shards import PanelShards

    scope = scope or Scope()
    roles = {name: role for name, role in version.roles.items() if role in COVARIATE_ROLES}
    file = open_file(version, scope)
    whole = None if scope.kind == "global" else read_business(version)
    left_out = read_left_out(file.schema_arrow)
    rows = SalesRows(partial(read_batches, file, scope))
    return PanelShards([rows], roles, version.dataset.country, whole, left_out)


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
    from registry.series.panels.trading import BusinessActivity

    table = pq.read_table(pa.BufferReader(version.read()), columns=["date", "store_id", "sales"])
    sold = pc.is_valid(table["sales"])
    recorded, blank = (group_days(table.filter(mask), version.stores) for mask in (sold, pc.invert(sold)))
    return BusinessActivity(np.datetime64(version.last, "D"), recorded, blank)


def group_days(table: pa.Table, stores: list[str]) -> dict[str, Days]:
    """The days of each store's rows."""
    pairs = table.group_by(["store_id", "date"]).aggregate([])
    days = pairs["date"].to_numpy().astype("datetime64[D]")
    names = pairs["store_id"].combine_chunks().to_numpy(zero_copy_only=False)
    return {store: days[names == store] for store in stores}

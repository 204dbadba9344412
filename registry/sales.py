"""Sales: a file in, canonical parquet kept, one scope of it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from registry.importing.canonical import Canonical
from registry.importing.checks import canonical
from registry.importing.problems import SalesError
from registry.importing.readers import read
from registry.importing.roles import CORE, COVARIATES, Roles, check_roles
from registry.models import Dataset, DatasetVersion
from registry.scope import Scope

if TYPE_CHECKING:
    import pandas as pd

    from registry.series.panel import Business, Panel

__all__ = ["Reading", "SalesError", "import_file", "read_frame", "read_panel"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a file is to be read: `mapping` {our name: its name}."""

    mapping: dict[str, str] = field(default_factory=dict)
    on_problem: str = "stop"  # or "skip": leave out the rows that cannot be used
    country: str = ""  # two letters, for public holidays

    def check(self) -> None:
        """Raises SalesError for a country that is no country code."""
        if self.country and not (
            len(self.country) == 2 and self.country.isascii() and self.country.isalpha()
        ):
            words = {"country": self.country}
            raise SalesError(
                _("%(country)s is not a country: give its two letters, such as CN or DE.") % words
            )


def import_file(
    path: Path,
    name: str,
    roles: Roles | None = None,
    reading: Reading | None = None,
    created_by: User | None = None,
) -> DatasetVersion:
    """Reads the file into the dataset of that name; raises SalesError and saves nothing when it is not right.

    `roles` {column: known | past | static}; columns without one get the role that fits. The same content with
    the same roles as the current version gives that version back.
    """
    reading, given = reading or Reading(), roles or {}
    reading.check()
    name = clean_name(name)
    content = canonical(read(path), reading.mapping, reading.on_problem)
    check_roles(path.name, given, list(content.extras))
    version = begin(
        name, content, {"roles": content.roles(given), "created_by": created_by}, reading.country.upper()
    )
    return version if version.state == version.State.READY else save(version, content.parquet())


def clean_name(name: str) -> str:
    """The dataset's name without surrounding spaces; raises SalesError when it is no name."""
    name = name.strip()
    if not name or len(name) > 80 or not name.isprintable():
        raise SalesError(_("The dataset needs a name of 1 to 80 visible characters."))
    return name


def begin(name: str, content: Canonical, fields: dict[str, Any], country: str) -> DatasetVersion:
    """The current version when it is the same, else a pending one with the next number (row lock)."""
    with transaction.atomic():
        Dataset.objects.get_or_create(name=name, defaults={"created_by": fields["created_by"]})
        dataset = Dataset.objects.select_for_update().get(name=name)
        if country and dataset.country != country:
            dataset.country = country
            dataset.save(update_fields=["country"])
        current = dataset.current
        if current and (current.content_hash, current.roles) == (content.content_hash, fields["roles"]):
            return current
        newest = dataset.versions.order_by("-number").first()
        first, last = content.span
        return dataset.versions.create(
            number=newest.number + 1 if newest else 1,
            content_hash=content.content_hash,
            rows=content.rows,
            first=first,
            last=last,
            stores=content.stores.values,
            products=content.products.values,
            series=len(content.series),
            findings=[finding.as_json() for finding in content.findings],
            **fields,
        )


def save(version: DatasetVersion, content: bytes) -> DatasetVersion:
    """Writes the file, then says ready; nothing stays behind when that fails."""
    try:
        version.write(content)
        version.mark_ready()
    except BaseException as problem:
        version.remove()
        if not version.dataset.versions.exists():
            version.dataset.delete()
        if isinstance(problem, OSError):
            words = {"dataset": version.dataset, "reason": problem.strerror or problem}
            raise SalesError(_("%(dataset)s could not be saved: %(reason)s.") % words) from problem
        raise
    return version


def read_table(version: DatasetVersion, scope: Scope) -> pa.Table:
    """Rows of the scope as Arrow, in order of store, product and day; the file's hash is checked."""
    version.check_scope(scope)
    file = pq.ParquetFile(pa.BufferReader(version.read()))
    if scope.kind == "global":
        return file.read()
    column = f"{scope.kind}_id"
    groups = [group for group in range(file.num_row_groups) if may_hold(file, group, column, scope.code)]
    table = file.read_row_groups(groups)
    return table.filter(pc.equal(table[column], scope.code))


def may_hold(file: pq.ParquetFile, group: int, column: str, code: str) -> bool:
    """Whether a row group's own bounds leave room for the code."""
    place = file.schema_arrow.names.index(column)
    bounds = file.metadata.row_group(group).column(place).statistics
    return bounds is None or not bounds.has_min_max or bool(bounds.min <= code <= bounds.max)


def read_frame(version: DatasetVersion, scope: Scope | None = None) -> pd.DataFrame:
    """date (datetime64), store_id and product_id (categories), sales (float, NaN = not recorded), extras."""
    frame: pd.DataFrame = read_table(version, scope or Scope()).to_pandas(date_as_object=False)
    for name in CORE[1:3]:
        frame[name] = frame[name].cat.remove_unused_categories()
    return frame


def read_panel(version: DatasetVersion, scope: Scope | None = None) -> Panel:
    """The scope's sales as regular days, with the covariates that have a role."""
    from registry.series.panel import Panel

    scope = scope or Scope()
    roles = {name: role for name, role in version.roles.items() if role in COVARIATES}
    frame = read_frame(version, scope)
    whole = None if scope.kind == "global" else read_business(version)
    return Panel.from_frame(frame[[*CORE, *roles]], roles, version.dataset.country, whole)


def read_business(version: DatasetVersion) -> Business:
    """What a part of the sales cannot say of itself: the last day, and the days each store recorded."""
    from registry.series.panel import Business

    table = pq.read_table(pa.BufferReader(version.read()), columns=["date", "store_id", "sales"])
    table = table.filter(pc.is_valid(table["sales"]))
    pairs = table.group_by(["store_id", "date"]).aggregate([])
    days = pairs["date"].to_numpy().astype("datetime64[D]")
    stores = pairs["store_id"].combine_chunks().to_numpy(zero_copy_only=False)
    recorded = {store: days[stores == store] for store in version.stores}
    return Business(np.datetime64(version.last, "D"), recorded)

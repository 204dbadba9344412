"""Sales: a file in, canonical parquet kept, one scope of it out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from registry.audit import Act, record
from registry.importing import confined
from registry.importing.problems import SalesError
from registry.importing.reading import Job, Reading
from registry.importing.roles import CORE, COVARIATES, Roles
from registry.models import Dataset, DatasetVersion, Item
from registry.scope import Scope

if TYPE_CHECKING:
    import pandas as pd

    from registry.series.panel import Business, Panel

__all__ = ["Reading", "SalesError", "examine", "import_file", "keep", "read_frame", "read_panel"]
SAVED = ("rows", "stores", "products", "series", "roles", "findings", "reading")


def import_file(
    path: Path,
    name: str,
    roles: Roles | None = None,
    reading: Reading | None = None,
    created_by: User | None = None,
) -> DatasetVersion:
    """Reads the file into the dataset of that name; raises SalesError and saves nothing when it is not right.

    Rows of the file take the place of those of the same date, store and product; with `reading.replace` it is
    the whole dataset. `roles` {column: known | past | static}; columns without one get the role they had, or
    the one that fits. When nothing changes, the current version comes back.
    """
    reading = replace(reading or Reading(), roles=roles or {})
    name = clean_name(name)
    with workshop() as folder:
        report = examine(path, folder, reading, Dataset.objects.filter(name=name).first())
        return keep(name, report, folder / "canonical.parquet", created_by)


@contextmanager
def workshop() -> Iterator[Path]:
    """A folder that is gone afterwards, where a file is taken apart."""
    shelf = settings.DATA_DIR / "uploads"
    shelf.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=shelf, prefix="import-") as folder:
        yield Path(folder)


def examine(
    path: Path, folder: Path, reading: Reading, dataset: Dataset | None = None, only: str = ""
) -> dict[str, Any]:
    """The report about a file, as it would be read into the dataset; raises SalesError or Question.

    The file is opened by a process with limits, which leaves canonical.parquet and bad.csv in the folder.
    """
    reading.check()
    current = dataset.current if dataset else None
    base = ""
    if current is not None and not only:
        reading = replace(reading, roles={**current.roles, **reading.roles})
        base = str(folder / "base.parquet")
        current.copy_to(Path(base))
    job = Job(
        path=str(path.resolve()),
        name=reading.file or path.name,
        folder=str(folder.resolve()),
        reading=reading,
        base=base,
        today=timezone.localdate().isoformat(),
        only=only,
        language=get_language() or "en",
    )
    if not path.is_file():
        raise SalesError(_("%(file)s does not exist: check the path.") % {"file": path})
    report = confined.work(job)
    if only:
        return report
    saved = replace(reading, on_problem="propose", replace=False, file=job.name)
    told = {name: report[name] for name in ("mapping", "signature", "about")}
    report["reading"] = {**asdict(saved), **told}
    return {**report, "base": str(current.pk) if current else "none"}


def clean_name(name: str) -> str:
    """The dataset's name without surrounding spaces; raises SalesError when it is no name."""
    name = name.strip()
    if not name or len(name) > 80 or not name.isprintable():
        raise SalesError(_("The dataset needs a name of 1 to 80 visible characters."))
    return name


def keep(name: str, report: dict[str, Any], content: Path, created_by: User | None = None) -> DatasetVersion:
    """The examined content as the dataset's current version; when it is so already, that version."""
    version = begin(name, report, created_by)
    if version.state == version.State.READY:
        return version
    try:
        version.write_file(content)
        with transaction.atomic():
            version.mark_ready()
            Item.objects.renew(version.dataset, report["items"])
            record(Act.IMPORTED, version, created_by, report.get("source", report["reading"].get("file", "")))
    except BaseException as problem:
        version.remove()
        if not version.dataset.versions.exists():
            version.dataset.delete()
        if isinstance(problem, OSError):
            words = {"dataset": version.dataset, "reason": problem.strerror or problem}
            raise SalesError(_("%(dataset)s could not be saved: %(reason)s.") % words) from problem
        raise
    return version


def begin(name: str, report: dict[str, Any], created_by: User | None) -> DatasetVersion:
    """The current version when it is the same, else a pending one with the next number (row lock)."""
    with transaction.atomic():
        Dataset.objects.get_or_create(name=name, defaults={"created_by": created_by})
        dataset = Dataset.objects.select_for_update().get(name=name)
        country = report["reading"]["country"].upper()
        if country and dataset.country != country:
            dataset.country = country
            dataset.save(update_fields=["country"])
        current = dataset.current
        if report["base"] and (str(current.pk) if current else "none") != report["base"]:
            words = {"dataset": dataset}
            raise SalesError(_("Somebody else added to %(dataset)s just now: check again.") % words)
        if current and (current.content_hash, current.roles) == (report["hash"], report["roles"]):
            return current
        newest = dataset.versions.order_by("-number").first()
        fields = {name: report[name] for name in SAVED}
        return dataset.versions.create(
            number=newest.number + 1 if newest else 1,
            content_hash=report["hash"],
            first=dt.date.fromisoformat(report["first"]),
            last=dt.date.fromisoformat(report["last"]),
            created_by=created_by,
            **fields,
        )


def bring_back(version: DatasetVersion, created_by: User | None = None) -> DatasetVersion:
    """An earlier version as the newest one; nothing is lost, so this can be undone in the same way."""
    with workshop() as folder:
        content = folder / "content.parquet"
        version.copy_to(content)
        report = examine(content, folder, Reading(roles=version.roles, file=str(version)), only="items")
        fields = {name: getattr(version, name) for name in SAVED}
        report |= {**fields, "hash": version.content_hash, "base": "", "first": version.first.isoformat()}
        report["last"] = version.last.isoformat()
        report["reading"] = {"country": "", **version.reading}
        report["source"] = str(version)
        return keep(version.dataset.name, report, content, created_by)


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

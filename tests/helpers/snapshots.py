"""Rows and files that many tests start from: made once, then put back in a few milliseconds."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

Made = TypeVar("Made")


@dataclass(frozen=True)
class Snapshot:
    """What making something added to the tables and to the folder of the artifacts."""

    made: bytes
    taken: datetime
    rows: bytes
    files: dict[Path, bytes]

    def restore(self, folder: Path) -> Any:
        """Adds it again and returns it; raises IntegrityError where something else has taken its place."""
        since = timezone.now() - self.taken
        with transaction.atomic():
            for row in pickle.loads(self.rows):
                for field in row._meta.fields:  # what was made a moment ago is so again
                    if isinstance(value := getattr(row, field.attname), datetime):
                        setattr(row, field.attname, value + since)
                row.save_base(raw=True, force_insert=True)
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return pickle.loads(self.made)


def read_tables() -> dict[tuple[type[models.Model], object], tuple[models.Model, dict[str, Any]]]:
    """Every row with its values, by table and key."""
    return {
        (model, row.pk): (row, {field.attname: getattr(row, field.attname) for field in model._meta.fields})
        for model in apps.get_models(include_auto_created=True)
        for row in model._base_manager.all()
    }


def read_files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Snapshots:
    """One snapshot for each key. A test with real transactions makes everything anew: it may leave traces."""

    def __init__(self) -> None:
        self.taken: dict[Hashable, Snapshot] = {}

    def get(self, folder: Path, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` returns (rows), with all rows and files of `folder` that belong to it."""
        if not connection.in_atomic_block:
            return make()
        if key in self.taken:
            try:
                return self.taken[key].restore(folder)
            except IntegrityError:
                return make()
        before, files = read_tables(), read_files(folder)
        made = make()
        after = read_tables()
        assert all(after.get(key) == row for key, row in before.items()), "a row from before was changed"
        self.taken[key] = Snapshot(
            pickle.dumps(made),
            timezone.now(),
            pickle.dumps([row for key, (row, _values) in after.items() if key not in before]),
            {name: content for name, content in read_files(folder).items() if name not in files},
        )
        return made

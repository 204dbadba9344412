"""Sizes at which a small chain has many parts."""

from __future__ import annotations

import pandas as pd
import pytest

from registry.datasets.importer import import_file
from registry.datasets.models import DatasetVersion
from registry.datasets.store import layout


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "SERIES_PER_BUCKET", 2)
    monkeypatch.setattr(layout, "ROWS_PER_PART", 8)
    monkeypatch.setattr(layout, "SPANS", 5)


@pytest.fixture
def first(small: pd.DataFrame, write) -> DatasetVersion:
    return import_file(write(small, "first.parquet"), "shop")

"""Fixtures of the registry's tests: an artifact folder of their own, the shared data, small sales."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from django.conf import LazySettings


@pytest.fixture(autouse=True)
def artifact_folder(tmp_path: Path, settings: LazySettings) -> Path:
    """Artifacts of a test never touch the data folder."""
    folder = tmp_path / "artifacts"
    backend = {"BACKEND": "registry.lib.durable_storage.DurableStorage", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**settings.STORAGES, "artifacts": backend}
    return folder


@pytest.fixture
def shared_data(settings: LazySettings) -> Path:
    """The folder of real sales beside the checkout."""
    folder = Path(os.environ.get("SHARED_DATA") or Path(settings.BASE_DIR).parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real sales at {folder}")
    return folder


@pytest.fixture
def small() -> pd.DataFrame:
    """Two stores, three products, forty days."""
    days = pd.date_range("2026-01-01", periods=40)
    frame = pd.MultiIndex.from_product(
        [days, ["S1", "S2"], ["A", "B", "C"]], names=["date", "store_id", "product_id"]
    ).to_frame(index=False)
    frame["sales"] = range(len(frame))
    frame["promo"] = frame["sales"] % 7 == 0
    frame["promo"] = frame["promo"].astype(int)
    frame["brand"] = frame["product_id"].map({"A": "Bayer", "B": "", "C": "Hexal"})
    return frame


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes text, bytes or a frame under a name."""

    def writer(content: str | bytes | pd.DataFrame, name: str = "sales.csv") -> Path:
        path = tmp_path / name
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path) if name.endswith("parquet") else content.to_csv(path, index=False)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return writer

"""The store of sales: how they are divided, what a new version writes, and what is read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.utils import timezone

from forecastsite.cleanup.limits import Limits
from forecastsite.cleanup.service import run_cleanup
from registry.datasets.catalog import Item
from registry.datasets.importer import import_file, restore_version
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.reader import read_frame, read_panel, read_shards, read_table
from registry.datasets.scope import Scope
from registry.datasets.store.layout import Layout, choose_layout
from registry.datasets.store.models import SalesPart
from registry.datasets.store.reading import count_buckets, place_parts, read_bucket
from registry.storage.artifacts import CorruptArtifact, get_artifact_store
from registry.storage.retention import RetentionPolicy
from tests.helpers.old_versions import copy_as_old

pytestmark = pytest.mark.django_db


def add_day(small: pd.DataFrame, write) -> DatasetVersion:
    """The version with one day more."""
    day = small[-6:].assign(date=small["date"].max() + pd.Timedelta(days=1))
    return import_file(write(day, "day.parquet"), "shop")


def test_a_bucket_of_a_series_is_the_same_in_every_process() -> None:
    layout = Layout(8, 16, "series")
    found = [layout.find_bucket(store, "P001") for store in ("S001", "S002", "S003", "药店")]
    assert found == [6, 1, 1, 1]


def test_the_layout_stays_until_the_dataset_has_outgrown_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    before = choose_layout(30_000, 3_000, 447)
    assert choose_layout(90_000, 3_000, 900, before) == before
    assert choose_layout(300_000, 3_000, 900, before).buckets > before.buckets


def test_all_rows_are_read_in_order_from_many_parts(first: DatasetVersion, small: pd.DataFrame) -> None:
    assert first.parts.count() > 10 and count_buckets(first) == 4
    expected = small.sort_values(["store_id", "product_id", "date"], ignore_index=True)
    found = read_frame(first)
    assert found["date"].tolist() == expected["date"].tolist()
    assert found["store_id"].tolist() == expected["store_id"].tolist()
    assert found["sales"].tolist() == expected["sales"].tolist()
    assert found["brand"].tolist() == expected["brand"].tolist()


def test_buckets_hold_every_row_once_and_each_series_whole(
    first: DatasetVersion, small: pd.DataFrame
) -> None:
    buckets = [read_bucket(first, bucket, ["store_id", "product_id", "sales"]) for bucket in range(4)]
    series = [
        set(zip(*(one[name].to_pylist() for name in one.column_names[:2]), strict=True)) for one in buckets
    ]
    assert sum(one.num_rows for one in buckets) == len(small)
    assert sum(map(len, series)) == len(set.union(*series)) == 6
    assert all(first.layout.find_bucket(*key) == place for place, keys in enumerate(series) for key in keys)


@pytest.mark.parametrize("scope", ["global", "store:S2", "product:B"])
def test_panels_are_those_of_one_file(first: DatasetVersion, scope: str) -> None:
    panel = read_panel(first, Scope.parse(scope))
    expected = read_panel(copy_as_old(first), Scope.parse(scope))
    assert panel.keys == expected.keys and panel.start == expected.start
    for found, wanted in ((panel.sales, expected.sales), (panel.closed, expected.closed)):
        assert found.tobytes() == wanted.tobytes()
    assert panel.categories == expected.categories


def test_shards_hold_all_series_of_the_panel(first: DatasetVersion) -> None:
    shards = read_shards(first)
    keys = [key for place in range(len(shards)) for key in shards.read(place).keys]
    assert sorted(keys) == read_panel(first).keys


def test_a_day_more_writes_only_the_newest_span(first: DatasetVersion, small: pd.DataFrame, write) -> None:
    second = add_day(small, write)
    shared = set(first.parts.all()) & set(second.parts.all())
    own = second.parts.exclude(pk__in=[part.pk for part in shared])
    assert len(shared) > 0.7 * first.parts.count()
    assert len(set(own.values_list("span", flat=True))) == 1
    assert read_table(second, Scope()).num_rows == len(small) + 6
    assert read_table(first, Scope()).num_rows == len(small), "the version before stays as it was"


def test_the_same_rows_again_make_no_version(first: DatasetVersion, small: pd.DataFrame, write) -> None:
    assert import_file(write(small[::-1], "again.parquet"), "shop") == first
    assert not SalesPart.objects.exclude(state="ready").exists()


def test_undo_writes_no_part_and_brings_the_catalog_back(
    first: DatasetVersion, small: pd.DataFrame, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = list(Item.objects.order_by("kind", "code").values_list("code", "total"))
    add_day(small, write)
    monkeypatch.setattr(SalesPart, "write", None)
    again = restore_version(first)
    assert set(again.parts.all()) == set(first.parts.all()) and again.content_hash == first.content_hash
    assert list(Item.objects.order_by("kind", "code").values_list("code", "total")) == before
    assert Dataset.objects.get().current_version == again


def test_a_deleted_version_leaves_the_parts_that_others_have(
    first: DatasetVersion, small: pd.DataFrame, write
) -> None:
    second = add_day(small, write)
    own = list(first.own_parts)
    first.remove()
    assert own and not any(get_artifact_store().exists(part.path) for part in own)
    assert SalesPart.objects.count() == second.parts.count()
    assert read_table(DatasetVersion.objects.get(), Scope()).num_rows == len(small) + 6


def test_a_missing_part_names_the_version(first: DatasetVersion) -> None:
    get_artifact_store().delete(first.parts.first().path)
    with pytest.raises(CorruptArtifact, match=r"The file of shop v1 is missing: delete it and"):
        read_table(first, Scope())


def test_a_damaged_part_is_refused(first: DatasetVersion) -> None:
    with get_artifact_store().open(first.parts.last().path, "r+b") as stream:
        stream.write(b"XXXX")
    with pytest.raises(CorruptArtifact, match="The file of shop v1 was changed"):
        read_table(first, Scope())


def test_any_tool_reads_the_folder_of_parts(
    first: DatasetVersion, small: pd.DataFrame, tmp_path: Path
) -> None:
    place_parts(first.parts.all(), tmp_path / "sales")
    assert ds.dataset(tmp_path / "sales").to_table()["sales"].to_pandas().sum() == small["sales"].sum()
    assert pd.read_parquet(tmp_path / "sales")["sales"].sum() == small["sales"].sum()


def test_the_manifest_lists_the_files(first: DatasetVersion) -> None:
    manifest = pq.read_table(pa.BufferReader(first.read()))
    assert all(get_artifact_store().exists(path) for path in manifest["path"].to_pylist())
    assert sum(manifest["rows"].to_pylist()) == first.rows


def test_a_product_is_read_from_its_bucket_alone(
    first: DatasetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    DatasetVersion.objects.update(layout_facts={**first.layout_facts, "key": "product"})
    version = DatasetVersion.objects.get()
    bucket = version.layout.find_bucket("", "B")
    opened: list[int] = []
    read = SalesPart.read
    monkeypatch.setattr(SalesPart, "read", lambda part: (opened.append(part.bucket), read(part))[1])
    read_table(version, Scope("product", "B"))
    assert set(opened) == {bucket}


def test_a_damaged_part_stops_the_import_of_another_day(
    first: DatasetVersion, small: pd.DataFrame, write
) -> None:
    with get_artifact_store().open(first.parts.first().path, "r+b") as stream:
        stream.seek(40)
        stream.write(b"XXXX")
    with pytest.raises(CorruptArtifact, match="The file of shop v1 was changed"):
        add_day(small, write)
    assert DatasetVersion.objects.get() == first


def test_rows_of_a_column_that_came_later_are_merged(
    first: DatasetVersion, small: pd.DataFrame, write
) -> None:
    late = small[-6:].assign(date=small["date"].max() + pd.Timedelta(days=1), weather=1.5, town="Köln")
    import_file(write(late, "late.parquet"), "shop")
    third = import_file(write(late.assign(date=late["date"] + pd.Timedelta(days=1)), "later.parquet"), "shop")
    found = read_frame(third)
    assert found["weather"].sum() == 18 and found["weather"].isna().sum() == len(small)
    assert (found["town"] == "Köln").sum() == 12
    assert found["sales"].sum() == small["sales"].sum() + 2 * late["sales"].sum()


def test_an_import_that_was_killed_leaves_nothing_after_the_clean_up(
    first: DatasetVersion, small: pd.DataFrame, write, monkeypatch: pytest.MonkeyPatch, artifact_folder: Path
) -> None:
    files = {path for path in artifact_folder.rglob("*") if path.is_file()}
    for kind in (SalesPart, DatasetVersion):
        with monkeypatch.context() as moment:
            moment.setattr(kind, "write", stop_after(kind.write))
            for target in (SalesPart, DatasetVersion):
                moment.setattr(target, "remove", lambda _row: None)  # as after a SIGKILL
            with pytest.raises(KeyboardInterrupt):
                add_day(small, write)
    assert SalesPart.objects.filter(state="pending").exists()
    assert read_table(first, Scope()).num_rows == len(small)
    for table in (SalesPart, DatasetVersion):
        table.objects.filter(state="pending").update(created_at=timezone.now() - timedelta(days=1))
    run_cleanup(RetentionPolicy(), Limits())
    call_command("reconcile_artifacts", "--apply")
    assert {path for path in artifact_folder.rglob("*") if path.is_file()} == files
    assert DatasetVersion.objects.get() == first and SalesPart.objects.count() == first.parts.count()


def stop_after(work):
    """The same, and then the process is gone."""

    def stopped(*words):
        work(*words)
        raise KeyboardInterrupt

    return stopped

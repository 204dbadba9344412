"""Parts in an S3 bucket: saved, shared, read, checked by the sandbox, deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import boto3
import pandas as pd
import pytest
from moto import mock_aws

from registry.datasets.importer import import_file, restore_version
from registry.datasets.importing.pieces import plan
from registry.datasets.models import DatasetVersion
from registry.datasets.reader import read_table
from registry.datasets.scope import Scope
from registry.datasets.store.models import SalesPart
from registry.storage.artifacts import CorruptArtifact

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(autouse=True)
def bucket(settings, artifact_folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """The artifacts lie in a bucket."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "key")
    options = {"bucket_name": "shop", "location": "files", "file_overwrite": True, "region_name": "us-east-1"}
    backend = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    with mock_aws():
        made = boto3.resource("s3", region_name="us-east-1").create_bucket(Bucket="shop")
        settings.STORAGES = {**settings.STORAGES, "artifacts": backend}
        yield made


def test_a_day_more_writes_its_parts_and_the_list_to_the_bucket(
    first: DatasetVersion, small: pd.DataFrame, write, bucket
) -> None:
    before = {found.key for found in bucket.objects.all()}
    assert len(before) == first.parts.count() + 1
    day = small[-6:].assign(date=small["date"].max() + pd.Timedelta(days=1))
    second = import_file(write(day, "day.parquet"), "shop")
    written = {found.key for found in bucket.objects.all()} - before
    assert len(written) == second.own_parts.count() + 1 < 0.3 * len(before)
    assert read_table(second, Scope()).num_rows == len(small) + 6
    again = restore_version(first)
    first.remove()
    second.remove()
    assert read_table(again, Scope()).num_rows == len(small)
    assert len(list(bucket.objects.all())) == again.parts.count() + 1


def test_a_part_that_was_changed_in_the_bucket_is_named(first: DatasetVersion, bucket) -> None:
    bucket.Object(f"files/{first.parts.first().path}").put(Body=b"other")
    with pytest.raises(CorruptArtifact, match="The file of shop v1 was changed"):
        read_table(first, Scope())


def test_a_day_more_downloads_only_the_parts_near_it_and_is_the_same(
    first: DatasetVersion, small: pd.DataFrame, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MIN_ROWS", 0)
    monkeypatch.setattr(plan, "REACH_DAYS", 2)
    fetched: list[SalesPart] = []
    copy_file_to = SalesPart.copy_file_to

    def copy_noted(part: SalesPart, path: Path) -> None:
        fetched.append(part)
        copy_file_to(part, path)

    monkeypatch.setattr(SalesPart, "copy_file_to", copy_noted)
    day = small[-6:].assign(date=small["date"].max() + pd.Timedelta(days=1))
    second = import_file(write(day, "day.parquet"), "shop")
    assert 0 < len(fetched) < 0.4 * first.parts.count() and len(fetched) == len({part.pk for part in fetched})
    first_day = min(part.first for part in fetched)
    assert first_day > first.last - dt.timedelta(days=first.layout.span_days + 7)
    assert read_table(second, Scope()).num_rows == len(small) + 6


def test_a_part_that_is_gone_from_the_bucket_is_named_by_an_import(
    first: DatasetVersion, small: pd.DataFrame, write, bucket
) -> None:
    bucket.Object(f"files/{first.parts.order_by('-last').first().path}").delete()
    day = small[-6:].assign(date=small["date"].max() + pd.Timedelta(days=1))
    with pytest.raises(CorruptArtifact, match="The file of shop v1 is missing"):
        import_file(write(day, "day.parquet"), "shop")

"""Files that arrive in an S3 bucket."""

from __future__ import annotations

import boto3
import pytest
from moto import mock_aws

from registry.datasets.models import Dataset
from registry.datasets.sources.models import Source
from registry.datasets.sources.service import work_off
from tests.helpers.s3_server import KEYS

pytestmark = pytest.mark.slow
GOOD = "date,store,product,qty\n2026-02-01,S001,P001,1\n"


@pytest.fixture
def bucket(settings, monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    settings.SOURCES_S3 = ["s3://shop/in"]
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="shop")
        yield client


@pytest.fixture
def source(bucket, sales) -> Source:
    facts = {"dataset": sales.dataset, "place": "s3", "address": "s3://shop/in", "pattern": "*.csv"}
    return Source.objects.create(name="tills", **facts)


def put(client, key: str, text: str = GOOD) -> None:
    client.put_object(Bucket="shop", Key=key, Body=text.encode())


def keys(client) -> list[str]:
    return sorted(one["Key"] for one in client.list_objects_v2(Bucket="shop").get("Contents", []))


def look(source: Source) -> list[tuple[str, str]]:
    work_off(Dataset.objects.get())
    return [(row.name, row.state) for row in source.files.order_by("pk")]


def test_objects_below_the_prefix_are_taken_once_and_moved(bucket, source):
    put(bucket, "in/a.csv")
    put(bucket, "in/b.csv", "nothing")
    put(bucket, "in/deeper/c.csv")
    put(bucket, "outside.csv")
    put(bucket, "in/other.txt")
    assert look(source) == [("a.csv", "saved"), ("b.csv", "held")]
    first = source.files.get(name="a.csv").stored_name
    held = source.files.get(name="b.csv").stored_name
    assert keys(bucket) == [
        "in/deeper/c.csv",
        f"in/done/{first}",
        f"in/held/{held}",
        "in/other.txt",
        "outside.csv",
    ]
    put(bucket, "in/again.csv")
    assert look(source)[-1] == ("again.csv", "repeated")
    assert Dataset.objects.get().versions.count() == 2


def test_a_bucket_that_is_not_there_is_told(bucket, source, settings):
    settings.SOURCES_S3 = ["s3://other"]
    source.address = "s3://other"
    source.save()
    assert look(source) == []
    source.refresh_from_db()
    assert source.problem_text.startswith("s3://other cannot be read: ")
    settings.SOURCES_S3 = []
    look(source)
    source.refresh_from_db()
    assert "SOURCES_S3" in source.problem_text

"""A prefix of an S3 bucket as a place of files: one that SOURCES_S3 allows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, ClassVar

from django.conf import settings

from registry.datasets.sources.places import MARKER, FoundFile, PlaceUnreachable, is_usable_name
from registry.lib.errors import MessageError, gettext_noop
from registry.lib.hashing import CHUNK_BYTES

SCHEME = "s3://"
NOT_ALLOWED = gettext_noop(
    "{address} is no prefix that the operator has allowed: it begins with one of {allowed}."
)
NONE_ALLOWED = gettext_noop("Buckets are read where the operator allows them with SOURCES_S3.")


def check_address(address: str) -> str:
    """s3://bucket/prefix as it is kept; raises MessageError for one that SOURCES_S3 does not allow."""
    address = address.strip().rstrip("/")
    parts = address.removeprefix(SCHEME).split("/")
    is_plain = address.startswith(SCHEME) and address.isprintable() and not {"", ".", ".."} & set(parts)
    allowed = [one.rstrip("/") for one in settings.SOURCES_S3]
    if not allowed:
        raise MessageError(NONE_ALLOWED)
    if not is_plain or not any(f"{address}/".startswith(f"{one}/") for one in allowed):
        raise MessageError(NOT_ALLOWED, address=address, allowed=", ".join(allowed))
    return address


class BucketPlace:
    """Objects right below a prefix."""

    is_atomic: ClassVar[bool] = True

    def __init__(self, address: str) -> None:
        self.address = check_address(address)
        self.bucket, _slash, prefix = self.address.removeprefix(SCHEME).partition("/")
        self.prefix = f"{prefix}/" if prefix else ""

    @cached_property
    def client(self) -> Any:
        """Keys come from the usual AWS variables."""
        import boto3
        from botocore.config import Config

        patience = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 3})
        return boto3.client("s3", endpoint_url=settings.SOURCES_S3_ENDPOINT_URL or None, config=patience)

    def list_files(self) -> list[FoundFile]:
        with self._explain():
            pages = self.client.get_paginator("list_objects_v2")
            asked = pages.paginate(Bucket=self.bucket, Prefix=self.prefix, Delimiter="/")
            objects = [one for page in asked for one in page.get("Contents", ())]
        names = {one["Key"].removeprefix(self.prefix): one for one in objects}
        return [
            FoundFile(name, one["Size"], read_stamp(one), str(one["LastModified"]), name + MARKER in names)
            for name, one in names.items()
            if is_usable_name(name)
        ]

    @contextmanager
    def read(self, name: str) -> Iterator[Iterator[bytes]]:
        with self._explain():
            found = self.client.get_object(Bucket=self.bucket, Key=self.prefix + name)
            yield found["Body"].iter_chunks(CHUNK_BYTES)

    def find_stamp(self, name: str) -> str:
        with self._explain():
            try:
                return read_stamp(self.client.head_object(Bucket=self.bucket, Key=self.prefix + name))
            except self.client.exceptions.ClientError as problem:
                if problem.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                    return ""
                raise

    def move(self, name: str, folder: str, new_name: str, from_folder: str = "") -> None:
        source = f"{self.prefix}{from_folder}{'/' if from_folder else ''}{name}"
        target = f"{self.prefix}{folder}/{new_name}"
        with self._explain():
            try:
                place = {"Bucket": self.bucket, "Key": source}
                self.client.copy_object(Bucket=self.bucket, Key=target, CopySource=place)
            except self.client.exceptions.ClientError as problem:
                if problem.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                    raise
            markers = [] if from_folder else [f"{self.prefix}{name}{MARKER}"]
            for gone in (source, *markers):
                self.client.delete_object(Bucket=self.bucket, Key=gone)

    @contextmanager
    def _explain(self) -> Iterator[None]:
        """Turns whatever the library raises into PlaceUnreachable."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (BotoCoreError, Boto3Error, ClientError, OSError) as problem:
            raise PlaceUnreachable(self.address, problem) from problem


def read_stamp(facts: dict[str, Any]) -> str:
    """The stamp of an object: its ETag changes with its content, its time when it comes again."""
    size, moment = facts.get("Size", facts.get("ContentLength")), int(facts["LastModified"].timestamp())
    return f"{size}-{moment}-{facts['ETag'].strip(chr(34))}"[:100]

"""Where files lie: a folder or a bucket, as STORAGES describes it. Read by the settings."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured


def file_storage(variable: str, store: str, endpoint: str) -> dict[str, Any]:
    """A folder, or s3://bucket/prefix through django-storages (keys from the usual AWS variables)."""
    if Path(store).is_absolute():
        return {"BACKEND": "registry.lib.durable_storage.DurableStorage", "OPTIONS": {"location": store}}
    bucket, _slash, prefix = store.removeprefix("s3://").partition("/")
    if not store.startswith("s3://") or not bucket:
        raise ImproperlyConfigured(f"{variable} is {store!r}: set it to a folder or s3://bucket/prefix.")
    if find_spec("storages") is None:
        raise ImproperlyConfigured(f"{variable} is {store!r}: install django-storages[s3] first.")
    from botocore.config import Config

    patience = Config(
        connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 3}
    )
    options: dict[str, Any] = {"bucket_name": bucket, "location": prefix, "endpoint_url": endpoint or None}
    # Names come from ids: an existing file is an earlier attempt at the same one.
    options |= {"file_overwrite": True, "client_config": patience}
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}

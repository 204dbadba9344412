"""An S3 server for a test: moto's, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import boto3
from botocore.exceptions import BotoCoreError

from tests.helpers.installation import free_port, until

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def run_s3() -> Iterator[dict[str, str]]:
    """An S3 store; the settings that name it."""
    port = free_port()
    serve = [sys.executable, "-m", "moto.server", "-p", str(port)]
    running = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    names = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=address, **names)

    def made() -> bool:
        with suppress(BotoCoreError):
            return bool(client.create_bucket(Bucket="shop"))
        return False

    try:
        until(60, made)
        yield {"ARTIFACT_STORE": "s3://shop/files", "S3_ENDPOINT_URL": address, **KEYS}
    finally:
        running.terminate()
        running.wait(20)

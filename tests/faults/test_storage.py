"""Killed while it publishes, deletes, cleans up or archives: no ready row without its whole file, and the
next clean-up ends what was begun. Also with an S3 server whose connections break."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings

from tests.helpers.installation import copy_prepared_folder, free_port, until
from tests.helpers.trials import SEED, repeats

pytestmark = pytest.mark.processes
BUCKET = "archive"
FULL = {"publish": 500, "clean": 100, "drop": 100}  # kills of the full run
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def harm(tmp_path, tally):
    """Runs tests.faults.kill_loop in a data folder of its own; nothing bad may be left."""

    def run(fault: str, what: str, quick: int, **environment: str) -> None:
        trials = tally(fault, quick, FULL[what], on="sqlite")
        if kills := trials.wanted - trials.count:
            words = [sys.executable, "-m", "tests.faults.kill_loop", what, str(kills), str(SEED)]
            copy_prepared_folder(tmp_path / "var")
            env = {**os.environ, "DATA_DIR": str(tmp_path / "var"), **environment}
            done = subprocess.run(words, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True)
            assert done.returncode == 0 and "victim" not in done.stderr, done.stderr[-3000:]
            found = json.loads(done.stdout)
            trials.add(ok=not found["bad"], count=found.pop("kills"), **found)
        assert not trials.failed, trials.failed

    return run


@pytest.fixture
def s3() -> Iterator[dict[str, str]]:
    """moto's S3 server in a process of its own, with a bucket; the settings that lead to it."""
    import boto3

    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=address, **keys)

    def bucket() -> bool:
        try:
            return bool(client.create_bucket(Bucket=BUCKET))
        except Exception:
            return False

    until(120, bucket)
    where = {"ARCHIVE_STORE": f"s3://{BUCKET}/kept", "ARCHIVE_S3_ENDPOINT_URL": address, "S3_PORT": str(port)}
    yield {**KEYS, **where}
    server.terminate()
    server.wait(20)


def test_a_killed_publisher_or_deleter_leaves_no_ready_row_without_its_file(harm):
    harm("killed while it publishes and deletes: every ready row has its whole file", "publish", 8)


def test_a_killed_clean_up_is_ended_by_the_next_and_loses_nothing_protected(harm):
    harm("clean-up killed: the next ends it, nothing protected is lost", "clean", 4)


def test_a_clean_up_killed_while_it_archives_loses_nothing(harm, tmp_path):
    harm("the same, archiving into a folder", "clean", 3, ARCHIVE_STORE=str(tmp_path / "archive"))


@repeats  # the next one archives there, too
def test_the_same_with_an_s3_server(harm, s3):
    harm("the same, archiving to an S3 server", "clean", 2, **s3)


def test_an_s3_server_whose_connections_break_costs_nothing(harm, s3):
    wire = str(free_port())
    broken = {**s3, "WIRE_PORT": wire, "ARCHIVE_S3_ENDPOINT_URL": f"http://127.0.0.1:{wire}"}
    harm("connections to the S3 server break while it archives", "drop", 2, **broken)

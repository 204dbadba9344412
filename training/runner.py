"""Runs one training from panel to published version, for the worker's child and for `manage.py train`."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable
from contextlib import closing
from types import TracebackType
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import CorruptArtifact
from training import leases
from training.checkpoint_copies import CheckpointCopies
from training.models import TrainingRun
from training.rendezvous import LeaseLost, join_group, lead_group
from training.retest import retest_version_in_use

if TYPE_CHECKING:
    from training.learning.pipeline import TrainingConfig, TrainingResult
    from training.learning.progress import Progress

EXPECTED_ERRORS = (ValueError, CorruptArtifact)  # their text is one sentence for users
FLUSH_SECONDS = 0.25  # seconds between two writes of progress


def train_and_publish(run: TrainingRun) -> ModelVersion:
    """Trains a claimed run and publishes the version. Raises EXPECTED_ERRORS, LeaseLost or ProcessLost."""
    from registry.datasets.reader import read_shards
    from training.learning.checkpoint import Checkpoint
    from training.learning.pipeline import TrainingPipeline

    start, reported = time.monotonic(), 0
    with lead_group(run) as group, CheckpointCopies(run.shared_checkpoint) as copies:
        checkpoint = Checkpoint(run.shared_checkpoint.path, run.is_finish_requested, copies.note)
        pipeline = TrainingPipeline(
            read_shards(run.dataset_version, run.scope), build_training_config(run), checkpoint, group
        )
        with closing(batch_progress(pipeline)) as batches:
            for batch in batches:
                if not run.record_progress(batch, reported):
                    raise LeaseLost("The run was stopped or taken over.")
                reported += len(batch)
    return publish_version(run, pipeline.result, time.monotonic() - start)


def join_training(run: TrainingRun) -> None:
    """Learns with the process that leads this attempt. Raises EXPECTED_ERRORS, LeaseLost or ProcessLost."""
    from registry.datasets.reader import read_shards
    from training.learning.pipeline import TrainingPipeline

    group = join_group(run)
    if group is not None:
        sales = read_shards(run.dataset_version, run.scope)
        TrainingPipeline(sales, build_training_config(run), group=group).follow()


def build_training_config(run: TrainingRun) -> TrainingConfig:
    """The settings of the run as the pipeline takes them."""
    from training.learning.pipeline import TrainingConfig

    return TrainingConfig(
        algorithm=run.algorithm,
        knobs=run.config,
        horizon=run.horizon,
        budget=float(run.budget),
        seed=run.seed,
        threads=max(1, settings.TRAINING_THREADS // run.processes),
        data_hash=run.dataset_version.content_hash,
    )


def batch_progress(progress: Iterable[Progress]) -> Generator[list[Progress]]:
    """Progress reports in batches, so that a fast algorithm writes four times a second and not 400 times."""
    batch: list[Progress] = []
    flushed_at = 0.0
    for report in progress:
        batch.append(report)
        if time.monotonic() - flushed_at >= FLUSH_SECONDS:
            yield batch
            batch, flushed_at = [], time.monotonic()
    if batch:
        yield batch


def publish_version(run: TrainingRun, result: TrainingResult, seconds: float) -> ModelVersion:
    """Saves the version and ends the run with it; raises LeaseLost, then nothing is left behind."""
    content = result.bundle.to_bytes()  # file first, then version and run in one transaction
    metrics = {**result.metrics, **retest_version_in_use(run, result)}
    version = ModelVersion.objects.create_pending(
        run.dataset_version,
        run.scope,
        id=run.attempt_token,  # so that the end of this attempt can delete what it left half saved
        algorithm=run.algorithm,
        horizon=run.horizon,
        seed=run.seed,
        config=run.config,
        metrics=metrics,
        wape=metrics.get("wape"),
        seconds=round(seconds, 2),
        created_by=run.created_by,
    )
    version.write(content)
    if not run.finish_with_version(version):
        version.remove()
        raise LeaseLost("The run was stopped or taken over.")
    return version


class HeartbeatThread(threading.Thread):
    """Renews the lease of a run that is trained in this process (a worker does so for its child)."""

    def __init__(self, run: TrainingRun) -> None:
        super().__init__(daemon=True, name="heartbeat")
        self.training_run, self.stop_event = run, threading.Event()

    def run(self) -> None:
        """Renews the lease until the end of `with`; a failed renewal is retried until the lease ends."""
        twin = TrainingRun(pk=self.training_run.pk, attempt_token=self.training_run.attempt_token)
        while not self.stop_event.wait(leases.HEARTBEAT_SECONDS):
            try:
                if not leases.renew_lease(twin) or twin.cancel_requested:
                    twin.mark_cancelled()
                    break
            except DatabaseError:
                continue
        connection.close()

    def __enter__(self) -> HeartbeatThread:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop_event.set()
        self.join()

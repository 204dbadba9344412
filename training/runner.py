"""Runs one training from panel to published version, for the worker's child and for `manage.py train`."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from contextlib import closing
from typing import TYPE_CHECKING

from django.conf import settings

from registry.lib.leases import Heartbeat
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


def keep_lease(run: TrainingRun) -> Heartbeat:
    """Renews the lease of a run that is trained in this process (a worker does so for its child)."""
    twin = TrainingRun(pk=run.pk, attempt_token=run.attempt_token)

    def renew() -> bool:
        if leases.renew_lease(twin) and not twin.cancel_requested:
            return True
        twin.mark_cancelled()
        return False

    return Heartbeat(renew)

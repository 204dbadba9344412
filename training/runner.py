"""One training from panel to published version: one code for the worker's child and for `manage.py train`."""

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
from training.models import TrainingRun

if TYPE_CHECKING:
    from training.learning.pipeline import Progress, TrainingConfig, TrainingResult

EXPECTED_ERRORS = (ValueError, CorruptArtifact)  # their text is one sentence for people
FLUSH_SECONDS = 0.25  # seconds between two writes of progress


class LeaseLost(Exception):
    """The run was stopped or belongs to another attempt: nothing of this one may be kept."""


def train_and_publish(run: TrainingRun) -> ModelVersion:
    """Learns what the claimed run asks for and publishes it. Raises EXPECTED or Superseded: kept nothing."""
    from registry.datasets.reader import read_panel
    from training.learning.checkpoint import Checkpoint
    from training.learning.pipeline import TrainingPipeline

    begun, told = time.monotonic(), 0
    checkpoint = Checkpoint(run.checkpoint_folder, is_finish_requested=run.is_finish_requested)
    learning = TrainingPipeline(
        read_panel(run.dataset_version, run.scope), build_training_config(run), checkpoint=checkpoint
    )
    with closing(batch_progress(learning)) as epochs:
        for batch in epochs:
            if not run.record_progress(batch, told):
                raise LeaseLost("The run was stopped or taken over.")
            told += len(batch)
    return publish_version(run, learning.result, time.monotonic() - begun)


def build_training_config(run: TrainingRun) -> TrainingConfig:
    """What was asked, in the words of the numerics."""
    from training.learning.pipeline import TrainingConfig

    return TrainingConfig(
        algorithm=run.algorithm,
        knobs=run.config,
        horizon=run.horizon,
        budget=float(run.budget),
        seed=run.seed,
        threads=settings.TRAINING_THREADS,
        data_hash=run.dataset_version.content_hash,
    )


def batch_progress(progress: Iterable[Progress]) -> Generator[list[Progress]]:
    """Epochs in groups, so that a fast learner writes four times a second and not four hundred."""
    waiting: list[Progress] = []
    sent = 0.0
    for epoch in progress:
        waiting.append(epoch)
        if time.monotonic() - sent >= FLUSH_SECONDS:
            yield waiting
            waiting, sent = [], time.monotonic()
    if waiting:
        yield waiting


def publish_version(run: TrainingRun, result: TrainingResult, seconds: float) -> ModelVersion:
    """File first, then version and run become true in one transaction. A lost run leaves nothing behind."""
    content = result.bundle.to_bytes()
    version = ModelVersion.objects.create_pending(
        run.dataset_version,
        run.scope,
        id=run.attempt_token,  # whoever ends this attempt can find what it left half saved
        algorithm=run.algorithm,
        horizon=run.horizon,
        seed=run.seed,
        config=run.config,
        metrics=result.metrics,
        wape=result.metrics.get("wape"),
        seconds=round(seconds, 2),
        created_by=run.created_by,
    )
    version.write(content)
    if not run.finish_with_version(version):
        version.remove()
        raise LeaseLost("The run was stopped or taken over.")
    return version


class HeartbeatThread(threading.Thread):
    """Beats for a run that is trained in this very process (the worker beats for its child)."""

    def __init__(self, run: TrainingRun) -> None:
        super().__init__(daemon=True, name="heart")
        self.training_run, self.stop_event = run, threading.Event()

    def run(self) -> None:
        """Until told to stop; a beat that fails is tried again, the lease says for how long that matters."""
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

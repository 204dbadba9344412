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
    from training.learning.pipeline import Epoch, Learned, Plan

EXPECTED = (ValueError, CorruptArtifact)  # their text is one sentence for people
FLUSH = 0.25  # seconds between two writes of progress


class Superseded(Exception):
    """The run was stopped or belongs to another attempt: nothing of this one may be kept."""


def execute(run: TrainingRun) -> ModelVersion:
    """Learns what the claimed run asks for and publishes it. Raises EXPECTED or Superseded: kept nothing."""
    from registry.datasets.reader import read_panel
    from training.learning.checkpoint import Checkpoint
    from training.learning.pipeline import Learning

    begun, told = time.monotonic(), 0
    checkpoint = Checkpoint(run.folder, asked=run.is_finish_requested)
    learning = Learning(read_panel(run.dataset_version, run.scope), plan(run), checkpoint=checkpoint)
    with closing(batches(learning)) as epochs:
        for batch in epochs:
            if not run.record(batch, told):
                raise Superseded("The run was stopped or taken over.")
            told += len(batch)
    return publish(run, learning.learned, time.monotonic() - begun)


def plan(run: TrainingRun) -> Plan:
    """What was asked, in the words of the numerics."""
    from training.learning.pipeline import Plan

    return Plan(
        algorithm=run.algorithm,
        config=run.config,
        horizon=run.horizon,
        budget=float(run.budget),
        seed=run.seed,
        threads=settings.TRAINING_THREADS,
        data_hash=run.dataset_version.content_hash,
    )


def batches(epochs: Iterable[Epoch]) -> Generator[list[Epoch]]:
    """Epochs in groups, so that a fast learner writes four times a second and not four hundred."""
    waiting: list[Epoch] = []
    sent = 0.0
    for epoch in epochs:
        waiting.append(epoch)
        if time.monotonic() - sent >= FLUSH:
            yield waiting
            waiting, sent = [], time.monotonic()
    if waiting:
        yield waiting


def publish(run: TrainingRun, learned: Learned, seconds: float) -> ModelVersion:
    """File first, then version and run become true in one transaction. A lost run leaves nothing behind."""
    content = learned.bundle.to_bytes()
    version = ModelVersion.objects.begin(
        run.dataset_version,
        run.scope,
        id=run.attempt_token,  # whoever ends this attempt can find what it left half saved
        algorithm=run.algorithm,
        horizon=run.horizon,
        seed=run.seed,
        config=run.config,
        metrics=learned.metrics,
        wape=learned.metrics.get("wape"),
        seconds=round(seconds, 2),
        created_by=run.created_by,
    )
    version.write(content)
    if not run.finish(version):
        version.remove()
        raise Superseded("The run was stopped or taken over.")
    return version


class Heart(threading.Thread):
    """Beats for a run that is trained in this very process (the worker beats for its child)."""

    def __init__(self, run: TrainingRun) -> None:
        super().__init__(daemon=True, name="heart")
        self.run_row, self.still = run, threading.Event()

    def run(self) -> None:
        """Until told to stop; a beat that fails is tried again, the lease says for how long that matters."""
        twin = TrainingRun(pk=self.run_row.pk, attempt_token=self.run_row.attempt_token)
        while not self.still.wait(leases.BEAT):
            try:
                if not leases.beat(twin) or twin.cancel_requested:
                    twin.stop()
                    break
            except DatabaseError:
                continue
        connection.close()

    def __enter__(self) -> Heart:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.still.set()
        self.join()

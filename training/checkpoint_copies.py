"""Copies of a training's checkpoints in a shared artifact store, from which another host can go on."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from registry.storage.shared_folder import SharedFolder

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 5.0  # between two copies: a slow store must not be asked all the time
STOP_SECONDS = 60.0  # for a copy that is on its way when the training ends


class CheckpointCopies(threading.Thread):
    """Copies files beside the training; a store that does not answer costs the copies, not the training."""

    def __init__(self, folder: SharedFolder) -> None:
        super().__init__(daemon=True, name="checkpoint-copies")
        self.folder = folder
        self.waiting: set[str] = set()
        self.changed, self.stopped = threading.Event(), threading.Event()

    def fetch(self) -> None:
        """Brings what another host has copied; without it the training starts from what is here."""
        try:
            self.folder.replace_by_stored()
        except OSError as problem:
            logger.warning("The checkpoints of %s could not be fetched: %s", self.folder.name, problem)

    def note(self, file: Path) -> None:
        """Has the file copied soon; a newer file of the same name takes its place."""
        self.waiting.add(file.name)
        self.changed.set()

    def run(self) -> None:
        """Copies what is noted until the end of `with`."""
        while not self.stopped.is_set():
            self.changed.wait()
            self.changed.clear()
            names, self.waiting = self.waiting, set()
            try:
                self.folder.share(*sorted(names))
            except OSError as problem:
                logger.warning("A checkpoint of %s could not be copied: %s", self.folder.name, problem)
            self.stopped.wait(PAUSE_SECONDS)

    def __enter__(self) -> Self:
        self.fetch()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stopped.set()
        self.changed.set()
        self.join(STOP_SECONDS)

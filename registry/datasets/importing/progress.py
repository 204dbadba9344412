"""How far the process that reads a file has come: a line on the disk, for the process that waits for it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_NAME = "progress.json"
SECONDS_BETWEEN = 0.5


@dataclass(frozen=True)
class Progress:
    """`step` is unpack, read, sort, check or write; `done` of `total` are bytes, from sort on rows.

    A total of 0 is unknown.
    """

    step: str
    done: int
    total: int = 0


class ProgressReport:
    """Writes the line at most twice a second; before `open` it writes nothing."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.written, self.step = 0.0, ""

    def open(self, folder: Path) -> None:
        """Reports into a folder from now on."""
        self.path = folder / FILE_NAME

    def note(self, step: str, done: int, total: int = 0) -> None:
        """Says what is done by now."""
        now = time.monotonic()
        if self.path is None or (step == self.step and now - self.written < SECONDS_BETWEEN):
            return
        self.written, self.step = now, step
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(asdict(Progress(step, int(done), int(total)))))
        os.replace(part, self.path)


REPORT = ProgressReport()  # of this process, which reads one file


def read_progress(folder: Path) -> Progress | None:
    """What the process said last; None before it said anything."""
    try:
        return Progress(**json.loads((folder / FILE_NAME).read_bytes()))
    except FileNotFoundError:
        return None

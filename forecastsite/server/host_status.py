"""How one host of the installation is: written by its supervisor, read by probes. Needs no Django.

    healthy   the supervisor works, and none of its process groups keeps dying
    ready     healthy, and each group does its work: the sign-in page answers, the workers of a queue wait for
              jobs; the database answers, and trainings are not being drained

`python -m forecastsite.server.host_status [--ready]` is `manage.py health` in a tenth of the time.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from registry.lib.atomic_file import write_atomic

ROLES = ("web", "light", "training")  # what a host can do: pages, short jobs, trainings
READY, STARTING, FAILING = "ready", "starting", "failing"  # of a role
STATUS_FILE = "host.json"  # in DATA_DIR, as long as `up` runs
MAX_AGE_SECONDS = 60.0  # an older file is that of a supervisor that hangs or was killed
TOUCH_SECONDS = 5.0  # between two signs of life
NOT_RUNNING = "`manage.py up` does not run on this host: start it."
HANGING = "`manage.py up` gave no sign of life for {age:.0f} seconds: restart it."


@dataclass(frozen=True)
class HostStatus:
    """Roles of a host with their states, and sentences on what is wrong."""

    roles: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    host: str = field(default_factory=socket.gethostname)

    @property
    def is_healthy(self) -> bool:
        """Whether the host can be left alone."""
        return bool(self.roles) and FAILING not in self.roles.values()

    @property
    def is_ready(self) -> bool:
        """Whether the host does all its work now."""
        return self.is_healthy and set(self.roles.values()) == {READY} and not self.problems

    def to_json(self) -> dict[str, Any]:
        """The answer of a probe."""
        facts = {"host": self.host, "roles": dict(self.roles), "problems": list(self.problems)}
        return {"healthy": self.is_healthy, "ready": self.is_ready, **facts}


class StatusFile:
    """The file of this host's status: written when something changes, otherwise touched."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / STATUS_FILE
        self.written: HostStatus | None = None
        self.touched_at = 0.0

    def show(self, status: HostStatus) -> None:
        """Writes the status if it is news; raises OSError on a full disk."""
        if status != self.written:
            write_atomic(self.path, [json.dumps(status.to_json()).encode()])
            self.written, self.touched_at = status, time.monotonic()
        elif time.monotonic() - self.touched_at > TOUCH_SECONDS:
            os.utime(self.path)
            self.touched_at = time.monotonic()

    def remove(self) -> None:
        """Says that no supervisor runs."""
        self.path.unlink(missing_ok=True)


def read_status(folder: Path) -> HostStatus:
    """What the supervisor of this data folder wrote; without roles if none runs."""
    path = folder / STATUS_FILE
    try:
        age = time.time() - path.stat().st_mtime
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return HostStatus(problems=(NOT_RUNNING,))
    if age > MAX_AGE_SECONDS:
        return HostStatus(problems=(HANGING.format(age=age),), host=facts["host"])
    return HostStatus(facts["roles"], tuple(facts["problems"]), facts["host"])


def report_status(folder: Path, need_ready: bool) -> tuple[str, int]:
    """The status as a line of JSON, and the exit code of a probe: 0 when it is as wanted, else 1."""
    status = read_status(folder)
    is_wanted = status.is_ready if need_ready else status.is_healthy
    return json.dumps(status.to_json(), ensure_ascii=False), 0 if is_wanted else 1


if __name__ == "__main__":
    default = Path(__file__).resolve().parents[2] / "var"
    line, code = report_status(Path(os.environ.get("DATA_DIR", "").strip() or default), "--ready" in sys.argv)
    print(line)  # noqa: T201  the answer of a command
    sys.exit(code)

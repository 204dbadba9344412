"""The processes of a running installation by what they are."""

from __future__ import annotations

import psutil

from tests.faults.results import NotReady
from tests.helpers.installation import Site, until


def head(site: Site, role: str) -> psutil.Process:
    """The first process of a group of `up`."""
    groups = psutil.Process(site.process.pid).children()
    return next(one for one in groups if role in one.cmdline())


def cluster(site: Site) -> dict[str, psutil.Process] | None:
    """The processes of the training queue, as long as no job has changed their order (one worker)."""
    try:
        parent = head(site, "training")
        (sentinel,) = parent.children()
        worker, monitor, pusher = sorted(sentinel.children(), key=lambda one: one.create_time())
    except (psutil.NoSuchProcess, StopIteration, ValueError):
        return None
    parts = {"sentinel": sentinel, "idle worker": worker, "monitor": monitor, "pusher": pusher}
    return {"parent": parent, **parts}


def fresh(site: Site) -> dict[str, psutil.Process]:
    """A cluster that was started just now."""
    old = until(60, lambda: cluster(site) or head(site, "training"))
    old = old["parent"] if isinstance(old, dict) else old
    old.kill()
    return until(60, lambda: (new := cluster(site)) and new["parent"] != old and new)


def learns(site: Site, run: str, seconds: float = 120) -> psutil.Process:
    """The child that learns, once it does; raises NotReady on a machine that is too busy for it."""

    def child() -> psutil.Process | None:
        row = site.run_row(run)
        assert row["state"] in {"queued", "running"}, row
        return psutil.Process(row["pid"]) if row["step"] == "learn" and row["pid"] else None

    try:
        return until(seconds, child)
    except AssertionError as error:
        raise NotReady(str(error)) from error

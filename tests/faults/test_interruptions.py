"""A worker, its child or the queue's parent is killed at a random moment: noticed soon, and the run goes on
from its checkpoint."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from tests.faults.conftest import started
from tests.faults.processes import head, learns
from tests.helpers.installation import Site, until
from tests.helpers.trials import FULL, repeats

pytestmark = pytest.mark.processes
KINDS = {"child": 40, "worker": 40} | ({"parent": 20} if FULL else {})  # how many in the full run
AT_ONCE = 4 if FULL else 1  # trainings that are interrupted in one trial
GOES_ON = "Training resumed from its last checkpoint."
TOLD = "print(*TrainingRun.objects.get(pk='{run}').events.values_list('text', flat=True), sep=';')"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with started(tmp_path_factory.mktemp("site"), TRAINING_WORKERS=str(AT_ONCE)) as site:
        yield site


def kept(site: Site, run: str) -> bool:
    """There is a checkpoint."""
    return any((Path(site.env["DATA_DIR"]) / "runs" / run).glob("*.safetensors"))


def taken_up(site: Site, killed: dict[str, float]) -> list[float]:
    """Seconds from the kill of each run's process to its second start."""
    found: dict[str, float] = {}

    def look() -> bool:
        rows = site.runs(*killed)
        for run, at in killed.items():
            assert rows[run]["state"] in {"queued", "running"}, rows[run]
            if rows[run]["attempt"] == 2 and rows[run]["state"] == "running":
                found.setdefault(run, time.monotonic() - at)
        return len(found) == len(killed)

    until(75, look)
    return list(found.values())


def kill_each(site: Site, kind: str, children: dict[str, psutil.Process], chance) -> dict[str, float]:
    """When each run's process was killed."""
    if kind == "parent":
        time.sleep(chance.random() * 6)
        head(site, "training").kill()
        return dict.fromkeys(children, time.monotonic())
    killed = {}
    for run, child in children.items():
        time.sleep(chance.random() * (3 if FULL else 1))
        (child if kind == "child" else child.parent()).kill()
        killed[run] = time.monotonic()
    return killed


# In the quick run a lost worker is that of test_kills, and its lease that of test_up.
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind == "child" else repeats) for kind in KINDS]
)
def test_an_interrupted_run_is_noticed_and_goes_on_from_its_checkpoint(site, kind, tally):
    runs_each = AT_ONCE if FULL else 1

    def trial(chance) -> dict:
        site.cancel_all()
        runs = [site.queue(90) for _number in range(runs_each)]
        children = {run: learns(site, run) for run in runs}
        until(60, lambda: all(kept(site, run) for run in runs))
        killed = kill_each(site, kind, children, chance)
        if kind != "child" and not FULL:  # a child is missed at once, a worker when its lease is over
            site.expire_leases(runs)
        took = taken_up(site, killed)
        for run in runs:
            assert GOES_ON in site.shell(TOLD.format(run=run))
        site.cancel(runs)
        assert max(took) <= 60
        count = 1 if kind == "parent" else len(runs)
        return {"count": count, "seconds until it goes on": round(max(took), 1), "interrupted": len(runs)}

    words = f"{kind} killed while it learns, the run goes on from its checkpoint within 60 s"
    tally(words, 1, KINDS[kind]).attempt(trial)

"""Whatever process is killed, a job submitted afterwards is done soon and no process is left behind."""

from __future__ import annotations

import time

import psutil
import pytest

from forecastsite.server.health import is_answering
from tests.faults.conftest import started
from tests.faults.http_client import QUICK
from tests.faults.processes import fresh, head, learns
from tests.helpers.installation import Site, until
from tests.helpers.trials import FULL, repeats

pytestmark = pytest.mark.processes
KINDS = ["busy worker"]
KINDS += [
    pytest.param(kind, marks=repeats)
    for kind in ("parent", "web", "sentinel", "pusher", "monitor", "idle worker", "child")
]
POISON = ["glutton", pytest.param("killer", marks=repeats)]  # a killer takes two minutes
ALGORITHMS = """
import os, signal
from torch import nn
from registry.algorithms import Config, Round, register
from registry.algorithms.seasonal_naive import SeasonalNaive

@register("killer", "Killer", "Kills the worker that looks after it.", Config)
class Killer(SeasonalNaive):
    def fit(self, sampler, seconds):
        yield Round(0.1, 1.0)
        os.kill(os.getppid(), signal.SIGKILL)
        signal.pause()

@register("glutton", "Glutton", "Takes 64 GB.", Config)
class Glutton(SeasonalNaive):
    def fit(self, sampler, seconds):
        yield Round(0.1, 1.0)
        nn.Linear(64 * 1024**3 // 4, 1)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """An installation into which a package has brought two harmful algorithms, as any package may."""
    folder = tmp_path_factory.mktemp("site")
    about = folder / "poison/poison-1.dist-info"
    about.mkdir(parents=True)
    (about.parent / "poison.py").write_text(ALGORITHMS)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: poison\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[forecastsite.algorithms]\npoison = poison\n")
    with started(folder, PYTHONPATH=str(about.parent)) as site:
        yield site


def victim(site: Site, kind: str) -> psutil.Process:
    if kind == "web":
        return head(site, "web")
    if kind in {"busy worker", "child"}:
        child = learns(site, site.queue(60))
        return child if kind == "child" else child.parent()
    return fresh(site)[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_no_single_death_stops_the_service(site, kind, tally):
    def trial(_chance) -> dict:
        site.cancel_all()
        one = victim(site, kind)
        others = list(site.runs())
        site.everybody()
        one.kill()
        begun = time.monotonic()
        run = site.queue(1, QUICK)
        site.cancel(others)  # a lost training would go on for a minute and take the one worker
        if not FULL:
            site.expire_leases(others)  # or the next test would wait for them
        site.until_state(run, "done", seconds=90)
        took = time.monotonic() - begun
        assert took <= 90
        until(30, lambda: is_answering(site.port))
        until(10, lambda: not site.orphans())
        return {"seconds": round(took, 1)}

    tally(f"{kind} killed, a job submitted then is done within 90 s, no orphan", 1, 10).attempt(trial)


@pytest.mark.parametrize("algorithm", POISON)
def test_a_poison_job_starts_twice_and_the_next_one_begins(site, algorithm, tally):
    """The next one waits behind it from the start: it begins when the first or the second attempt is over."""

    def trial(_chance) -> dict:
        site.cancel_all()
        run, following = site.queue(1, algorithm), site.queue(1, QUICK)
        row = site.until_state(run, "failed", "done", seconds=150)
        assert (row["state"], row["attempt"]) == ("failed", 2)
        assert ("lost its worker twice" if algorithm == "killer" else "more memory than 6 GB") in row["error"]
        site.until_state(following, "done", seconds=60)
        starts, waited = site.shell(WAITED.format(run=run, following=following)).split()
        assert starts == "2" and float(waited) <= 10
        return {"seconds until the next began": round(float(waited), 1)}

    tally(f"poison job ({algorithm}): 2 starts, the next begins within 10 s", 1, 5).attempt(trial)


# From the last word of an attempt of the first to the start of the second.
WAITED = """
first, second = TrainingRun.objects.get(pk='{run}'), TrainingRun.objects.get(pk='{following}')
before = first.events.filter(at__lt=second.started_at).order_by('seq').last()
starts = first.events.filter(kind='state', data__state='running').count()
print(starts, (second.started_at - before.at).total_seconds())
"""


def test_after_all_that_no_process_is_left_behind(site, tally):
    site.everybody()
    site.stop()
    assert site.left() == []
    tally("processes left when the site is stopped after all that", 1, 1).add(processes=len(site.seen))

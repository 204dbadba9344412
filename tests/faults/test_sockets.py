"""Many open pages of one training: each sees the end, soon; a restart of the web server changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from forecastsite.server.health import is_answering
from tests.faults.http_client import Person
from tests.faults.processes import head, learns
from tests.helpers.installation import Site, until
from tests.helpers.trials import FULL, repeats

pytestmark = pytest.mark.processes
SECONDS = 60 if FULL else 4
SLOWER = 1.2  # the training may take so much longer when it is watched
TOOK = "from training.estimate import actual_cost\n"
TOOK += "print(actual_cost(TrainingRun.objects.get(pk='{run}'))['seconds'])"


def watching(site: Site, run: str, cookie: str, count: int) -> subprocess.Popen[str]:
    """The watchers, connected as soon as they can."""
    words = [f"ws://127.0.0.1:{site.port}/ws/runs/{run}/", str(count)]
    client = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.websocket_clients", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    client.stdin.write(cookie)
    client.stdin.close()
    return client


def seen(client: subprocess.Popen[str]) -> dict:
    said = client.stdout.read()
    assert client.wait(60) == 0
    return json.loads(said)


def test_every_open_page_sees_the_end_soon_and_the_training_hardly_feels_it(site, tally):
    person, pages = Person(site), 200 if FULL else 10

    def trial(_chance) -> dict:
        if FULL:  # the quick run shows only that every page sees the end
            alone = site.queue(SECONDS)
            site.until_state(alone, "done", seconds=180)
            seen(watching(site, alone, person.cookie, 1))  # a server that has shown a live page before
        web = head(site, "web").cpu_times()
        run = site.queue(SECONDS)
        found = seen(watching(site, run, person.cookie, pages))
        used = head(site, "web").cpu_times()
        assert found["shown"] == pages
        if not FULL:
            return {**found, "count": 1}
        before, watched = (float(site.shell(TOOK.format(run=one))) for one in (alone, run))
        found |= {"count": 1, "unwatched": round(before, 1), "watched": round(watched, 1)}
        found |= {"slower": round(watched / before, 2)}
        found |= {"web_cpu": round(used.user + used.system - web.user - web.system, 1)}
        return found | {"ok": found["p95"] <= 1.0 and found["slower"] <= SLOWER}

    tally(f"a training watched by {pages} sockets", 1, 5).attempt(trial)


@repeats  # deliveries go on over a restart, too
def test_after_a_restart_of_the_web_server_pages_are_right_soon(site, tally):
    """New watchers come at once, as the pages' own script does; they are refused until it is back."""
    person = Person(site)

    def trial(chance) -> dict:
        site.cancel_all()
        run = site.queue(60)
        learns(site, run)
        time.sleep(chance.random() * 3)
        head(site, "web").kill()
        begun = time.monotonic()
        until(15, lambda: is_answering(site.port))
        client = watching(site, run, person.cookie, 20)
        took = time.monotonic() - begun
        time.sleep(1)
        site.shell(f"TrainingRun.objects.get(pk='{run}').finish_early()")
        assert seen(client)["shown"] == 20
        return {"seconds until it answers": round(took, 1)}

    tally("the web server is killed while pages watch; all are right within 15 s", 1, 10).attempt(trial)

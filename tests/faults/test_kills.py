"""Whatever process is killed: the service goes on, no acknowledged run is lost, none has two results."""

from __future__ import annotations

import http.cookiejar
import re
import signal
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import psutil
import pytest

from forecastsite.supervisor import answers
from tests.faults.conftest import FULL, many, only_if
from tests.site import PASSWORD, USER, Site, until

pytestmark = pytest.mark.processes
QUICK = "seasonal_naive"  # a training of a few seconds
ENDS = ("done", "failed", "cancelled")


def head(site: Site, role: str) -> psutil.Process:
    """The first process of a group of `up`."""
    groups = psutil.Process(site.process.pid).children()
    return next(one for one in groups if role in one.cmdline())


def cluster(site: Site) -> dict[str, psutil.Process] | None:
    """The processes of the training queue by what they are, as long as no job has changed their order."""
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
    old = until(60, lambda: cluster(site))["parent"]
    old.kill()
    return until(60, lambda: (new := cluster(site)) and new["parent"] != old and new)


def victim(site: Site, kind: str) -> psutil.Process:
    if kind == "web":
        return head(site, "web")
    if kind in {"busy worker", "child"}:
        run = site.queue(60)
        row = until(60, lambda: (row := site.run_row(run))["step"] == "learn" and row)
        child = psutil.Process(row["pid"])
        return child if kind == "child" else child.parent()
    return fresh(site)[kind]


KINDS = ["web", "parent", "sentinel", "pusher", "monitor", "idle worker", "busy worker", "child"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_single_death_stops_the_service(site, kind, tell):
    took = []
    for _number in range(many(1, 10)):
        one = victim(site, kind)
        site.everybody()
        one.kill()
        begun = time.monotonic()
        run = site.queue(1, QUICK)
        for row in site.manage("runs")["runs"]:  # a lost training would go on for a minute
            if row["id"] != run and row["state"] in {"queued", "running"}:
                site.shell(f"TrainingRun.objects.get(pk='{row['id']}').cancel()")
        site.until_state(run, "done", seconds=90)
        took.append(time.monotonic() - begun)
        until(30, lambda: answers(site.port))
    tell(f"{len(took)} kills of {kind}, the next job was done after at most {max(took):.0f} s")


class Browser:
    """A signed-in person who only sends forms."""

    def __init__(self, site: Site) -> None:
        self.address = f"http://127.0.0.1:{site.port}"
        self.jar = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(NoRedirect, urllib.request.HTTPCookieProcessor(self.jar))
        self.open = lambda *given: opener.open(*given, timeout=10)
        self.open(f"{self.address}/login/")
        assert self.send("/login/", username=USER, password=PASSWORD) == "/"

    def send(self, path: str, **fields: object) -> str | None:
        """The address that the answer leads to; None when there was no such answer."""
        token = next(one.value for one in self.jar if one.name == "csrftoken")
        data = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token}).encode()
        try:
            self.open(urllib.request.Request(self.address + path, data))
        except urllib.error.HTTPError as answer:
            return answer.headers.get("Location")
        except OSError:
            return None
        return None


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *given) -> None:
        return None


def test_an_acknowledged_run_is_never_lost(site, chance, tell):
    browser, acknowledged, kills = Browser(site), set(), 0
    form = {"dataset": 1, "kind": "global", "algorithm": QUICK, "horizon": 14, "budget": 1, "seed": 0}
    knobs = {"knob-past_days": 28, "knob-block": 7, "knob-steps": 0}
    wanted, planned, end = many(6, 200), many(3, 100), time.monotonic() + many(120, 1500)
    while len(acknowledged) < wanted:
        assert time.monotonic() < end, "the form is not taken"
        if kills < planned and chance.random() < 0.5 and answers(site.port):
            time.sleep(chance.random() * 0.2)
            head(site, "web").kill()
            kills += 1
        where = browser.send("/train/", form_token=uuid.uuid4(), **form, **knobs)
        if found := re.fullmatch(r"/runs/([0-9a-f-]{36})/", where or ""):
            acknowledged.add(found[1])
        else:
            time.sleep(0.2)
    states = until(60 + 12 * wanted, lambda: over(site, acknowledged))
    assert set(states) == acknowledged
    assert set(states.values()) == {"done"}
    tell(f"{len(states)} acknowledged runs under {kills} kills of the web server, 0 lost")


def over(site: Site, wanted: set[str]) -> dict[str, str] | None:
    rows = {row["id"]: row["state"] for row in site.manage("runs", "--limit=1000")["runs"]}
    mine = {run: rows.get(run, "lost") for run in wanted}
    return mine if all(state in (*ENDS, "lost") for state in mine.values()) else None


def test_a_job_delivered_three_times_has_one_result(site, tell):
    counted = "from registry.models import ModelVersion; print(ModelVersion.objects.count())"
    before = int(site.shell(counted))
    runs = [site.queue(1, QUICK) for _number in range(many(3, 100))]
    more = "from training.models import async_task\nfor _ in range(3):\n for r in {}: "
    send = "async_task('training.tasks.run_training', r, cluster='training')"
    site.shell(more.format(runs) + send)
    rows = [site.until_state(run, *ENDS, seconds=60 + 12 * len(runs)) for run in runs]
    time.sleep(5)
    site.shell(f"from training.models import async_task\nfor r in {runs}: {send}")
    time.sleep(10)
    assert [(row["state"], row["attempt"]) for row in rows] == [("done", 1)] * len(runs)
    names = {row["version"] for row in (site.run_row(run) for run in runs)}
    assert len(names) == int(site.shell(counted)) - before == len(runs)
    tell(f"{len(runs)} runs delivered 4 times at once and once late: {len(names)} results")


def test_a_killed_worker_is_noticed_and_the_run_goes_on_from_its_checkpoint(site, chance, tell):
    noticed = []
    for _number in range(many(1, 30)):
        run = site.queue(60)
        until(60, lambda run=run: (row := site.run_row(run))["step"] == "learn" and row)
        time.sleep(6 + chance.random() * 5)  # a checkpoint is written every five seconds
        psutil.Process(site.run_row(run)["pid"]).parent().kill()
        begun = time.monotonic()
        until(60, lambda run=run: site.run_row(run)["attempt"] == 2)
        noticed.append(time.monotonic() - begun)
        said = site.shell(
            f"print(*TrainingRun.objects.get(pk='{run}').events.values_list('text', flat=True))"
        )
        assert "The training goes on where it was interrupted." in said
        site.shell(f"TrainingRun.objects.get(pk='{run}').cancel()")
        site.until_state(run, "cancelled")
    tell(f"{len(noticed)} busy workers killed, the run in work again after at most {max(noticed):.0f} s")


@only_if(FULL, "takes two minutes: make faults does it")
def test_a_poison_job_starts_twice_and_the_next_one_runs(site, tell):
    run = site.queue(120)
    for attempt in (1, 2):
        until(90, lambda attempt=attempt: (row := site.run_row(run))["attempt"] == attempt and row["step"])
        psutil.Process(site.run_row(run)["pid"]).parent().send_signal(signal.SIGKILL)
    row = site.until_state(run, "failed", seconds=90)
    assert "lost its worker twice" in row["error"] and row["attempt"] == 2
    begun = time.monotonic()
    following = site.queue(1, QUICK)
    site.until_state(following, "running", "done", seconds=30)
    tell(f"2 starts, then failed; the next job began after {time.monotonic() - begun:.0f} s")


def test_after_all_that_no_process_is_left_behind(site, tell):
    site.everybody()
    site.stop()
    assert site.left() == []
    tell(f"{len(site.seen)} processes seen, 0 left")

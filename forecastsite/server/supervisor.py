"""What `manage.py up` runs: web server, light queue and training queue, kept alive and stopped cleanly."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.shortcuts import resolve_url
from django_q.models import OrmQ
from django_q.tasks import async_task

from forecastsite.tasks import busy
from training import leases
from training.leases import set_draining
from training.models import TrainingRun

TICK = 0.25
REAP = 10.0  # seconds between two looks at the runs
PROBE = 20.0  # seconds between two probe jobs
WEDGED = 60.0  # a light queue that does nothing for so long is killed and started again
STALLED = 30.0  # and a training queue that takes no run although one waits and none is in work
GRACE = 5.0  # seconds to stop in good order
LONGEST_PAUSE = 10.0  # seconds between two starts of something that dies at once

Say = Callable[[str], None]


class Group:
    """One process and everything it starts, in a process group of its own."""

    def __init__(self, name: str, *arguments: str, **environment: str) -> None:
        self.name, self.arguments, self.environment = name, arguments, environment
        self.process: subprocess.Popen[bytes] | None = None
        self.started = self.not_before = 0.0
        self.deaths = 0

    def start(self) -> int:
        """Gives the pid."""
        words = [
            sys.executable,
            "-m",
            "forecastsite.server.process",
            str(os.getpid()),
            self.name,
            *self.arguments,
        ]
        environment = {**os.environ, **self.environment}
        self.process = subprocess.Popen(
            words, cwd=settings.BASE_DIR, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
        )
        self.started = time.monotonic()
        return self.process.pid

    @property
    def dead(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    @property
    def due(self) -> bool:
        return self.process is None and time.monotonic() >= self.not_before

    def family(self) -> list[psutil.Process]:
        """The processes below it, also those in sessions of their own."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True) if self.process else []
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """Kills the whole group and waits until it is gone."""
        if self.process is None:
            return
        family = self.family()
        signal_all([self.process.pid], os.killpg, signal.SIGKILL)
        signal_all([member.pid for member in family if member.is_running()], os.kill, signal.SIGKILL)
        self.process.wait()
        psutil.wait_procs(family, timeout=GRACE)
        self.process = None

    def rest(self) -> float:
        """After a death: the pause before the next start, longer each time it dies young."""
        young = time.monotonic() - self.started < LONGEST_PAUSE
        self.deaths = self.deaths + 1 if young else 1
        pause: float = min(LONGEST_PAUSE, 0.25 * 2.0**self.deaths)
        self.not_before = time.monotonic() + pause
        return pause

    def ask_to_stop(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def wait(self, seconds: float) -> None:
        """Gives the group that was asked to stop so long, then kills what is left of it."""
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(max(0.0, seconds))
            self.kill()


def signal_all(pids: Iterable[int], send: Callable[[int, int], None], number: int) -> None:
    """Sends the signal to those that still exist."""
    for pid in pids:
        with suppress(ProcessLookupError):
            send(pid, number)


class Probe:
    """A tiny job now and then: a wedged queue looks healthy from outside, but it does not do it."""

    def __init__(self) -> None:
        self.job = ""
        self.asked = time.monotonic()

    def wedged(self) -> bool:
        """True when the last job still waits after a minute; asks for a new one when it is time."""
        age = time.monotonic() - self.asked
        if self.job and not any(row.task_id() == self.job for row in OrmQ.objects.filter(key="light")):
            self.job = ""
        if not self.job and age >= PROBE:
            self.job, self.asked = async_task("forecastsite.tasks.probe", cluster="light"), time.monotonic()
            return False
        return bool(self.job) and age > WEDGED

    def forget(self) -> None:
        """The queue was started again: the old job does not count."""
        for row in OrmQ.objects.filter(key="light"):
            if row.task_id() == self.job:
                row.delete()
        self.job, self.asked = "", time.monotonic()


class Supervisor:
    """Keeps the three groups alive until it is told to stop."""

    def __init__(self, port: int, workers: int, say: Say, drain: bool = False) -> None:
        self.port, self.say, self.drain, self.signals = port, say, drain, 0
        self.web = Group("web", str(port))
        self.light = Group("light")
        self.training = Group("training", TRAINING_WORKERS=str(workers))
        self.groups = [self.web, self.light, self.training]
        self.probe = Probe()
        self.idle_since: float | None = None
        self.looked = 0.0

    def run(self, ready: Callable[[], None]) -> None:
        """Until SIGTERM, SIGINT or the terminal goes; calls `ready` once, when the sign-in page answers."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.on_signal)
        set_draining(False)
        try:
            told = False
            while not self.signals:
                self.keep_alive()
                if not told and answers(self.port):
                    told = True
                    ready()
                self.look_after_runs()
                time.sleep(TICK)
            if self.drain:
                self.wait_for_trainings()
        finally:
            self.stop()

    def on_signal(self, number: int, frame: object) -> None:
        self.signals += 1

    def wait_for_trainings(self) -> None:
        """What is in work ends first, what waits stays in the queue; a second signal stops it all at once.

        The queue's own way to stop is not used: it can wait for ever for a job that it has fetched already.
        """
        set_draining(True)
        self.say("waits for the trainings in work; a second signal stops them")
        while self.signals < 2 and self.in_work():
            self.keep_alive()
            self.look_after_runs()
            time.sleep(1)

    def in_work(self) -> list[TrainingRun]:
        """The trainings of this machine's workers."""
        pids = [member.pid for member in self.training.family()]
        state = TrainingRun.State.RUNNING
        return list(TrainingRun.objects.filter(state=state, host=socket.gethostname(), pid__in=pids))

    def keep_alive(self) -> None:
        """Starts what is not there; a group whose head died is killed as a whole first."""
        for group in self.groups:
            if group.dead:
                self.bury(group, "died")
            if group.due:
                self.start(group)

    def start(self, group: Group) -> None:
        if group is self.training:
            leases.unlock_queue()
        self.say(f"{group.name} started (process {group.start()})")

    def bury(self, group: Group, why: str) -> None:
        group.kill()
        self.say(f"{group.name} {why}, starts again in {group.rest():.1f} s")

    def look_after_runs(self) -> None:
        """Now and then: runs of dead workers, and queues that do nothing."""
        if time.monotonic() - self.looked < REAP:
            return
        self.looked = time.monotonic()
        try:
            close_old_connections()
            for run in leases.expire_lost():
                self.say(f"training {run.pk} had lost its worker, now {run.state}")
            leases.requeue_lost()
            self.check_queues()
        except DatabaseError as error:
            self.say(f"the database does not answer: {error}")

    def check_queues(self) -> None:
        if self.probe.wedged() and not busy(member.pid for member in self.light.family()):
            self.bury(self.light, "does no jobs")
            self.probe.forget()
        now = time.monotonic()
        self.idle_since = (self.idle_since or now) if leases.is_stalled() else None
        if self.idle_since is not None and now - self.idle_since > STALLED:
            self.bury(self.training, "takes no jobs")
            self.idle_since = None

    def stop(self) -> None:
        """Nothing is left behind; a training that was in work waits for the next start."""
        self.say("stopping")
        begun = time.monotonic()
        for group in (self.web, self.light):
            group.ask_to_stop()
        self.stop_training()
        for group in (self.web, self.light):
            group.wait(GRACE - (time.monotonic() - begun))
        self.say("stopped")

    def stop_training(self) -> None:
        """Kills the workers: asked politely they would wait for the training to end."""
        runs = self.in_work()
        self.training.kill()
        for run in runs:
            if leases.release(run):
                self.say(f"training {run.pk} waits for the next start")


def answers(port: int) -> bool:
    """True when the sign-in page is there."""
    host = next((name.lstrip(".") for name in settings.ALLOWED_HOSTS if name != "*"), "localhost")
    headers = {"Host": host, **({"X-Forwarded-Proto": "https"} if settings.HTTPS else {})}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", resolve_url(settings.LOGIN_URL), headers=headers)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def port_is_free(port: int) -> bool:
    """Nobody else listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

"""Supervisor of `manage.py up`: keeps web server and both queues alive, and stops them cleanly."""

from __future__ import annotations

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
from django_q.models import OrmQ
from django_q.tasks import async_task

from forecastsite.server.health import WebCheck, is_answering
from forecastsite.tasks import has_busy_worker
from training import leases
from training.leases import set_draining
from training.models import TrainingRun

TICK_SECONDS = 0.25
RUN_CHECK_SECONDS = 10.0  # seconds between two checks of the runs
PROBE_SECONDS = 20.0  # seconds between two probe jobs
WEDGED_SECONDS = 60.0  # a light queue that is idle for longer is restarted
STALLED_SECONDS = 30.0  # a training queue that takes none of the waiting runs for longer is restarted
GRACE_SECONDS = 5.0  # seconds for a clean stop before processes are killed
MAX_PAUSE_SECONDS = 10.0  # longest pause before a process that dies at once is restarted

WriteStatus = Callable[[str], None]


class ProcessGroup:
    """A child process and everything it starts, in a separate process group."""

    def __init__(self, name: str, *arguments: str, **environment: str) -> None:
        self.name, self.arguments, self.environment = name, arguments, environment
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = self.not_before = 0.0
        self.early_deaths = 0

    def start(self) -> int:
        """Starts the process and returns its pid."""
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
        self.started_at = time.monotonic()
        return self.process.pid

    @property
    def is_dead(self) -> bool:
        """Whether the process was started and has ended."""
        return self.process is not None and self.process.poll() is not None

    @property
    def is_due(self) -> bool:
        """Whether it is time to start the process."""
        return self.process is None and time.monotonic() >= self.not_before

    def list_descendants(self) -> list[psutil.Process]:
        """All descendants of the process, including those in other sessions."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True) if self.process else []
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """Kills the whole group and waits until it has ended."""
        if self.process is None:
            return
        family = self.list_descendants()
        signal_all([self.process.pid], os.killpg, signal.SIGKILL)
        signal_all([member.pid for member in family if member.is_running()], os.kill, signal.SIGKILL)
        self.process.wait()
        psutil.wait_procs(family, timeout=GRACE_SECONDS)
        self.process = None

    def schedule_restart(self) -> float:
        """Returns the pause before the next start, doubled each time the process dies early."""
        young = time.monotonic() - self.started_at < MAX_PAUSE_SECONDS
        self.early_deaths = self.early_deaths + 1 if young else 1
        pause: float = min(MAX_PAUSE_SECONDS, 0.25 * 2.0**self.early_deaths)
        self.not_before = time.monotonic() + pause
        return pause

    def request_stop(self) -> None:
        """Sends SIGTERM."""
        if self.process is not None:
            self.process.terminate()

    def wait(self, seconds: float) -> None:
        """Waits for the group to stop, then kills whatever is left of it."""
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(max(0.0, seconds))
            self.kill()


def signal_all(pids: Iterable[int], send: Callable[[int, int], None], number: int) -> None:
    """Sends the signal to those that still exist."""
    for pid in pids:
        with suppress(ProcessLookupError):
            send(pid, number)


class QueueProbe:
    """A periodic probe job, because a wedged queue looks healthy from outside."""

    def __init__(self) -> None:
        self.job_id = ""
        self.asked_at = time.monotonic()

    def is_wedged(self) -> bool:
        """Whether the last probe still waits after a minute; queues a new one when it is due."""
        age = time.monotonic() - self.asked_at
        if self.job_id and not any(row.task_id() == self.job_id for row in OrmQ.objects.filter(key="light")):
            self.job_id = ""
        if not self.job_id and age >= PROBE_SECONDS:
            self.job_id, self.asked_at = (
                async_task("forecastsite.tasks.probe", cluster="light"),
                time.monotonic(),
            )
            return False
        return bool(self.job_id) and age > WEDGED_SECONDS

    def forget_job(self) -> None:
        """Withdraws the current probe after a restart of the queue."""
        for row in OrmQ.objects.filter(key="light"):
            if row.task_id() == self.job_id:
                row.delete()
        self.job_id, self.asked_at = "", time.monotonic()


class Supervisor:
    """Keeps the three process groups alive until it receives a signal."""

    def __init__(
        self, port: int, workers: int, write_status: WriteStatus, should_drain: bool = False
    ) -> None:
        self.port, self.write_status, self.should_drain, self.signal_count = (
            port,
            write_status,
            should_drain,
            0,
        )
        self.web = ProcessGroup("web", str(port))
        self.light = ProcessGroup("light")
        self.training = ProcessGroup("training", TRAINING_WORKERS=str(workers))
        self.groups = [self.web, self.light, self.training]
        self.queue_probe = QueueProbe()
        self.web_check = WebCheck(port)
        self.idle_since: float | None = None
        self.last_run_check = 0.0

    def run_until_stopped(self, on_ready: Callable[[], None]) -> None:
        """Runs until SIGTERM, SIGINT or SIGHUP; calls `on_ready` once, when the sign-in page answers."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.count_signal)
        set_draining(False)
        try:
            is_announced = False
            while not self.signal_count:
                self.restart_dead_groups()
                if not is_announced and is_answering(self.port):
                    is_announced = True
                    on_ready()
                self.check_web(is_announced)
                self.check_runs()
                time.sleep(TICK_SECONDS)
            if self.should_drain:
                self.wait_for_trainings()
        finally:
            self.stop_groups()

    def count_signal(self, number: int, frame: object) -> None:
        """Signal handler: the main loop acts on the count."""
        self.signal_count += 1

    def wait_for_trainings(self) -> None:
        """Lets running trainings finish and leaves waiting ones in the queue; a second signal stops all.

        Does not use the queue's own shutdown, which can wait forever for a job that it has already fetched.
        """
        set_draining(True)
        self.write_status("waiting for running trainings; a second signal stops them")
        while self.signal_count < 2 and self.find_running_trainings():
            self.restart_dead_groups()
            self.check_web()
            self.check_runs()
            time.sleep(1)

    def find_running_trainings(self) -> list[TrainingRun]:
        """Running trainings of this supervisor's workers."""
        pids = [member.pid for member in self.training.list_descendants()]
        state = TrainingRun.State.RUNNING
        return list(TrainingRun.objects.filter(state=state, host=socket.gethostname(), pid__in=pids))

    def restart_dead_groups(self) -> None:
        """Starts missing groups; a group whose main process died is killed first."""
        for group in self.groups:
            if group.is_dead:
                self.kill_and_restart(group, "died")
            if group.is_due:
                self.start_group(group)

    def start_group(self, group: ProcessGroup) -> None:
        """Starts a group; the training queue may take locked jobs again."""
        if group is self.training:
            leases.unlock_queue()
        if group is self.web:
            self.web_check.reset()
        self.write_status(f"{group.name} started (process {group.start()})")

    def kill_and_restart(self, group: ProcessGroup, why: str) -> None:
        """Kills a group and schedules its restart."""
        group.kill()
        self.write_status(f"{group.name} {why}, restarting in {group.schedule_restart():.1f} s")

    def check_web(self, was_ready: bool = True) -> None:
        """Restarts a web server that was ready and answers no longer."""
        if was_ready and self.web.process is not None and self.web_check.is_hung():
            self.kill_and_restart(self.web, "does not answer")
            self.web_check.reset()

    def check_runs(self) -> None:
        """Every RUN_CHECK_SECONDS: expires runs of dead workers and restarts wedged queues."""
        if time.monotonic() - self.last_run_check < RUN_CHECK_SECONDS:
            return
        self.last_run_check = time.monotonic()
        try:
            close_old_connections()
            for run in leases.expire_lost_runs():
                self.write_status(f"training {run.pk} lost its worker, now {run.state}")
            leases.requeue_lost_runs()
            self.check_queues()
        except DatabaseError as error:
            self.write_status(f"the database does not answer: {error}")

    def check_queues(self) -> None:
        """Restarts a queue that does not process its jobs."""
        if self.queue_probe.is_wedged() and not has_busy_worker(
            member.pid for member in self.light.list_descendants()
        ):
            self.kill_and_restart(self.light, "processes no jobs")
            self.queue_probe.forget_job()
        now = time.monotonic()
        self.idle_since = (self.idle_since or now) if leases.is_stalled() else None
        if self.idle_since is not None and now - self.idle_since > STALLED_SECONDS:
            self.kill_and_restart(self.training, "takes no jobs")
            self.idle_since = None

    def stop_groups(self) -> None:
        """Stops everything; running trainings resume at the next start."""
        self.write_status("stopping")
        begun = time.monotonic()
        for group in (self.web, self.light):
            group.request_stop()
        self.stop_training()
        for group in (self.web, self.light):
            group.wait(GRACE_SECONDS - (time.monotonic() - begun))
        self.write_status("stopped")

    def stop_training(self) -> None:
        """Kills the workers, which would otherwise wait for their trainings, and releases the runs."""
        runs = self.find_running_trainings()
        self.training.kill()
        for run in runs:
            if leases.release_run(run):
                self.write_status(f"training {run.pk} will resume at the next start")

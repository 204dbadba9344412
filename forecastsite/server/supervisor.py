"""Supervisor of `manage.py up`: keeps web server and queues of this host alive, and stops them cleanly."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django_q.models import OrmQ
from django_q.tasks import async_task

from forecastsite.automation.starting import start_due_plans
from forecastsite.server.beats import BEAT_SECONDS, LIGHT, TRAINING, record_beat
from forecastsite.server.health import WebCheck, is_answering
from forecastsite.server.host_status import ROLES, HostStatus, StatusFile
from forecastsite.server.process_group import GRACE_SECONDS, ProcessGroup
from forecastsite.tasks import has_busy_worker
from forecastsite.verification.nightly import ask_for_verification
from forecastsite.webhooks.sending import ask_for_due
from prediction.accuracy.digest import ask_for_digest
from prediction.accuracy.joining import ask_for_comparisons
from prediction.current_forecast import ask_for_outdated
from prediction.order_backtests.models import OrderBacktest
from registry.datasets.sources.service import ask_for_sources
from registry.lib.leases import expire_lost_jobs
from training import leases
from training.leases import set_draining
from training.models import TrainingRun

TICK_SECONDS = 0.25
RUN_CHECK_SECONDS = 5.0  # seconds between two checks of the runs
FORECAST_CHECK_SECONDS = 30.0  # seconds between two checks of the server's own forecasts
SWEEP_SECONDS = 3600.0  # seconds between two searches for checkpoints that nobody needs
PROBE_SECONDS = 20.0  # seconds between two probe jobs
WEDGED_SECONDS = 60.0  # a light queue that is idle for longer is restarted
STALLED_SECONDS = 30.0  # a training queue that takes none of the waiting runs for longer is restarted
DATABASE_PROBLEM = "The database does not answer."
DRAINING = "The host is being stopped when its trainings have ended."

WriteStatus = Callable[[str], None]


class QueueProbe:
    """A periodic probe job, because a wedged queue looks healthy from outside."""

    def __init__(self) -> None:
        self.job_id = ""
        self.asked_at = time.monotonic() - PROBE_SECONDS  # the first one at once

    @property
    def is_late(self) -> bool:
        """Whether the last probe waits for longer than usual."""
        return bool(self.job_id) and time.monotonic() - self.asked_at > PROBE_SECONDS

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


@dataclass(frozen=True)
class HostOptions:
    """What `up` was told: port of the web server, trainings at a time, roles of this host."""

    port: int
    workers: int
    roles: tuple[str, ...] = ROLES
    should_drain: bool = False


class Supervisor:
    """Keeps the process groups of this host's roles alive until it receives a signal."""

    def __init__(self, options: HostOptions, write_status: WriteStatus) -> None:
        self.options, self.write_status, self.signal_count = options, write_status, 0
        self.web = ProcessGroup("web", str(options.port))
        self.light = ProcessGroup("light")
        self.training = ProcessGroup("training", TRAINING_WORKERS=str(options.workers))
        every = (self.web, self.light, self.training)
        self.groups = [group for group in every if group.name in options.roles]
        self.queue_probe = QueueProbe()
        self.web_check = WebCheck(options.port)
        self.status_file = StatusFile(settings.DATA_DIR)
        self.is_announced, self.is_draining, self.is_database_up = False, False, True
        self.idle_since: float | None = None
        self.last_beats: dict[str, float] = {}
        self.last_run_check = self.last_forecast_check = self.last_sweep = float("-inf")

    def run_until_stopped(self, on_ready: Callable[[], None]) -> None:
        """Runs until SIGTERM, SIGINT or SIGHUP; calls `on_ready` once, when the sign-in page answers.

        On a host without the web server that is when its queues wait for jobs.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.count_signal)
        set_draining(False)
        try:
            while not self.signal_count:
                self.look_after_groups()
                first = [self.web] if self.web in self.groups else self.groups
                if not self.is_announced and all(group.is_ready for group in first):
                    self.is_announced = True
                    on_ready()
                time.sleep(TICK_SECONDS)
            if self.options.should_drain:
                self.wait_for_trainings()
        finally:
            self.stop_groups()

    def look_after_groups(self) -> None:
        """One round: restarts what died or hangs, and shows how the host is."""
        self.restart_dead_groups()
        for group in self.groups:
            group.is_ready = group.is_ready or self.is_at_work(group)
        self.check_web()
        self.check_runs()
        self.show_status()

    def is_at_work(self, group: ProcessGroup) -> bool:
        """Whether the sign-in page answers, or the workers of the queue wait for jobs."""
        if group is self.web:
            return group.process is not None and is_answering(self.options.port)
        return group.has_queue_workers()

    def show_status(self) -> None:
        """Writes the status for probes; on a full disk they keep the one before."""
        problems = (DATABASE_PROBLEM,) * (not self.is_database_up) + (DRAINING,) * self.is_draining
        with suppress(OSError):
            self.status_file.show(HostStatus({group.name: group.state for group in self.groups}, problems))

    def count_signal(self, number: int, frame: object) -> None:
        """Signal handler: the main loop acts on the count."""
        self.signal_count += 1

    def wait_for_trainings(self) -> None:
        """Lets running trainings finish and leaves waiting ones in the queue; a second signal stops all.

        Does not use the queue's own shutdown, which can wait forever for a job that it has already fetched.
        """
        set_draining(True)
        self.is_draining = True
        self.write_status("waiting for running trainings; a second signal stops them")
        while self.signal_count < 2 and self.find_running_trainings():
            self.look_after_groups()
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

    def check_web(self) -> None:
        """Restarts a web server that was ready and answers no longer."""
        if self.web.is_ready and self.web.process is not None and self.web_check.is_hung():
            self.kill_and_restart(self.web, "does not answer")
            self.web_check.reset()

    def check_runs(self) -> None:
        """Every RUN_CHECK_SECONDS: expires runs of dead workers and restarts wedged queues."""
        if time.monotonic() - self.last_run_check < RUN_CHECK_SECONDS:
            return
        self.last_run_check = time.monotonic()
        try:
            close_old_connections()
            self.is_database_up = False  # until all of this has worked
            for run in leases.expire_lost_runs():
                self.write_status(f"training {run.pk} lost its worker, now {run.state}")
            leases.requeue_lost_runs()
            self.check_queues()
            self.take_up_lost_work()
            self.is_database_up = True
        except DatabaseError as error:
            self.write_status(f"the database does not answer: {error}")

    def take_up_lost_work(self) -> None:
        """What hosts left behind when they died, in longer intervals: forecasts, and files in the store."""
        now = time.monotonic()
        if self.light in self.groups:
            ask_for_due()
            ask_for_sources()
            start_due_plans()
        if self.light in self.groups and now - self.last_forecast_check > FORECAST_CHECK_SECONDS:
            self.last_forecast_check = now
            ask_for_outdated()
            expire_lost_jobs()
            ask_for_comparisons()
            ask_for_digest()
            ask_for_verification()
        if self.training in self.groups and now - self.last_sweep > SWEEP_SECONDS:
            self.last_sweep = now
            with suppress(OSError):  # of a store that does not answer
                leases.delete_orphan_copies()

    def check_queues(self) -> None:
        """Restarts a queue of this host that does not process its jobs."""
        if self.light in self.groups:
            self.check_light_queue()
        if self.training not in self.groups:
            return
        now = time.monotonic()
        is_stalled = leases.is_stalled() and not OrderBacktest.is_any_running()
        self.idle_since = (self.idle_since or now) if is_stalled else None
        if self.training.is_ready and self.idle_since is None:
            self.beat(TRAINING)
        if self.idle_since is not None and now - self.idle_since > STALLED_SECONDS:
            self.kill_and_restart(self.training, "takes no jobs")
            self.idle_since = None

    def check_light_queue(self) -> None:
        """The probe job beats by itself; while a long job keeps the worker from it, this host does."""
        is_wedged = self.queue_probe.is_wedged()
        if not self.queue_probe.is_late:
            return
        if has_busy_worker(self.light.list_running_pids()):
            self.beat(LIGHT)
        elif is_wedged:
            self.kill_and_restart(self.light, "processes no jobs")
            self.queue_probe.forget_job()

    def beat(self, queue: str) -> None:
        """Notes that this host serves the queue, now and then."""
        if time.monotonic() - self.last_beats.get(queue, float("-inf")) > BEAT_SECONDS:
            self.last_beats[queue] = time.monotonic()
            record_beat(queue)

    def stop_groups(self) -> None:
        """Stops everything; running trainings resume at the next start."""
        self.write_status("stopping")
        begun = time.monotonic()
        for group in (self.web, self.light):
            group.request_stop()
        self.stop_training()
        for group in (self.web, self.light):
            group.wait(GRACE_SECONDS - (time.monotonic() - begun))
        self.status_file.remove()
        self.write_status("stopped")

    def stop_training(self) -> None:
        """Kills the workers, which would otherwise wait for their trainings, and releases the runs."""
        runs = self.find_running_trainings()
        self.training.kill()
        for run in runs:
            if leases.release_run(run):
                self.write_status(f"training {run.pk} will resume at the next start")

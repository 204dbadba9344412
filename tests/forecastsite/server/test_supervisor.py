"""What the supervisor notices and does, without starting anything."""

from __future__ import annotations

import time

import psutil
import pytest
from django.db import OperationalError
from django_q.models import OrmQ
from django_q.signals import post_execute_in_worker, pre_execute

from forecastsite import tasks as light
from forecastsite.management.commands.up import create_administrator
from forecastsite.server import health, heap, supervisor
from forecastsite.server.beats import QueueBeat, read_beats
from forecastsite.server.health import CHECK_SECONDS, WebCheck, is_alive, is_answering
from forecastsite.server.host_status import HostStatus, read_status
from forecastsite.server.process_group import MAX_PAUSE_SECONDS, ProcessGroup
from forecastsite.server.supervisor import HostOptions, QueueProbe, Supervisor
from training import leases, tasks

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is moved."""

    class Clock:
        now = 1000.0

        def pass_by(self, seconds: float) -> None:
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def watching(clock):
    said = []
    watching = Supervisor(HostOptions(8000, 1), said.append)
    watching.said = said
    return watching


def test_a_queue_that_does_its_probe_job_is_well(clock):
    probe = QueueProbe()
    assert not probe.is_wedged()
    assert OrmQ.objects.get().func() == "forecastsite.tasks.probe"
    OrmQ.objects.all().delete()  # a worker did it
    clock.pass_by(61)
    assert not probe.is_wedged()


def test_a_light_queue_that_does_nothing_for_a_minute_is_started_again(clock, watching):
    watching.check_queues()
    clock.pass_by(59)
    watching.check_queues()
    assert watching.said == []
    clock.pass_by(2)
    watching.check_queues()
    assert watching.said == ["light processes no jobs, restarting in 0.5 s"]
    assert not OrmQ.objects.exists()


def test_a_long_light_job_is_not_a_wedged_queue(clock, watching, monkeypatch, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    light.install_busy_markers()
    monkeypatch.setattr(watching.light, "list_descendants", lambda: [psutil.Process()])
    watching.check_queues()
    pre_execute.send("django_q", func=None, task=None)
    clock.pass_by(1000)
    watching.check_queues()
    assert watching.said == [] and read_beats()["light"][1]
    post_execute_in_worker.send("django_q", func=None, task=None)
    watching.check_queues()
    assert watching.said == ["light processes no jobs, restarting in 0.5 s"]


def test_marks_of_dead_workers_are_swept_when_the_queue_starts(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    light.install_busy_markers()
    light.busy_marker_path(1).touch()
    assert light.has_busy_worker([1])
    light.install_busy_markers()
    assert not light.has_busy_worker([1])


def test_a_training_queue_that_takes_no_run_for_half_a_minute_is_started_again(clock, watching, ask):
    ask()
    watching.check_queues()
    clock.pass_by(15)
    watching.queue_probe.forget_job()
    watching.check_queues()
    assert watching.said == []
    clock.pass_by(16)
    watching.queue_probe.forget_job()
    watching.check_queues()
    assert watching.said == ["training takes no jobs, restarting in 0.5 s"]


def test_a_queue_at_work_is_left_alone(clock, watching, ask):
    leases.claim_run(ask().pk, 1, "here")
    ask()
    for _ in range(5):
        clock.pass_by(40)
        watching.queue_probe.forget_job()
        watching.check_queues()
    assert watching.said == []


def test_something_that_dies_at_once_is_started_less_and_less_often(clock):
    group = ProcessGroup("web")
    group.started_at = clock.now
    pauses = [group.schedule_restart() for _ in range(10)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == MAX_PAUSE_SECONDS
    clock.pass_by(MAX_PAUSE_SECONDS + 1)
    assert group.schedule_restart() == pauses[0]


def test_a_server_that_is_not_there_does_not_answer():
    assert not is_answering(1)


@pytest.fixture
def checks(monkeypatch):
    """What the next checks of the web server find; they run at once and not in a thread."""
    found: list[bool] = []

    class Thread:
        def __init__(self, target, **_options):
            self.start = target

        def is_alive(self):
            return False

    monkeypatch.setattr(health.threading, "Thread", Thread)
    monkeypatch.setattr(health, "is_alive", lambda _port: found.pop(0))
    return found


def test_a_web_server_that_hangs_is_noticed_after_three_checks(clock, checks):
    check = WebCheck(8000)
    checks += [True, False, False, True, False, False, False]
    seen = []
    for _ in range(7):
        clock.pass_by(CHECK_SECONDS)
        seen += [check.is_hung(), check.is_hung()]  # the second one is not due yet
    assert seen == [False] * 12 + [True, True]
    check.reset()
    assert not check.is_hung()


def test_a_hung_web_server_is_restarted_and_a_starting_one_is_not(clock, checks, watching, monkeypatch):
    monkeypatch.setattr(watching.web, "process", object())
    monkeypatch.setattr(watching.web, "kill", lambda: None)
    checks += [False] * 4
    for _ in range(3):
        watching.check_web()
    assert len(checks) == 4
    watching.web.is_ready = True
    for _ in range(3):
        watching.check_web()
        clock.pass_by(CHECK_SECONDS)
    assert watching.said == ["web does not answer, restarting in 0.5 s"]
    watching.check_web()
    assert len(watching.said) == 1


@pytest.mark.parametrize(
    ("role", "others"), [("web", ["light", "training"]), ("light", ["training"]), ("training", ["light"])]
)
def test_a_host_with_one_role_starts_and_restarts_nothing_else(clock, monkeypatch, ask, role, others):
    monkeypatch.setattr(ProcessGroup, "start", lambda group: 7)
    said: list[str] = []
    host = Supervisor(HostOptions(8000, 1, (role,)), said.append)
    host.restart_dead_groups()
    assert said == [f"{role} started (process 7)"]
    ask()  # a training that waits, and a probe job that nobody does
    for _ in range(4):
        clock.pass_by(40)
        host.check_queues()
    assert not [line for line in said if line.split()[0] in others]


def test_a_host_is_ready_once_each_role_works_and_says_what_is_wrong(clock, watching, monkeypatch, settings):
    monkeypatch.setattr(watching, "restart_dead_groups", lambda: None)
    monkeypatch.setattr(watching, "check_runs", lambda: None)
    at_work = {"web"}
    monkeypatch.setattr(watching, "is_at_work", lambda group: group.name in at_work)

    def look() -> HostStatus:
        watching.look_after_groups()
        return read_status(settings.DATA_DIR)

    assert look().roles == {"web": "ready", "light": "starting", "training": "starting"}
    assert (look().is_healthy, look().is_ready) == (True, False)
    at_work |= {"light", "training"}
    assert (look().is_healthy, look().is_ready) == (True, True)
    watching.is_database_up = False
    assert (look().is_healthy, look().is_ready) == (True, False)
    assert look().problems == ("The database does not answer.",)
    watching.is_database_up, watching.light.is_ready = True, False
    at_work.remove("light")
    watching.light.started_at = clock.now
    for _ in range(3):
        watching.light.schedule_restart()
    assert (look().roles["light"], look().is_healthy) == ("failing", False)


def test_a_database_that_is_gone_is_a_problem_until_it_answers_again(clock, watching, monkeypatch):
    def fail() -> list:
        raise OperationalError("gone")

    monkeypatch.setattr(supervisor, "close_old_connections", lambda: None)  # the test is inside a transaction
    with monkeypatch.context() as patched:
        patched.setattr(leases, "expire_lost_runs", fail)
        watching.check_runs()
    assert not watching.is_database_up
    clock.pass_by(11)
    watching.check_runs()
    assert watching.is_database_up, watching.said


def test_training_workers_that_wait_for_jobs_beat(clock, watching):
    watching.check_queues()
    assert not read_beats()["training"][1]
    watching.training.is_ready = True
    watching.check_queues()
    assert read_beats()["training"][1]
    QueueBeat.objects.update(at="2026-01-01T00:00Z")
    watching.check_queues()
    assert not read_beats()["training"][1]  # one in twenty seconds is enough
    clock.pass_by(21)
    watching.check_queues()
    assert read_beats()["training"][1]


async def test_the_health_address_asks_no_page_and_no_database():
    sent = []

    async def send(message):
        sent.append(message)

    async def pages(scope, receive, send):
        sent.append("pages")

    application = health.answer_health_checks(pages)
    await application({"type": "http", "path": "/healthz"}, None, send)
    assert (sent[0]["status"], sent[1]["body"]) == (200, b"ok\n")
    await application({"type": "http", "path": "/"}, None, send)
    assert sent[2:] == ["pages"]


def test_memory_is_returned_with_and_without_a_collection(monkeypatch):
    collected = []
    monkeypatch.setattr(heap.gc, "collect", lambda: collected.append(True))
    heap.trim_heap(collect=False)
    assert not collected
    heap.trim_heap(collect=True)
    assert collected
    monkeypatch.setattr(heap, "find_function", lambda _name: None)  # another C library
    heap.limit_heap()
    heap.trim_heap(collect=False)


def test_what_modules_hold_is_left_out_of_collections_once_they_have_loaded(monkeypatch):
    done, loaded = [], heap.LoadedObjects()
    for name in ("collect", "freeze"):
        monkeypatch.setattr(heap.gc, name, lambda name=name: done.append(name))
    modules = dict.fromkeys(range(200))
    monkeypatch.setattr(heap.sys, "modules", modules)
    loaded.exempt()
    assert not done, "they may still be loading"
    loaded.exempt()
    loaded.exempt()
    assert done == ["collect", "freeze"]
    modules |= dict.fromkeys(range(200, 300))
    loaded.exempt()
    loaded.exempt()
    assert done == 2 * ["collect", "freeze"]


def test_a_server_that_hangs_is_not_alive(monkeypatch):
    monkeypatch.setattr(health, "TIMEOUT_SECONDS", 0.1)
    with health.socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        assert not is_alive(listening.getsockname()[1])


def test_the_sign_in_page_is_asked_for_under_a_name_that_is_allowed(settings, monkeypatch):
    asked = []

    class Connection:
        def __init__(self, *args, **kwargs):
            self.status = 200

        def request(self, method, path, headers):
            asked.append((path, headers))

        def getresponse(self):
            return self

        def close(self):
            asked.append("closed")

    monkeypatch.setattr(health.http.client, "HTTPConnection", Connection)
    settings.ALLOWED_HOSTS, settings.HTTPS = ["*", ".shop.example"], True
    assert is_answering(8000)
    assert asked == [("/login/", {"Host": "shop.example", "X-Forwarded-Proto": "https"}), "closed"]


def test_the_first_administrators_password_is_random_unless_it_is_given(django_user_model):
    password = create_administrator().split("password ")[1].split()[0]
    admin = django_user_model.objects.get(username="admin")
    assert admin.is_superuser
    assert admin.check_password(password)
    admin.delete()
    assert "a secret of mine" not in create_administrator("a secret of mine")
    assert django_user_model.objects.get(username="admin").check_password("a secret of mine")


def test_draining_waits_until_nothing_is_in_work_or_a_second_signal_comes(monkeypatch, tmp_path, settings):
    settings.DATA_DIR = tmp_path
    said: list[str] = []
    watching = Supervisor(HostOptions(8000, 1, should_drain=True), said.append)
    monkeypatch.setattr(watching, "restart_dead_groups", lambda: watching.count_signal(15, None))
    monkeypatch.setattr(watching, "check_runs", lambda: None)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    watching.wait_for_trainings()
    assert watching.signal_count == 0
    monkeypatch.setattr(watching, "find_running_trainings", lambda: ["a training"])
    watching.wait_for_trainings()
    assert watching.signal_count == 2
    assert said == 2 * ["waiting for running trainings; a second signal stops them"]


def test_a_draining_machine_begins_nothing(ask, tmp_path, settings):
    settings.DATA_DIR = tmp_path
    run = ask()
    leases.set_draining(True)
    tasks.run_training(str(run.pk))
    run.refresh_from_db()
    assert run.state == "queued"
    leases.set_draining(False)
    leases.set_draining(False)
    assert not leases.drain_marker_path().exists()

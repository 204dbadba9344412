"""Hosts with one role each, one PostgreSQL, one S3 store: whichever dies during an upload, a check, a
training or a forecast, another host of its role goes on, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from tests.faults.http_client import Person
from tests.faults.results import NotReady
from tests.helpers.installation import MANAGE, Site, until
from tests.helpers.postgresql import find_postgresql, run_postgresql
from tests.helpers.s3_server import run_s3
from tests.helpers.trials import FULL, only_if

pytestmark = pytest.mark.processes
SECONDS = 20 if FULL else 90  # to learn; in the quick run the training is finished early
PATIENCE = 240
RESUMED = "Training resumed from its last checkpoint."
SALES = "date,store_id,product_id,sales\n" + "".join(
    f"2026-{1 + day // 28:02}-{1 + day % 28:02},S1,P{product},{(day * product) % 9}\n"
    for day in range(150)
    for product in range(1, 40)
)
FIELDS = """
import json
from registry.datasets.forms import ColumnMappingForm
from registry.datasets.uploads import Upload
upload = Upload.objects.get(pk="{upload}")
form = ColumnMappingForm(upload)
print(json.dumps({{name: str(form[name].initial or "") for name in form.fields}}))
"""
LEFT = """
import json
from registry.datasets.uploads import Upload
from registry.storage.reconcile import iter_findings
from registry.storage.shared_folder import iter_stored
found = {"findings": [str(one) for one in iter_findings(True, set())]}
found["stored"] = [name for part in ("uploads", "runs") for name in iter_stored(part)]
print(json.dumps(found))
"""
FORECASTS = """
import json
from prediction.models import CurrentForecast, Forecast
ready = CurrentForecast.objects.filter(forecast__state="ready").count()
print(json.dumps({"ready": ready, "pending": Forecast.objects.filter(state="pending").count()}))
"""


class Hosts:
    """Hosts of one installation; each has its own folder and one role."""

    def __init__(self, folder: Path, **shared: str) -> None:
        self.folder, self.shared, self.made = folder, shared, []
        self.desk = self.make()  # starts nothing; prepares, and looks into the database
        self.desk.prepare()

    def make(self) -> Site:
        folder = self.folder / f"host{len(self.made)}"
        folder.mkdir()
        self.made.append(Site(folder, **self.shared))
        return self.made[-1]

    def start(self, role: str) -> Site:
        host = self.make()
        host.start(*MANAGE, "up", "--only", role)
        return host

    def ask(self, program: str) -> dict:
        return json.loads(self.desk.shell(program))

    def clean_up(self) -> None:
        for host in self.made:
            host.clean_up()


def kill(host: Site) -> None:
    """The machine is gone."""
    host.everybody()
    os.killpg(host.process.pid, signal.SIGKILL)
    host.process.wait()
    until(30, lambda: not host.left())


@pytest.fixture(scope="module")
def hosts(tmp_path_factory) -> Iterator[Hosts]:
    with run_postgresql() as address, run_s3() as shared, ExitStack() as stack:
        shared |= {"DATABASE_URL": address, "SECRET_KEY": "k" * 40, "WAITING_PER_USER": "1000"}
        hosts = Hosts(tmp_path_factory.mktemp("hosts"), **shared)
        stack.callback(hosts.clean_up)
        yield hosts


def look_at(hosts: Hosts, name: str, what: str) -> str:
    """A fact of a dataset."""
    program = (
        f"from registry.datasets.models import Dataset\nprint(Dataset.objects.get(name='{name}').{what})"
    )
    return hosts.desk.shell(program).strip()


def send_half(person: Person) -> socket.socket:
    """An upload that never ends."""
    head = f"POST /data/upload/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {person.cookie}\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n"
    where = person.address.removeprefix("http://").split(":")
    open_end = socket.create_connection((where[0], int(where[1])))
    open_end.sendall(head.encode() + b"--x\r\n" + b"y" * 300_000)
    return open_end


def reading(host: Site) -> bool:
    """A file is being checked there, in a process of its own."""
    members = psutil.Process(host.process.pid).children(recursive=True)
    return any("registry.datasets.importing.sandbox.worker" in member.cmdline() for member in members)


@only_if(bool(find_postgresql() and find_spec("psycopg")), "no PostgreSQL server or no psycopg here")
def test_an_upload_and_a_check_go_on_at_another_web_host(hosts, tally):
    def trial(chance) -> dict:
        first, second = hosts.start("web"), hosts.start("web")
        name = f"till-{chance.randrange(10**6)}.csv"
        person = Person(first)
        where, _page = person.bring(name, SALES.encode())
        upload = where.split("/")[-3]
        fields = hosts.ask(FIELDS.format(upload=upload))
        half = send_half(person)
        threading.Thread(target=person.send, args=(where,), kwargs=fields, daemon=True).start()
        until(PATIENCE, lambda: reading(first))
        time.sleep(chance.random() * (2 if FULL else 0.2))
        kill(first)
        half.close()
        begun = time.monotonic()
        person.address = f"http://127.0.0.1:{second.port}"
        person.timeout = PATIENCE
        checked = person.send(where, **fields)
        assert checked and checked.endswith("/check/"), checked
        assert person.send(checked) == f"/data/{look_at(hosts, name, 'pk')}/"
        assert look_at(hosts, name, "current_version.rows") == str(150 * 39)
        took = time.monotonic() - begun
        kill(second)
        return {"seconds until it is saved": round(took, 1)}

    words = "a web host dies during an upload and a check; another one checks and saves the file"
    tally(words, 1, 5, "postgresql").attempt(trial)
    assert hosts.ask(LEFT) == {"findings": [], "stored": []}


@only_if(bool(find_postgresql() and find_spec("psycopg")), "no PostgreSQL server or no psycopg here")
def test_a_training_goes_on_at_another_host_and_a_forecast_too(hosts, tally):
    def train(chance) -> float:
        one, other = hosts.start("training"), hosts.start("training")
        run = start_training(hosts)
        copies = f"from registry.storage.shared_folder import iter_stored\nprint(*iter_stored('runs/{run}'))"
        until(PATIENCE, lambda: hosts.desk.shell(copies).split())
        time.sleep(chance.random() * (5 if FULL else 0))
        row = hosts.desk.run_row(run)
        learner = one if row["pid"] in {member.pid for member in one.everybody()} else other
        begun = time.monotonic()
        kill(learner)
        if not FULL:
            hosts.desk.expire_leases([run])
        until(PATIENCE, lambda: (row := hosts.desk.run_row(run))["attempt"] == 2 and row["pid"])
        took = time.monotonic() - begun
        texts = f"TrainingRun.objects.get(pk='{run}').events.values_list('text', flat=True)"
        assert RESUMED in hosts.desk.shell(f"print(*{texts}, sep=';')")
        if not FULL:
            hosts.desk.shell(f"TrainingRun.objects.get(pk='{run}').finish_early()")
        assert hosts.desk.until_state(run, "done", "failed", seconds=PATIENCE)["state"] == "done"
        until(PATIENCE, lambda: not hosts.desk.shell(copies).split())  # deleted just after the end
        kill(other if learner is one else one)
        return round(took, 1)

    def forecast(chance) -> float:
        first = hosts.start("light")
        until(PATIENCE, lambda: list(Path(first.env["DATA_DIR"], "busy").glob("*")))
        time.sleep(chance.random() * (4 if FULL else 1))
        kill(first)
        if hosts.ask(FORECASTS)["ready"]:
            raise NotReady("the forecast was quicker")
        begun = time.monotonic()
        second = hosts.start("light")
        if not FULL:
            old = "asked_at=timezone.now() - timedelta(minutes=2)"
            program = "from datetime import timedelta\nfrom django.utils import timezone\n"
            program += f"from prediction.models import CurrentForecast\nCurrentForecast.objects.update({old})"
            hosts.desk.shell(program)
        until(PATIENCE, lambda: hosts.ask(FORECASTS) == {"ready": 1, "pending": 0})
        took = time.monotonic() - begun
        kill(second)
        return round(took, 1)

    def trial(chance) -> dict:
        hosts.desk.shell(
            "from prediction.models import Forecast\nfor row in Forecast.objects.all(): row.remove()"
        )
        return {"seconds until it goes on": train(chance), "seconds until it is forecast": forecast(chance)}

    words = "a training host dies while it learns, a light one while it forecasts; others go on"
    tally(words, 1, 5, "postgresql").attempt(trial)
    assert hosts.ask(LEFT) == {"findings": [], "stored": []}


def start_training(hosts: Hosts) -> str:
    """A training of everything, so that its version is forecast with."""
    words = ["train", "--dataset=sample", "--scope=global", "--algorithm=kan", f"--budget={SECONDS}"]
    program = (
        f"from django.core.management import call_command\ncall_command(*{[*words, '--queue', '--json']})"
    )
    return str(json.loads(hosts.desk.shell(program))["run"])

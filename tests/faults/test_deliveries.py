"""No acknowledged run is lost while the web server is killed, and none has two results however often and
whenever its job is delivered."""

from __future__ import annotations

import time

import pytest

from forecastsite.server.health import is_answering
from tests.faults.conftest import started
from tests.faults.http_client import Person
from tests.faults.processes import head
from tests.helpers.installation import Site, until
from tests.helpers.trials import FULL

pytestmark = pytest.mark.processes
BATCH, KILLS, WORKERS = (10, 4, 3) if FULL else (2, 1, 2)
SEND = "from training.models import async_task\nfor _ in range({times}):\n for run in {runs}: "
SEND += "async_task('training.tasks.run_training', run, cluster='training')"
WAITING = "from django_q.models import OrmQ\nprint(OrmQ.objects.filter(key='training').count())"
RESULTS = (
    "print(*TrainingRun.objects.filter(pk__in={runs}).values_list('state', 'attempt', 'version_id'), sep=';')"
)
# A run may be there although its acknowledgement was lost with the web server: it has one result as well.
DOUBLE = "from registry.models import ModelVersion\n"
DOUBLE += "print(ModelVersion.objects.count() - TrainingRun.objects.filter(state='done').count())"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Three workers, so that jobs of one run are taken at the same moment."""
    several = {"TRAINING_WORKERS": str(WORKERS), "RUNNING_PER_USER": str(WORKERS)}
    with started(tmp_path_factory.mktemp("site"), **several) as site:
        yield site


def acknowledged(site: Site, person: Person, chance, count: int) -> list[str]:
    """Ids of as many runs as the pages promised, while the web server is killed now and then."""
    runs, kills = [], iter(sorted(chance.random() * count for _number in range(KILLS)))
    due, end = next(kills), time.monotonic() + 240
    while len(runs) < count or due is not None:
        assert time.monotonic() < end, "the form is not taken"
        if due is not None and len(runs) >= due and is_answering(site.port):
            time.sleep(chance.random() * 0.3)  # most often in the middle of the next request
            head(site, "web").kill()
            due = next(kills, None)
        if run := person.train():
            runs.append(run)
        else:
            time.sleep(0.2)
    return runs


def test_an_acknowledged_run_is_never_lost_and_has_one_result(site, tally):
    person, size = Person(site), BATCH

    def trial(chance) -> dict:
        runs = acknowledged(site, person, chance, size)
        site.shell(SEND.format(times=2, runs=runs))
        until(60 + 20 * len(runs), lambda: not site.runs())
        site.shell(SEND.format(times=1, runs=runs))
        until(120, lambda: not int(site.shell(WAITING)))
        rows = [line.strip("() ") for line in site.shell(RESULTS.format(runs=runs)).split(";")]
        assert len(set(rows)) == len(runs) and all(row.startswith("'done', 1, ") for row in rows), rows
        assert site.shell(DOUBLE).strip() == "0"
        return {"count": len(runs), "kills": KILLS}

    words = "runs acknowledged under kills of the web, each delivered three times at once and once late"
    tally(words, BATCH, 300).attempt(trial)

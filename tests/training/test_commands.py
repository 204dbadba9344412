"""train, runs and run_training: one JSON object on stdout, one clear line on failure."""

from __future__ import annotations

import json
import uuid

import pytest
from django.core.management import CommandError, call_command
from django_q.models import OrmQ

from registry.labels import event_text
from registry.lib.errors import MessageError
from registry.model_versions.models import ModelVersion
from tests.helpers.fake_training import FakeLearning
from training.management.commands.runs import serialize_run
from training.models import TrainingRun

pytestmark = pytest.mark.django_db
ARGS = ["--dataset=pharmacies", "--scope=global", "--algorithm=seasonal_naive"]


@pytest.fixture
def train(data, capsys):
    """Runs the command; gives the one JSON object it printed."""

    def run(*args: str) -> dict:
        call_command("train", *ARGS, *args, "--json")
        return json.loads(capsys.readouterr().out)

    return run


def test_train_learns_here_and_prints_one_object(train, learner):
    told = train("--seed=7")
    assert told["version"] == "seasonal_naive_global_v1"
    assert (told["state"], told["seed"], told["best"]) == ("done", 7, True)
    assert told["metrics"]["seasonal_naive"]["wape"] == 0.3
    assert TrainingRun.objects.get(pk=told["run"]).state == "done"


def test_train_queue_prints_the_run_and_leaves_it_to_the_workers(train):
    run = TrainingRun.objects.get(pk=train("--queue")["run"])
    assert run.state == "queued"
    assert OrmQ.objects.count() == 1


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--dataset=nowhere", "--scope=global", "--algorithm=kan"], "no dataset 'nowhere'"),
        (["--dataset=pharmacies", "--scope=product:P999", "--algorithm=kan"], "no product 'P999'"),
        ([*ARGS, "--set", "nonsense=1"], "nonsense"),
        (["--dataset=pharmacies", "--scope=global", "--algorithm=crystal"], "crystal"),
    ],
)
def test_what_does_not_exist_is_one_sentence_and_saves_nothing(data, args, words):
    with pytest.raises(CommandError, match=words) as caught:
        call_command("train", *args)
    assert caught.value.returncode == 1
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize(
    "wrong", ["--horizon=0", "--horizon=10000", "--budget=soon", "--scope=sideways", "--set=knob"]
)
def test_wrong_arguments_are_refused_before_anything_happens(data, wrong):
    with pytest.raises(CommandError, match="Error: argument"):
        call_command("train", *ARGS, wrong)


def test_data_that_cannot_be_learned_fails_the_run_with_the_same_sentence(train, learner):
    class Poor(FakeLearning):
        def __init__(self, panel, plan, checkpoint=None, group=None):
            raise ValueError("There are 3 days of sales.")

    learner(Poor)
    with pytest.raises(CommandError, match="There are 3 days of sales"):
        train()
    run = TrainingRun.objects.get()
    assert (run.state, run.error) == ("failed", "There are 3 days of sales.")
    assert not ModelVersion.objects.exists()


def test_a_message_of_the_numerics_is_saved_with_its_values(train, learner):
    class Poor(FakeLearning):
        def __init__(self, panel, plan, checkpoint=None, group=None):
            raise MessageError("There are {have} days of sales.", have=3)

    learner(Poor)
    with pytest.raises(CommandError, match="There are 3 days of sales"):
        train()
    run = TrainingRun.objects.get()
    assert (run.error, run.error_values) == ("There are {have} days of sales.", {"have": 3})
    assert run.error_text == event_text(run.events.last()) == "There are 3 days of sales."
    assert serialize_run(run)["error"] == "There are 3 days of sales."


def test_a_run_of_an_earlier_release_shows_its_reason_as_before():
    run = TrainingRun(error="The loss of {something} was saved as text.")
    assert run.error_text == "The loss of {something} was saved as text."


def test_a_training_broken_off_by_hand_leaves_no_running_row(train, learner):
    class Interrupted(FakeLearning):
        def __init__(self, panel, plan, checkpoint=None, group=None):
            raise KeyboardInterrupt

    learner(Interrupted)
    with pytest.raises(KeyboardInterrupt):
        train()
    assert TrainingRun.objects.get().state == "failed"


def test_runs_lists_every_run_in_the_words_of_the_contract(claimed, capsys):
    call_command("runs", "--json")
    run = json.loads(capsys.readouterr().out)["runs"][0]
    assert run["id"] == str(claimed.pk)
    assert {"state", "progress", "attempt", "pid", "error", "version"} <= set(run)
    assert (run["state"], run["attempt"], run["pid"]) == ("running", 1, 1)


def test_runs_prints_a_table_for_people(claimed, capsys):
    call_command("runs")
    assert "running" in capsys.readouterr().out


def test_a_child_of_an_attempt_that_lost_the_run_leaves(claimed, monkeypatch):
    for name in ("die_with_parent", "apply_limits"):
        monkeypatch.setattr(f"training.management.commands.run_training.{name}", lambda given: None)
    with pytest.raises(CommandError, match="does not own the run"):
        call_command("run_training", str(claimed.pk), str(uuid.uuid4()))


@pytest.fixture
def three_stores(data):
    data.stores = ["S01", "S02", "S03"]
    data.save()


def train_each(capsys, *args: str) -> dict:
    words = ["--dataset=pharmacies", "--each=store", "--algorithm=seasonal_naive", *args, "--json"]
    call_command("train", *words)
    return json.loads(capsys.readouterr().out)


def test_a_training_for_each_store_waits_in_the_queue_under_one_group(three_stores, capsys):
    told = train_each(capsys, "--budget=7")
    runs = TrainingRun.objects.filter(group=told["group"])
    assert {str(run.scope) for run in runs} == {"store:S01", "store:S02", "store:S03"}
    assert {(run.state, run.budget) for run in runs} == {("queued", 7)} and OrmQ.objects.count() == 3
    assert {str(run.pk) for run in runs} == set(told["runs"])


def test_where_one_of_them_is_refused_none_is_queued(three_stores, capsys):
    with pytest.raises(CommandError, match="nonsense"):
        train_each(capsys, "--set", "nonsense=1")
    assert not TrainingRun.objects.exists() and not OrmQ.objects.exists()


def test_a_group_is_listed_and_what_is_left_of_it_is_stopped(three_stores, ask, capsys):
    other, told = ask(), train_each(capsys)
    TrainingRun.objects.filter(pk=told["runs"][0]).update(state="done")
    call_command("runs", "--group", told["group"], "--stop", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["states"] == {"done": 1, "cancelled": 2}
    assert {run["id"] for run in found["runs"]} == set(told["runs"])
    other.refresh_from_db()
    assert other.state == "queued"
    call_command("runs", "--group", told["group"])
    assert "2 cancelled, 1 done" in capsys.readouterr().out
    with pytest.raises(CommandError, match="needs --group"):
        call_command("runs", "--stop")

"""Fifty requests at once of one person: one training runs, five wait, and the rest get a sentence."""

from __future__ import annotations

import threading
import uuid
from collections import Counter

import pytest
from django.db import connection
from django.test import Client

from tests.fixtures.people import PASSWORD
from tests.helpers.trials import repeats
from training import leases
from training.models import TrainingRun

REQUESTS = 50
STATE = TrainingRun.State


def count_states() -> Counter[str]:
    return Counter(TrainingRun.objects.values_list("state", flat=True))


@pytest.fixture(params=["Planner", pytest.param("administrator", marks=repeats)])
def requester(request, transactional_db, person, data):
    """Somebody who may train."""
    from django.contrib.auth.models import User

    if request.param == "administrator":
        return User.objects.create_superuser("boss", password=PASSWORD)
    return person("pia", request.param)


def post_training(user, dataset: int, sent: list[int], start: threading.Barrier) -> None:
    client = Client()
    client.force_login(user)
    form = {"form_token": uuid.uuid4(), "dataset": dataset, "kind": "global", "algorithm": "seasonal_naive"}
    form |= {"horizon": 28, "budget": 1, "seed": 0, "knob-past_days": 56, "knob-block": 7, "knob-steps": 0}
    start.wait()
    try:
        sent.append(client.post("/train/", form).status_code)
    finally:
        connection.close()


def claim_while_asked(stop: threading.Event, seen: list[Counter[str]]) -> None:
    """A greedy worker, which notes what it sees."""
    done = False
    while not done:
        done = stop.is_set()  # looks once more after the last request
        first = TrainingRun.objects.filter(state=STATE.QUEUED).first()
        if first is not None:
            leases.claim_next(first.pk, 1, "here")
        seen.append(count_states())
        stop.wait(0.02)
    connection.close()


@pytest.mark.slow
def test_fifty_requests_at_once_leave_one_running_and_five_waiting(requester, data):
    sent: list[int] = []
    seen: list[Counter[str]] = []
    start, stop = threading.Barrier(REQUESTS), threading.Event()
    worker = threading.Thread(target=claim_while_asked, args=(stop, seen))
    threads = [
        threading.Thread(target=post_training, args=(requester, data.dataset_id, sent, start))
        for _request in range(REQUESTS)
    ]
    for thread in [worker, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    worker.join()
    accepted = sent.count(302)
    assert accepted in (5, 6), "five wait; a sixth is accepted when the worker was quick enough to claim one"
    assert Counter(sent) == {302: accepted, 200: REQUESTS - accepted}
    assert count_states() == {STATE.RUNNING: 1, STATE.QUEUED: accepted - 1}
    assert max(states[STATE.RUNNING] for states in seen) == 1
    assert max(states[STATE.QUEUED] for states in seen) <= 5


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        ("past_days", "999999999"),
        ("past_days", "-1"),
        ("steps", "9" * 400),
        ("steps", "9" * 5_000),
        ("block", "1e400"),
        ("past_days", "²"),
        ("past_days", ""),
        ("rate", "nan"),
        ("rate", "inf"),
        ("rate", "1e308"),
        ("rate", "-0.5"),
        ("batch", "0"),
    ],
)
def test_an_absurd_knob_queues_nothing(page, data, knob, value):
    knobs = {"past_days": 56, "block": 0, "steps": 0, "rate": 0.003, "batch": 256, knob: value}
    form = {"form_token": uuid.uuid4(), "dataset": data.dataset_id, "kind": "global", "algorithm": "tcn"}
    form |= {"horizon": 28, "budget": 1, "seed": 0, **{f"knob-{name}": one for name, one in knobs.items()}}
    response = page.post("/train/", form)
    assert response.status_code == 200 and response.context["form"].knobs.errors.get(knob)
    assert not TrainingRun.objects.exists()

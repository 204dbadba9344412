"""Idempotency-Key, and how often a key may ask."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from forecastsite.api import buckets as buckets_module
from forecastsite.api.buckets import Buckets
from forecastsite.api.keys import make_key
from forecastsite.api.limits import limit_api_requests
from forecastsite.api.models import KeptReply, KeyUse
from forecastsite.api.shared_limits import SharedCounts, exchange_counts
from prediction.models import ForecastRun
from training.models import TrainingRun

TOKEN = {"Idempotency-Key": "nightly-2026-07-01"}


def order(api, dataset: int, headers: dict[str, str] = TOKEN, **more):
    """Asks for a training."""
    body = {"dataset": dataset, "algorithm": "seasonal_naive", "budget": 5, **more}
    return api.post("/api/v1/trainings", body, "application/json", headers=headers)


def test_the_same_token_starts_one_training_and_gets_the_same_answer(api, sales):
    first, second = (order(api, sales.dataset_id) for _time in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json() and first["Location"] == second["Location"]
    assert second["Idempotency-Replayed"] == "true" and TrainingRun.objects.count() == 1
    assert order(api, sales.dataset_id, {"Idempotency-Key": "another"}).json() != first.json()


def test_a_token_with_another_request_is_refused(api, sales):
    order(api, sales.dataset_id)
    answer = order(api, sales.dataset_id, horizon=14)
    assert answer.status_code == 422 and "sent with another request" in answer.json()["detail"]


def test_while_the_first_request_is_worked_on_the_second_waits(api, sales):
    order(api, sales.dataset_id)
    KeptReply.objects.update(status=None)
    answer = order(api, sales.dataset_id)
    assert (answer.status_code, answer["Retry-After"]) == (409, "2")


def test_a_server_that_died_before_its_answer_makes_no_second_job(api, sales, version):
    address = f"/api/v1/datasets/{sales.dataset_id}/forecast-runs"
    answers = [
        order(api, sales.dataset_id),
        api.post(address, {}, "application/json", headers={"Idempotency-Key": "run"}),
    ]
    earlier = timezone.now() - timedelta(minutes=5)
    KeptReply.objects.update(status=None, created_at=earlier)
    again = [
        order(api, sales.dataset_id),
        api.post(address, {}, "application/json", headers={"Idempotency-Key": "run"}),
    ]
    assert [one.json()["id"] for one in again] == [one.json()["id"] for one in answers]
    assert TrainingRun.objects.count() == 1
    assert ForecastRun.objects.filter(reason=ForecastRun.Reason.API).count() == 1


def test_a_refusal_for_lack_of_rights_is_not_kept(program, person, sales):
    viewer = program(person("vic"))
    assert order(viewer, sales.dataset_id).status_code == 403
    assert not KeptReply.objects.exists()


def test_old_answers_are_forgotten(api, sales):
    order(api, sales.dataset_id)
    KeptReply.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert "Idempotency-Replayed" not in order(api, sales.dataset_id).headers


def test_a_token_that_is_too_long_is_refused(api, sales):
    assert order(api, sales.dataset_id, {"Idempotency-Key": "x" * 201}).status_code == 400


# --- how often --------------------------------------------------------------------------------------
@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(buckets_module.time, "monotonic", lambda: now[0])
    return now


def test_a_bucket_allows_a_burst_and_then_a_steady_rate(clock):
    buckets = Buckets(per_minute=60)
    waits = [buckets.take(b"a") for _time in range(16)]
    assert waits == [0.0] * 15 + [1.0]
    clock[0] += 1
    assert [buckets.take(b"a"), buckets.take(b"a")] == [0.0, 1.0]
    assert buckets.take(b"b") == 0.0


def test_the_keys_remembered_are_bounded(clock, monkeypatch):
    monkeypatch.setattr(buckets_module, "MAX_BUCKETS", 3)
    buckets = Buckets(60)
    for number in range(10):
        buckets.take(str(number).encode())
    assert list(buckets.left) == [b"7", b"8", b"9"]


async def test_who_asks_too_often_is_told_in_their_language_before_any_page_works(clock, settings):
    settings.API_REQUESTS_PER_MINUTE = 4  # a burst of one
    sent, asked = [], []

    async def pages(scope, receive, send):
        asked.append(scope["path"])

    async def send(message):
        sent.append(message)

    application = limit_api_requests(pages)
    headers = [(b"authorization", b"Bearer fs_a_b"), (b"accept-language", b"de, zh-CN;q=0.9")]
    for path in ("/api/v1/datasets", "/api/v1/datasets", "/models/"):
        await application({"path": path, "headers": headers}, None, send)
    assert asked == ["/api/v1/datasets", "/models/"]
    assert sent[0]["status"] == 429 and dict(sent[0]["headers"])[b"retry-after"] == b"15"
    problem = json.loads(sent[1]["body"])
    assert problem["status"] == 429 and problem["detail"].startswith("请求")


# --- several web servers ------------------------------------------------------------------------------
def ask(shared: SharedCounts, name: bytes, times: int) -> int:
    """How many of so many requests a web server allows."""
    waits = [shared.buckets.take(name) for _time in range(times)]
    for wait in waits:
        if not wait:
            shared.note(name)
    return waits.count(0.0)


def test_two_web_servers_together_allow_little_more_than_one(user, clock):
    _key, text = make_key(user, "ERP", ["data:read"])
    name, servers = f"Bearer {text}".encode(), [SharedCounts(Buckets(per_minute=60)) for _one in "ab"]
    allowed = 0
    for _second in range(120):
        clock[0] += 1
        for one in servers:
            allowed += ask(one, name, 5)
            one.take_over(exchange_counts(one.server, one.list_changes()))
    assert 120 <= allowed <= 120 + 2 * 15 + 10


def test_only_keys_that_exist_are_told_and_rows_of_ended_servers_forgotten(user):
    key, text = make_key(user, "ERP", ["data:read"])
    KeyUse.objects.create(key=key, server="old", count=9, at=timezone.now() - timedelta(days=2))
    KeyUse.objects.create(key=key, server="other", count=7, at=timezone.now())
    names = [f"Bearer {text}".encode(), f"Bearer {text}x".encode(), b"Bearer fs_0_1", b"Basic 1", b""]
    assert exchange_counts("mine", dict.fromkeys(names, 3)) == {names[0]: 7}
    assert exchange_counts("mine", {names[0]: 5}) == {names[0]: 7}
    assert sorted(KeyUse.objects.values_list("server", "count")) == [("mine", 5), ("other", 7)]

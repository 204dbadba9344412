"""What hosts leave behind when they die, and the supervisors of others take up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from forecastsite.server import supervisor
from forecastsite.server.supervisor import HostOptions, Supervisor
from prediction.current_forecast import JOB
from prediction.models import CurrentForecast
from prediction.tasks import make_current_forecast
from registry.storage.shared_folder import StoreUnreachable

pytestmark = pytest.mark.django_db


@pytest.fixture
def look(monkeypatch):
    """One check by a host with this role, half a minute after the one before."""
    now = [1000.0]
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: now[0])

    def check(host: Supervisor) -> None:
        now[0] += supervisor.FORECAST_CHECK_SECONDS + 1
        host.take_up_lost_work()

    return check


def host(role: str) -> Supervisor:
    return Supervisor(HostOptions(8000, 1, (role,)), lambda line: None)


def jobs() -> int:
    """How many jobs make forecasts."""
    return sum(row.func() == JOB for row in OrmQ.objects.filter(key="light"))


def minutes_pass() -> None:
    CurrentForecast.objects.update(asked_at=timezone.now() - timedelta(minutes=2))


def test_a_forecast_whose_job_died_with_its_host_is_asked_for_again(version, look):
    light, training = host("light"), host("training")
    OrmQ.objects.all().delete()  # taken by a host that is no more
    look(light)
    assert jobs() == 0  # it was asked for a moment ago
    minutes_pass()
    look(training)
    assert jobs() == 0
    light.take_up_lost_work()
    look(light)
    assert jobs() == 1


def test_a_forecast_that_is_up_to_date_is_left_alone(version, look, sales):
    OrmQ.objects.all().delete()
    make_current_forecast(sales.dataset_id)
    minutes_pass()
    look(host("light"))
    assert jobs() == 0


def test_copies_in_a_store_are_swept_once_an_hour_by_hosts_that_train(look, monkeypatch):
    swept = []

    def sweep() -> None:
        swept.append(True)
        raise StoreUnreachable("no answer")

    monkeypatch.setattr(supervisor.leases, "delete_orphan_copies", sweep)
    look(host("light"))
    training = host("training")
    for _half_minute in range(100):
        look(training)
    assert len(swept) == 1
    for _half_minute in range(20):
        look(training)
    assert len(swept) == 2

"""Figures for Prometheus: who may read them, what they are, and that the shipped alerts fit them."""

from __future__ import annotations

import re
from ipaddress import ip_network

import pytest
import yaml
from django.utils import timezone
from django_q.tasks import async_task

from forecastsite.server import metrics
from forecastsite.server.beats import record_beat
from forecastsite.verification.models import BackupNote, Verification
from prediction.accuracy.models import AccuracyCell, ComparedDays
from prediction.models import CurrentForecast
from tests.helpers.source_tree import ROOT

NAME = re.compile(r"forecastsite_\w+")


@pytest.fixture
def figures(anonymous, settings, monkeypatch):
    """Reads the address with the token."""
    settings.METRICS_TOKEN = "a token of the operator"
    monkeypatch.setattr(metrics, "KEPT_SECONDS", -1.0)

    def read() -> str:
        response = anonymous.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
        assert response.status_code == 200
        return response.content.decode()

    return read


def test_figures_are_for_whom_the_settings_name(anonymous, settings, figures):
    assert anonymous.get("/metrics").status_code == 404
    assert anonymous.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    assert "forecastsite_disk_free_bytes" in figures()
    settings.METRICS_TOKEN, settings.METRICS_ADDRESSES = "", [ip_network("127.0.0.0/8")]
    assert anonymous.get("/metrics").status_code == 200
    assert anonymous.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 404


def test_every_state_of_work_is_counted(figures, ask, version, make_run, settings):
    ask()
    async_task("forecastsite.tasks.probe", cluster="light")
    record_beat("light")
    run = make_run(version)
    CurrentForecast.objects.update_or_create(dataset=run.dataset_version.dataset, defaults={"run": run})
    found = figures()
    assert 'forecastsite_trainings{algorithm="seasonal_naive",state="queued"} 1.0' in found
    assert 'forecastsite_forecast_runs{stage="done"} 1.0' in found
    assert 'forecastsite_queue_waiting{queue="training"} 1.0' in found
    assert 'forecastsite_queue_beat_age_seconds{queue="light"}' in found
    assert re.search(r'forecastsite_disk_bytes\{kind="forecastrun"\} [1-9]', found)
    assert f'forecastsite_current_forecast_age_seconds{{dataset="{run.dataset_version.dataset_id}"}}' in found
    assert "chain" not in found and "S01" not in found


@pytest.fixture
def compared(sales):
    """One week of forecasts that were compared with sales."""
    days = ComparedDays.objects.create(
        dataset_version=sales, origin=sales.first, first=sales.first, last=sales.last, state="ready"
    )
    sums = {"count": 10, "units": 100, "missed": 25, "inside_80": 7}
    place = {"dataset": sales.dataset, "days": days, "kind": "day", "week": sales.last, "lag": 1}
    AccuracyCell.objects.create(**place, **sums)
    return sales.dataset


def test_accuracy_and_coverage_are_those_of_the_newest_weeks(figures, compared):
    found = figures()
    assert f'forecastsite_accuracy_wape{{dataset="{compared.pk}",lag="1"}} 0.25' in found
    assert f'forecastsite_coverage{{dataset="{compared.pk}",percent="80"}} 0.7' in found


def test_requests_are_measured_by_page(page, figures):
    page.get("/help/")  # the middleware of this client was made with the token
    assert re.search(
        r'forecastsite_request_seconds_count\{method="GET",page="help",status="2xx"\} \d', figures()
    )


def test_the_shipped_alerts_use_figures_that_are_there(figures, compared, ask, version, make_run):
    CurrentForecast.objects.update_or_create(dataset=compared, defaults={"run": make_run(version)})
    metrics.observe_request("help", "GET", 200, 0.1)
    ask()
    record_beat("light")
    Verification.objects.create(day="2026-07-01", finished_at=timezone.now())
    BackupNote.objects.create()
    rules = yaml.safe_load((ROOT / "docs" / "alerts.yml").read_text())["groups"][0]["rules"]
    used = {name for rule in rules for name in NAME.findall(rule["expr"])}
    known = {line.split("{")[0].split(" ")[0] for line in figures().splitlines() if line[:1] != "#"}
    assert used and used <= known
    assert all(rule["annotations"]["summary"].endswith((".", "?")) for rule in rules)

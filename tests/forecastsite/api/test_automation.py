"""Sources and schedules for programs: a file is sent, checked and saved; a schedule is set up and run."""

from __future__ import annotations

import pytest
from django_q.models import OrmQ

from forecastsite.automation.models import Plan, PlanRun
from forecastsite.automation.runner import work_on_plan_run
from registry.datasets.models import Dataset
from registry.datasets.sources.models import Source
from registry.datasets.sources.service import work_on_sources

FILE = "date,store,product,qty\n2026-02-01,S001,P001,4\n"


@pytest.fixture
def source(sales) -> Source:
    return Source.objects.create(name="tills", dataset=sales.dataset, place="http")


def put(api, source, name="day.csv", text=FILE):
    return api.put(f"/api/v1/sources/{source.pk}/files/{name}", text, "text/csv")


def test_a_file_that_a_program_sends_is_saved_once(api, source):
    sent = put(api, source)
    assert sent.status_code == 202 and sent.json()["state"] == "taken"
    assert OrmQ.objects.count() == 1
    work_on_sources()
    assert put(api, source, "again.csv").json()["state"] == "repeated"
    files = api.get(f"/api/v1/sources/{source.pk}/files").json()["items"]
    assert [(row["name"], row["state"], row["rows"]) for row in files] == [
        ("again.csv", "repeated", 0),
        ("day.csv", "saved", 1),
    ]
    assert Dataset.objects.get().versions.count() == 2


def test_what_is_no_file_of_sales_is_refused_or_held(api, source):
    assert put(api, source, text="").status_code == 422
    assert put(api, source, ".hidden.csv").status_code == 422
    assert put(api, source, "..%2Fx.csv").status_code in (404, 422)
    assert put(api, source, "a.exe").json()["state"] == "held"
    assert put(api, source, "b.csv", "nothing").status_code == 202
    work_on_sources()
    assert source.files.get(name="b.csv").state == "held"
    source.is_enabled = False
    source.save()
    assert put(api, source).status_code == 409
    assert Dataset.objects.get().versions.count() == 1


def test_a_program_sets_up_and_runs_a_schedule(api, source):
    body = {"dataset": source.dataset_id, "name": "nightly", "weekdays": [1, 5], "retrain": "never"}
    made = api.post("/api/v1/schedules", body, "application/json").json()
    assert (made["weekdays"], made["at"], made["enabled"]) == ([1, 5], "04:00:00", True)
    wrong = api.put(f"/api/v1/schedules/{made['id']}", {**body, "time_zone": "Mars"}, "application/json")
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["field"] == "time_zone"
    steps = api.get(f"/api/v1/schedules/{made['id']}/preview").json()
    assert [step["step"] for step in steps][-1] == "digest"
    started = api.post(f"/api/v1/schedules/{made['id']}/runs")
    assert started.status_code == 202
    assert api.post(f"/api/v1/schedules/{made['id']}/runs").status_code == 409
    work_on_plan_run(started.json()["id"])
    told = api.get(started["Location"]).json()
    assert told["stage"] == "done" and told["steps"][0]["text"] == "No new file."
    assert PlanRun.objects.get().created_by.username == "ana" and Plan.objects.get().created_by is not None

"""Plans that are tried, back-tests of orders, and large imports, through the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from prediction.models import Scenario
from prediction.order_backtests.models import OrderBacktest
from prediction.scenarios.runner import run_scenario
from registry.datasets.models import Dataset
from registry.datasets.upload_jobs.models import UploadJob
from registry.datasets.upload_jobs.tasks import run_upload_job
from registry.datasets.uploads import Upload

JSON = "application/json"


@pytest.fixture
def day(sales) -> str:
    return str(sales.last + timedelta(days=1))


def test_a_plan_is_tried_changed_shared_copied_and_deleted(api, program, person, version, sales, day):
    place = f"/api/v1/datasets/{sales.dataset_id}/scenarios"
    body = {"product": "P001", "store": "S01", "horizon": 7, "edits": [{"days": [day], "opens": False}]}
    token = {"Idempotency-Key": "one"}
    made = [api.post(place, body, JSON, headers=token).json() for _time in range(2)]
    assert made[0] == made[1] and Scenario.objects.count() == 1
    assert made[0]["state"] == "done" and made[0]["outcome"]["sums"]["difference"][0] < 0
    address = f"/api/v1/scenarios/{made[0]['id']}"
    other = program(person("eve", "Planner"))
    assert other.get(address).status_code == 404
    emptied = api.put(f"{address}/edits", {"edits": []}, JSON).json()
    assert emptied["edits"] == [] and emptied["outcome"]["sums"]["difference"][0] == 0
    assert api.patch(address, {"name": "Sale", "shared": True}, JSON).json()["shared"] is True
    assert other.patch(address, {"name": "Mine"}, JSON).status_code == 403
    copied = other.post(f"{address}/copy").json()
    assert copied["name"].startswith("Sale") and copied["id"] != made[0]["id"]
    assert {row["id"] for row in other.get(place).json()["items"]} == {made[0]["id"], copied["id"]}
    assert api.delete(address).status_code == 204 and api.get(address).status_code == 404


def test_of_many_series_a_job_works_the_plan_out(api, version, sales, day, monkeypatch):
    monkeypatch.setattr("prediction.scenarios.runner.QUICK_SERIES", 0)
    place, edit = f"/api/v1/datasets/{sales.dataset_id}/scenarios", {"days": [day], "opens": False}
    made = api.post(place, {"edits": [{**edit, "store": "S01"}]}, JSON).json()
    assert (made["state"], made["outcome"]) == ("queued", None)
    assert made["edits"][0]["store"] == "S01" and made["store"] == ""
    run_scenario(Scenario.objects.get())
    found = api.get(f"/api/v1/scenarios/{made['id']}").json()
    assert found["state"] == "done" and 0 < found["outcome"]["changed"] < found["outcome"]["series"]


def test_a_plan_that_cannot_be_is_refused_with_the_form_s_sentences(api, version, sales, day):
    place = f"/api/v1/datasets/{sales.dataset_id}/scenarios"
    body = {"product": "P001", "store": "S01"}
    nothing = api.post(place, {**body, "edits": [{"days": [day]}]}, JSON)
    assert nothing.status_code == 422 and "Choose what changes" in nothing.json()["detail"]
    late = {"days": [str(sales.last + timedelta(days=400))], "opens": False}
    assert api.post(place, {**body, "edits": [late]}, JSON).json()["errors"][0]["field"] == "days"
    foreign = {"days": [day], "opens": False, "group": "brand:none"}
    assert api.post(place, {**body, "edits": [foreign]}, JSON).json()["errors"][0]["field"] == "target"
    assert not Scenario.objects.exists()


def test_adopting_is_queued_and_said_once_done(api, version, sales, day):
    place = f"/api/v1/datasets/{sales.dataset_id}/scenarios"
    body = {"product": "P001", "store": "S01", "edits": [{"days": [day], "opens": False}]}
    made = api.post(place, body, JSON).json()
    answer = api.post(f"/api/v1/scenarios/{made['id']}/adopt")
    assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/scenarios/{made['id']}")
    Scenario.objects.update(adopted=sales)
    assert api.get(answer["Location"]).json()["adopted"] == str(sales.pk)
    assert api.post(f"{answer['Location']}/adopt").status_code == 409


def test_a_back_test_is_a_job_with_a_result(api, version, sales):
    place, token = f"/api/v1/datasets/{sales.dataset_id}/order-backtests", {"Idempotency-Key": "one"}
    asked = {"weeks": 4, "rule": "minmax", "least": 3, "most": 9}
    job = [api.post(place, asked, JSON, headers=token).json() for _time in range(2)][1]
    test = OrderBacktest.objects.get()
    assert (job["kind"], job["state"], job["id"]) == ("order_backtest", "queued", str(test.pk))
    test.result, test.stage = {"rules": {}}, test.Stage.DONE
    test.save()
    done = api.get(f"/api/v1/jobs/{test.pk}").json()
    assert api.get(done["result"]).json()["result"] == {"rules": {}}
    assert [(row["weeks"], row["result"]) for row in api.get(place).json()["items"]] == [(4, None)]
    refused = api.post(place, {"weeks": 4, "rule": "minmax", "least": 9, "most": 3}, JSON)
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "most"


# --- large files -------------------------------------------------------------------------------------
SALES = "date,store,product,qty\n" + "".join(f"2026-01-{day:02d},S1,P1,{day}\n" for day in range(1, 29))


@pytest.fixture
def every_file_is_large(settings):
    settings.QUEUED_UPLOAD_MB = 0


def test_a_large_file_is_imported_by_a_job(api, every_file_is_large):
    answer = api.generic("POST", "/api/v1/datasets?name=till&country=DE", SALES, "text/csv")
    job = answer.json()
    assert (answer.status_code, job["kind"], job["state"]) == (202, "import", "queued")
    assert answer["Location"] == f"/api/v1/jobs/{job['id']}" and not Dataset.objects.exists()
    run_upload_job(job["id"])
    done = api.get(answer["Location"]).json()
    found = api.get(done["result"]).json()
    assert (done["state"], found["name"], found["country"], found["version"]["rows"]) == (
        "done", "till", "DE", 28,
    )  # fmt: skip
    more = "date,store,product,qty\n2026-01-29,S1,P1,5\n"
    again = api.generic("PUT", f"{done['result']}/sales", more, "text/csv").json()
    run_upload_job(again["id"])
    assert api.get(done["result"]).json()["version"]["rows"] == 29
    assert not Upload.objects.exists() and UploadJob.objects.count() == 2


def test_a_large_file_with_a_fault_changes_nothing_and_its_job_says_why(api, every_file_is_large):
    faulty = SALES + "yesterday,S1,P1,1\n"
    job = api.generic("POST", "/api/v1/datasets?name=till", faulty, "text/csv").json()
    run_upload_job(job["id"])
    done = api.get(f"/api/v1/jobs/{job['id']}").json()
    assert done["state"] == "failed" and "yesterday" in done["error"] and done["result"] is None
    assert not Dataset.objects.exists()

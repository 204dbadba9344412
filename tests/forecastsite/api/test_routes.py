"""What the routes do: the verbs of pages and commands, with the same sentences."""

from __future__ import annotations

import io
from datetime import date

import pyarrow.parquet as pq
import pytest

from prediction.accuracy.models import AccuracyAlert, AccuracyCell, ComparedDays
from prediction.models import CurrentForecast, Forecast, ForecastRun
from registry.datasets.models import Dataset
from registry.datasets.stock.models import Terms
from registry.datasets.uploads import Upload
from registry.model_versions.models import ModelVersion
from training.models import TrainingRun

JSON = "application/json"
SALES = "date,store,product,qty\n" + "".join(f"2026-01-{day:02d},S1,P1,{day}\n" for day in range(1, 31))


def put(client, address: str, text: str, kind: str = "text/csv"):
    """Sends a file."""
    return client.put(f"/api/v1/{address}", text.encode(), kind, headers={"Content-Type": kind})


def pages(client, address: str, limit: int) -> list[list[dict]]:
    """All pages of a list."""
    found, cursor = [], ""
    while cursor is not None:
        answer = client.get(f"/api/v1/{address}", {"limit": limit, "cursor": cursor}).json()
        found.append(answer["items"])
        cursor = answer["next"]
    return found


# --- data -------------------------------------------------------------------------------------------
def test_sales_are_created_added_and_sent_twice_without_harm(api, user):
    made = api.post("/api/v1/datasets?name=till", SALES.encode(), "text/csv")
    assert made.status_code == 201, made.content
    dataset = made.json()["dataset"]
    assert dataset["version"]["rows"] == 30 and made.json()["changed"]
    address = f"datasets/{dataset['id']}/sales"
    more = put(api, address, "date,store,product,qty\n2026-01-31,S1,P1,31\n").json()
    assert more["dataset"]["version"]["rows"] == 31 and more["dataset"]["version"]["number"] == 2
    again = put(api, address, "date,store,product,qty\n2026-01-31,S1,P1,31\n").json()
    assert not again["changed"] and again["dataset"]["version"]["number"] == 2
    assert Dataset.objects.get().current_version.created_by == user and not Upload.objects.exists()


def test_a_faulty_file_changes_nothing_and_says_row_column_and_value(api, sales):
    answer = put(api, f"datasets/{sales.dataset_id}/sales", "date,store,product,qty\n2026-01-31,S1,P1,x\n")
    problem = answer.json()
    assert answer.status_code == 422 and "“x”" in problem["detail"] and "qty" in problem["detail"]
    assert Dataset.objects.get().current_version == sales


def test_what_only_a_person_can_decide_is_a_question_with_its_answers(api, sales):
    rows = "".join(f"0{day}/02/2026,S1,P1,1\n" for day in range(1, 9))
    address = f"datasets/{sales.dataset_id}/sales"
    answer = put(api, address, "date,store,product,qty\n" + rows)
    assert answer.status_code == 422
    assert answer.json()["question"] == {"parameter": "dates", "answers": ["dmy", "mdy"]}
    assert put(api, f"{address}?dates=dmy", "date,store,product,qty\n" + rows).status_code == 200


def test_a_check_tells_what_an_import_would_do(api, sales):
    body = "day,store,product,amount\n2026-02-01,S9,P9,3\n"
    address = f"/api/v1/datasets/{sales.dataset_id}/check?map=sales=amount&map=date=day"
    answer = api.post(address, body.encode(), "text/csv").json()
    assert answer["columns"]["sales"] == "amount" and Dataset.objects.get().current_version == sales


@pytest.mark.parametrize(("body", "kind", "status"), [("", "text/csv", 422), ("x", "image/png", 415)])
def test_a_body_that_is_no_table_is_refused(api, sales, body, kind, status):
    assert put(api, f"datasets/{sales.dataset_id}/sales", body, kind).status_code == status


def test_a_file_larger_than_the_limit_is_refused(api, sales, settings):
    settings.MAX_UPLOAD_MB = 1
    answer = put(api, f"datasets/{sales.dataset_id}/sales", "x" * (1 << 20) + "xx")
    assert answer.status_code == 413 and answer.json()["detail"] == "At most 1 MB."


def test_the_catalog_is_json_csv_or_parquet(api, sales):
    address = f"/api/v1/datasets/{sales.dataset_id}/items"
    listed = [item["code"] for page in pages(api, f"datasets/{sales.dataset_id}/items", 2) for item in page]
    assert listed == sorted(sales.products)
    text = api.get(address, headers={"Accept": "text/csv"})
    assert text["Content-Type"].startswith("text/csv") and text.content.startswith(b"kind,code,name")
    table = pq.read_table(io.BytesIO(api.get(f"{address}?format=parquet&kind=store").content))
    assert table["code"].to_pylist() == sorted(sales.stores)
    refused = api.get(address, headers={"Accept": "image/png"})
    assert refused.status_code == 406 and "json, csv, parquet" in refused.json()["detail"]


def test_sales_come_back_as_they_were_sent(api, sales):
    parts = api.get(f"/api/v1/datasets/{sales.dataset_id}/sales?format=parquet")
    assert pq.read_table(io.BytesIO(parts.getvalue())).num_rows == sales.rows


def test_a_dataset_is_renamed_restored_and_deleted(api, admin, program, sales):
    address = f"/api/v1/datasets/{sales.dataset_id}"
    assert api.patch(address, {"name": "pharmacies"}, JSON).json()["name"] == "pharmacies"
    Dataset.objects.create(name="taken")
    refused = api.patch(address, {"name": "taken"}, JSON)
    assert refused.json()["errors"] == [{"field": "name", "message": "Another dataset has this name."}]
    restored = api.post(f"/api/v1/dataset-versions/{sales.pk}/restore")
    assert restored.json()["number"] == 2
    assert [row["number"] for row in api.get(f"{address}/versions").json()["items"]] == [2, 1]
    assert api.delete(address).status_code == 204
    assert not Dataset.objects.filter(name="pharmacies").exists()


def test_stock_and_terms_are_saved_whole(api, sales):
    stock = put(api, f"datasets/{sales.dataset_id}/stock?as_of=2026-01-05", "store,product,qty\nS01,P001,7\n")
    assert (stock.json()["rows"], stock.json()["as_of"]) == (1, "2026-01-05")
    assert len(api.get(f"/api/v1/datasets/{sales.dataset_id}/stock").json()["items"]) == 1
    terms = put(api, f"datasets/{sales.dataset_id}/terms", "product,lead_days,pack\nP001,3,6\nP002,2,1\n")
    assert terms.json() == {"rows": 2} and Terms.objects.count() == 2
    listed = api.get(f"/api/v1/datasets/{sales.dataset_id}/terms").json()
    assert listed[0]["key"] == "P001" and listed[0]["lead_days"] == 3
    assert put(api, f"datasets/{sales.dataset_id}/terms", "product,pack\nP001,0\n").status_code == 422


# --- trainings and versions --------------------------------------------------------------------------
def test_a_training_is_started_watched_and_stopped(api, user, sales):
    body = {"dataset": sales.dataset_id, "algorithm": "kan", "budget": 7, "settings": {"width": 16}}
    answer = api.post("/api/v1/trainings", body, JSON)
    assert answer.status_code == 202, answer.content
    run = TrainingRun.objects.get()
    assert (run.created_by, run.budget, run.config["width"]) == (user, 7, 16)
    assert answer["Location"] == f"/api/v1/jobs/{run.pk}"
    assert api.get(answer["Location"]).json()["state"] == "queued"
    assert (
        api.get(f"/api/v1/trainings?dataset={sales.dataset_id}&state=queued").json()["items"][0]["budget"]
        == 7
    )
    assert api.post(f"/api/v1/trainings/{run.pk}/cancel").json()["state"] == "cancelled"
    repeated = api.post(f"/api/v1/trainings/{run.pk}/repeat").json()
    assert repeated["id"] != str(run.pk) and TrainingRun.objects.count() == 2
    assert api.post(f"/api/v1/trainings/{repeated['id']}/finish").status_code == 202


def test_a_training_that_cannot_be_is_refused_with_the_form_s_sentences(api, sales):
    body = {"dataset": sales.dataset_id, "kind": "store", "code": "S99", "settings": {"width": 10**8}}
    answer = api.post("/api/v1/trainings", {**body, "algorithm": "kan"}, JSON)
    fields = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert answer.status_code == 422 and "has no “S99”" in fields["store"] and "width" in fields


def test_versions_are_promoted_rolled_back_trained_again_and_deleted(api, publish, sales):
    first, second = publish(wape=0.2), publish(wape=0.4)
    address = f"/api/v1/versions/{second.pk}"
    assert api.post(f"{address}/promote", {"reason": " "}, JSON).status_code == 409
    assert api.post(f"{address}/promote", {"reason": "Try it."}, JSON).json()["in_use"] is True
    assert [row["id"] for row in api.get("/api/v1/versions?in_use=true").json()["items"]] == [str(second.pk)]
    assert api.post(f"{address}/roll-back").json()["id"] == str(first.pk)
    assert api.post(f"{address}/retrain").json()["kind"] == "training"
    assert api.delete(address).status_code == 204 and api.get(address).status_code == 404
    assert ModelVersion.objects.get() == first


# --- forecasts ---------------------------------------------------------------------------------------
@pytest.fixture
def run(version, make_run) -> ForecastRun:
    """A forecast run that is the current one."""
    made = make_run(version)
    row = {"run": made, "forecast": made.totals}
    CurrentForecast.objects.update_or_create(dataset=version.model.dataset, defaults=row)
    return made


def test_rows_of_the_current_run_come_in_pages_and_files(api, run):
    address = f"datasets/{run.dataset_version.dataset_id}/forecast-runs/current/rows"
    found = [row for page in pages(api, address, 100) for row in page]
    assert len(found) == run.rows == len({(row["store_id"], row["product_id"], row["date"]) for row in found})
    assert {"mean", "q0.5", "open"} <= found[0].keys()
    text = api.get(f"/api/v1/{address}?format=csv").getvalue()
    assert len(text.splitlines()) == run.rows + 1
    table = pq.read_table(io.BytesIO(api.get(f"/api/v1/{address}?format=parquet").getvalue()))
    assert table.num_rows == run.rows
    some = api.get(f"/api/v1/forecast-runs/{run.pk}/rows?store=S01&product=P002&format=csv").getvalue()
    assert len(some.splitlines()) == run.horizon + 1 and b"S02" not in some


def test_a_key_for_some_stores_sees_nothing_of_others(program, user, run, sales):
    client = program(user, stores=("S01",))
    address = f"/api/v1/forecast-runs/{run.pk}/rows"
    assert {row["store_id"] for row in client.get(f"{address}?limit=1000").json()["items"]} == {"S01"}
    for kind in ("csv", "parquet"):
        assert b"S02" not in client.get(f"{address}?format={kind}").getvalue()
    assert client.get(f"{address}?store=S02").status_code == 403
    assert [
        one["code"]
        for one in client.get(f"/api/v1/datasets/{sales.dataset_id}/items?kind=store").json()["items"]
    ] == ["S01"]
    assert not client.get(f"/api/v1/datasets/{sales.dataset_id}/items").json()["items"]
    body = {"dataset": sales.dataset_id, "product": "P001"}
    assert client.post("/api/v1/forecasts", {**body, "store": "S02"}, JSON).status_code == 403
    assert client.post("/api/v1/forecasts", body, JSON).status_code == 403
    assert client.post("/api/v1/forecasts", {**body, "store": "S01"}, JSON).status_code == 201
    assert client.get(f"/api/v1/datasets/{sales.dataset_id}/sales").status_code == 403
    assert client.get("/api/v1/trainings").status_code == 403


def test_a_run_is_started_chosen_and_deleted(api, run, make_run, user):
    dataset = f"/api/v1/datasets/{run.dataset_version.dataset_id}"
    started = api.post(f"{dataset}/forecast-runs", {"horizon": 14}, JSON)
    made = ForecastRun.objects.get(pk=started.json()["id"])
    assert (made.horizon, made.created_by, made.reason) == (14, user, "api")
    assert api.get(f"/api/v1/forecast-runs/{made.pk}/rows").status_code == 409
    other = make_run(run.version)
    address = f"/api/v1/forecast-runs/{other.pk}"
    assert api.post(f"{address}/promote", {"reason": "Better."}, JSON).json()["current"] is True
    assert api.get(f"{dataset}/forecast-runs/current").json()["id"] == str(other.pk)
    assert api.delete(address).status_code == 409
    assert api.post(f"{address}/roll-back").json()["id"] == str(run.pk)
    assert api.delete(address).status_code == 204
    assert len(api.get(f"{dataset}/forecast-runs").json()["items"]) == 2


def test_a_forecast_is_made_once_read_and_deleted(api, version, sales, user):
    body = {"dataset": sales.dataset_id, "product": "P001", "store": "S01", "horizon": 7}
    token = {"Idempotency-Key": "one"}
    made = [api.post("/api/v1/forecasts", body, JSON, headers=token).json() for _time in range(2)]
    assert made[0] == made[1] and Forecast.objects.by_people().count() == 1
    assert len(made[0]["days"]) == 7 and made[0]["low"] <= made[0]["total"] <= made[0]["high"]
    address = f"/api/v1/forecasts/{made[0]['id']}"
    assert api.get(address).json()["days"] == made[0]["days"]
    assert [row["id"] for row in api.get("/api/v1/forecasts").json()["items"]] == [made[0]["id"]]
    assert api.delete(address).status_code == 204
    refused = api.post("/api/v1/forecasts", {**body, "product": "P999"}, JSON)
    assert refused.status_code == 422 and "P999" in refused.json()["detail"]


def test_accuracy_and_alerts_are_read_and_acknowledged(api, sales):
    days = {"first": sales.first, "last": sales.last}
    compared = ComparedDays.objects.create(dataset_version=sales, origin=sales.first, state="ready", **days)
    place = {"dataset": sales.dataset, "days": compared, "kind": "day", "week": date(2026, 1, 5), "lag": 1}
    AccuracyCell.objects.create(**place, count=10, units=100, missed=25, inside_80=8)
    row = api.get(f"/api/v1/datasets/{sales.dataset_id}/accuracy").json()["items"][0]
    assert (row["wape"], row["inside_80"], row["lag"]) == (0.25, 0.8, 1)
    alert = AccuracyAlert.objects.create(dataset=sales.dataset, kind="bias", weeks=2, change=0.3, **days)
    listed = api.get(f"/api/v1/datasets/{sales.dataset_id}/alerts").json()
    assert listed[0]["state"] == "open" and listed[0]["sentence"]
    changed = api.patch(f"/api/v1/alerts/{alert.pk}", {"state": "acknowledged"}, JSON)
    assert changed.json()["state"] == "acknowledged"


# --- how it answers ----------------------------------------------------------------------------------
def test_refusals_are_in_the_language_of_the_caller(api):
    body = {"dataset": 99, "reason": ""}
    answers = [
        api.post("/api/v1/trainings", body, JSON, headers={"Accept-Language": language}).json()
        for language in ("en", "zh-CN,zh;q=0.9")
    ]
    assert answers[0]["detail"] == "Choose one from the list." != answers[1]["detail"]


def test_pages_follow_each_other_though_rows_are_added(api):
    for number in range(5):
        Dataset.objects.create(name=f"d{number}")
    first = api.get("/api/v1/datasets?limit=2").json()
    Dataset.objects.create(name="newer")
    second = api.get("/api/v1/datasets", {"limit": 2, "cursor": first["next"]}).json()
    names = [row["name"] for row in first["items"] + second["items"]]
    assert names == ["d4", "d3", "d2", "d1"]
    for odd in ("x", "bm9uZQ", "WzEsMl0", first["next"][:-4], "é"):
        assert api.get("/api/v1/datasets", {"cursor": odd}).status_code == 400


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("get", "nowhere", 404),
        ("get", "datasets/99999999999999999999", 404),
        ("get", "jobs/00000000-0000-0000-0000-000000000000", 404),
        ("post", "versions", 405),
        ("get", "datasets?limit=0", 422),
        ("get", "datasets?name=%00", 422),
    ],
)
def test_every_refusal_is_a_problem(api, method, address, status):
    answer = getattr(api, method)(f"/api/v1/{address}")
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer["Content-Type"] == "application/problem+json" and answer.json()["detail"]


def test_a_body_that_is_no_json_is_refused(api):
    assert api.post("/api/v1/trainings", b"{", JSON).status_code == 400


def test_an_error_of_ours_is_a_problem_and_in_the_log(api, monkeypatch, caplog):
    def fail(*words):
        raise RuntimeError("a fault")

    monkeypatch.setattr("forecastsite.api.routers.datasets.show_dataset", fail)
    Dataset.objects.create(name="d")
    answer = api.get("/api/v1/datasets")
    assert answer.status_code == 500 and "a fault" not in answer.content.decode() and "a fault" in caplog.text

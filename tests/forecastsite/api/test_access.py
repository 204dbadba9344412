"""Who may use which route: every operation, every role, every scope. A new one needs a line here."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver

from forecastsite.api.documents import iter_operations
from forecastsite.api.keys import hash_key
from forecastsite.api.models import ApiKey
from forecastsite.api.scopes import SCOPES
from forecastsite.api.v1 import read_document
from forecastsite.automation.models import Plan, PlanRun
from forecastsite.automation.starting import start_plan
from forecastsite.webhooks.models import Delivery, Webhook
from prediction.models import AccuracyAlert, CurrentForecast, Forecast, Override, Scenario
from prediction.order_backtests.models import OrderBacktest
from prediction.order_runs.decisions import approve_lines, export_lines
from prediction.order_runs.maker import prepare_order, save_order
from prediction.order_runs.models import current_policy
from prediction.scenarios.edits import PlanEdit
from prediction.tasks import make_order_run
from registry.datasets.sources.models import Source
from tests.helpers import small_files
from training import queue

PEOPLE = ("viewer", "planner", "curator", "operator")
SECRET = "fs_0000_secret"

# + the role may, - it is refused. Rows were made by somebody else. `twin`: the page's verb that it is.
ROUTES = """
operation                scope            viewer planner curator operator twin
list_datasets            data:read        +      +       +       +        -
get_dataset              data:read        +      +       +       +        -
create_dataset           data:write       -      -       +       -        upload
change_dataset           data:write       -      -       +       -        dataset-rename,dataset-pause
remove_dataset           data:write       -      -       +       -        dataset-delete
list_dataset_versions    data:read        +      +       +       +        -
restore_dataset_version  data:write       -      -       +       -        dataset-back
download_sales           data:read        +      +       +       +        -
import_sales             data:write       -      -       +       -        upload,upload-check
check_sales              data:write       -      -       +       -        upload-match
list_items               data:read        +      +       +       +        -
list_stock               stock:read       +      +       +       +        -
put_stock                stock:write      -      +       +       -        stock-upload
list_terms               stock:read       +      +       +       +        -
put_terms                stock:write      -      +       +       -        stock-upload
list_trainings           training:read    +      +       +       +        -
get_training             training:read    +      +       +       +        -
start_training           training:write   -      +       +       -        train
cancel_training          training:write   -      -       +       +        run-cancel
finish_training          training:write   -      -       +       +        run-finish
repeat_training          training:write   -      +       +       -        run-again
list_versions            models:read      +      +       +       +        -
get_version              models:read      +      +       +       +        -
promote_version          models:write     -      -       +       -        model-promote
roll_back_version        models:write     -      -       +       -        model-roll-back
retrain                  training:write   -      +       +       -        model-retrain
delete_version           models:write     -      -       +       +        model-delete
list_forecast_runs       forecasts:read   +      +       +       +        -
start_forecast_run       forecasts:write  -      +       +       -        products-run-new
get_current_run          forecasts:read   +      +       +       +        -
get_current_rows         forecasts:read   +      +       +       +        -
get_forecast_run         forecasts:read   +      +       +       +        -
get_forecast_rows        forecasts:read   +      +       +       +        -
promote_forecast_run     forecasts:write  -      -       +       -        products-run-promote
roll_back_forecast_run   forecasts:write  -      -       +       -        products-run-back
delete_forecast_run      forecasts:write  -      -       +       +        products-run-delete
list_forecasts           forecasts:read   +      +       +       +        -
make_forecast            forecasts:write  -      +       +       -        forecast
get_forecast             forecasts:read   +      +       +       +        -
delete_forecast          forecasts:write  -      -       +       +        forecast-delete
list_accuracy            accuracy:read    +      +       +       +        -
list_alerts              accuracy:read    +      +       +       +        -
change_state             accuracy:write   -      +       +       -        accuracy-alert
list_orders              orders:read      +      +       +       +        -
start_order              orders:write     -      +       +       -        orders-new
get_order                orders:read      +      +       +       +        -
list_lines               orders:read      +      +       +       +        -
change_order             orders:write     -      +       +       -        orders-change
approve_order            orders:write     -      -       +       -        orders-approve
export_order             orders:write     -      +       +       -        orders-export
get_export               orders:read      +      +       +       +        -
repeat_order_export      orders:write     -      +       +       -        orders-again
delete_order             orders:write     -      -       +       +        orders-delete
get_policy               orders:read      +      +       +       +        -
put_policy               orders:write     -      -       +       -        orders-policy
list_all_overrides       overrides:read   +      +       +       +        -
create_override          overrides:write  -      +       +       -        override-new
end_override             overrides:write  -      -       +       -        override-withdraw
list_webhooks            webhooks:write   -      -       +       +        -
create_webhook           webhooks:write   -      -       +       +        webhooks
switch_webhook           webhooks:write   -      -       +       +        webhook-switch
remove_webhook           webhooks:write   -      -       +       +        webhook-delete
list_deliveries          webhooks:write   -      -       +       +        -
replay_delivery          webhooks:write   -      -       +       +        webhook-replay
list_sources             automation:read  +   +       +       +        -
create_source            automation:write -   -       +       -        source-new
put_source               automation:write -   -       +       -        source-edit
patch_source             automation:write -   -       +       +        source-switch
look_at_source           automation:write -   -       +       +        source-look
list_source_files        automation:read  +   +       +       +        -
put_source_file          data:write       -   -       +       -        -
remove_source            automation:write -   -       +       -        source-delete
list_schedules           automation:read  +   +       +       +        -
create_schedule          automation:write -   -       +       -        plan-new
put_schedule             automation:write -   -       +       -        plan-edit
patch_schedule           automation:write -   -       +       +        plan-switch
preview_schedule         automation:read  +   +       +       +        -
run_schedule             automation:write -   -       +       +        plan-start
get_schedule_run         automation:read  +   +       +       +        -
remove_schedule          automation:write -   -       +       -        plan-delete
list_scenarios           scenarios:read   +      +       +       +        -
create_scenario          scenarios:write  -      +       +       -        forecast-plan,forecast-asked-plan
get_scenario             scenarios:read   +      +       +       +        -
put_edits                scenarios:write  -      -       -       -        scenario-edit
rename_scenario          scenarios:write  -      -       -       -        scenario-change
copy_scenario            scenarios:write  -      +       +       -        scenario-duplicate
adopt_scenario           scenarios:write  -      -       +       -        scenario-adopt
delete_scenario          scenarios:write  -      -       +       -        scenario-delete
list_backtests           orders:read      +      +       +       +        -
start_backtest           orders:write     -      +       +       -        orders-backtests
get_backtest             orders:read      +      +       +       +        -
get_job                  -                +      +       +       +        -
"""

PERSONAL = {  # verbs of pages that only a person does, in a browser
    "login": "signs a person in", "logout": "signs a person out", "password": "a person's own",
    "set_language": "a program sends Accept-Language", "keys": "a key makes no keys",
    "key-revoke": "a key ends no keys", "upload-discard": "a check through the API leaves nothing behind",
    "upload-job-stop": "the same",
}  # fmt: skip
WAITING: set[str] = set()  # verbs of pages whose twins are still to come
BODIES = {
    "create_dataset": "date,store,product,qty\n2026-01-01,S1,P1,1\n",
    "import_sales": "date,store,product,qty\n2026-01-01,S1,P1,1\n",
    "check_sales": "date,store,product,qty\n2026-01-01,S1,P1,1\n",
    "put_stock": "store,product,qty\nS01,P001,7\n",
    "put_terms": "product,pack\nP001,6\n",
    "change_dataset": {"paused": True},
    "start_training": {"dataset": 1, "algorithm": "seasonal_naive"},
    "promote_version": {"reason": "Try it."},
    "promote_forecast_run": {"reason": "Try it."},
    "start_forecast_run": {},
    "make_forecast": {"dataset": 1, "product": "P001"},
    "change_state": {"state": "closed"},
    "create_webhook": {"name": "ERP", "address": "https://erp.example", "kinds": ["training.ended"]},
    "switch_webhook": {"enabled": False},
    "change_order": {"lines": [0], "value": 6, "reason": "Try it."},
    "approve_order": {"lines": [0]},
    "export_order": {"supplier": None},
    "repeat_order_export": {"reason": "Lost."},
    "put_policy": {"kind": "fill", "reason": "Try it."},
    "create_source": {"dataset": 1, "name": "stock", "kind": "stock"},
    "put_source": {"name": "tills", "pattern": "sales*"},
    "patch_source": {"enabled": True},
    "put_source_file": "date,store,product,qty\n2026-01-01,S1,P1,1\n",
    "create_schedule": {"dataset": 1, "name": "weekly", "weekdays": [1], "time_zone": "Europe/Berlin"},
    "put_schedule": {"name": "nightly", "trigger": "sales"},
    "patch_schedule": {"enabled": True},
    "create_scenario": {"product": "P001", "store": "S01", "edits": [{"days": ["DAY"], "opens": False}]},
    "put_edits": {"edits": []},
    "rename_scenario": {"name": "Sale"},
    "start_backtest": {},
    "create_override": {"first": "2026-11-05", "last": "2026-11-06", "amount": 5, "reason": "other"},
}  # fmt: skip
QUERIES = {"create_dataset": "?name=new"}


def rows() -> list[dict[str, str]]:
    head, *lines = [line.split() for line in ROUTES.strip().splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]


def operations() -> dict[str, tuple[str, str, dict]]:
    """Path, method and description by name."""
    found = {}
    for path, method, operation in iter_operations(json.loads(read_document())):
        found[operation["operationId"].rpartition("routers_")[2].partition("_")[2]] = (
            path,
            method,
            operation,
        )
    return found


def test_every_operation_has_a_line_with_its_scope():
    told = {row["operation"]: row["scope"].strip("-") for row in rows()}
    assert told == {name: operation["x-scope"] for name, (_path, _method, operation) in operations().items()}
    assert {scope for scope in told.values() if scope} == set(SCOPES)


def posted_names(resolver=None) -> set[str]:
    """Names of the pages, without the admin, that take a POST: those that refuse a GET, and forms."""
    found = set()
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLResolver) and one.app_name != "admin":
            found |= posted_names(one)
        elif isinstance(one, URLPattern) and takes_post(one.callback):
            found.add(one.name)
    return found


def takes_post(view) -> bool:
    """Whether the methods that a view names contain POST; a class-based view has it as a method."""
    if hasattr(view, "view_class"):
        return hasattr(view.view_class, "post")
    for cell in view.__closure__ or ():
        inside = cell.cell_contents
        if isinstance(inside, list) and "POST" in inside:
            return True
        if callable(inside) and hasattr(inside, "__closure__") and takes_post(inside):
            return True
    return False


def test_every_verb_of_a_page_has_its_twin():
    verbs = posted_names()
    assert {"train", "model-promote", "upload", "products-run-new", "password"} <= verbs
    twins = {name for row in rows() for name in row["twin"].split(",")} - {"-"}
    assert not verbs - set(PERSONAL) - twins - WAITING
    assert not WAITING - verbs
    assert twins <= verbs


def make_scenario(version, sales) -> Scenario:
    """A plan that somebody shares."""
    facts = {"dataset_version": sales, "name": "Sale", "horizon": 7, "is_shared": True}
    edit = PlanEdit((str(sales.last + timedelta(days=1)),), opens=False)
    return Scenario.objects.create(version=version, edits=[edit.to_json()], content={}, **facts)


def make_backtest(sales) -> OrderBacktest:
    """One that waits."""
    links = {"dataset": sales.dataset, "policy": current_policy(sales.dataset)}
    return OrderBacktest.objects.create(dataset_version=sales, algorithm="seasonal_naive", **links)


@pytest.fixture
def places(publish, sales, make_run):
    """Rows that the addresses name, made by nobody who asks."""
    publish(wape=0.2)
    spare = publish(wape=0.4)
    made = make_run(spare)
    CurrentForecast.objects.update_or_create(
        dataset=sales.dataset, defaults={"run": made, "forecast": made.totals}
    )
    days = {"first": sales.first, "last": sales.last, "weeks": 2, "change": 0.3}
    run = queue.enqueue_run(sales, spare.model.scope, "seasonal_naive")
    small_files.stock(sales)
    order = save_order(prepare_order(sales.dataset))
    make_order_run(str(order.pk))
    order.refresh_from_db()
    approve_lines(order, range(order.lines), None)
    change = {"first": sales.last, "last": sales.last, "kind": "percent", "amount": 5.0, "reason": "other"}
    return {
        "webhook": (
            hook := Webhook.objects.create(name="ERP", address="https://x.example", is_enabled=False)
        ).pk,
        "delivery": Delivery.objects.create(webhook=hook, kind="training.ended").pk,
        "order": order.pk,
        "export": export_lines(order, None, "csv", None).pk,
        "override": Override.objects.create(dataset=sales.dataset, **change).pk,
        "source": Source.objects.create(name="tills", dataset=sales.dataset, place="http").pk,
        "schedule": (plan := Plan.objects.create(name="nightly", dataset=sales.dataset)).pk,
        "schedule_run": end_planrun(plan).pk,
        "name": "monday.csv",
        "dataset": sales.dataset_id,
        "day": str(sales.last + timedelta(days=1)),
        "scenario": make_scenario(spare, sales).pk,
        "test": make_backtest(sales).pk,
        "version": spare.pk,
        "run": make_run(spare).pk,
        "training": run.pk,
        "job": run.pk,
        "forecast": Forecast.objects.make_forecast(spare, product="P001", horizon=7).pk,
        "alert": AccuracyAlert.objects.create(dataset=sales.dataset, kind="bias", **days).pk,
    }


def end_planrun(plan: Plan) -> PlanRun:
    """A run that has ended, so that another one may start."""
    run = start_plan(plan, PlanRun.Cause.PAGE)
    PlanRun.objects.update(stage="done")
    return run


@contextmanager
def undone():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def send(client, name: str, places: dict, path: str, method: str):
    """One request that the operation understands."""
    named = dict(places)
    if name == "get_schedule_run":
        named["run"] = places["schedule_run"]
    if name == "restore_dataset_version":
        from registry.datasets.models import DatasetVersion

        named["version"] = DatasetVersion.objects.get().pk
    address, body = path.format(**named) + QUERIES.get(name, ""), BODIES.get(name, "")
    if isinstance(body, str):
        return client.generic(method.upper(), address, body, "text/csv" if body else "")
    body = {**body, "dataset": places["dataset"]} if "dataset" in body else body
    text = json.dumps(body).replace("DAY", places["day"])
    return client.generic(method.upper(), address, text, "application/json")


def make_client(anonymous, owner, scopes):
    ApiKey.objects.all().delete()
    facts = {"prefix": "fs_0000", "digest": hash_key(SECRET), "owner": owner, "scopes": list(scopes)}
    ApiKey.objects.create(name="all", **facts)
    anonymous.defaults["HTTP_AUTHORIZATION"] = f"Bearer {SECRET}"
    return anonymous


@pytest.mark.slow
def test_every_operation_answers_each_role_as_the_matrix_says(places, person, anonymous):
    """With a key of all scopes: what refuses is the right of its owner."""
    wrong = []
    for kind in PEOPLE:
        client = make_client(anonymous, person(kind, *([] if kind == "viewer" else [kind.title()])), SCOPES)
        for row in sorted(rows(), key=lambda one: one["operation"] == "remove_dataset"):
            path, method, _facts = operations()[row["operation"]]
            with undone():
                answer = send(client, row["operation"], places, path, method)
                if answer.streaming:
                    b"".join(answer.streaming_content)
            got = "-" if answer.status_code == 403 else "+"
            if got != row[kind] or answer.status_code >= 500:
                wrong.append(f"{kind} {row['operation']}: {answer.status_code} {answer.content[:200]}")
    assert not wrong, "\n".join(wrong)


def test_a_key_with_one_scope_is_refused_everywhere_else(program, admin, places):
    client, opened = program(admin, "orders:read"), set()
    for name, (path, method, operation) in operations().items():
        answer = send(client, name, places, path, method)
        if answer.status_code != 403:
            opened.add(operation["x-scope"])
        else:
            assert "lacks the scope" in answer.json()["detail"]
    assert opened == {"orders:read"}


def test_without_a_key_every_operation_is_refused(anonymous, places):
    for name, (path, method, _operation) in operations().items():
        assert send(anonymous, name, places, path, method).status_code == 401, name

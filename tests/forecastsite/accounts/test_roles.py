"""Who may do what: every address, socket and admin act, for everybody. A new one needs a line here."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import date
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from channels.testing import WebsocketCommunicator
from django.apps import apps
from django.contrib import admin as site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from django_q.models import OrmQ, Task

from forecastsite.accounts.roles import ROLES
from forecastsite.api.models import ApiKey
from forecastsite.asgi import application
from forecastsite.automation.models import Plan, PlanRun
from forecastsite.automation.starting import start_plan
from forecastsite.cleanup.models import CleanUp, Nightly
from forecastsite.verification.models import Verification
from forecastsite.webhooks.models import Delivery, Webhook
from prediction.models import (
    AccuracyAlert,
    CurrentForecast,
    Forecast,
    ForecastRun,
    OrderBacktest,
    OrderLine,
    OrderRun,
    Override,
    Scenario,
)
from prediction.order_runs.decisions import approve_lines, export_lines
from prediction.order_runs.maker import prepare_order, save_order
from prediction.scenarios.edits import PlanEdit
from prediction.scenarios.runner import run_scenario
from prediction.tasks import make_order_run
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.sources.models import Source, SourceFile
from registry.datasets.stock.models import Terms
from registry.datasets.upload_jobs.models import UploadJob
from registry.datasets.uploads import Upload
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import get_artifact_store
from registry.storage.tombstones import Tombstone
from tests.helpers import small_files
from tests.helpers.trials import repeats
from training import queue
from training.events import RunEvent
from training.models import TrainingRun
from training.routing import websocket_urlpatterns

PEOPLE = ("anonymous", "viewer", "planner", "curator", "operator")

# + may, - is refused with one sentence, in: is led to the sign-in page, 404: is not told that it exists,
# 401: needs a key.
# own: the row was made by the person who asks; other: by somebody else; any: it makes no difference.
PAGES = """
method address                     whose  anonymous viewer planner curator operator
GET    overview                    any    in        +      +       +       +
GET    products                    any    in        +      +       +       +
GET    products?export=csv         any    in        +      +       +       +
GET    products?export=xlsx        any    in        +      +       +       +
GET    products-compare            any    in        +      +       +       +
GET    products-runs               any    in        +      +       +       +
GET    products-run                any    in        +      +       +       +
GET    products-run?export=csv     any    in        +      +       +       +
GET    products-run?export=xlsx    any    in        +      +       +       +
GET    products-run-parquet        any    in        +      +       +       +
GET    products-run-csv            any    in        +      +       +       +
POST   products-run-new            any    in        -      +       +       -
GET    products-run-promote        any    in        -      -       +       -
POST   products-run-promote        any    in        -      -       +       -
POST   products-run-back           any    in        -      -       +       -
GET    products-run-delete         own    in        -      +       +       +
GET    products-run-delete         other  in        -      -       +       +
POST   products-run-delete         own    in        -      +       +       +
POST   products-run-delete         other  in        -      -       +       +
GET    accuracy                    any    in        +      +       +       +
GET    accuracy?export=csv         any    in        +      +       +       +
POST   accuracy-alert              any    in        -      +       +       -
GET    overrides                   any    in        +      +       +       +
GET    overrides?export=csv        any    in        +      +       +       +
GET    override                    any    in        +      +       +       +
GET    override-new                any    in        -      +       +       -
POST   override-new                any    in        -      +       +       -
GET    override-withdraw           own    in        -      +       +       -
GET    override-withdraw           other  in        -      -       +       -
POST   override-withdraw           own    in        -      +       +       -
POST   override-withdraw           other  in        -      -       +       -
GET    scorecard                   any    in        +      +       +       +
GET    scorecard?export=xlsx       any    in        +      +       +       +
GET    orders                      any    in        +      +       +       +
POST   orders-new                  any    in        -      +       +       -
GET    orders-policy               any    in        +      +       +       +
POST   orders-policy               any    in        -      -       +       -
GET    orders-backtests            any    in        +      +       +       +
POST   orders-backtests            any    in        -      +       +       -
GET    orders-backtest             any    in        +      +       +       +
GET    orders-run                  any    in        +      +       +       +
GET    orders-run?export=csv       any    in        +      +       +       +
GET    orders-run?export=xlsx      any    in        +      +       +       +
POST   orders-change               any    in        -      +       +       -
POST   orders-approve              any    in        -      -       +       -
POST   orders-export               any    in        -      +       +       -
GET    orders-again                any    in        -      +       +       -
POST   orders-again                any    in        -      +       +       -
GET    orders-print                any    in        +      +       +       +
GET    orders-line                 any    in        +      +       +       +
GET    orders-line-why             any    in        +      +       +       +
GET    orders-delete               own    in        -      +       +       +
GET    orders-delete               other  in        -      -       +       +
POST   orders-delete               own    in        -      +       +       +
POST   orders-delete               other  in        -      -       +       +
GET    news                        any    in        +      +       +       +
GET    welcome                     any    in        +      +       +       +
GET    sample-file                 any    in        +      +       +       +
GET    help                        any    in        +      +       +       +
GET    help-for                    any    in        +      +       +       +
GET    data                        any    in        +      +       +       +
GET    data?export=csv             any    in        +      +       +       +
GET    data?export=xlsx            any    in        +      +       +       +
GET    dataset                     any    in        +      +       +       +
GET    catalogue                   any    in        +      +       +       +
GET    suggest                     any    in        +      +       +       +
GET    dataset-csv                 any    in        +      +       +       +
GET    dataset-parquet             any    in        +      +       +       +
GET    dataset-findings            any    in        +      +       +       +
GET    upload                      any    in        -      -       +       -
POST   upload                      any    in        -      -       +       -
GET    stock-upload                any    in        -      +       +       -
POST   stock-upload                any    in        -      +       +       -
GET    upload-match                own    in        -      -       +       -
GET    upload-match                other  in        -      -       404     -
POST   upload-match                own    in        -      -       +       -
POST   upload-match                other  in        -      -       404     -
GET    upload-check                own    in        -      -       +       -
GET    upload-check                other  in        -      -       404     -
POST   upload-check                own    in        -      -       +       -
POST   upload-check                other  in        -      -       404     -
GET    upload-rows                 own    in        -      -       +       -
GET    upload-rows                 other  in        -      -       404     -
GET    upload-job                  own    in        -      -       +       -
GET    upload-job                  other  in        -      -       404     -
POST   upload-job-stop             own    in        -      -       +       -
POST   upload-job-stop             other  in        -      -       404     -
POST   upload-discard              own    in        -      -       +       -
POST   upload-discard              other  in        -      -       404     -
GET    dataset-back                any    in        -      -       +       -
POST   dataset-back                any    in        -      -       +       -
GET    dataset-rename              any    in        -      -       +       -
POST   dataset-rename              any    in        -      -       +       -
POST   dataset-pause               any    in        -      -       +       -
GET    models                      any    in        +      +       +       +
GET    models?export=csv           any    in        +      +       +       +
GET    models?export=xlsx          any    in        +      +       +       +
GET    models-compare              any    in        +      +       +       +
GET    model                       any    in        +      +       +       +
GET    model-promote               any    in        -      -       +       -
POST   model-promote               any    in        -      -       +       -
GET    model-roll-back             any    in        -      -       +       -
POST   model-roll-back             any    in        -      -       +       -
GET    model-retrain               any    in        -      +       +       -
POST   model-retrain               any    in        -      +       +       -
GET    model-delete                own    in        -      +       +       +
GET    model-delete                other  in        -      -       +       +
POST   model-delete                own    in        -      +       +       +
POST   model-delete                other  in        -      -       +       +
GET    train                       any    in        -      +       +       -
POST   train                       any    in        -      +       +       -
GET    train-knobs                 any    in        -      +       +       -
GET    train-cost                  any    in        -      +       +       -
GET    queue                       any    in        +      +       +       +
GET    run                         any    in        +      +       +       +
GET    run-cancel                  own    in        -      +       +       +
GET    run-cancel                  other  in        -      -       +       +
POST   run-cancel                  own    in        -      +       +       +
POST   run-cancel                  other  in        -      -       +       +
GET    run-finish                  own    in        -      +       +       +
GET    run-finish                  other  in        -      -       +       +
POST   run-finish                  own    in        -      +       +       +
POST   run-finish                  other  in        -      -       +       +
GET    run-again                   any    in        -      +       +       -
POST   run-again                   any    in        -      +       +       -
GET    forecast                    any    in        -      +       +       -
POST   forecast                    any    in        -      +       +       -
GET    forecast-detail             any    in        +      +       +       +
GET    forecast-why                any    in        +      +       +       +
GET    forecast-asked-why          any    in        -      +       +       -
GET    forecast-plan               any    in        -      +       +       -
POST   forecast-plan               any    in        -      +       +       -
GET    forecast-asked-plan         any    in        -      +       +       -
POST   forecast-asked-plan         any    in        -      +       +       -
GET    scenarios                   any    in        +      +       +       +
GET    scenarios-compare           any    in        +      +       +       +
GET    scenarios-compare?export=csv  any  in        +      +       +       +
GET    scenario                    own    in        +      +       +       +
GET    scenario                    other  in        404    404     404     404
GET    scenario?export=xlsx        own    in        +      +       +       +
POST   scenario-edit               own    in        -      +       +       -
POST   scenario-edit               other  in        -      404     404     -
POST   scenario-change             own    in        -      +       +       -
POST   scenario-change             other  in        -      404     404     -
POST   scenario-duplicate          own    in        -      +       +       -
POST   scenario-duplicate          other  in        -      404     404     -
GET    scenario-delete             own    in        -      +       +       -
GET    scenario-delete             other  in        -      404     404     -
POST   scenario-delete             own    in        -      +       +       -
POST   scenario-delete             other  in        -      404     404     -
GET    scenario-adopt              own    in        -      -       +       -
GET    scenario-adopt              other  in        -      -       404     -
POST   scenario-adopt              own    in        -      -       +       -
POST   scenario-adopt              other  in        -      -       404     -
GET    forecast-csv                any    in        +      +       +       +
GET    forecast-excel              any    in        +      +       +       +
GET    history                     any    in        +      +       +       +
GET    history?export=csv          any    in        +      +       +       +
GET    history?export=xlsx         any    in        +      +       +       +
GET    forecast-delete             own    in        -      +       +       +
GET    forecast-delete             other  in        -      -       +       +
POST   forecast-delete             own    in        -      +       +       +
POST   forecast-delete             other  in        -      -       +       +
GET    dataset-delete              any    in        -      -       +       -
POST   dataset-delete              any    in        -      -       +       -
GET    automation                  any    in        +      +       +       +
GET    source                      any    in        +      +       +       +
GET    source-new                  any    in        -      -       +       -
POST   source-new                  any    in        -      -       +       -
GET    source-edit                 any    in        -      -       +       -
POST   source-edit                 any    in        -      -       +       -
POST   source-switch               any    in        -      -       +       +
POST   source-look                 any    in        -      -       +       +
GET    source-delete               any    in        -      -       +       -
POST   source-delete               any    in        -      -       +       -
GET    plan                        any    in        +      +       +       +
GET    plan?preview=1              any    in        +      +       +       +
GET    plan-new                    any    in        -      -       +       -
POST   plan-new                    any    in        -      -       +       -
GET    plan-edit                   any    in        -      -       +       -
POST   plan-edit                   any    in        -      -       +       -
POST   plan-switch                 any    in        -      -       +       +
POST   plan-start                  any    in        -      -       +       +
GET    plan-delete                 any    in        -      -       +       -
POST   plan-delete                 any    in        -      -       +       -
GET    planrun                     any    in        +      +       +       +
GET    password                    any    in        +      +       +       +
POST   password                    any    in        +      +       +       +
GET    login                       any    +         +      +       +       +
POST   login                       any    +         +      +       +       +
POST   logout                      any    in        in     in      in      in
POST   set_language                any    +         +      +       +       +
GET    metrics                     any    404       404    404     404     404
GET    keys                        any    in        +      +       +       +
POST   keys                        any    in        +      +       +       +
POST   key-revoke                  own    in        +      +       +       +
POST   key-revoke                  other  in        404    404     404     404
GET    webhooks                    any    in        -      -       +       +
POST   webhooks                    any    in        -      -       +       +
POST   webhook-switch              any    in        -      -       +       +
POST   webhook-delete              any    in        -      -       +       +
POST   webhook-replay              any    in        -      -       +       +
GET    storage                     any    in        -      -       -       +
GET    admin:index                 any    in        -      -       +       +
GET    admin:login                 any    in        in     in      +       +
POST   admin:logout                any    in        -      -       in      in
GET    admin:password_change       any    in        -      -       +       +
POST   admin:password_change       any    in        -      -       +       +
GET    admin:password_change_done  any    in        -      -       +       +
GET    admin:autocomplete          any    in        -      -       -       -
GET    admin:jsi18n                any    in        -      -       +       +
GET    admin:app_list              any    in        -      -       +       +
GET    admin:registry_auditentry_csv     any  in    -      -       -       +
GET    admin:auth_user_password_change   any  in    -      -       -       -
WS     run                         any    in        +      +       +       +
"""

# v: list, page and history of a row; c: change it there; a: add; d: Django's own delete page. Nobody else.
TABLES = """
table                    curator operator
auth.user                -       -
auth.group               -       -
forecastsite.apikey      -       v
axes.accessattempt       -       v
axes.accessfailurelog    -       v
axes.accesslog           -       v
django_q.failure         -       v
django_q.success         -       v
django_q.ormq            -       v
forecastsite.cleanup     -       v
forecastsite.verification -      v
forecastsite.nightly     -       v
forecastsite.plan        v       v
forecastsite.planrun     v       v
registry.auditentry      -       v
registry.dataset         vc      v
registry.datasetversion  v       v
registry.forecastmodel   v       v
registry.modelversion    v       v
registry.source          v       v
registry.sourcefile      v       v
registry.stocksnapshot   v       v
registry.terms           vacd    v
registry.tombstone       v       v
registry.versionchange   v       v
training.trainingrun     v       v
training.runevent        v       v
prediction.forecast      v       v
prediction.forecastrun   v       v
prediction.accuracyalert v       v
prediction.override      v       v
prediction.orderrun      v       v
prediction.orderline     v       v
prediction.orderexport   v       v
prediction.orderpolicy   v       v
prediction.orderbacktest v       v
"""

ACTS = """
table                    act                 curator operator
registry.modelversion    promote             +       -
registry.modelversion    roll_back           +       -
registry.modelversion    pin                 +       -
registry.modelversion    unpin               +       -
registry.modelversion    archive             +       +
registry.modelversion    restore             +       +
registry.modelversion    retrain             +       -
registry.modelversion    retrain_outdated    +       -
registry.modelversion    delete_with_file    +       +
registry.datasetversion  delete_with_file    +       -
registry.stocksnapshot   delete_with_file    +       -
prediction.forecast      pin                 +       -
prediction.forecast      unpin               +       -
prediction.forecast      archive             +       +
prediction.forecast      restore             +       +
prediction.forecast      delete_with_file    +       +
prediction.forecastrun   promote             +       -
prediction.forecastrun   roll_back           +       -
prediction.forecastrun   pin                 +       -
prediction.forecastrun   unpin               +       -
prediction.forecastrun   archive             +       +
prediction.forecastrun   restore             +       +
prediction.forecastrun   delete_with_file    +       +
prediction.override      withdraw            +       -
prediction.orderrun      pin                 +       -
prediction.orderrun      unpin               +       -
prediction.orderrun      archive             +       +
prediction.orderrun      restore             +       +
prediction.orderrun      delete_with_file    +       +
training.trainingrun     stop                +       +
training.trainingrun     again               +       -
axes.accessattempt       unlock              -       +
forecastsite.apikey      revoke              -       +
forecastsite.nightly     switch_on           -       +
forecastsite.nightly     switch_off          -       +
"""


def rows_of(table: str) -> list[dict[str, str]]:
    head, *lines = [line.split() for line in table.strip().splitlines()]
    assert all(len(line) == len(head) for line in lines)
    return [dict(zip(head, line, strict=True)) for line in lines]


# --- nothing is left out ------------------------------------------------------------------------------
def names(patterns=None, space: str = "") -> set[str]:
    """Every named address, those of the admin with its name before them."""
    found = set()
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inside = f"{pattern.namespace}:" if pattern.namespace else space
            found |= names(pattern.url_patterns, inside)
        elif isinstance(pattern, URLPattern) and pattern.name:
            found.add(space + pattern.name)
    return found


def of_tables() -> set[str]:
    kinds = ("changelist", "add", "change", "delete", "history")
    return {f"admin:{row['table'].replace('.', '_')}_{kind}" for row in rows_of(TABLES) for kind in kinds}


def test_every_address_has_a_line():
    told = {row["address"].split("?")[0] for row in rows_of(PAGES) if row["method"] != "WS"}
    assert names() == told | of_tables()


def test_every_socket_has_a_line():
    assert len(websocket_urlpatterns) == len([row for row in rows_of(PAGES) if row["method"] == "WS"])


def test_every_table_and_act_of_the_admin_has_a_line():
    assert {row["table"] for row in rows_of(TABLES)} == {m._meta.label_lower for m in site.site._registry}
    acts = {
        (model._meta.label_lower, act.name)
        for model, page in site.site._registry.items()
        for act in getattr(page, "row_actions", [])
    }
    assert acts == {(row["table"], row["act"]) for row in rows_of(ACTS)}


def test_every_row_of_the_matrix_names_every_role():
    assert {name.lower() for name in ROLES} == set(PEOPLE[1:])


# --- the world that is asked --------------------------------------------------------------------------
@pytest.fixture
def world(publish, upload, sales, archive_folder, make_run):
    """A row of every table, none of them made by those who ask."""
    publish(wape=0.2)
    spare = publish(wape=0.4)
    forecast = Forecast.objects.make_forecast(spare, product="P001", horizon=7)
    made = make_run(spare)
    run = queue.enqueue_run(sales, spare.model.scope, "seasonal_naive")
    RunEvent.objects.create(run=run, seq=1, kind="log", text="Hello.")
    TrainingRun.objects.update(last_seq=1)
    Tombstone.objects.create(id=uuid4(), kind="forecast", name="gone", rule="by_hand")
    for number, success in enumerate((True, False)):
        done = {"started": timezone.now(), "stopped": timezone.now(), "success": success}
        Task.objects.create(id=str(number) * 32, name="job", func="x", **done)
    OrmQ.objects.create(key="training", payload="x", lock=timezone.now())
    door = {"username": "eve", "ip_address": "192.0.2.1", "user_agent": "x", "http_accept": "x"}
    AccessAttempt.objects.create(**door, path_info="/login/", failures_since_start=2)
    AccessFailureLog.objects.create(**door, path_info="/login/")
    AccessLog.objects.create(**door, path_info="/login/")
    job = UploadJob.objects.create(upload=upload, task="check", file="till.csv", created_by=upload.created_by)
    key = ApiKey.objects.create(name="ERP", prefix="fs_1", owner=upload.created_by)
    hook = Webhook.objects.create(name="ERP", address="https://erp.example", is_enabled=False)
    delivery = Delivery.objects.create(webhook=hook, kind="training.ended")
    CleanUp.objects.create(deleted=1)
    Nightly.objects.ensure_schedule()
    Verification.objects.create(day="2026-01-01", finished_at=timezone.now())
    stock = small_files.stock(sales)
    Terms.objects.create(dataset=sales.dataset, level="all", lead_days=3)
    make_run(spare)  # a forecast run that the order needs, beside the one that may be deleted
    order = save_order(prepare_order(sales.dataset))
    make_order_run(str(order.pk))
    order.refresh_from_db()
    approve_lines(order, range(order.lines), None)
    export = export_lines(order, None, "csv", None)
    owned = (spare, forecast, made, made.sums, made.totals, sales, stock, order)
    files = {row.path: row.read() for row in owned}
    rows = {
        "version": spare,
        "forecast": forecast,
        "run": run,
        "sales": sales,
        "upload": upload,
        "job": job,
        "key": key,
        "delivery": delivery,
    }
    day = {"first": sales.first, "last": sales.last, "weeks": 2, "change": 0.3}
    alert = AccuracyAlert.objects.create(dataset=sales.dataset, kind="bias", **day)
    days = {"first": sales.last, "last": sales.last, "kind": "percent", "amount": 5.0, "reason": "other"}
    override = Override.objects.create(dataset=sales.dataset, **days)
    facts = {"version": spare, "dataset_version": sales, "horizon": 7, "series": {"product": "P001"}}
    plan = Scenario.objects.create(name="plan", **facts, edits=[PlanEdit(("2026-11-01",), True).to_json()])
    run_scenario(plan)
    sources = {"dataset": sales.dataset, "dataset_version": sales, "policy": order.policy}
    test = OrderBacktest.objects.create(**sources, algorithm="ets")
    facts = {"forecast_run": made, "alert": alert, "stock": stock, "plan": plan, "override": override}
    facts["test"] = test
    facts["source"] = Source.objects.create(name="tills", dataset=sales.dataset)
    SourceFile.objects.create(source=facts["source"], name="monday.csv", stamp="1")
    facts["schedule"] = Plan.objects.create(name="nightly", dataset=sales.dataset)
    facts["planrun"] = start_plan(facts["schedule"], PlanRun.Cause.PAGE)
    return {**rows, **facts, "files": files, "order": order, "export": export}


@pytest.fixture
def somebody(person, browse):
    """A signed-in browser of each kind of person, and who that is."""

    def make(kind: str):
        user = None if kind == "anonymous" else person(kind, *([] if kind == "viewer" else [kind.title()]))
        return browse(user), user

    return make


@contextmanager
def undone(client):
    """Whatever is done inside is not done afterwards, also signing out."""
    cookies = client.cookies.copy()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    client.cookies = cookies


def give_to(world: dict, user: User) -> None:
    """Everything was made by this person."""
    ModelVersion.objects.update(created_by=user)
    TrainingRun.objects.update(created_by=user)
    Forecast.objects.update(created_by=user)
    ForecastRun.objects.update(created_by=user)
    OrderRun.objects.update(created_by=user)
    OrderLine.objects.update(state=OrderLine.State.DRAFT)  # own orders are deleted before approval only
    Upload.objects.update(created_by=user)
    UploadJob.objects.update(created_by=user)
    ApiKey.objects.update(owner=user)
    Override.objects.update(created_by=user)
    Scenario.objects.update(created_by=user)


def place(address: str, world: dict) -> str:
    """Where that is in this world."""
    name, _mark, query = address.partition("?")
    keys = {
        "dataset": world["sales"].dataset_id, "catalogue": world["sales"].dataset_id,
        "dataset-back": world["sales"].pk, "model": world["version"].pk, "run": world["run"].pk,
        "forecast": world["forecast"].pk, "upload": world["upload"].pk, "upload-job": world["job"].pk,
        "products-run": world["forecast_run"].pk, "orders": world["order"].pk,
        "override": world["override"].pk,
        "scenario": world["plan"].pk,
        "source": world["source"].pk, "plan": world["schedule"].pk, "planrun": world["planrun"].pk,
    }  # fmt: skip
    fixed = {
        "key-revoke": [world["key"].pk],
        "webhook-switch": [world["delivery"].webhook_id], "webhook-delete": [world["delivery"].webhook_id],
        "webhook-replay": [world["delivery"].pk],
        "accuracy-alert": [world["alert"].pk, "closed"], "help-for": ["buyer"], "suggest": ["product"],
        "admin:app_list": ["registry"], "orders-again": [world["order"].pk, world["export"].pk],
        "orders-backtest": [world["test"].pk],
        "orders-line": [world["order"].pk, 0], "orders-line-why": [world["order"].pk, 0],
        "admin:auth_user_password_change": [User.objects.first().pk],
    }  # fmt: skip
    found = next((key for key in (name, name.rpartition("-")[0], name.split("-")[0]) if key in keys), None)
    plain = {"forecast", "upload", "stock-upload", "models-compare", "products-run-new"}
    plain |= {"forecast-asked-why", "forecast-asked-plan", "orders", "orders-new", "orders-policy"}
    plain |= {"override-new", "orders-backtests", "source-new", "plan-new"}
    args = fixed.get(name, [] if found is None or name in plain else [keys[found]])
    return reverse(name, args=args) + (f"?{query}" if query else "")


def outcome(response) -> str:
    """What the person got, in the letters of the matrix."""
    if response.status_code == 302 and response["Location"].startswith(("/login/", "/admin/login/")):
        return "in"
    if response.status_code in (401, 403, 404):
        return {403: "-"}.get(response.status_code, str(response.status_code))
    assert response.status_code in (200, 204, 302), response.status_code
    return "+"


SENTENCE = re.compile(r"You need the role \w+( or \w+)* for this|Only an administrator may do this")


# Who is refused gets other words in a fragment; whoever is refused least often shows nothing new there.
WAYS = [(kind, "page") for kind in PEOPLE] + [("anonymous", "fragment"), ("viewer", "fragment")]
WAYS += [pytest.param(kind, "fragment", marks=repeats) for kind in ("planner", "curator", "operator")]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "way"), WAYS)
def test_every_address_answers_as_the_matrix_says(world, somebody, kind, way):
    client, user = somebody(kind)
    headers = {"HX-Request": "true"} if way == "fragment" else {}
    wrong = []
    for row in rows_of(PAGES):
        if row["method"] == "WS":
            continue
        with undone(client):
            if row["whose"] == "own" and user:
                give_to(world, user)
            response = client.generic(row["method"], place(row["address"], world), headers=headers)
            got = outcome(response)
            if response.streaming:  # a download that is not read holds its place
                b"".join(response.streaming_content)
            if got == "-" and "admin" not in row["address"]:
                assert SENTENCE.search(response.content.decode()), row["address"]
                assert response.has_header("HX-Retarget") == (way == "fragment")
        if got != row[kind]:
            wrong.append(f"{row['method']} {row['address']} ({row['whose']}): {got}, not {row[kind]}")
    assert not wrong


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["anonymous", "viewer", pytest.param("planner", marks=repeats), "curator", "operator"]
)
def test_every_table_of_the_admin_answers_as_the_matrix_says(world, somebody, kind):
    client, _user = somebody(kind)
    wrong = []
    for row in rows_of(TABLES):
        name, allowed = f"admin:{row['table'].replace('.', '_')}", row.get(kind, "-")
        first = apps.get_model(row["table"])._default_manager.values_list("pk", flat=True)[0]
        asked = [("GET", "changelist", "v"), ("GET", "change", "v"), ("GET", "history", "v")]
        asked += [("POST", "change", "c"), ("GET", "add", "a"), ("POST", "add", "a")]
        asked += [("GET", "delete", "d"), ("POST", "delete", "d")]
        for method, what, letter in asked:
            where = reverse(f"{name}_{what}", args=[] if what in ("changelist", "add") else [first])
            with undone(client):
                got = outcome(client.generic(method, where))
            due = "in" if kind == "anonymous" else "+" if letter in allowed else "-"
            if got != due:
                wrong.append(f"{method} {name}_{what}: {got}, not {due}")
    assert not wrong


def prepared(table: str, act: str, world: dict):
    """A row on which the act is not refused for its state; files do not come back with a rollback."""
    for path, content in world["files"].items():
        if not get_artifact_store().exists(path):
            get_artifact_store().save(path, ContentFile(content))
    world["run"].refresh_from_db()
    row = {
        "registry.modelversion": world["version"], "registry.stocksnapshot": world["stock"],
        "registry.datasetversion": world["sales"],
        "prediction.forecast": world["forecast"], "prediction.forecastrun": world["forecast_run"],
        "training.trainingrun": world["run"],
        "axes.accessattempt": AccessAttempt.objects.first(), "forecastsite.apikey": world["key"],
        "prediction.override": world["override"], "prediction.orderrun": world["order"],
        "forecastsite.nightly": Nightly.objects.ensure_schedule(),
    }[table]  # fmt: skip
    if table != "prediction.orderrun":  # which keeps what it was made from
        OrderRun.objects.all().delete()
    if act == "roll_back" and table == "prediction.forecastrun":
        CurrentForecast.objects.update(run=row, previous=row)
    elif act == "roll_back":
        world["version"].promote("Try it.", None)
    elif act == "unpin":
        row.pin()
    elif act == "restore":
        row.move_to_archive()
    elif act == "switch_off":
        row.set_enabled(True)
    elif act == "again":
        TrainingRun.objects.update(state="failed")
    elif act == "retrain_outdated":
        row.promote("Try it.", None)
        row.model.refresh_from_db()
        fields = {name: getattr(world["sales"], name) for name in ("dataset", "first", "state")}
        last = world["sales"].last.replace(year=world["sales"].last.year + 1)
        DatasetVersion.objects.create(**fields, last=last, number=2, content_hash="x")
    elif table == "registry.datasetversion":
        TrainingRun.objects.all().delete()
        ModelVersion.objects.all().delete()
        fields = {name: getattr(row, name) for name in ("dataset", "first", "last", "state")}
        DatasetVersion.objects.create(**fields, number=2, content_hash="x")
    return row


@pytest.mark.slow
@pytest.mark.parametrize("kind", PEOPLE)
def test_every_act_of_the_admin_is_done_or_not_as_the_matrix_says(world, somebody, kind):
    client, _user = somebody(kind)
    wrong = []
    for line in rows_of(ACTS):
        with undone(client):
            row = prepared(line["table"], line["act"], world)
            where = reverse(f"admin:{line['table'].replace('.', '_')}_changelist")
            form = {"action": line["act"], "_selected_action": [str(row.pk)], "reason": "For the test."}
            asked = client.post(where, form)
            client.post(where, {**form, "confirmed": "yes"})
            question = b"confirm-action" in asked.content and b'name="confirmed"' in asked.content
            done = LogEntry.objects.filter(object_id=str(row.pk or form["_selected_action"][0])).exists()
        for name, got in (("asked", question), ("done", done)):
            if got != (line.get(kind, "-") == "+"):
                wrong.append(f"{line['table']} {line['act']}: {name} {got}")
        world["version"].refresh_from_db()
        world["forecast"].refresh_from_db()
        world["forecast_run"].refresh_from_db()
    assert not wrong


@pytest.fixture
def watched(transactional_db) -> TrainingRun:
    """A waiting run, without any sales behind it."""
    day = date(2026, 1, 1)
    data = Dataset.objects.create(name="pharmacies").versions.create(number=1, first=day, last=day)
    return TrainingRun.objects.create(dataset_version=data, algorithm="seasonal_naive")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", PEOPLE)
async def test_every_socket_answers_as_the_matrix_says(watched, somebody, kind, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    client, _user = await sync_to_async(somebody)(kind)
    cookie = f"sessionid={client.cookies['sessionid'].value}" if "sessionid" in client.cookies else ""
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver"), (b"cookie", cookie.encode())]
    socket = WebsocketCommunicator(application, f"/ws/runs/{watched.pk}/", headers)
    await socket.connect()
    first = await socket.receive_output(timeout=10)
    got = "in" if first.get("code") == 4401 else "+"
    assert got == next(row[kind] for row in rows_of(PAGES) if row["method"] == "WS")
    if got == "+":  # a button only for those who may press it
        assert ("/cancel/" in first["text"]) == (kind in ("curator", "operator"))
        await socket.disconnect()

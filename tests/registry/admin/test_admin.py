"""The admin: every table opens, acts ask first and say what they will do, files go with their rows."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
from django.contrib import admin as site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ, Success, Task

from forecastsite.api.models import ApiKey
from forecastsite.automation.models import Plan, PlanRun
from forecastsite.automation.starting import start_plan
from forecastsite.cleanup.models import CleanUp, Nightly
from forecastsite.verification.models import Verification
from prediction.models import (
    AccuracyAlert,
    Forecast,
    ForecastRun,
    OrderBacktest,
    OrderExport,
    OrderLine,
    OrderRun,
    Override,
)
from prediction.order_runs.models import current_policy
from registry.access.audit import AuditEntry, record_action
from registry.admin.actions import MAX_ROWS
from registry.admin.base import MAX_LISTED
from registry.datasets.sources.models import Source, SourceFile
from registry.datasets.stock.models import StockSnapshot, Terms
from registry.model_versions.changes import VersionChange
from registry.model_versions.models import ForecastModel, ModelVersion
from registry.storage.artifacts import get_artifact_store
from training.events import RunEvent
from training.models import TrainingRun

OURS = [
    model
    for model in site.site._registry
    if model._meta.app_label in {"registry", "training", "prediction", "forecastsite"}
]
ALL = list(site.site._registry)


@pytest.fixture
def rows(forecast, sales):
    run = TrainingRun.objects.create(dataset_version=sales, algorithm="seasonal_naive", last_seq=3)
    RunEvent.objects.create(run=run, seq=1, kind="log", text="Hello.")
    for seq in (2, 3):
        point = {"step": "learn", "round": seq, "train_error": 0.5 / seq, "check_error": 0.6 / seq}
        RunEvent.objects.create(run=run, seq=seq, kind="epoch", data=point)
    ForecastRun.objects.create(version=forecast.version, dataset_version=sales)
    day = {"first": sales.first, "last": sales.last, "weeks": 2, "change": 0.3}
    AccuracyAlert.objects.create(dataset=sales.dataset, kind="bias", **day)
    forecast.build_tombstone("by_hand").save()
    CleanUp.objects.create(deleted=3)
    Nightly.objects.ensure_schedule()
    StockSnapshot.objects.create(dataset=sales.dataset, as_of=sales.last)
    Terms.objects.create(dataset=sales.dataset, level="all", lead_days=3)
    parts = {"forecast_run": ForecastRun.objects.get(), "stock": StockSnapshot.objects.get()}
    order = OrderRun.objects.create(dataset=sales.dataset, policy=current_policy(sales.dataset), **parts)
    OrderLine.objects.create(run=order, place=0, store="S1", product="P1", quantity=2)
    OrderExport.objects.create(run=order, suffix="csv")
    sources = {"dataset": sales.dataset, "dataset_version": sales, "policy": order.policy}
    OrderBacktest.objects.create(**sources, algorithm="ets")
    days = {"first": sales.first, "last": sales.last, "kind": "percent", "amount": 10, "reason": "other"}
    Override.objects.create(dataset=sales.dataset, **days)
    ApiKey.objects.create(name="ERP", prefix="fs_1", owner=forecast.created_by)
    source = Source.objects.create(name="tills", dataset=sales.dataset)
    SourceFile.objects.create(source=source, name="monday.csv", stamp="1")
    start_plan(Plan.objects.create(name="nightly", dataset=sales.dataset), PlanRun.Cause.PAGE)
    Verification.objects.create(day=sales.last, finished_at=timezone.now())
    return run


def changelist(model) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def change(row) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def ask(client, action: str, *chosen, **more):
    """What the list of the admin sends."""
    form = {"action": action, "_selected_action": [str(row.pk) for row in chosen], **more}
    return client.post(changelist(type(chosen[0])), form, follow=True)


def confirm(client, action: str, *chosen, **more):
    return ask(client, action, *chosen, confirmed="yes", **more)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_table_lists_and_opens_its_rows_in_both_languages(admin_page, rows, model):
    row = model._default_manager.first()
    assert row
    for language in ("en", "zh-hans"):
        admin_page.cookies["django_language"] = language
        assert admin_page.get(changelist(model), {"q": "x"}).status_code == 200
        assert admin_page.get(change(row)).status_code == 200


def test_every_model_of_ours_is_registered():
    assert {model.__name__ for model in OURS} == {
        "Dataset", "DatasetVersion", "StockSnapshot", "Terms", "ForecastModel", "ModelVersion",
        "VersionChange",
        "TrainingRun", "RunEvent", "Forecast", "ForecastRun", "AccuracyAlert",
        "OrderRun", "OrderLine", "OrderExport", "OrderPolicy", "OrderBacktest", "Override", "ApiKey",
        "Tombstone", "AuditEntry", "CleanUp", "Nightly", "Verification",
        "Source", "SourceFile", "Plan", "PlanRun",
    }  # fmt: skip


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.__name__)
def test_a_list_has_at_most_eight_columns_and_counts_nothing_without_end(model):
    page = site.site._registry[model]
    assert len(page.list_display) <= 8
    assert not page.show_full_result_count and page.show_facets == site.ShowFacets.NEVER


def test_no_page_of_the_admin_needs_inline_code_or_style(admin_page, rows):
    for model in ALL:
        row = model._default_manager.first()
        for address in (changelist(model), *([change(row)] if row else [])):
            source = admin_page.get(address).content.decode()
            scripts = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", source)
            assert not scripts and not re.search(r"<style|\sstyle=|\son[a-z]+=", source), address


def test_the_charts_of_the_change_pages_have_their_numbers(admin_page, rows, version):
    run = admin_page.get(change(rows)).content.decode()
    assert 'data-chart="learning"' in run and run.count("data-step=") == 2 and "chartjs/chart.js" in run
    page = admin_page.get(change(version)).content.decode()
    assert 'data-chart="backtest"' in page
    assert page.count("data-error=") == len(version.metrics["windows"]) > 0


class Bomb:
    """Goes off when somebody unpickles it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __deepcopy__(self, memo):  # the field copies what it is given
        return self

    def __reduce__(self):
        return (Path.touch, (self.mark,))


def test_the_queues_pickles_are_shown_to_nobody_and_never_opened(admin_page, tmp_path):
    mark = tmp_path / "went off"
    Task.objects.create(
        id="a" * 32, name="job", func="training.tasks.x", started=timezone.now(), stopped=timezone.now(),
        result=Bomb(mark), args=(Bomb(mark),), success=True,
    )  # fmt: skip
    OrmQ.objects.create(key="training", payload=pickle.dumps(Bomb(mark)).hex(), lock=timezone.now())
    unread = {"OrmQ": OrmQ.objects.defer("payload"), "Success": Success.objects.defer("args", "result")}
    for model in (model for model in ALL if model._meta.app_label == "django_q"):
        assert admin_page.get(changelist(model)).status_code == 200
        for row in unread.get(model.__name__, []):
            assert admin_page.get(change(row)).status_code == 200
            assert admin_page.post(change(row), {}).status_code == 403
    assert not mark.exists()
    Task.objects.get()  # the stock way: this is what the pages above did not do
    assert mark.exists()


def test_people_without_the_role_are_told_which_one_they_need(person, browse, read):
    response = browse(person("vic", "Planner")).get("/admin/")
    assert response.status_code == 403
    assert "You need the role Curator or Operator for this" in read(response)


# --- acts ---------------------------------------------------------------------------------------------
def test_promoting_says_what_it_replaces_asks_why_and_is_written_down(page, publish, user, read):
    best, worse = publish(wape=0.2), publish(wape=0.4)
    text = read(ask(page, "promote", best, worse))
    assert "This will happen to 1 row" in text and f"It will replace {best.name}." in text
    assert "It was not put in use after its test: It is not better than" in text
    assert "1 row is skipped" in text and "It is already in use." in text
    assert "Enter a reason" in read(confirm(page, "promote", worse, reason=" "))
    assert ForecastModel.objects.get().best == best
    assert "done for 1" in read(confirm(page, "promote", worse, reason="Ana knows the shop"))
    assert ForecastModel.objects.get().best == worse
    line, log = VersionChange.objects.first(), LogEntry.objects.get()
    assert (line.kind, line.text, line.by) == ("promoted", "Ana knows the shop", user)
    assert log.user == user and log.object_id == str(worse.pk) and "Ana knows the shop" in log.change_message
    text = read(page.get(change(worse)))
    assert "Who did what, and why" in text and "Ana knows the shop" in text
    assert "Ana knows the shop" in read(page.get(change(worse).replace("change/", "history/")))


def test_rolling_back_goes_one_step_and_refuses_what_is_not_in_use(page, publish, read):
    first, second = publish(wape=0.4), publish(wape=0.2)
    text = read(ask(page, "roll_back", first, second))
    assert f"{first.name} will be in use again instead." in text and "select the version that is" in text
    confirm(page, "roll_back", second)
    assert ForecastModel.objects.get().best == first
    assert "There is no earlier version" in read(ask(page, "roll_back", first))


@pytest.mark.parametrize("kind", ["version", "forecast"])
def test_a_pin_is_put_on_and_taken_off(page, version, forecast, kind, read):
    row = {"version": version, "forecast": forecast}[kind]
    assert "It is not pinned." in read(ask(page, "unpin", row))
    confirm(page, "pin", row)
    assert type(row).objects.get(pk=row.pk).pinned and "already pinned" in read(ask(page, "pin", row))
    confirm(page, "unpin", row)
    assert not type(row).objects.get(pk=row.pk).pinned
    assert list(AuditEntry.objects.values_list("act", flat=True)[:2]) == ["unpinned", "pinned"]


def test_a_file_moves_to_the_archive_and_back(page, publish, archive_folder, read):
    best, spare = publish(wape=0.2), publish(wape=0.4)
    text = read(ask(page, "archive", best, spare))
    assert "is in use: put another version in use first." in text
    assert f"will be moved to {archive_folder}" in text
    confirm(page, "archive", spare)
    assert not get_artifact_store().exists(spare.path) and (archive_folder / spare.path).exists()
    assert "already in the archive" in read(ask(page, "archive", spare))
    assert "in the archive" in read(page.get(changelist(ModelVersion)))
    confirm(page, "restore", spare)
    assert get_artifact_store().exists(spare.path) and "Its file is already on this server." in read(
        ask(page, "restore", spare)
    )


def test_without_an_archive_it_is_not_offered_and_nothing_moves(page, version, forecast):
    confirm(page, "archive", forecast)
    assert get_artifact_store().exists(forecast.path)
    for row in (version, forecast):
        source = page.get(changelist(type(row))).content.decode() + page.get(change(row)).content.decode()
        assert 'value="pin"' in source and 'value="archive"' not in source and 'value="restore"' not in source


def test_deleting_says_what_goes_along_and_takes_the_files(page, publish, user, read):
    kept, doomed = publish(wape=0.4), publish(wape=0.2)
    made = [Forecast.objects.make_forecast(doomed, horizon=7) for _number in range(2)]
    text = read(ask(page, "delete_with_file", doomed))
    assert "2 forecasts made with it will be deleted too." in text
    assert f"{kept.name} will take its place." in text
    assert get_artifact_store().exists(doomed.path)
    confirm(page, "delete_with_file", doomed)
    assert list(ModelVersion.objects.all()) == [kept] == [ForecastModel.objects.get().best]
    assert not any(get_artifact_store().exists(row.path) for row in [doomed, *made])
    log = LogEntry.objects.get()
    assert (log.user, log.object_id, log.object_repr) == (user, str(doomed.pk), doomed.name)
    assert log.is_deletion()


def test_what_is_pinned_is_not_deleted(page, version, forecast, read):
    forecast.pin()
    assert "is pinned: unpin it first." in read(confirm(page, "delete_with_file", forecast))
    assert "1 pinned forecast was made with it" in read(confirm(page, "delete_with_file", version))
    assert Forecast.objects.exists() and ModelVersion.objects.exists()


def test_data_that_models_learned_from_stays(page, version, sales, read):
    assert "Models were trained on it" in read(confirm(page, "delete_with_file", sales))
    version.delete_with_files()
    assert "It is the current version" in read(confirm(page, "delete_with_file", sales))
    assert get_artifact_store().exists(sales.path)


def test_retraining_queues_the_same_on_the_newest_sales_and_once_a_page(page, version, user, read):
    assert "A new training of Seasonal naive on chain v1" in read(ask(page, "retrain", version))
    token = "00000000-0000-0000-0000-000000000001"
    for _click in range(2):
        confirm(page, "retrain", version, token=token)
    run = TrainingRun.objects.get()
    assert (run.algorithm, run.created_by, run.state) == ("seasonal_naive", user, "queued")
    assert "It has not ended yet." in read(ask(page, "again", run))
    assert "will be lost" in read(ask(page, "stop", run))
    confirm(page, "stop", run)
    run.refresh_from_db()
    assert run.state == "cancelled" and "has ended already" in read(ask(page, "stop", run))
    confirm(page, "again", run)
    assert TrainingRun.objects.filter(state="queued").count() == 1


def offered(client, row) -> list[str]:
    """The actions that a row's page has buttons for."""
    return re.findall(r'name="action" value="(\w+)"', client.get(change(row)).content.decode())


def test_the_page_of_a_row_offers_what_applies_to_it_and_nothing_else(page, publish, archive_folder):
    first, second = publish(wape=0.4), publish(wape=0.2)
    assert offered(page, second) == ["roll_back", "pin", "delete_with_file", "retrain"]
    assert offered(page, first) == ["promote", "pin", "archive", "delete_with_file", "retrain"]
    first.pin()
    assert offered(page, first) == ["promote", "unpin", "retrain"]
    first.unpin()
    first.move_to_archive()
    assert offered(page, first) == ["promote", "pin", "restore", "delete_with_file", "retrain"]


def test_two_versions_of_one_model_are_not_put_in_use_together(page, publish, read):
    best, worse, worst = publish(wape=0.2), publish(wape=0.4), publish(wape=0.5)
    text = read(ask(page, "promote", worse, worst))
    assert "2 rows are skipped" in text and text.count("Only one version of a model can be in use") == 2
    confirm(page, "promote", worse, worst, reason="Both, please")
    assert ForecastModel.objects.get().best == best and "1 row" in read(ask(page, "promote", best, worse))


def test_more_rows_than_a_person_can_read_are_refused(admin_page, monkeypatch, publish, read):
    monkeypatch.setattr("registry.admin.actions.MAX_ROWS", 1)
    text = read(ask(admin_page, "pin", publish(), publish()))
    assert "Select at most 1 at a time" in text and MAX_ROWS == 200


def test_there_is_no_other_way_to_delete(admin_page, version):
    address = reverse("admin:registry_modelversion_delete", args=[version.pk])
    assert admin_page.post(address, {"post": "yes"}).status_code == 403
    ask(admin_page, "delete_selected", version, post="yes")
    assert ModelVersion.objects.exists()


# --- many rows ----------------------------------------------------------------------------------------
def statements(client, model, **asked) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(changelist(model), asked).status_code == 200
    return [query["sql"] for query in seen]


def copies(row, number: int) -> None:
    """More rows like this one."""
    names = [f.attname for f in row._meta.concrete_fields if not f.primary_key]
    like = {name: getattr(row, name) for name in names} | (
        {"version_id": None} if "progress" in names else {}
    )
    counted = {"number", "seq"}.intersection(names)  # what must differ
    twins = [type(row)(**like) for _number in range(number)]
    for at, twin in enumerate(twins):
        for name in counted:
            setattr(twin, name, 100 + at)
    type(row)._base_manager.bulk_create(twins)


QUICK = ["ModelVersion", "Forecast", "TrainingRun", "RunEvent", "DatasetVersion", "AuditEntry"]


@pytest.mark.parametrize("name", QUICK)
def test_a_list_asks_the_same_few_questions_whatever_it_holds(admin_page, rows, name):
    model = next(model for model in OURS if model.__name__ == name)
    before = statements(admin_page, model)
    copies(model._base_manager.first(), 60)
    after = statements(admin_page, model)
    assert len(after) == len(before) <= 16
    for sql in after:
        assert "COUNT(" not in sql or f"LIMIT {MAX_LISTED}" in sql, sql
        assert "datetime_trunc" not in sql.lower() and "MIN(" not in sql, sql


def test_the_way_down_the_days_ends_at_the_rows(admin_page, rows, read):
    day = timezone.localtime(Forecast.objects.get().created_at)
    for asked in ({}, {"created_at__year": day.year}):
        source = admin_page.get(changelist(Forecast), asked).content.decode()
        assert re.search(rf"created_at__month={day.month}\b", source)
    month = {"created_at__year": day.year, "created_at__month": day.month}
    assert f"created_at__day={day.day}" in admin_page.get(changelist(Forecast), month).content.decode()
    found = admin_page.get(changelist(Forecast), {**month, "created_at__day": day.day})
    assert Forecast.objects.get().label in read(found)
    assert "0 rows" in read(admin_page.get(changelist(Forecast), {"created_at__year": 1999}))


# --- the audit ----------------------------------------------------------------------------------------
def test_the_audit_is_read_only_and_comes_as_csv_as_it_is_filtered(browse, person, version, read):
    record_action("promoted", version, None, "=1+1")
    record_action("pinned", version)
    ops = browse(person("ops", "Operator"))
    assert "put in use" in read(ops.get(changelist(AuditEntry)))
    line = AuditEntry.objects.first()
    assert ops.post(change(line), {"name": "x"}).status_code == 403
    response = ops.get(reverse("admin:registry_auditentry_csv"), {"act__exact": "promoted"})
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert text.splitlines()[0] == "at,who,act,kind,key,name,why"
    assert len(text.splitlines()) == 2 and f"promoted,modelversion,{version.pk},{version.name},'=1+1" in text
    assert AuditEntry.objects.filter(act="exported", who="ops").exists()


def test_a_change_of_somebodys_rights_is_told(admin_page, person, admin):
    ana = person("eve", "Planner")
    form = {"username": "eve", "is_active": "on", "groups": [Group.objects.get(name="Operator").pk],
            "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}  # fmt: skip
    response = admin_page.post(change(ana), form)
    assert response.status_code == 302
    line = AuditEntry.objects.get(act="roles")
    assert (line.who, line.name, line.why) == ("boss", "eve", "Planner → Operator")
    admin_page.post(change(ana), {**form, "is_superuser": "on"})
    assert AuditEntry.objects.filter(act="roles").first().why == "Operator → Operator, administrator"

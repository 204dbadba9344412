"""Rules that hold for every page."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group, User
from django.urls import get_resolver, reverse

from forecastsite.automation.models import Plan
from forecastsite.automation.starting import start_plan
from prediction.models import Override
from registry.datasets.sources.models import Source
from registry.datasets.upload_jobs.models import UploadJob
from training import queue
from training.models import TrainingRun

PLAIN = [
    "overview",
    "products",
    "products-compare",
    "products-runs",
    "accuracy",
    "overrides",
    "override-new",
    "scorecard",
    "data",
    "train",
    "queue",
    "news",
    "models",
    "models-compare",
    "forecast",
    "history",
    "train-knobs",
    "train-cost",
    "upload",
    "stock-upload",
    "help",
    "orders",
    "orders-policy",
    "scenarios",
    "scenarios-compare",
    "automation",
    "source-new",
    "plan-new",
    "keys",
    "webhooks",
    "storage",
    "password",
    "welcome",
    "sample-file",
]
READERS = ["buyer", "curator", "operator"]
OF_VERSION = ["model", "model-delete", "model-promote"]
OF_FORECAST = ["forecast-detail", "forecast-delete", "forecast-csv", "forecast-excel"]
OF_FORECAST_RUN = [
    "products-run",
    "products-run-promote",
    "products-run-delete",
    "products-run-parquet",
    "products-run-csv",
]
OF_SOURCE = ["source", "source-edit", "source-delete"]
OF_PLAN = ["plan", "plan-edit", "plan-delete"]
OF_PLAN_RUN = ["planrun"]
OF_OVERRIDE = ["override", "override-withdraw"]
OF_RUN = ["run", "run-cancel", "run-finish", "run-again"]
OF_DATASET = [
    "dataset",
    "dataset-rename",
    "dataset-delete",
    "catalogue",
    "dataset-csv",
    "dataset-parquet",
    "dataset-findings",
]
OF_DATA_VERSION = ["dataset-back"]
OF_UPLOAD = ["upload-match", "upload-check", "upload-rows"]
OF_UPLOAD_JOB = ["upload-job"]
POSTED = {
    "accuracy-alert",
    "key-revoke",
    "webhook-switch",
    "webhook-delete",
    "webhook-replay",
    "source-switch",
    "source-look",
    "plan-switch",
    "plan-start",
    "upload-discard",
    "upload-job-stop",
    "dataset-pause",
    "products-run-new",
    "products-run-back",
}
OF_KIND = ["suggest"]
LEADS_ON = {"model-roll-back", "model-retrain"}  # changes something and leads to another page
ELSEWHERE = {  # opened by the tests of orders, plans and explanations
    *("forecast-asked-plan", "forecast-asked-why", "forecast-plan", "forecast-why", "scenario"),
    *(f"scenario-{verb}" for verb in ("adopt", "change", "delete", "duplicate", "edit")),
    *(f"orders-{name}" for name in ("again", "backtest", "backtests", "line", "line-why", "new", "print")),
    *(f"orders-{verb}" for verb in ("approve", "change", "delete", "export", "run")),
}
OPEN = {"login", "logout", "metrics", "set_language"}


@pytest.fixture
def user(user: User) -> User:
    """Somebody who also looks after the disk."""
    user.groups.add(Group.objects.get(name="Operator"))
    return user


@pytest.fixture
def pages(forecast, version, sales, upload, make_run) -> list[str]:
    """Every address that a signed-in person can open."""
    run = queue.enqueue_run(sales, version.model.scope, "seasonal_naive")
    run.cancel()  # a dataset with an active training is not deleted
    owners = [(OF_VERSION, version), (OF_FORECAST, forecast), (OF_RUN, run), (OF_DATASET, sales.dataset)]
    owners += [(OF_DATA_VERSION, sales), (OF_UPLOAD, upload), (OF_FORECAST_RUN, make_run(version))]
    days = {"first": sales.last, "last": sales.last, "kind": "percent", "amount": 5.0, "reason": "other"}
    other = {"file": "till.csv", "created_by": upload.created_by}
    owners.append((OF_UPLOAD_JOB, UploadJob.objects.create(task="import", **other)))
    owners.append((OF_OVERRIDE, Override.objects.create(dataset=sales.dataset, **days)))
    plan = Plan.objects.create(name="nightly", dataset=sales.dataset)
    owners += [(OF_SOURCE, Source.objects.create(name="tills", dataset=sales.dataset)), (OF_PLAN, plan)]
    owners.append((OF_PLAN_RUN, start_plan(plan, "page")))
    owned = [reverse(name, args=[owner.pk]) for names, owner in owners for name in names]
    owned += [reverse(name, args=[kind]) for name in OF_KIND for kind in ("store", "product")]
    helps = [reverse("help-for", args=[who]) for who in READERS]
    return [reverse(name) for name in PLAIN] + owned + helps


def test_these_tests_know_every_page():
    names = {pattern.name for pattern in get_resolver().url_patterns if getattr(pattern, "name", None)}
    for include in get_resolver().url_patterns:
        if getattr(include, "app_name", None) != "admin":
            names |= {p.name for p in getattr(include, "url_patterns", []) if getattr(p, "name", None)}
    assert names == {
        *PLAIN,
        *OF_VERSION,
        *OF_FORECAST,
        *OF_FORECAST_RUN,
        *OF_RUN,
        *OF_OVERRIDE,
        *OF_SOURCE,
        *OF_PLAN,
        *OF_PLAN_RUN,
        *OF_DATASET,
        *OF_DATA_VERSION,
        *OF_UPLOAD,
        *OF_UPLOAD_JOB,
        *OF_KIND,
        *POSTED,
        *LEADS_ON,
        *ELSEWHERE,
        "help-for",
        *OPEN,
    }


def test_nobody_sees_a_page_without_signing_in(anonymous, pages):
    for address in pages:
        response = anonymous.get(address)
        assert response.status_code == 302 and "/login/" in response["Location"], address


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_opens_in_every_language(page, pages, language):
    page.cookies["django_language"] = language
    for address in pages:
        response = page.get(address)
        if response.streaming:  # a download that is not read holds its place
            b"".join(response.streaming_content)
        assert response.status_code == 200, address
        if not response.streaming and "html" in response["Content-Type"] and b"<html" in response.content:
            assert f'<html lang="{language}">' in response.content.decode(), address


def test_no_page_needs_inline_code_or_style(page, pages):
    for address in [*pages, "/login/", "/nowhere/"]:
        response = page.get(address)
        if response.streaming:  # a download that is not read holds its place
            b"".join(response.streaming_content)
        source = "" if response.streaming else response.content.decode(errors="replace")
        scripts = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", source)
        assert not scripts and not re.search(r"<style|\sstyle=|\son[a-z]+=", source), address


def test_the_policy_forbids_inline_code(page):
    policy = page.get("/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy


def test_an_empty_installation_says_what_to_do_next(page, read):
    assert "Three steps to your first forecast" in read(page.get("/"))
    assert "import_sales" in read(page.get("/data/"))
    assert "none have been uploaded yet" in read(page.get("/train/"))
    assert "No model has been trained yet." in read(page.get("/models/"))
    assert "A forecast needs a trained model" in read(page.get("/forecast/"))
    assert "No forecast has been made yet." in read(page.get("/forecasts/"))


def test_a_wrong_address_gets_one_clear_sentence(page, read):
    response = page.get("/nowhere/")
    assert response.status_code == 404 and "This page does not exist" in read(response)


def test_the_language_can_be_switched_before_signing_in(anonymous, read):
    anonymous.post("/language/", {"language": "zh-hans", "next": "/login/"})
    assert "登录" in read(anonymous.get("/login/"))


def test_too_many_wrong_passwords_get_one_clear_sentence(anonymous, user, read):
    for _attempt in range(5):
        response = anonymous.post("/login/", {"username": user.username, "password": "wrong"})
    assert response.status_code == 429 and "locked for 15 minutes" in read(response)


def test_the_way_to_the_admin_is_shown_to_those_whom_it_lets_in(browse, person, admin_page):
    assert b'href="/admin/"' not in browse(person("pia", "Planner")).get("/").content
    assert b'href="/admin/"' in browse(person("ops", "Operator")).get("/").content
    assert b'href="/admin/"' in admin_page.get("/").content


def test_a_page_offers_no_button_that_would_be_refused(browse, person, pages):
    viewer, forbidden = (
        browse(person("vic")),
        (
            *("/promote/", "/delete/", "/cancel/", "/finish/", "/again/"),
            *("/current/", "/runs/new/"),
        ),
    )
    for address in pages:
        response = viewer.get(address)
        if response.status_code != 200 or response.streaming:
            continue
        source = response.content.decode(errors="replace")
        links = re.findall(r'(?:href|action|hx-post|hx-get)="([^"#?]+)', source)
        shown = [link for link in links if link.endswith(forbidden) or link in ("/train/", "/forecast/")]
        assert not shown and "/data/upload/" not in links and "/admin/" not in links, address


def test_the_overview_lists_failed_trainings_first(page, sales, read):
    TrainingRun.objects.create(
        dataset_version=sales, algorithm="seasonal_naive", state="failed", error="No memory."
    )
    text = read(page.get("/"))
    assert "Needs your attention" in text and "No memory." in text


@pytest.mark.parametrize("address", ["/", "/models/", "/models/compare/"])
def test_every_measure_has_an_explanation_that_the_keyboard_reaches(page, publish, forecast, address):
    versions = [publish(wape=0.2).pk, publish(wape=0.4).pk]
    source = page.get(address, {"v": versions}).content.decode()
    buttons = re.findall(r'<button type="button" class="tip" popovertarget="([\w-]+)"', source)
    texts = re.findall(r'<span popover id="([\w-]+)" class="tiptext" role="tooltip">[^<]{20,}', source)
    assert buttons and buttons == texts and len(set(texts)) == len(texts)


def test_log_lines_name_the_method_by_its_label(page, sales, version, read):
    run = queue.enqueue_run(sales, version.model.scope, "seasonal_naive")
    values = {"method": "kan", "error": 0.2}
    run.events.create(
        seq=99, kind="log", text="{method}: error {error:.1%} on the days held back", data=values
    )
    TrainingRun.objects.update(last_seq=99)
    from registry.algorithms import list_choices

    text = read(page.get(f"/runs/{run.pk}/"))
    assert f"{dict(list_choices())['kan']}: error 20.0% on the days held back" in text


@pytest.mark.parametrize("who", READERS)
def test_help_is_there_in_both_languages(page, who):
    english = page.get(f"/help/{who}/").content.decode()
    page.cookies["django_language"] = "zh-hans"
    chinese = page.get(f"/help/{who}/").content.decode()
    assert "<h2>" in english and english.count("<h2>") == chinese.count("<h2>") > 1
    assert english.count("<li>") == chinese.count("<li>")
    assert page.get("/help/nobody/").status_code == 404

"""The admin: every table opens, history stays as it was, files go with their rows."""

from __future__ import annotations

import pytest
from django.contrib import admin as site
from django.urls import reverse

from forecastsite.models import CleanUp, Nightly
from registry.artifacts import store
from registry.models import ModelVersion, Tombstone
from training.events import RunEvent
from training.models import TrainingRun

OURS = [
    model
    for model in site.site._registry
    if model._meta.app_label in {"registry", "training", "prediction", "forecastsite"}
]


@pytest.fixture
def rows(forecast, sales):
    run = TrainingRun.objects.create(dataset_version=sales, algorithm="seasonal_naive")
    RunEvent.objects.create(run=run, seq=1, kind="log", text="Hello.")
    Tombstone.of(forecast, "by_hand").save()
    CleanUp.objects.create(deleted=3)
    Nightly.objects.ensure()


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_table_lists_and_opens_its_rows(admin_page, rows, model, language):
    admin_page.cookies["django_language"] = language
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert admin_page.get(reverse(f"{name}_changelist"), {"q": "x"}).status_code == 200
    row = model._default_manager.first()
    assert row and admin_page.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200


def test_every_model_of_ours_is_registered():
    assert {model.__name__ for model in OURS} == {
        "Dataset", "DatasetVersion", "ForecastModel", "ModelVersion", "VersionChange",
        "TrainingRun", "RunEvent", "Forecast", "Tombstone", "CleanUp", "Nightly",
    }  # fmt: skip


def test_the_queues_pickles_are_not_shown():
    assert not [model for model in site.site._registry if model._meta.app_label == "django_q"]


def test_people_without_rights_stay_out(page):
    assert page.get("/admin/").status_code == 302


def test_deleting_a_version_takes_its_file(admin_page, version):
    admin_page.post(reverse("admin:registry_modelversion_delete", args=[version.pk]), {"post": "yes"})
    assert not ModelVersion.objects.exists() and not store().exists(version.path)


def test_deleting_selected_versions_takes_their_files(admin_page, publish):
    versions = [publish(), publish()]
    form = {"action": "delete_selected", "_selected_action": [str(v.pk) for v in versions], "post": "yes"}
    admin_page.post(reverse("admin:registry_modelversion_changelist"), form)
    assert not ModelVersion.objects.exists() and not any(store().exists(v.path) for v in versions)

"""The admin in plain words: groups, names, values and pages of single rows."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin as site
from django.urls import reverse

from registry.access.audit import AuditEntry, record_action
from registry.admin.base import format_json
from registry.model_versions.models import ForecastModel, ModelVersion
from training.events import RunEvent
from training.models import TrainingRun

GROUPS = {
    "en": ["People", "Sign-in protection", "Data and models", "Forecasts", "Operations", "Background tasks"],
    "zh-hans": ["人员", "登录保护", "数据与模型", "预测", "运维", "后台任务"],
}
UNTRANSLATED = re.compile(
    r"\b(Axes|AXES|access (?:attempt|log|failure)s?|Django Q|DJANGO Q|trainingrun|modelversion|ormq)\b"
)


def changelist(model) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def change(row) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


@pytest.fixture
def run(sales) -> TrainingRun:
    run = TrainingRun.objects.create(dataset_version=sales, algorithm="kan", last_seq=1)
    RunEvent.objects.create(run=run, seq=1, kind="log", text="Hello.")
    return run


@pytest.mark.parametrize("language", GROUPS)
def test_the_index_has_groups_in_plain_words(admin_page, language):
    admin_page.cookies["django_language"] = language
    source = admin_page.get("/admin/").content.decode()
    assert re.findall(r'class="section">([^<]+)<', source) == GROUPS[language]


def test_every_table_is_in_exactly_one_group(admin_page):
    source = admin_page.get("/admin/").content.decode()
    for model in site.site._registry:
        assert source.count(f'href="{changelist(model)}"') >= 1, model


def test_a_group_has_a_page_of_its_own_and_hides_what_the_role_may_not_see(browse, person, read):
    ops, ana = browse(person("ops", "Operator")), browse(person("cleo", "Curator"))
    text = read(ops.get("/admin/forecastsite/"))
    assert (
        "Audit log" in text
        and "Deleted files" in text
        and "Datasets" not in text.split("Audit log")[0][-200:]
    )
    assert "Training log" in read(ana.get("/admin/training/")) and "Background tasks" not in read(
        ana.get("/admin/")
    )


@pytest.mark.parametrize("language", GROUPS)
def test_no_list_or_row_shows_the_names_of_libraries(admin_page, run, version, language, read):
    admin_page.cookies["django_language"] = language
    record_action("trained", run)
    for model in site.site._registry:
        row = model._default_manager.first()
        for address in (changelist(model), *([change(row)] if row else [])):
            found = UNTRANSLATED.search(read(admin_page.get(address)))
            assert not found, f"{address}: {found[0]}"


def test_a_list_is_headed_by_its_name(admin_page):
    for model in (AuditEntry, RunEvent):
        name = str(model._meta.verbose_name_plural).capitalize()
        assert f"<h1>{name}</h1>" in admin_page.get(changelist(model)).content.decode()


def test_the_crumbs_lead_through_the_group_of_the_table(admin_page, run):
    record_action("trained", run)
    source = admin_page.get(change(AuditEntry.objects.first())).content.decode()
    crumbs = source[
        source.index('class="breadcrumbs"') : source.index("</nav>", source.index('class="breadcrumbs"'))
    ]
    assert 'href="/admin/forecastsite/">Operations</a>' in crumbs


def test_trainings_and_models_are_named_as_on_the_pages(admin_page, run, version, read):
    for model in (TrainingRun, RunEvent):
        assert "KAN · all products, all stores" in read(admin_page.get(changelist(model)))
    text = read(admin_page.get(changelist(ForecastModel)))
    assert "all products, all stores" in text and "global" not in re.sub(r"\w+_global_v\d", "", text)
    assert version.name in read(admin_page.get(changelist(ModelVersion)))


def test_filters_show_values_in_words(admin_page, run, version, read):
    record_action("trained", run)
    record_action("promoted", version)
    source = read(admin_page.get(changelist(AuditEntry)))
    assert "Training run" in source and "Model version" in source
    source = admin_page.get(changelist(AuditEntry), {"kind": "trainingrun"}).content.decode()
    assert "1 row" in source and "2 rows" not in source


def test_no_is_a_dash_and_yes_a_word(admin_page, version, read):
    version.pin()
    row = admin_page.get(changelist(ModelVersion)).content.decode()
    assert re.search(r'field-pinned_text">Yes<', row) and "icon-no" not in row
    version.unpin()
    assert re.search(r'field-pinned_text">—<', admin_page.get(changelist(ModelVersion)).content.decode())


def test_the_page_of_a_row_has_its_fields_in_groups(admin_page, run, version, forecast, sales, read):
    for row, titles in (
        (version, ("Training", "Settings and test results", "File")),
        (run, ("Request", "Course", "Settings and estimate")),
        (forecast, ("Result", "File")),
        (sales, ("Sales", "Import", "File")),
    ):
        source = admin_page.get(change(row)).content.decode()
        headings = re.findall(r'class="fieldset-heading">\s*([^<]+?)\s*</h2>', source)
        assert headings == list(titles), row


def test_decimals_in_json_are_short():
    text = format_json(
        {"wape": 0.16734523, "rows": 123456, "seconds": 4711.987, "windows": [{"bias": -0.00123456}]}
    )
    assert '"wape": 0.1673' in text.replace("&quot;", '"') and "0.16734" not in text
    assert "123456" in text and "4712.0" in text and "-0.001235" in text


def test_the_index_tells_what_the_person_did_on_any_page(admin_page, admin, run, read):
    assert "Nothing yet." in read(admin_page.get("/admin/"))
    record_action("trained", "KAN for the chain", admin)
    assert "KAN for the chain requested a training" in read(admin_page.get("/admin/"))

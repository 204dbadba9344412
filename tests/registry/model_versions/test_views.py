"""The list of models, their details, and how they go."""

from __future__ import annotations

import pytest

from registry.datasets.scope import Scope
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import get_artifact_store
from training.models import TrainingRun


def test_the_best_version_is_first_and_failed_trainings_are_last(page, publish, sales, read):
    worse, better = publish(wape=0.4), publish(wape=0.2)
    TrainingRun.objects.create(
        dataset_version=sales, algorithm="seasonal_naive", state="failed", error="Broken."
    )
    text = read(page.get("/models/"))
    assert text.index(better.title) < text.index(worse.title) < text.index("Broken.")
    assert text.count("In use") == 1 and better.name not in text


def test_versions_are_ranked_inside_their_scope(page, publish, read):
    for scope, wape in ((Scope(), 0.4), (Scope("product", "P001"), 0.2), (Scope(), 0.3)):
        publish(scope, wape)
    text = read(page.get("/models/"))
    places = [text.index(words) for words in ("All products, all stores 1 ", "30.0%", "40.0%", "20.0%")]
    assert places == sorted(places) and text.index("Product P001") < places[-1]
    assert "1 Seasonal naive v2 In use" in text and "2 Seasonal naive v1" in text
    assert "1 Seasonal naive v1 In use" in text


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("error", "c"),
        ("-error", "a"),
        ("bias", "b"),
        ("range", "c"),
        ("naive", "c"),
        ("trained", "c"),
        ("-trained", "a"),
        ("name", "a"),
        ("nonsense", "c"),
    ],
)
def test_the_address_sorts_inside_the_scope(page, publish, sort, first):
    versions = {name: publish(wape=wape) for name, wape in (("a", 0.4), ("b", 0.3), ("c", 0.2))}
    for name, bias, inside in (("a", -0.2, 0.6), ("b", 0.0, 0.9), ("c", 0.1, 0.8)):
        found = ModelVersion.objects.get(pk=versions[name].pk)
        found.metrics |= {"bias": bias, "coverage": {"80": inside}}
        found.save()
    source = page.get("/models/", {"sort": sort}).content.decode()
    shown = sorted(versions, key=lambda name: source.index(f'value="{versions[name].pk}"'))
    assert shown[0] == first
    assert source.count("aria-sort=") == 1


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"kind": "product"}, {"seasonal_naive_product_P001_v1"}),
        ({"kind": "global"}, {"seasonal_naive_global_v1"}),
        ({"q": "P001"}, {"seasonal_naive_product_P001_v1"}),
        ({"method": "seasonal_naive"}, {"seasonal_naive_product_P001_v1", "seasonal_naive_global_v1"}),
        ({"method": "other"}, set()),
        ({"state": "failed"}, set()),
        (
            {"dataset": "x", "kind": "y", "page": "z"},
            {"seasonal_naive_product_P001_v1", "seasonal_naive_global_v1"},
        ),
    ],
)
def test_filters_live_in_the_address(page, publish, asked, shown):
    versions = [publish(), publish(Scope("product", "P001"))]
    source = page.get("/models/", asked).content.decode()
    assert {version.name for version in versions if str(version.pk) in source} == shown


def test_a_long_list_has_pages(page, publish, read):
    versions = [publish(wape=0.2 + number / 100) for number in range(27)]
    first, second = (page.get("/models/", {"page": number}).content.decode() for number in (1, 2))
    assert str(versions[0].pk) in first and str(versions[26].pk) not in first
    assert (
        str(versions[26].pk) in second and read(page.get("/models/", {"page": 2})).count("Page 2 of 2") == 1
    )


def test_the_newest_failed_trainings_follow_the_models_and_the_export_has_all(page, publish, sales, read):
    version = publish()
    for number in range(12):
        TrainingRun.objects.create(
            dataset_version=sales, algorithm="seasonal_naive", state="failed", error=f"Fault {number}."
        )
    text = read(page.get("/models/"))
    assert text.count("Fault") == 10 and "Fault 11." in text and "The newest 10 of 12." in text
    assert "Fault" not in read(page.get("/models/", {"state": "ready"}))
    failed = read(page.get("/models/", {"state": "failed"}))
    assert version.title not in failed and "Fault 11." in failed and "No model" not in failed
    lines = page.get("/models/", {"export": "csv"}).content.decode("utf-8-sig").splitlines()
    assert lines[1].startswith(version.name) and [line.split(",")[-1] for line in lines[2:]] == [
        f"Fault {number}." for number in range(11, -1, -1)
    ]


def test_filters_keep_what_was_chosen_and_ignore_unknown_values(page, publish):
    publish()
    source = page.get("/models/", {"kind": "store", "method": "seasonal_naive", "q": "P0"}).content.decode()
    for name in ("store", "seasonal_naive"):
        assert f'<option value="{name}" selected>' in source
    assert 'type="search" name="q" value="P0"' in source
    assert "errorlist" not in page.get("/models/", {"kind": "x", "dataset": "y"}).content.decode()


def test_the_detail_explains_every_measure_and_tells_where_it_comes_from(page, version, read):
    text = read(page.get(f"/models/{version.pk}/"))
    assert "30.0%" in text and "WAPE" in text and "lower is better" in text
    assert version.sha256 in text and version.dataset_version.content_hash in text
    assert text.count("Last known day") == 1 and len(version.metrics["windows"]) > 0


def test_deleting_a_version_asks_and_then_takes_files_and_forecasts(page, version, forecast, read):
    files = [version.path, forecast.path]
    assert all(get_artifact_store().exists(file) for file in files)
    assert f"Delete {version.title}?" in read(page.get(f"/models/{version.pk}/delete/"))
    assert ModelVersion.objects.exists()
    text = read(page.post(f"/models/{version.pk}/delete/", follow=True))
    assert f"Deleted {version.title} and its file." in text
    assert not any(get_artifact_store().exists(file) for file in files)
    assert not ModelVersion.objects.exists() and not type(forecast).objects.exists()


def test_a_pinned_version_is_not_deleted_nor_one_of_a_pinned_forecast(page, version, forecast, read):
    version.pin()
    text = read(page.post(f"/models/{version.pk}/delete/", follow=True))
    assert f"{version.name} is pinned: unpin it first." in text and get_artifact_store().exists(version.path)
    version.unpin()
    forecast.pin()
    text = read(page.get(f"/models/{version.pk}/delete/", follow=True))
    assert "1 pinned forecast was made with it" in text and ModelVersion.objects.exists()


def test_deleting_the_best_version_hands_best_on(page, publish):
    worse, better = publish(wape=0.4), publish(wape=0.2)
    page.post(f"/models/{better.pk}/delete/")
    assert ModelVersion.objects.in_use().get() == worse


def test_a_double_click_on_going_back_goes_back_one_step(page, publish):
    first, second, third = (publish(wape=error) for error in (0.4, 0.3, 0.2))
    for version in (first, second, third):
        version.promote("so", None)
    for _click in range(2):
        response = page.post(f"/models/{third.pk}/back/")
        assert response["Location"] == f"/models/{second.pk}/"
    first.model.refresh_from_db()
    assert first.model.best_id == second.pk


def test_going_back_from_a_version_that_is_not_in_use_changes_nothing(page, publish, read):
    first, second = (publish(wape=error) for error in (0.4, 0.3))
    for version in (first, second):
        version.promote("so", None)
    response = page.post(f"/models/{first.pk}/back/", follow=True)
    assert "is not in use any more" in read(response)
    first.model.refresh_from_db()
    assert first.model.best_id == second.pk

"""One click trains a version's settings on the newest sales; who may, and what two clicks do."""

from __future__ import annotations

import pytest

from registry.datasets.models import DatasetVersion
from training.models import TrainingRun


@pytest.fixture
def newer(version):
    """A newer version of the sales, of which only the row is needed."""
    data = version.dataset_version
    fields = ("stores", "products", "series", "first", "last", "roles", "content_hash")
    values = {name: getattr(data, name) for name in fields}
    return DatasetVersion.objects.create(dataset=data.dataset, number=2, state="ready", **values)


def test_one_click_queues_the_same_settings_on_the_newest_sales_once(page, version, newer):
    address = f"/models/{version.pk}/retrain/"
    first, second = page.post(address), page.post(address)
    run = TrainingRun.objects.get()
    assert first["Location"] == second["Location"] == f"/runs/{run.pk}/"
    assert (run.dataset_version, run.algorithm, run.horizon) == (newer, version.algorithm, version.horizon)
    TrainingRun.objects.update(state="failed", finished_at=run.created_at)
    page.post(address)
    assert TrainingRun.objects.count() == 2, "after a failure one may try again"


def test_looking_starts_nothing_and_a_viewer_may_not_train(page, person, browse, version, newer):
    address = f"/models/{version.pk}/retrain/"
    assert page.get(address)["Location"] == f"/models/{version.pk}/"
    viewer = browse(person("vic", "Viewer"))
    refused = viewer.post(address)
    assert refused.status_code == 403 and not TrainingRun.objects.exists()
    assert "retrain" not in viewer.get(f"/models/{version.pk}/").content.decode()


def test_a_version_whose_product_is_gone_says_so(page, publish, newer, read):
    from registry.datasets.scope import Scope

    alone = publish(Scope("product", "P001"))
    newer.products = ["P002"]
    newer.save()
    text = read(page.post(f"/models/{alone.pk}/retrain/", follow=True))
    assert "has no product" in text and not TrainingRun.objects.exists()

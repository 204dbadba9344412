"""A dataset is the frame of every page: in the address, in every link, remembered, never mixed."""

from __future__ import annotations

import re
from datetime import date

import pytest

from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.scope import Scope
from registry.model_versions.in_use import version_in_use
from registry.model_versions.models import ModelVersion
from training.models import TrainingRun

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
LISTS = ["/", "/train/", "/models/", "/forecast/", "/forecasts/", "/data/", "/runs/", "/help/"]


@pytest.fixture
def other(version) -> DatasetVersion:
    """A newer dataset beside the chain."""
    dataset = Dataset.objects.create(name="bakery")
    days = {"first": date(2025, 1, 1), "last": date(2025, 12, 31)}
    return DatasetVersion.objects.create(
        dataset=dataset, number=1, state="ready", content_hash="1", stores=["B1"], products=["ROLL"], **days
    )


@pytest.fixture
def baked(other) -> ModelVersion:
    """A version of the other dataset that is in use."""
    made = ModelVersion.objects.create_pending(
        other, Scope(), algorithm="kan", metrics={"wape": 0.1}, wape=0.1
    )
    made.publish()
    made.promote("The bakers like it.", None)
    return ModelVersion.objects.get(pk=made.pk)


def links(response) -> set[str]:
    return set(re.findall(r'(?:href|action|hx-get|hx-post)="(/[^"?]*)', response.content.decode()))


@pytest.mark.parametrize("address", LISTS)
def test_every_link_of_a_page_inside_a_dataset_stays_there(page, version, other, address):
    inside = f"/d/{version.model.dataset_id}"
    response = page.get(inside + address)
    assert response.status_code == 200
    site = ("/static/", "/admin/", "/keys/", "/language/", "/logout/", "/password/", "/webhooks/")
    strayed = {link for link in links(response) if not link.startswith((inside, *site))}
    assert strayed <= {link for link in strayed if link.startswith(f"/d/{other.dataset_id}/")}
    assert f"{inside}/models/" in links(response) and "/admin/" in links(response)
    assert not {link for link in links(response) if link.startswith(tuple(inside + name for name in site))}


def test_the_prefix_ends_with_the_request(page, version):
    page.get(f"/d/{version.model.dataset_id}/models/")
    assert "/models/" in links(page.get("/models/"))


def test_lists_show_one_dataset_and_never_the_other(page, version, baked, forecast, read):
    chain, bakery = version.model.dataset, baked.model.dataset
    for dataset, own, foreign in ((chain, version, baked), (bakery, baked, version)):
        source = page.get(f"/d/{dataset.pk}/models/").content.decode()
        assert f"/d/{dataset.pk}/models/{own.pk}/" in source and str(foreign.pk) not in source
        assert str(foreign.pk) not in page.get(f"/d/{dataset.pk}/models/?export=csv").content.decode()
    assert str(forecast.pk) in page.get(f"/d/{chain.pk}/forecasts/").content.decode()
    assert str(forecast.pk) not in page.get(f"/d/{bakery.pk}/forecasts/").content.decode()
    assert version_in_use(chain) == version and version_in_use(bakery) == baked


def test_the_training_form_is_about_the_dataset_of_the_address(page, version, other):
    for dataset in (version.model.dataset, other.dataset):
        source = page.get(f"/d/{dataset.pk}/train/").content.decode()
        assert f'type="hidden" name="dataset" value="{dataset.pk}"' in source


def test_the_dataset_is_remembered_for_addresses_without_one(page, version, other, read):
    for dataset in (version.model.dataset, other.dataset, version.model.dataset):
        page.get(f"/d/{dataset.pk}/models/")
        response = page.get("/models/", headers=BROWSER)
        assert response["Location"] == f"/d/{dataset.pk}/models/"


def test_the_dataset_is_remembered_per_person_until_the_next_sign_in(browse, person, version, other):
    ana, bo = person("ana", "Curator"), person("bo", "Viewer")
    for one, dataset in ((ana, version.model.dataset), (bo, other.dataset)):
        tab = browse(one)
        tab.get(f"/d/{dataset.pk}/models/")
        tab.post("/logout/")
        assert browse(one).get("/models/", headers=BROWSER)["Location"] == f"/d/{dataset.pk}/models/"
    Dataset.objects.filter(pk=other.dataset_id).delete()
    assert browse(bo).get("/models/", headers=BROWSER)["Location"] == f"/d/{version.model.dataset_id}/models/"


def test_without_a_memory_it_is_the_dataset_with_the_newest_sales(page, version, other):
    assert page.get("/?x=1", headers=BROWSER)["Location"] == f"/d/{other.dataset_id}/?x=1"
    Dataset.objects.filter(pk=other.dataset_id).delete()
    assert page.get("/", headers=BROWSER)["Location"] == f"/d/{version.model.dataset_id}/"


def test_without_any_dataset_the_pages_have_no_frame(page, read):
    response = page.get("/", headers=BROWSER)
    assert response.status_code == 200 and "Dataset:" not in read(response)


def test_an_unknown_dataset_is_a_page_that_says_so_and_leads_back(page, version):
    response = page.get("/d/999999/models/")
    assert response.status_code == 404
    assert "/d/999999" not in "".join(links(response)) and "/models/" in links(response)


def test_a_row_of_another_dataset_leads_to_its_own(page, version, forecast, other, sales):
    run = TrainingRun.objects.create(dataset_version=sales, algorithm="kan", state="failed")
    right, wrong = f"/d/{sales.dataset_id}", f"/d/{other.dataset_id}"
    for address in (
        f"/models/{version.pk}/",
        f"/models/compare/?v={version.pk}",
        f"/runs/{run.pk}/",
        f"/forecasts/{forecast.pk}/",
        f"/data/{sales.dataset_id}/",
        f"/data/{sales.dataset_id}/catalogue/?kind=store",
        f"/train/?dataset={sales.dataset_id}",
        f"/forecast/?version={version.pk}",
    ):
        assert page.get(wrong + address)["Location"] == right + address
        assert page.get(right + address).status_code == 200
        assert page.get(address, headers=BROWSER)["Location"] == right + address
        assert page.get(address).status_code == 200  # other programs may leave the dataset out


def test_a_form_sent_from_another_dataset_answers_inside_the_right_one(page, version, other):
    response = page.post(f"/d/{other.dataset_id}/models/{version.pk}/back/")
    assert response["Location"] == f"/d/{version.model.dataset_id}/models/{version.pk}/"


def test_addresses_of_the_whole_site_leave_the_frame(page, version):
    inside = f"/d/{version.model.dataset_id}"
    for address in ("/admin/", "/login/?next=/", "/static/site.css", "/language/"):
        response = page.get(inside + address)
        assert (response.status_code, response["Location"]) == (307, address)


def test_signing_in_and_the_language_keep_the_dataset(client, user, version, settings):
    inside = f"/d/{version.model.dataset_id}/models/"
    asked = client.get(inside)
    assert asked["Location"] == f"/login/?next={inside}"
    client.force_login(user)
    response = client.post("/language/", {"language": "zh-hans", "next": inside})
    assert response["Location"] == inside


def test_nobody_learns_of_datasets_without_signing_in(client, version):
    for number in (version.model.dataset_id, 999999):
        assert client.get(f"/d/{number}/")["Location"] == f"/login/?next=/d/{number}/"
    assert version.model.dataset.name not in client.get("/login/").content.decode()


def test_the_chooser_leads_to_the_same_page_of_the_other_dataset(page, version, other):
    source = page.get(f"/d/{version.model.dataset_id}/models/{version.pk}/").content.decode()
    assert f'href="/d/{other.dataset_id}/models/"' in source
    Dataset.objects.filter(pk=other.dataset_id).delete()
    assert "chooser" not in page.get(f"/d/{version.model.dataset_id}/models/").content.decode()

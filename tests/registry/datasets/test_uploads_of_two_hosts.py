"""Uploads while two hosts share a store: what one began, the other ends."""

from __future__ import annotations

import os
import shutil
import time

import pytest
from botocore.exceptions import EndpointConnectionError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from registry.datasets.importing.sandbox import launcher
from registry.datasets.models import Dataset
from registry.datasets.uploads import Upload
from registry.storage.artifacts import get_artifact_store

pytestmark = pytest.mark.django_db
SALES = "date,store_id,product_id,sales\n" + "".join(
    f"2026-03-{day:02},S1,P1,{day}\n" for day in range(1, 31)
)
FLAGGED = SALES + "2026-04-31,S1,P1,4\n"  # no such day


@pytest.fixture(autouse=True)
def two_hosts(shared_store, go_to_host) -> None:
    go_to_host("one")


def send(page, content: str = SALES, name: str = "till.csv"):
    return page.post("/data/upload/", {"file": SimpleUploadedFile(name, content.encode())})


def match(page, upload: Upload):
    """Sends the form of the columns as it is shown."""
    address = reverse("upload-match", args=[upload.pk])
    form = page.get(address).context["form"]
    return page.post(address, {name: form[name].initial or "" for name in form.fields})


def stored() -> list[str]:
    return get_artifact_store().listdir("uploads")[0]


def test_a_file_is_checked_on_another_host_than_it_came_to_and_saved_on_a_third(page, go_to_host):
    send(page)
    upload = Upload.objects.get()
    go_to_host("two")
    assert match(page, upload).url == reverse("upload-check", args=[upload.pk])
    go_to_host("three")
    page.post(reverse("upload-check", args=[upload.pk]))
    version = Dataset.objects.get().current_version
    assert (version.rows, str(version.last)) == (30, "2026-03-30")
    assert stored() == [] and not Upload.objects.exists()


def test_flagged_rows_of_a_check_are_downloaded_from_every_host(page, go_to_host):
    send(page, FLAGGED)
    upload = Upload.objects.get()
    match(page, upload)
    go_to_host("two")
    answer = page.get(reverse("upload-rows", args=[upload.pk]))
    assert b"2026-04-31" in b"".join(answer.streaming_content)


def test_a_host_that_dies_during_a_check_leaves_the_upload_to_the_others(page, go_to_host, monkeypatch):
    send(page)
    upload = Upload.objects.get()

    def die(job):
        raise SystemExit("killed")

    with monkeypatch.context() as patched:
        patched.setattr(launcher, "run_in_sandbox", die)
        with pytest.raises(SystemExit):
            match(page, upload)
    go_to_host("two")
    assert match(page, upload).url == reverse("upload-check", args=[upload.pk])


def test_results_of_an_earlier_check_are_never_those_that_are_saved(page, go_to_host):
    send(page, FLAGGED)
    upload = Upload.objects.get()
    match(page, upload)
    go_to_host("two")
    match(page, upload)
    upload.refresh_from_db()
    second = upload.report["check"]
    go_to_host("one")
    assert upload.fetch_result("canonical.parquet").parent.name == second
    assert get_artifact_store().listdir(f"uploads/{upload.pk}")[0] == [second]


def test_an_upload_whose_file_is_gone_says_what_to_do(page, go_to_host, read):
    send(page)
    upload = Upload.objects.get()
    match(page, upload)
    get_artifact_store().delete(f"uploads/{upload.pk}/source.csv")
    go_to_host("two")
    assert "no longer there: upload it again." in read(match(page, upload))


def test_a_store_that_does_not_answer_is_said_in_the_form(page, read, monkeypatch):
    def fail(*given):
        raise EndpointConnectionError(endpoint_url="http://store")

    monkeypatch.setattr(type(get_artifact_store()), "save", fail)
    assert "The file store does not answer: try again in a minute." in read(send(page))
    assert not Upload.objects.exists()


def test_what_uploads_left_in_the_store_goes_with_a_later_one(page, go_to_host, settings, shared_store):
    send(page)
    lost = Upload.objects.get()
    Upload.objects.all().delete()  # with its user
    send(page)
    assert str(lost.pk) in stored()  # perhaps somebody is saving its row right now
    for path in (shared_store / "uploads" / str(lost.pk)).iterdir():
        age(path)
    shutil.rmtree(settings.DATA_DIR)
    go_to_host("one")
    send(page)
    assert str(lost.pk) not in stored()


def age(path) -> None:
    """As if it had been written two days ago."""
    os.utime(path, (time.time() - 2 * 86400,) * 2)

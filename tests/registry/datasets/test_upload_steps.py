"""The steps of an upload: countries by name, a name from the file, and no step that says nothing new."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from registry.datasets.models import Dataset
from registry.datasets.uploads import Upload

pytestmark = pytest.mark.django_db


def sales_frame(start: str = "2026-01-05", days: int = 40) -> pd.DataFrame:
    frame = pd.MultiIndex.from_product(
        [pd.date_range(start, periods=days), ["S1"], ["A", "B"]], names=["date", "store_id", "product_id"]
    ).to_frame(index=False)
    return frame.assign(sales=range(5, 5 + len(frame)), promo=0, brand="x")


def send(page, frame: pd.DataFrame, name: str = "pasta 2026.csv", **fields):
    content = io.BytesIO()
    frame.to_parquet(content) if name.endswith(".parquet") else frame.to_csv(content, index=False)
    return page.post("/data/upload/", {"file": SimpleUploadedFile(name, content.getvalue()), **fields})


@pytest.fixture
def pasta(page) -> Dataset:
    send(page, sales_frame(), country="IT")
    upload = Upload.objects.get()
    form = page.get(reverse("upload-match", args=[upload.pk])).context["form"]
    page.post(
        reverse("upload-match", args=[upload.pk]), {name: form[name].initial or "" for name in form.fields}
    )
    page.post(reverse("upload-check", args=[upload.pk]))
    return Dataset.objects.get()


def test_a_dataset_without_a_name_is_named_after_its_file(pasta):
    assert pasta.name == "pasta 2026" and pasta.country == "IT"


def test_countries_are_chosen_by_name_with_that_of_the_browser_first(page):
    source = page.get("/data/upload/", headers={"Accept-Language": "en-DE,en"}).content.decode()
    assert (
        source.index(">none<")
        < source.index(">Germany<")
        < source.index(">Albania<")
        < source.index(">China<")
    )
    page.cookies["django_language"] = "zh-hans"
    assert ">德国<" in page.get("/data/upload/").content.decode()
    assert send(page, sales_frame(), country="Germany").status_code == 200
    assert not Upload.objects.exists()


def test_newer_days_of_the_same_columns_go_straight_to_the_check(pasta, page, read):
    response = send(page, sales_frame("2026-02-14", 10), dataset=pasta.pk)
    upload = Upload.objects.get()
    assert response.url == reverse("upload-check", args=[upload.pk])
    response = page.get(response.url)
    assert (
        "New rows 20" in read(response)
        and reverse("upload-match", args=[upload.pk]) in response.content.decode()
    )
    assert page.get(reverse("upload-match", args=[upload.pk])).status_code == 200


def test_other_columns_or_a_question_lead_to_the_columns(pasta, page):
    response = send(page, sales_frame("2026-02-14", 10).rename(columns={"brand": "maker"}), dataset=pasta.pk)
    assert response.url == reverse("upload-match", args=[Upload.objects.get().pk])
    Upload.objects.all().delete()
    unclear = sales_frame("2026-03-01", 10)
    unclear["date"] = unclear["date"].dt.strftime("%d/%m/%Y")
    response = send(page, unclear, dataset=pasta.pk)
    assert response.url == reverse("upload-match", args=[Upload.objects.get().pk])


def test_a_typed_file_is_not_asked_for_dates_and_decimals_and_proposals_are_shown(page, read):
    send(page, sales_frame(), "pasta.parquet")
    response = page.get(reverse("upload-match", args=[Upload.objects.get().pk]))
    text = read(response)
    assert "Decimal mark" not in text
    assert "Known ahead (proposed)" in text and "Fixed per store or product (proposed)" in text
    Upload.objects.all().delete()
    send(page, sales_frame())
    assert "Decimal mark" in read(page.get(reverse("upload-match", args=[Upload.objects.get().pk])))


def test_a_column_keeps_the_role_that_it_has_in_the_dataset(pasta, page, read):
    renamed = sales_frame("2026-02-14", 10).rename(columns={"brand": "maker"})
    send(page, renamed, dataset=pasta.pk)
    text = read(page.get(reverse("upload-match", args=[Upload.objects.get().pk])))
    assert "Known ahead (as before)" in text and "Fixed per store or product (proposed)" in text


def test_all_kinds_of_files_are_named_and_offered(page):
    from registry.datasets.importing.formats.readers import READERS

    source = page.get("/data/upload/").content.decode()
    help_text = source[source.index("id_file_helptext") :][:600]
    assert not [kind for kind in READERS if kind != ".parquet" and kind not in help_text]
    assert f'accept="{",".join(READERS)}"' in source


def test_a_packed_file_names_its_dataset_without_its_endings(page):
    import gzip

    content = gzip.compress(sales_frame().to_csv(index=False).encode())
    page.post("/data/upload/", {"file": SimpleUploadedFile("till.csv.gz", content)})
    assert Upload.objects.get().name == "till"

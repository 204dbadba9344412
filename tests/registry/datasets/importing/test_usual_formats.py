"""What a person answered about one file counts for the next one only where its days go on from it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from registry.datasets.models import Dataset
from registry.datasets.uploads import Upload

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Any, settings: Any) -> None:
    settings.DATA_DIR = tmp_path


def sales(first: date, days: int, order: str, **more: str) -> str:
    rows = [first + timedelta(days=number) for number in range(days)]
    cells = (
        f"{day.strftime(order)},S,A,{more.get('sales', 3 + number % 4)}" for number, day in enumerate(rows)
    )
    return "\n".join(["date,store,product,sales", *cells, ""])


def send(page: Any, content: str, **fields: Any) -> Any:
    return page.post("/data/upload/", {"file": SimpleUploadedFile("till.csv", content.encode()), **fields})


@pytest.fixture
def till(page: Any) -> Dataset:
    """Sales up to 31 October 2026, written day first."""
    send(page, sales(date(2026, 8, 1), 92, "%d/%m/%Y"), name="till")
    upload = Upload.objects.get()
    form = page.get(reverse("upload-match", args=[upload.pk])).context["form"]
    chosen = {name: form[name].initial or "" for name in form.fields}
    page.post(reverse("upload-match", args=[upload.pk]), chosen)
    page.post(reverse("upload-check", args=[upload.pk]))
    return Dataset.objects.get()


def test_days_that_go_on_are_read_in_the_usual_order(till: Dataset, page: Any) -> None:
    response = send(page, sales(date(2026, 11, 1), 7, "%d/%m/%Y"), dataset=till.pk)
    upload = Upload.objects.get()
    assert response.url == reverse("upload-check", args=[upload.pk])
    assert (upload.report["last"], upload.report["changes"]["added"]) == ("2026-11-07", 7)


@pytest.mark.parametrize(
    ("first", "days", "order"),
    [
        (date(2026, 11, 1), 7, "%m/%d/%Y"),  # the other order: would be 11 January to 11 July
        (date(2026, 11, 2), 1, "%m/%d/%Y"),  # one day: would be 11 February
        (date(2026, 9, 1), 7, "%d/%m/%Y"),  # corrections of days that are known: both orders are known days
        (date(2027, 2, 3), 4, "%d/%m/%Y"),  # long after the last day
    ],
)
def test_other_days_are_asked_about(till: Dataset, page: Any, first: date, days: int, order: str) -> None:
    response = send(page, sales(first, days, order), dataset=till.pk)
    upload = Upload.objects.get()
    address = reverse("upload-match", args=[upload.pk])
    assert response.url == address
    form = page.get(address).context["form"]
    assert not form["dates"].initial
    response = page.post(address, {name: form[name].initial or "" for name in form.fields})
    assert response.status_code == 200 and "may be day/month or month/day" in response.content.decode()


def test_dates_that_prove_the_other_order_are_read_in_it(till: Dataset, page: Any) -> None:
    send(page, sales(date(2026, 11, 1), 20, "%m/%d/%Y"), dataset=till.pk)
    assert Upload.objects.get().report["last"] == "2026-11-20"


def test_numbers_that_prove_another_mark_are_read_with_it(page: Any) -> None:
    content = sales(date(2026, 8, 1), 40, "%Y-%m-%d", sales='"1,024"')
    send(page, content, name="till")
    upload = Upload.objects.get()
    address = reverse("upload-match", args=[upload.pk])
    form = page.get(address).context["form"]
    chosen = {name: form[name].initial or "" for name in form.fields}
    assert page.post(address, chosen).status_code == 200  # a thousand, or one and a little?
    page.post(address, {**chosen, "decimal": "point"})
    page.post(reverse("upload-check", args=[upload.pk]))
    dataset = Dataset.objects.get()
    send(page, sales(date(2026, 9, 10), 5, "%Y-%m-%d", sales='"1,024"'), dataset=dataset.pk)
    again = Upload.objects.get()
    assert again.report["summary"]["units"] == 45 * 1024
    again.delete_with_files()
    send(page, sales(date(2026, 9, 10), 5, "%Y-%m-%d", sales='"1,5"'), dataset=dataset.pk)
    assert Upload.objects.get().report["summary"]["units"] == 40 * 1024 + 7.5

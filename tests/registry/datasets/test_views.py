"""From a till's file to a dataset in the browser, and what a dataset shows of itself."""

from __future__ import annotations

import csv
import io
import time

import pandas as pd
import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from registry.datasets.catalog import Item
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.reader import read_frame, read_table
from registry.datasets.scope import Scope
from registry.datasets.uploads import Upload

HEADER = "日期,门店,药品,销量,促销\n"
FAULTS = "2026-02-30,一号店,感冒灵,3,0\n2026-01-05,一号店,感冒灵,7,0\n2026-01-06,一号店,感冒灵,很多,0\n"


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings) -> None:
    settings.DATA_DIR = tmp_path


def till(extra: str = "", days: int = 40, start: str = "2026-01-01") -> str:
    rows = [
        f"{day:%Y-%m-%d},{shop},{drug},{3 + number % 4},{number % 2}\n"
        for shop in ("一号店", "二号店")
        for drug in ("感冒灵", "维生素C")
        for number, day in enumerate(pd.date_range(start, periods=days))
    ]
    return HEADER + "".join(rows) + extra


def send(page: Client, content: str | bytes, called: str = "till.csv", **fields: object):
    content = content.encode() if isinstance(content, str) else content
    return page.post("/data/upload/", {"file": SimpleUploadedFile(called, content), **fields})


def matched(page: Client, **fields: object):
    """Confirms what the match page proposes."""
    upload = Upload.objects.get()
    form = page.get(reverse("upload-match", args=[upload.pk])).context["form"]
    chosen = {name: form[name].initial or "" for name in form.fields}
    return page.post(reverse("upload-match", args=[upload.pk]), {**chosen, **fields})


def decided(page: Client, **choices: str):
    return page.post(reverse("upload-check", args=[Upload.objects.get().pk]), choices)


def saved(page: Client, content: str | bytes, **fields: object) -> DatasetVersion:
    """Through all pages, with what they propose."""
    assert send(page, content, **fields).status_code == 302
    assert matched(page).status_code == 302
    assert decided(page).status_code == 302
    return DatasetVersion.objects.order_by("-created_at").first()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_chinese_till_file_with_three_faults_becomes_a_dataset(page, read, language):
    page.cookies["django_language"] = language
    response = send(page, till(FAULTS).encode("gb18030"), name="till")
    assert response.status_code == 302
    text = read(page.get(response["Location"]))
    assert "GB18030" in text and "感冒灵" in text
    response = matched(page)
    assert response["Location"].endswith("/check/")
    text = read(page.get(response["Location"]))
    for place in ("162", "2026-02-30", "163", "164", "很多"):
        assert place in text
    assert decided(page, duplicate="last").status_code == 302  # another choice: checked again first
    assert not Dataset.objects.exists()
    assert decided(page, duplicate="last").status_code == 302
    version = DatasetVersion.objects.get()
    actions = {finding["code"]: finding["action"] for finding in version.findings}
    assert actions.items() >= {"bad-date": "skip", "not-a-number": "skip", "duplicate": "last"}.items()
    frame = read_frame(version)
    assert frame[frame["date"] == "2026-01-05"]["sales"].tolist()[0] == 7
    assert version.roles == {"promo": "known"} and version.rows == 160
    assert not Upload.objects.exists()
    assert "一号店" in read(page.get(reverse("dataset", args=[version.dataset_id])))


def test_what_was_decided_is_proposed_again_for_the_same_columns(page, read):
    send(page, till(FAULTS), name="till")
    matched(page, **{"column-4": "past"})
    decided(page, duplicate="last")
    decided(page, duplicate="last")
    dataset = Dataset.objects.get()
    response = send(page, till(FAULTS, 45), dataset=dataset.pk)
    assert "till v1" in read(page.get(response["Location"]))
    matched(page)
    upload = Upload.objects.get()
    actions = {finding["code"]: finding["action"] for finding in upload.report["findings"]}
    assert actions["duplicate"] == "last" and upload.report["roles"] == {"promo": "past"}


def test_newer_days_are_added_shown_first_and_can_be_undone(page, read):
    first = saved(page, till(), name="till")
    send(page, till(days=10, start="2026-02-05"), dataset=first.dataset_id)
    matched(page)
    upload = Upload.objects.get()
    assert upload.report["changes"] == {"added": 20, "changed": 20, "same": 0}
    assert "New rows 20" in read(page.get(reverse("upload-check", args=[upload.pk])))
    assert first.dataset.versions.count() == 1
    decided(page)
    second = Dataset.objects.get().current_version
    assert (second.number, second.rows, str(second.last)) == (2, 180, "2026-02-14")
    assert len(read_frame(first)) == 160
    response = page.post(reverse("dataset-back", args=[first.pk]))
    assert response.status_code == 302
    third = Dataset.objects.get().current_version
    assert (third.number, third.content_hash, third.rows) == (3, first.content_hash, 160)
    assert str(Item.objects.filter(kind="product").first().last) == "2026-02-09"


def test_a_file_that_changes_nothing_makes_no_version(page):
    first = saved(page, till(), name="till")
    assert saved(page, till(days=5), dataset=first.dataset_id) == first


def test_ambiguous_dates_are_asked_for_on_the_match_page(page, read):
    rows = "".join(f"{day:02d}/0{month}/2026,S,A,{day}\n" for month in (1, 2) for day in range(1, 13))
    send(page, "date,store,product,sales\n" + rows, name="till")
    response = matched(page)
    assert response.status_code == 200 and "may be day/month or month/day" in read(response)
    assert matched(page, dates="dmy").status_code == 302
    assert str(Upload.objects.get().report["last"]) == "2026-02-12"


def test_a_column_can_be_matched_by_hand_or_left_out(page):
    content = till().replace("药品,销量,促销", "what,howmany,noise")
    send(page, content, name="till")
    assert matched(page).status_code == 200
    by_hand = {"column-2": "product_id", "column-3": "sales", "column-4": "ignore"}
    assert matched(page, **by_hand).status_code == 302
    decided(page)
    assert DatasetVersion.objects.get().roles == {}


@pytest.mark.parametrize("column", ["药品", "what"])
def test_a_wide_file_is_read_with_the_columns_that_were_chosen(page, column):
    days = [f"2026-01-{day:02d}" for day in range(1, 31)]
    rows = [f"{code},Q{code},{','.join(str(day % 5) for day in range(30))}\n" for code in ("A", "B")]
    send(page, f"{column},other,{','.join(days)}\n" + "".join(rows), name="till")
    assert matched(page, **{"column-0": "", "column-1": "product_id"}).status_code == 302
    decided(page)
    version = DatasetVersion.objects.get()
    assert (version.products, version.rows, version.stores) == (["QA", "QB"], 60, ["1"])


def test_a_missing_column_is_asked_for(page, read):
    send(page, till().replace("销量", "xyz"), name="till")
    response = matched(page)
    assert response.status_code == 200 and "Choose the column that holds the units sold." in read(response)


def test_the_same_column_cannot_be_chosen_twice(page, read):
    send(page, till(), name="till")
    response = matched(page, **{"column-4": "sales"})
    assert response.status_code == 200 and "was chosen twice" in read(response)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "till.exe",
            b"x",
            "Choose a .csv, .txt, .tsv, .xlsx, .xlsm, .xls, .xlsb, .ods, .parquet, .zip or .gz file.",
        ),
        ("till.csv", b"", "empty"),
        ("till.parquet", b"PAR1PAR1", "cannot be read"),
        ("till.xlsx", b"PK", "not an Excel workbook"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_beside_the_field(page, read, name, content, words):
    response = send(page, content, name, name="till")
    assert response.status_code == 200 and words in read(response)
    assert not Upload.objects.exists()


def test_nobody_opens_the_upload_of_somebody_else(upload, person, browse):
    eve = browse(person("eve", "Curator"))
    for name in ("upload-match", "upload-check", "upload-rows"):
        assert eve.get(reverse(name, args=[upload.pk])).status_code == 404
    assert eve.post(reverse("upload-discard", args=[upload.pk])).status_code == 404


def test_a_thrown_away_upload_leaves_nothing(page, upload):
    folder = upload.folder
    page.post(reverse("upload-discard", args=[upload.pk]))
    assert not folder.exists() and not Upload.objects.exists()


def test_uploads_of_yesterday_go_with_the_next_one(page, upload):
    Upload.objects.update(created_at="2020-01-01T00:00:00Z")
    send(page, till(), name="till")
    assert Upload.objects.count() == 1 and not upload.folder.exists()


def test_bad_rows_come_as_csv_and_formulas_are_disarmed(page):
    send(page, till("=cmd|'/C calc'!A0,一号店,感冒灵,3,0\n2026-01-41,一号店,感冒灵,3,0\n"), name="till")
    matched(page)
    response = page.get(reverse("upload-rows", args=[Upload.objects.get().pk]))
    rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert rows[1][:4] == ["162", "bad-date", "日期", "'=cmd|'/C calc'!A0"]
    assert rows[2][0] == "163"


def test_an_export_comes_back_as_the_same_content(page, settings, tmp_path):
    version = saved(page, till(), name="till")
    body = b"".join(page.get(reverse("dataset-csv", args=[version.dataset_id])).streaming_content)
    assert saved(page, body, name="again").content_hash == version.content_hash
    parquet = b"".join(page.get(reverse("dataset-parquet", args=[version.dataset_id])).streaming_content)
    table = pq.read_table(io.BytesIO(parquet))
    assert table.to_pylist() == read_table(version, Scope()).to_pylist()
    findings = b"".join(page.get(reverse("dataset-findings", args=[version.dataset_id])).streaming_content)
    assert findings.decode("utf-8-sig").startswith("Finding,Count")


def test_the_catalogue_finds_and_sorts(page, read):
    version = saved(page, till(), name="till")
    address = reverse("catalogue", args=[version.dataset_id])
    assert "感冒灵" in read(page.get(address)) and "维生素C" in read(page.get(address))
    found = read(page.get(address, {"q": "维生素"}))
    assert "维生素C" in found and "感冒灵" not in found
    assert "二号店" in read(page.get(address, {"kind": "store", "order": "code"}))
    assert (
        "<html"
        not in page.get(address, headers={"HX-Target": "items", "HX-Request": "true"}).content.decode()
    )
    content = page.get(address, {"q": "维生素", "export": "csv"}).content.decode("utf-8-sig")
    assert [row["Code"] for row in csv.DictReader(io.StringIO(content))] == ["维生素C"]
    assert page.get(address, {"export": "xlsx"}).content.startswith(b"PK")


def test_the_datasets_are_searched_and_exported(page, read):
    for name in ("north", "south"):
        saved(page, till(), name=name)
    assert "north" in read(page.get("/data/")) and "No dataset matches" in read(page.get("/data/?q=west"))
    rows = page.get("/data/?q=nor").context["rows"]
    assert [dataset.name for dataset, _version in rows] == ["north"]
    content = page.get("/data/?q=nor&export=csv").content.decode("utf-8-sig")
    assert [row["Dataset"] for row in csv.DictReader(io.StringIO(content))] == ["north"]


def test_the_catalogue_answers_quickly_over_three_thousand_products(page, sales):
    items = [
        Item(
            dataset=sales.dataset, kind="product", code=f"X{n}", name=f"Tablets {n}", total=n, weeks=[1] * 26
        )
        for n in range(3000)
    ]
    Item.objects.bulk_create(items)
    address = reverse("catalogue", args=[sales.dataset_id])
    page.get(address, {"q": "Tablets 17"})
    times = []
    for _ in range(5):
        since = time.process_time()
        assert page.get(address, {"q": "tablets 17"}, headers={"HX-Target": "items"}).status_code == 200
        times.append(time.process_time() - since)
    assert min(times) < 0.1  # of processor time: others use the machine too


def test_a_body_that_was_dropped_gets_one_clear_page(page, read):
    response = page.post("/data/upload/", headers={"X-Body-Refused": "yes"})
    assert response.status_code == 413 and "At most 50 MB" in read(response)
